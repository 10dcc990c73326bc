// SPDX-License-Identifier: Apache-2.0
// The memory that a rule is said to need is what the engine says it holds.
#include "tocsin/rule_footprint.hpp"

#include <gtest/gtest.h>

#include "support/engine_driver.hpp"
#include "support/rules.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

std::shared_ptr<const rule_set> rule_with(const std::string& lines) {
  return testing::rules_from_yaml("rules:\n- name: r\n  where: true\n  group_by: [resource_id]\n" +
                                  lines);
}

rule_footprint footprint_with(const std::string& lines) {
  const auto rules = rule_with(lines);
  return footprint_of(*rules, rules->rules().at(0));
}

TEST(rule_footprint, panes_are_those_of_the_window_and_those_that_late_events_need) {
  const auto sliding = footprint_with("  window: {sliding: 5m, every: 1m}\n  lateness: 90s\n");
  EXPECT_EQ(sliding.pane, 1min);
  EXPECT_EQ(sliding.panes_a_window, 5U);
  EXPECT_EQ(sliding.records, 8U) << "five, two for the lateness, one that is being filled";
  EXPECT_EQ(sliding.merged_records, 1U);
  const auto fixed = footprint_with("  window: {fixed: 5m}\n");
  EXPECT_EQ(fixed.panes_a_window, 1U);
  EXPECT_EQ(fixed.records, 3U);
}

TEST(rule_footprint, what_has_no_panes_says_so) {
  const auto session = footprint_with("  window: {session: 5m}\n");
  EXPECT_EQ(session.panes_a_window, 0U);
  EXPECT_EQ(session.records, 1U);
  EXPECT_FALSE(session.grows);
}

TEST(rule_footprint, many_panes_are_kept_merged_too) {
  EXPECT_EQ(footprint_with("  window: {sliding: 60s, every: 1s}\n  lateness: 0s\n").merged_records,
            2 * footprint_with("  window: {sliding: 60s, every: 1s}\n  lateness: 0s\n").records);
}

TEST(rule_footprint, more_aggregates_need_more) {
  const auto one = footprint_with("  window: {fixed: 5m}\n  having: max(value) > 1\n");
  const auto two =
      footprint_with("  window: {fixed: 5m}\n  having: max(value) > 1 && sum(value) > 1\n");
  EXPECT_GT(two.record_bytes, one.record_bytes);
  EXPECT_GT(two.bytes(), one.bytes());
  EXPECT_FALSE(two.grows);
  EXPECT_TRUE(footprint_with("  window: {fixed: 5m}\n  having: distinct(item) > 1\n").grows);
}

/// Bytes a key that the engine holds when every key has had an event in every second.
double held_a_key(const std::shared_ptr<const rule_set>& rules, long long seconds) {
  constexpr long long begin_ms = 1'700'000'000'000;
  constexpr int keys = 200;
  testing::engine_driver engine(rules, 1);
  for (long long at = 0; at < seconds; ++at) {
    std::vector<testing::window_event> events;
    for (int key = 0; key < keys; ++key) {
      testing::window_event one;
      one.arrived_ms = one.time_ms = begin_ms + at * 1000;
      one.resource = "resource-number-" + std::to_string(key);
      one.id = "event-" + std::to_string(at * keys + key);
      one.value = 1;
      events.push_back(one);
    }
    (void)engine.take(begin_ms + at * 1000, events);
  }
  EXPECT_EQ(engine.totals().keys, static_cast<std::uint64_t>(keys));
  return static_cast<double>(engine.totals().bytes) / keys;
}

TEST(rule_footprint, the_engine_holds_what_is_said_or_less_but_not_far_less) {
  for (const char* lines : {"  window: {fixed: 30s}\n  having: count() >= 1000\n",
                            "  window: {sliding: 30s, every: 5s}\n  having: max(value) > 1000\n",
                            "  window: {sliding: 30s, every: 5s}\n  having: avg(value) > 1000\n",
                            "  window: {sliding: 60s, every: 1s}\n  having: avg(value) > 1000\n",
                            "  window: {session: 30s}\n  having: sum(value) > 100000\n"}) {
    const auto rules = rule_with(lines);
    const auto said = static_cast<double>(footprint_of(*rules, rules->rules().at(0)).bytes());
    const double held = held_a_key(rules, 150);
    EXPECT_LT(held, said * 1.25) << lines;
    EXPECT_GT(held, said / 3) << lines;
  }
}

}  // namespace
}  // namespace tocsin
