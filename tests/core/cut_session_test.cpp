// SPDX-License-Identifier: Apache-2.0
// Sessions that an event, a length or a number of events may end, case by case.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/restarted_engine.hpp"

namespace tocsin::testing {
namespace {

using kind = finding::kind;

constexpr duration minute = std::chrono::minutes{1};
constexpr duration second = std::chrono::seconds{1};

/// A time of 1 March 2026, 10:00 UTC and later, in Unix milliseconds.
constexpr long long at(long long minutes, long long seconds = 0) {
  return 1'772'323'200'000 + ((600 + minutes) * 60 + seconds) * 1'000;
}

placed_text text(std::string words) {
  return {std::move(words), 1, 1};
}

/// Failures have a value above 0; a 0 is the success that ends their session.
rule_spec rule_of(const std::string& having, session_ends fire_on = {}) {
  rule_spec rule;
  rule.file = "test.yaml";
  rule.line = 1;
  rule.name = text("rule");
  rule.where = text("value > 0");
  rule.group_by = {text("source_id")};
  rule.window.kind = window_kind::session;
  rule.window.size = 5 * minute;
  rule.close = text("value == 0 || value == 9");
  rule.fire_on = fire_on;
  rule.having = text(having);
  rule.title = text("${rule}: ${event_count}");
  rule.lateness = duration{0};
  return rule;
}

rule_spec with_max(rule_spec rule, duration longest) {
  rule.window.session_max = longest;
  return rule;
}
rule_spec with_max_events(rule_spec rule, std::uint64_t most) {
  rule.window.session_events_max = most;
  return rule;
}
rule_spec with_lateness(rule_spec rule, duration lateness) {
  rule.lateness = lateness;
  return rule;
}
rule_spec firing_early(rule_spec rule) {
  rule.fire = fire_mode::early;
  return rule;
}

window_event event_at(long long time_ms, double value = 1) {
  window_event event;
  event.arrived_ms = event.time_ms = time_ms;
  event.source = "a";
  event.value = value;
  return event;
}
window_event failure(long long time_ms) {
  return event_at(time_ms, 1);
}
window_event success(long long time_ms) {
  return event_at(time_ms, 0);
}
window_event arriving(long long arrived_ms, window_event event) {
  event.arrived_ms = arrived_ms;
  return event;
}
window_event named(window_event event, const std::string& id) {
  event.id = id;
  return event;
}

std::vector<kind> kinds(const std::vector<finding>& found) {
  std::vector<kind> all;
  for (const finding& each : found) all.push_back(each.what);
  return all;
}

const session_ends at_timeout{true, false, false};
const session_ends at_close{false, true, false};
const session_ends at_limit{false, false, true};
const session_ends at_any_end{true, true, true};
const session_ends at_timeout_or_close{true, true, false};

TEST(cut_session, an_event_exactly_the_gap_after_the_last_still_belongs) {
  restarted_engine engine{rule_of("count() >= 2")};
  EXPECT_TRUE(engine.take(failure(at(0))).empty());
  EXPECT_TRUE(engine.take(failure(at(5))).empty());
  EXPECT_TRUE(engine.tick(at(10)).empty()) << "the watermark must be beyond last + gap";
  const auto found = engine.tick(at(10) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].cause, "session timed out");
  EXPECT_EQ(to_unix_ms(found[0].at), at(10));
  EXPECT_EQ(found[0].position, no_position);
  EXPECT_EQ(found[0].proof.event_count, 2u);
  EXPECT_EQ(found[0].proof.window.kind, window_kind::session);
  EXPECT_EQ(to_unix_ms(found[0].proof.window.start), at(0));
  EXPECT_EQ(to_unix_ms(found[0].proof.window.end), at(5));
  ASSERT_TRUE(found[0].texts);
  EXPECT_EQ(found[0].texts->title, "rule: 2");
}

TEST(cut_session, an_event_further_than_the_gap_starts_another_session) {
  restarted_engine engine{rule_of("count() >= 2")};
  engine.take(failure(at(0)));
  engine.take(failure(at(5) + 1));
  EXPECT_TRUE(engine.tick(at(30)).empty());
  EXPECT_EQ(engine.totals().keys, 0u) << "nothing more can come of it";
}

TEST(cut_session, an_event_at_the_very_time_of_the_timer_comes_first) {
  restarted_engine engine{with_lateness(rule_of("count() >= 2"), 10 * second)};
  engine.take(failure(at(0)));
  engine.tick(at(5, 10));
  engine.take(arriving(at(5, 10), failure(at(5))));
  const auto found = engine.tick(at(20));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].proof.event_count, 2u);
  EXPECT_EQ(to_unix_ms(found[0].at), at(10, 10)) << "deadline and lateness";
}

