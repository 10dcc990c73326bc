// SPDX-License-Identifier: Apache-2.0
// Two runs side by side: which alerts are the same, which appear, vanish, move, change.
#include "tocsin/alert_comparison.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using kind = alert_difference::kind;

constexpr instant start = from_unix_ms(1'700'000'000'000);

past_alert fired(std::uint64_t key, duration from, std::optional<duration> to,
                 const std::string& rule = "r") {
  past_alert made;
  made.rule = rule;
  made.print = fingerprint{key, key};
  made.fired_at = start + from;
  if (to) made.ended_at = start + *to;
  made.fired_severity = made.worst_severity = severity::warning;
  return made;
}

std::vector<kind> kinds_of(const std::vector<past_alert>& before,
                           const std::vector<past_alert>& after) {
  std::vector<kind> all;
  for (const auto& each : compare_alerts(before, after, {"r"}, {"r"}).differences) {
    all.push_back(each.what);
  }
  return all;
}

using kinds = std::vector<kind>;

TEST(alert_comparison, what_is_equal_is_the_same) {
  const std::vector both{fired(1, 0s, 5s), fired(1, 9s, std::nullopt), fired(2, 1s, 2s)};
  const auto result = compare_alerts(both, both, {"r"}, {"r"});
  EXPECT_TRUE(result.differences.empty());
  ASSERT_EQ(result.rules.size(), 1U);
  EXPECT_EQ(result.rules[0].count(kind::same), 3U);
  EXPECT_EQ(result.rules[0].before, 3U);
  EXPECT_EQ(result.rules[0].after, 3U);
}

TEST(alert_comparison, alerts_that_overlap_in_time_have_moved) {
  EXPECT_EQ(kinds_of({fired(1, 10s, 20s)}, {fired(1, 5s, 20s)}), (kinds{kind::earlier}));
  EXPECT_EQ(kinds_of({fired(1, 10s, 20s)}, {fired(1, 19s, 30s)}), (kinds{kind::later}));
  EXPECT_EQ(kinds_of({fired(1, 10s, std::nullopt)}, {fired(1, 100s, 101s)}), (kinds{kind::later}));
}

TEST(alert_comparison, alerts_that_do_not_overlap_vanish_and_appear) {
  EXPECT_EQ(kinds_of({fired(1, 10s, 20s)}, {fired(1, 20s, 30s)}),
            (kinds{kind::vanished, kind::appeared}));
  EXPECT_EQ(kinds_of({fired(1, 10s, 20s)}, {fired(2, 10s, 20s)}),
            (kinds{kind::vanished, kind::appeared}))
      << "another key";
  EXPECT_EQ(kinds_of({fired(1, 10s, 20s, "a")}, {fired(1, 10s, 20s, "b")}),
            (kinds{kind::vanished, kind::appeared}))
      << "another rule";
}

TEST(alert_comparison, an_alert_that_ended_at_once_is_paired_with_one_that_fired_then) {
  EXPECT_EQ(kinds_of({fired(1, 10s, 10s)}, {fired(1, 10s, 20s)}), (kinds{kind::changed}));
}

TEST(alert_comparison, each_alert_is_paired_once_with_the_first_it_overlaps) {
  EXPECT_EQ(kinds_of({fired(1, 0s, 100s)}, {fired(1, 10s, 20s), fired(1, 30s, 40s)}),
            (kinds{kind::later, kind::appeared}));
  EXPECT_EQ(kinds_of({fired(1, 0s, 5s), fired(1, 10s, 50s)}, {fired(1, 20s, 60s)}),
            (kinds{kind::vanished, kind::later}));
}

TEST(alert_comparison, changes_are_named_with_both_sides) {
  auto before = fired(1, 0s, 10s);
  before.values = {{"failures", 3}, {"gone", 1}};
  before.event_count = 3;
  auto after = fired(1, 0s, 12s);
  after.values = {{"failures", 5}, {"fresh", 2}};
  after.event_count = 5;
  after.fired_severity = severity::critical;
  after.worst_severity = severity::critical;
  const auto result = compare_alerts({before}, {after}, {"r"}, {"r"});
  ASSERT_EQ(result.differences.size(), 1U);
  EXPECT_EQ(result.differences[0].what, kind::changed);
  std::vector<std::string> texts;
  for (const auto& each : result.differences[0].changes) {
    texts.push_back(each.field + " " + each.before + " -> " + each.after);
  }
  EXPECT_EQ(texts, (std::vector<std::string>{
                       "severity warning -> critical", "worst_severity warning -> critical",
                       "event_count 3 -> 5", "values.failures 3 -> 5", "values.gone 1 -> missing",
                       "values.fresh missing -> 2",
                       "ended_at 2023-11-14T22:13:30.000Z -> 2023-11-14T22:13:32.000Z"}));
}

TEST(alert_comparison, numbers_are_equal_within_a_billionth) {
  EXPECT_TRUE(nearly_equal(0.1 + 0.2, 0.3));
  EXPECT_TRUE(nearly_equal(0, 0));
  EXPECT_FALSE(nearly_equal(1, 1 + 1e-8));
  EXPECT_FALSE(nearly_equal(0, 1e-300));
}

TEST(alert_comparison, rules_of_one_side_are_told) {
  const auto result = compare_alerts({}, {}, {"a", "b"}, {"b", "c"});
  ASSERT_EQ(result.rules.size(), 3U);
  EXPECT_TRUE(result.rules[0].is_old && !result.rules[0].is_new);
  EXPECT_TRUE(result.rules[1].is_old && result.rules[1].is_new);
  EXPECT_TRUE(!result.rules[2].is_old && result.rules[2].is_new);
}

alert moved(alert_state from, alert_state to, duration at, severity level = severity::warning) {
  alert made;
  made.rule = "r";
  made.print = fingerprint{1, 1};
  made.previous_state = from;
  made.state = to;
  made.at = start + at;
  made.severity = level;
  made.proof.event_count = 7;
  return made;
}

TEST(alert_timeline, an_alert_lasts_from_firing_to_its_end) {
  alert_timeline line;
  line.add(moved(alert_state::none, alert_state::pending, 0s));
  line.add(moved(alert_state::pending, alert_state::firing, 5s));
  line.add(moved(alert_state::firing, alert_state::firing, 6s, severity::critical));
  line.add(moved(alert_state::firing, alert_state::resolved, 9s));
  line.add(moved(alert_state::none, alert_state::firing, 20s));
  ASSERT_EQ(line.alerts().size(), 2U);
  const past_alert& first = line.alerts()[0];
  EXPECT_EQ(first.fired_at, start + 5s);
  EXPECT_EQ(first.ended_at, start + 9s);
  EXPECT_EQ(first.fired_severity, severity::warning);
  EXPECT_EQ(first.worst_severity, severity::critical);
  EXPECT_EQ(first.event_count, 7U);
  EXPECT_FALSE(line.alerts()[1].ended_at);
}

TEST(alert_timeline, what_was_only_pending_was_no_alert) {
  alert_timeline line;
  line.add(moved(alert_state::none, alert_state::pending, 0s));
  line.add(moved(alert_state::pending, alert_state::resolved, 5s));
  EXPECT_TRUE(line.alerts().empty());
}

}  // namespace
}  // namespace tocsin
