// SPDX-License-Identifier: Apache-2.0
// Implementation of the engine with a twin that is restarted.
#include "support/restarted_engine.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tocsin::testing {

restarted_engine::restarted_engine(std::vector<rule_spec> rules)
    : restarted_engine(compile_rules(std::move(rules))) {}

std::vector<finding> restarted_engine::take(long long clock_ms,
                                            const std::vector<window_event>& events) {
  // An engine that has not taken a step yet has nothing to save.
  if (begun_) {
    EXPECT_EQ(twin_.restart(), "");
  }
  begun_ = true;
  auto found = steady_.take(clock_ms, events);
  std::vector<std::string> lines;
  std::vector<std::string> twins;
  for (const finding& each : found) lines.push_back(describe(each, rules()));
  for (const finding& each : twin_.take(clock_ms, events)) twins.push_back(describe(each, rules()));
  EXPECT_EQ(lines, twins) << "a restart before this step changed what it found";
  EXPECT_EQ(steady_.totals().keys, twin_.totals().keys);
  return found;
}

std::vector<std::string> outlines(const std::vector<finding>& found) {
  std::vector<std::string> lines;
  for (const finding& each : found)
    lines.push_back(fmt::format("{} {} '{}' {} [{},{}]", to_unix_ms(each.at),
                                static_cast<int>(each.what), each.cause, each.proof.event_count,
                                to_unix_ms(each.proof.window.start),
                                to_unix_ms(each.proof.window.end)));
  return lines;
}

}  // namespace tocsin::testing