TEST(cut_session, an_event_exactly_at_the_longest_duration_still_belongs) {
  restarted_engine engine{with_max(rule_of("count() >= 1", at_limit), 6 * minute)};
  engine.take(failure(at(0)));
  engine.take(failure(at(3)));
  engine.take(failure(at(6)));
  const auto found = engine.take(failure(at(6) + 1));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].cause, "session limit reached");
  EXPECT_EQ(to_unix_ms(found[0].at), at(6));
  EXPECT_EQ(found[0].proof.event_count, 3u);
  EXPECT_TRUE(engine.tick(at(30)).empty())
      << "the second session timed out, which is not asked for";
  EXPECT_EQ(engine.totals().keys, 1u) << "it is still met";
}

TEST(cut_session, where_timeout_and_limit_are_at_one_time_the_session_has_timed_out) {
  restarted_engine engine{with_max(rule_of("count() >= 1", at_any_end), 5 * minute)};
  engine.take(failure(at(0)));
  const auto found = engine.tick(at(30));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].cause, "session timed out");
}

TEST(cut_session, the_most_events_end_a_session_and_the_next_begins_back_to_back) {
  restarted_engine engine{with_max_events(rule_of("count() >= 2", at_limit), 2)};
  engine.take(named(failure(at(0)), "a"));
  engine.take(named(failure(at(1)), "b"));
  // Of the same millisecond as the end of the session before.
  auto found = engine.take(named(failure(at(1)), "c"));
  EXPECT_TRUE(found.empty()) << "of equal time, no turn before the watermark is beyond";
  found = engine.take(named(failure(at(2)), "d"));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].cause, "session limit reached");
  EXPECT_EQ(to_unix_ms(found[0].at), at(1));
  EXPECT_EQ(found[0].proof.event_ids, (std::vector<std::string>{"a", "b"}));
  found = engine.tick(at(3));
  ASSERT_EQ(kinds(found), std::vector{kind::updated});
  EXPECT_EQ(found[0].proof.event_count, 2u);
  EXPECT_EQ(found[0].proof.event_ids, (std::vector<std::string>{"c", "d"}));
  EXPECT_FALSE(found[0].proof.event_ids_truncated);
}

TEST(cut_session, a_limit_that_is_not_asked_for_only_cuts) {
  restarted_engine engine{with_max_events(rule_of("count() >= 2", at_timeout), 2)};
  for (int i = 0; i < 5; ++i) engine.take(failure(at(i)));
  EXPECT_TRUE(engine.tick(at(30)).empty()) << "the last session has one event";
}

TEST(cut_session, a_close_ends_a_session_silently_by_default) {
  restarted_engine engine{rule_of("count() >= 1")};
  engine.take(failure(at(0)));
  engine.take(success(at(1)));
  EXPECT_TRUE(engine.tick(at(30)).empty());
  EXPECT_EQ(engine.totals().keys, 0u);
}

TEST(cut_session, the_closing_event_belongs_to_the_session) {
  restarted_engine engine{rule_of("count() == 3 && min(value) == 0", at_close)};
  engine.take(failure(at(0)));
  engine.take(failure(at(1)));
  engine.take(success(at(2)));
  const auto found = engine.tick(at(2) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].cause, "session closed");
  EXPECT_EQ(to_unix_ms(found[0].at), at(2));
  EXPECT_EQ(found[0].position, no_position);
  EXPECT_EQ(to_unix_ms(found[0].proof.window.end), at(2));
}

TEST(cut_session, a_close_that_arrives_before_an_earlier_failure_closes_with_it_inside) {
  restarted_engine engine{with_lateness(rule_of("count() == 3", at_timeout_or_close), minute)};
  engine.take(failure(at(0)));
  engine.take(success(at(0, 20)));
  engine.take(arriving(at(0, 30), failure(at(0, 10))));
  const auto found = engine.tick(at(30));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].cause, "session closed");
  EXPECT_EQ(to_unix_ms(found[0].at), at(1, 20));
  EXPECT_EQ(to_unix_ms(found[0].proof.window.end), at(0, 20));
}

