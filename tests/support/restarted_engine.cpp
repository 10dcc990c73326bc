// SPDX-License-Identifier: Apache-2.0
// Implementation of the engine with a twin that is restarted.
#include "support/restarted_engine.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace tocsin::testing {

restarted_engine::restarted_engine(std::vector<rule_spec> rules)
    : rules_(compile_rules(std::move(rules))),
      router_(rules_, 1),
      steady_(std::make_unique<window_engine>(rules_)),
      twin_(std::make_unique<window_engine>(rules_)) {}

std::vector<finding> restarted_engine::step(window_engine& engine, instant clock,
                                            const event_batch* batch) {
  std::vector<finding> findings;
  const slice routed = batch == nullptr ? slice{} : router_.route(*batch).front();
  engine.step(clock, batch, routed, findings);
  std::stable_sort(findings.begin(), findings.end());
  return findings;
}

void restarted_engine::restart_twin() {
  const std::string saved = twin_->save();
  auto restored = std::make_unique<window_engine>(rules_);
  if (const auto refused = restored->restore(saved)) ADD_FAILURE() << refused->message;
  twin_ = std::move(restored);
}

std::vector<finding> restarted_engine::take(long long clock_ms,
                                            const std::vector<window_event>& events) {
  std::shared_ptr<const event_batch> batch;
  if (!events.empty()) batch = make_batch(events, next_position_);
  next_position_ += events.size();
  if (begun_) restart_twin();
  begun_ = true;
  auto found = step(*steady_, from_unix_ms(clock_ms), batch.get());
  const auto twins = step(*twin_, from_unix_ms(clock_ms), batch.get());
  std::vector<std::string> lines;
  std::vector<std::string> twin_lines;
  for (const finding& each : found) lines.push_back(describe(each, *rules_));
  for (const finding& each : twins) twin_lines.push_back(describe(each, *rules_));
  EXPECT_EQ(lines, twin_lines) << "a restart before this step changed what it found";
  EXPECT_EQ(steady_->totals().keys, twin_->totals().keys);
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