TEST(cut_session, a_close_with_no_session_open_clears_what_has_fired) {
  restarted_engine engine{rule_of("count() >= 1")};
  engine.take(failure(at(0)));
  EXPECT_EQ(kinds(engine.tick(at(6))), std::vector{kind::met});
  engine.take(success(at(10)));
  const auto found = engine.tick(at(10) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::cleared});
  EXPECT_EQ(found[0].cause, "closed by an event");
  EXPECT_EQ(to_unix_ms(found[0].at), at(10));
  EXPECT_EQ(found[0].proof.event_count, 0u);
  EXPECT_EQ(engine.totals().keys, 0u);
}

TEST(cut_session, a_close_with_nothing_open_and_nothing_fired_leaves_nothing_behind) {
  restarted_engine engine{rule_of("count() >= 1", at_timeout_or_close)};
  engine.take(success(at(0)));
  EXPECT_EQ(engine.totals().keys, 1u);
  EXPECT_TRUE(engine.tick(at(1)).empty());
  EXPECT_EQ(engine.totals().keys, 0u);
}

TEST(cut_session, a_close_that_is_an_event_of_the_rule_too_starts_and_ends_a_session) {
  restarted_engine engine{rule_of("count() == 1", at_close)};
  engine.take(event_at(at(0), 9));
  const auto found = engine.tick(at(1));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].cause, "session closed");
  EXPECT_EQ(found[0].proof.event_count, 1u);
}

TEST(cut_session, a_close_clears_a_rule_that_does_not_fire_on_it) {
  restarted_engine engine{firing_early(rule_of("count() >= 2"))};
  engine.take(failure(at(0)));
  engine.take(failure(at(1)));
  EXPECT_EQ(kinds(engine.tick(at(1) + 1)), std::vector{kind::met});
  engine.take(success(at(2)));
  const auto found = engine.tick(at(3));
  ASSERT_EQ(kinds(found), std::vector{kind::cleared});
  EXPECT_EQ(found[0].cause, "closed by an event");
  EXPECT_EQ(found[0].proof.event_count, 3u);
}

TEST(cut_session, a_session_that_times_out_without_meeting_the_condition_clears) {
  restarted_engine engine{rule_of("count() >= 2")};
  engine.take(failure(at(0)));
  engine.take(failure(at(1)));
  EXPECT_EQ(kinds(engine.tick(at(10))), std::vector{kind::met});
  engine.take(failure(at(20)));
  const auto found = engine.tick(at(30));
  ASSERT_EQ(kinds(found), std::vector{kind::cleared});
  EXPECT_EQ(found[0].cause, "session ended");
  EXPECT_EQ(to_unix_ms(found[0].at), at(25));
}

TEST(cut_session, an_early_rule_fires_at_the_turn_of_the_event_that_makes_it_true) {
  restarted_engine engine{with_lateness(firing_early(rule_of("count() >= 2")), 10 * second)};
  engine.take(named(failure(at(0)), "first"));
  engine.take(named(failure(at(0, 5)), "second"));
  EXPECT_TRUE(engine.tick(at(0, 15)).empty());
  const auto found = engine.tick(at(0, 15) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].cause, "condition met");
  EXPECT_EQ(to_unix_ms(found[0].at), at(0, 15));
  EXPECT_EQ(found[0].position, no_position);
  EXPECT_EQ(found[0].proof.event_ids, (std::vector<std::string>{"first", "second"}));
  EXPECT_TRUE(engine.tick(at(30)).empty()) << "no news since";
}

TEST(cut_session, an_event_whose_turn_has_passed_is_late_and_not_taken) {
  restarted_engine engine{with_lateness(rule_of("count() >= 2"), 10 * second)};
  engine.take(failure(at(0)));
  engine.take(arriving(at(0, 20), failure(at(0, 10)))) /* the watermark is at its time */;
  engine.take(arriving(at(0, 20), failure(at(0, 9))));
  EXPECT_EQ(engine.totals().late, 1u);
  EXPECT_EQ(engine.totals().updates, 2u);
  const auto found = engine.tick(at(30));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].proof.event_count, 2u);
}

TEST(cut_session, a_late_event_of_an_unknown_key_leaves_nothing_behind) {
  restarted_engine engine{rule_of("count() >= 1")};
  engine.take(arriving(at(1), failure(at(0))));
  EXPECT_EQ(engine.totals().late, 1u);
  EXPECT_EQ(engine.totals().keys, 0u);
}

TEST(cut_session, a_recovery_forgets_the_session_and_the_events_that_wait) {
  restarted_engine engine{with_lateness(rule_of("count() >= 1", at_timeout_or_close), minute)};
  engine.take(failure(at(0)));
  engine.take(arriving(at(1), failure(at(0, 30))));
  window_event recovery = event_at(at(1));
  recovery.action = event_action::resolved;
  EXPECT_TRUE(engine.take(recovery).empty()) << "nothing had fired";
  EXPECT_EQ(engine.totals().keys, 0u);
  EXPECT_TRUE(engine.tick(at(30)).empty());
}

TEST(cut_session, a_recovery_of_a_rule_that_is_met_is_reported_at_once) {
  restarted_engine engine{firing_early(rule_of("count() >= 1"))};
  engine.take(failure(at(0)));
  EXPECT_EQ(kinds(engine.tick(at(0) + 1)), std::vector{kind::met});
  window_event recovery = event_at(at(1));
  recovery.action = event_action::closed;
  const auto found = engine.take(recovery);
  ASSERT_EQ(kinds(found), std::vector{kind::dismissed});
  EXPECT_EQ(to_unix_ms(found[0].at), at(1));
  EXPECT_EQ(engine.totals().keys, 0u);
}

TEST(cut_session, rules_of_one_session_fire_on_their_own_ends) {
  rule_spec on_close = rule_of("count() >= 1", at_close);
  on_close.name = text("on-close");
  rule_spec on_timeout = rule_of("count() >= 1", at_timeout);
  on_timeout.name = text("on-timeout");
  restarted_engine engine{{on_close, on_timeout}};
  engine.take(failure(at(0)));
  engine.take(success(at(1)));
  const auto closed = engine.tick(at(2));
  ASSERT_EQ(kinds(closed), std::vector{kind::met});
  EXPECT_EQ(engine.rules().rules().at(closed[0].rule).name, "on-close");
  engine.take(failure(at(10)));
  const auto timed_out = engine.tick(at(20));
  ASSERT_EQ(kinds(timed_out), std::vector{kind::met});
  EXPECT_EQ(engine.rules().rules().at(timed_out[0].rule).name, "on-timeout");
}

TEST(cut_session, keys_do_not_share_sessions) {
  restarted_engine engine{rule_of("count() >= 2")};
  engine.take(failure(at(0)));
  window_event other = failure(at(1));
  other.source = "b";
  engine.take(other);
  EXPECT_EQ(engine.totals().keys, 2u);
  EXPECT_TRUE(engine.tick(at(30)).empty());
}

TEST(cut_session, the_order_of_arrival_within_the_lateness_changes_nothing) {
  const std::vector<window_event> events{failure(at(0)),       failure(at(0, 1)), success(at(0, 2)),
                                         failure(at(0, 3)),    failure(at(0, 4)), failure(at(0, 5)),
                                         event_at(at(0, 6), 9)};
  const auto rules = compile_rules({with_max_events(
      with_lateness(rule_of("count() >= 2", {true, false, true}), 10 * second), 2)});
  std::vector<std::size_t> order{0, 1, 2, 3, 4, 5, 6};
  std::vector<std::string> expected;
  do {
    engine_driver engine{rules, 1};
    std::vector<window_event> arrived;
    for (const std::size_t each : order) arrived.push_back(arriving(at(0, 8), events[each]));
    ASSERT_TRUE(engine.take(at(0, 8), arrived).empty());
    const auto found = engine.tick(at(30));
    ASSERT_EQ(kinds(found), (std::vector{kind::met, kind::cleared, kind::met, kind::cleared}));
    if (expected.empty()) expected = outlines(found);
    ASSERT_EQ(outlines(found), expected);
  } while (std::next_permutation(order.begin(), order.end()));
}

}  // namespace
}  // namespace tocsin::testing
