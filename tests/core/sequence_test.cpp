// SPDX-License-Identifier: Apache-2.0
// Events that follow each other, or do not, case by case.
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

/// A step that an item of this name meets.
sequence_step_spec step(const std::string& item, duration within = {}) {
  return {text("item == \"" + item + "\""), false, within, 1};
}
sequence_step_spec no_step(const std::string& item, duration within) {
  return {text("item == \"" + item + "\""), true, within, 1};
}

rule_spec sequence_rule(std::vector<sequence_step_spec> steps) {
  rule_spec rule;
  rule.file = "test.yaml";
  rule.line = 1;
  rule.name = text("rule");
  rule.where = text("true");
  rule.group_by = {text("source_id")};
  rule.window.kind = window_kind::sequence;
  rule.then = std::move(steps);
  rule.title = text("${rule}: ${event_count} up to ${item}");
  rule.lateness = duration{0};
  return rule;
}
rule_spec with_lateness(rule_spec rule, duration lateness) {
  rule.lateness = lateness;
  return rule;
}

rule_spec a_then_b() {
  return sequence_rule({step("A"), step("B", 2 * minute)});
}
rule_spec a_without_b() {
  return sequence_rule({step("A"), no_step("B", 2 * minute)});
}

/// An event of this item, with the id "ITEM" and the seconds since 10:00.
window_event event_at(const std::string& item, long long time_ms) {
  window_event event;
  event.arrived_ms = event.time_ms = time_ms;
  event.source = "a";
  event.item = item;
  event.id = item + std::to_string((time_ms - at(0)) / 1'000);
  return event;
}
window_event arriving(long long arrived_ms, window_event event) {
  event.arrived_ms = arrived_ms;
  return event;
}

std::vector<kind> kinds(const std::vector<finding>& found) {
  std::vector<kind> all;
  for (const finding& each : found) all.push_back(each.what);
  return all;
}
using ids = std::vector<std::string>;

TEST(sequence, b_after_a_in_time_fires_at_bs_turn) {
  restarted_engine engine{with_lateness(a_then_b(), 10 * second)};
  engine.take(event_at("A", at(0)));
  EXPECT_TRUE(engine.take(event_at("B", at(1))).empty());
  EXPECT_TRUE(engine.tick(at(1, 10)).empty());
  const auto found = engine.tick(at(1, 10) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].cause, "sequence complete");
  EXPECT_EQ(to_unix_ms(found[0].at), at(1, 10));
  EXPECT_EQ(found[0].position, no_position);
  EXPECT_EQ(found[0].proof.event_count, 2u);
  EXPECT_EQ(found[0].proof.event_ids, (ids{"A0", "B60"}));
  EXPECT_FALSE(found[0].proof.event_ids_truncated);
  EXPECT_EQ(found[0].proof.window.kind, window_kind::sequence);
  EXPECT_EQ(to_unix_ms(found[0].proof.window.start), at(0));
  EXPECT_EQ(to_unix_ms(found[0].proof.window.end), at(1));
  ASSERT_TRUE(found[0].texts);
  EXPECT_EQ(found[0].texts->title, "rule: 2 up to B");
}

TEST(sequence, b_exactly_within_fires_and_later_does_not) {
  restarted_engine in_time{a_then_b()};
  in_time.take(event_at("A", at(0)));
  in_time.take(event_at("B", at(2)));
  EXPECT_EQ(kinds(in_time.tick(at(2) + 1)), std::vector{kind::met});
  restarted_engine too_late{a_then_b()};
  too_late.take(event_at("A", at(0)));
  too_late.take(event_at("B", at(2) + 1));
  EXPECT_TRUE(too_late.tick(at(10)).empty());
  EXPECT_EQ(too_late.totals().keys, 0u);
}

TEST(sequence, b_without_a_or_before_a_is_nothing) {
  restarted_engine engine{a_then_b()};
  engine.take(event_at("B", at(0)));
  EXPECT_EQ(engine.totals().keys, 1u);
  engine.take(event_at("A", at(1)));
  EXPECT_TRUE(engine.tick(at(10)).empty());
  EXPECT_EQ(engine.totals().keys, 0u);
}

TEST(sequence, arrival_in_reverse_within_the_lateness_is_no_matter) {
  restarted_engine engine{with_lateness(a_then_b(), 10 * second)};
  engine.take(arriving(at(0, 6), event_at("B", at(0, 5))));
  engine.take(arriving(at(0, 7), event_at("A", at(0))));
  const auto found = engine.tick(at(0, 15) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].proof.event_ids, (ids{"A0", "B5"}));
}

TEST(sequence, of_one_time_the_log_decides_what_came_first) {
  restarted_engine engine{a_then_b()};
  engine.take(event_at("B", at(0)));
  engine.take(event_at("A", at(0)));
  EXPECT_TRUE(engine.tick(at(1)).empty());
  engine.take(event_at("A", at(5)));
  engine.take(event_at("B", at(5)));
  EXPECT_EQ(kinds(engine.tick(at(6))), std::vector{kind::met});
}

TEST(sequence, the_newest_a_counts) {
  restarted_engine engine{a_then_b()};
  engine.take(event_at("A", at(0)));
  engine.take(event_at("A", at(1)));
  engine.take(event_at("B", at(3)));
  const auto found = engine.tick(at(3) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].proof.event_ids, (ids{"A60", "B180"}));
}

TEST(sequence, a_second_b_is_an_update) {
  restarted_engine engine{a_then_b()};
  engine.take(event_at("A", at(0)));
  engine.take(event_at("B", at(1)));
  EXPECT_EQ(kinds(engine.take(event_at("B", at(2)))), std::vector{kind::met});
  const auto found = engine.tick(at(2) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::updated});
  EXPECT_EQ(found[0].proof.event_ids, (ids{"A0", "B120"}));
}

TEST(sequence, it_is_over_when_its_length_has_passed_since_the_last_match) {
  restarted_engine engine{a_then_b()};
  engine.take(event_at("A", at(0)));
  engine.take(event_at("B", at(1)));
  EXPECT_EQ(engine.tick(at(2)).size(), 1u);
  EXPECT_TRUE(engine.tick(at(3)).empty());
  const auto found = engine.tick(at(3) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::cleared});
  EXPECT_EQ(found[0].cause, "sequence over");
  EXPECT_EQ(to_unix_ms(found[0].at), at(3));
  EXPECT_EQ(engine.totals().keys, 0u);
}

TEST(sequence, an_event_is_never_two_steps_of_one_sequence) {
  restarted_engine engine{sequence_rule({step("A"), step("A", minute), step("A", minute)})};
  engine.take(event_at("A", at(0)));
  engine.take(event_at("A", at(0, 10)));
  EXPECT_TRUE(engine.tick(at(0, 15)).empty());
  engine.take(event_at("A", at(0, 20)));
  auto found = engine.take(event_at("A", at(0, 30)));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].proof.event_ids, (ids{"A0", "A10", "A20"}));
  found = engine.tick(at(0, 40));
  ASSERT_EQ(kinds(found), std::vector{kind::updated});
  EXPECT_EQ(found[0].proof.event_ids, (ids{"A10", "A20", "A30"}));
}

TEST(sequence, three_steps_must_come_in_order_and_each_in_time) {
  const auto rule = sequence_rule({step("A"), step("B", minute), step("C", 3 * minute)});
  restarted_engine engine{rule};
  engine.take(event_at("A", at(0)));
  engine.take(event_at("C", at(0, 10)));
  engine.take(event_at("B", at(1)));
  engine.take(event_at("C", at(4)));
  auto found = engine.tick(at(4) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].proof.event_ids, (ids{"A0", "B60", "C240"}));
  found = engine.tick(at(9));
  ASSERT_EQ(kinds(found), std::vector{kind::cleared});
  EXPECT_EQ(to_unix_ms(found[0].at), at(8)) << "1m and 3m after the match";
  engine.take(event_at("A", at(20)));
  engine.take(event_at("B", at(21)));
  engine.take(event_at("C", at(24) + 1));
  EXPECT_TRUE(engine.tick(at(30)).empty());
  EXPECT_EQ(engine.totals().keys, 0u);
}

TEST(sequence, events_of_a_match_count_in_its_aggregates_alone) {
  rule_spec rule = a_then_b();
  rule.having = text("sum(value) == 30");
  restarted_engine engine{rule};
  const auto valued = [](window_event event, double value) {
    event.value = value;
    return event;
  };
  engine.take(valued(event_at("A", at(0)), 1));
  engine.take(valued(event_at("A", at(0, 10)), 10));
  engine.take(valued(event_at("B", at(0, 20)), 5));
  engine.take(valued(event_at("B", at(0, 30)), 20));
  const auto found = engine.tick(at(1));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].proof.event_ids, (ids{"A10", "B30"}));
}

TEST(sequence, the_rules_own_filter_holds_for_each_step) {
  rule_spec rule = a_then_b();
  rule.where = text("value > 0");
  restarted_engine engine{rule};
  engine.take(event_at("A", at(0)));
  engine.take(event_at("B", at(1)));
  EXPECT_TRUE(engine.tick(at(10)).empty());
  EXPECT_EQ(engine.totals().updates, 0u);
}

TEST(sequence, an_event_whose_turn_has_passed_is_late) {
  restarted_engine engine{with_lateness(a_then_b(), 10 * second)};
  engine.take(arriving(at(0, 11), event_at("A", at(0))));
  EXPECT_EQ(engine.totals().late, 1u);
  EXPECT_EQ(engine.totals().keys, 0u);
  engine.take(arriving(at(0, 11), event_at("A", at(0, 1))));
  EXPECT_EQ(engine.totals().late, 1u);
}

TEST(sequence, what_does_not_follow_fires_at_its_deadline) {
  restarted_engine engine{with_lateness(a_without_b(), 10 * second)};
  engine.take(event_at("A", at(0)));
  EXPECT_TRUE(engine.tick(at(2, 10)).empty());
  const auto found = engine.tick(at(2, 10) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].cause, "did not follow");
  EXPECT_EQ(to_unix_ms(found[0].at), at(2, 10));
  EXPECT_EQ(found[0].proof.event_ids, ids{"A0"});
  ASSERT_TRUE(found[0].texts);
  EXPECT_EQ(found[0].texts->title, "rule: 1 up to A");
}

TEST(sequence, what_follows_in_time_suppresses) {
  restarted_engine engine{a_without_b()};
  engine.take(event_at("A", at(0)));
  engine.take(event_at("B", at(2)));
  EXPECT_TRUE(engine.tick(at(30)).empty());
  EXPECT_EQ(engine.totals().keys, 0u);
}

TEST(sequence, what_follows_out_of_order_within_the_lateness_suppresses) {
  restarted_engine engine{with_lateness(a_without_b(), 30 * second)};
  engine.take(event_at("A", at(0)));
  engine.tick(at(2, 20));
  engine.take(arriving(at(2, 20), event_at("B", at(2))));
  EXPECT_TRUE(engine.tick(at(30)).empty());
}

TEST(sequence, what_follows_too_late_clears) {
  restarted_engine engine{a_without_b()};
  engine.take(event_at("A", at(0)));
  EXPECT_EQ(kinds(engine.take(event_at("B", at(3)))), std::vector{kind::met});
  const auto found = engine.tick(at(3) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::cleared});
  EXPECT_EQ(found[0].cause, "came after all");
  EXPECT_EQ(to_unix_ms(found[0].at), at(3));
  EXPECT_EQ(engine.totals().keys, 0u);
}

TEST(sequence, what_did_not_follow_is_over_when_the_length_has_passed_again) {
  restarted_engine engine{a_without_b()};
  engine.take(event_at("A", at(0)));
  EXPECT_EQ(engine.tick(at(3)).size(), 1u);
  EXPECT_TRUE(engine.tick(at(4)).empty());
  const auto found = engine.tick(at(4) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::cleared});
  EXPECT_EQ(found[0].cause, "sequence over");
  EXPECT_EQ(to_unix_ms(found[0].at), at(4));
}

TEST(sequence, the_oldest_open_wait_counts_and_after_it_the_next_event_waits_anew) {
  restarted_engine engine{a_without_b()};
  engine.take(event_at("A", at(0)));
  engine.take(event_at("A", at(1)));
  auto found = engine.tick(at(2) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].proof.event_ids, ids{"A0"});
  EXPECT_TRUE(engine.take(event_at("A", at(3, 30))).empty());
  found = engine.tick(at(4) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::cleared}) << "no new match until then";
  found = engine.tick(at(5, 30) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].proof.event_ids, ids{"A210"});
}

TEST(sequence, a_wait_that_ends_when_the_rule_would_be_over_carries_it_on) {
  restarted_engine engine{a_without_b()};
  engine.take(event_at("A", at(0)));
  engine.take(event_at("A", at(2)));
  EXPECT_TRUE(engine.tick(at(2)).empty());
  EXPECT_EQ(kinds(engine.tick(at(2) + 1)), std::vector{kind::met});
  engine.take(event_at("A", at(2, 30)));
  const auto found = engine.tick(at(4) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::cleared})
      << "of equal time, the event at 2m came first";
  EXPECT_EQ(kinds(engine.tick(at(4, 30) + 1)), std::vector{kind::met});
}

TEST(sequence, a_wait_of_the_millisecond_after_the_deadline_carries_on_before_it_is_over) {
  restarted_engine engine{sequence_rule({step("A"), step("C", minute), no_step("B", minute)})};
  // The match's deadline is 2m and it is over at 4m; the next wait ends at 4m too.
  engine.take(event_at("A", at(0, 59)));
  engine.take(event_at("C", at(1)));
  EXPECT_EQ(kinds(engine.tick(at(2) + 1)), std::vector{kind::met});
  engine.take(event_at("A", at(2, 30)));
  engine.take(event_at("C", at(3)));
  EXPECT_EQ(kinds(engine.tick(at(4) + 1)), std::vector{kind::updated});
  EXPECT_TRUE(engine.tick(at(6)).empty());
  EXPECT_EQ(kinds(engine.tick(at(6) + 1)), std::vector{kind::cleared});
}

TEST(sequence, an_event_that_ends_a_wait_may_begin_the_next) {
  restarted_engine engine{sequence_rule({step("A"), no_step("A", 2 * minute)})};
  engine.take(event_at("A", at(0)));
  engine.take(event_at("A", at(1)));
  const auto found = engine.tick(at(3) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].proof.event_ids, ids{"A60"});
}

TEST(sequence, a_recovery_forgets_what_has_begun_and_what_waits) {
  restarted_engine engine{with_lateness(a_without_b(), 10 * second)};
  engine.take(event_at("A", at(0)));
  engine.tick(at(0, 11));
  engine.take(event_at("A", at(0, 12)));
  window_event recovery = event_at("A", at(0, 13));
  recovery.action = event_action::resolved;
  EXPECT_TRUE(engine.take(recovery).empty());
  EXPECT_EQ(engine.totals().keys, 0u);
  EXPECT_TRUE(engine.tick(at(30)).empty());
}

TEST(sequence, a_recovery_while_met_is_reported_and_nothing_is_left) {
  restarted_engine engine{a_then_b()};
  engine.take(event_at("A", at(0)));
  engine.take(event_at("B", at(1)));
  EXPECT_EQ(engine.tick(at(1) + 1).size(), 1u);
  window_event recovery = event_at("A", at(1, 30));
  recovery.action = event_action::resolved;
  EXPECT_EQ(kinds(engine.take(recovery)), std::vector{kind::recovered});
  EXPECT_EQ(engine.totals().keys, 0u);
  EXPECT_TRUE(engine.tick(at(30)).empty());
}

TEST(sequence, keys_do_not_share_steps) {
  restarted_engine engine{a_then_b()};
  engine.take(event_at("A", at(0)));
  window_event other = event_at("B", at(1));
  other.source = "b";
  engine.take(other);
  EXPECT_TRUE(engine.tick(at(30)).empty());
}

TEST(sequence, the_order_of_arrival_within_the_lateness_changes_nothing) {
  const std::vector<window_event> events{event_at("A", at(0)),     event_at("B", at(0, 1)),
                                         event_at("A", at(0, 20)), event_at("A", at(0, 21)),
                                         event_at("C", at(0, 22)), event_at("B", at(0, 23))};
  const auto rules =
      compile_rules({with_lateness(sequence_rule({step("A"), step("B", 4 * second)}), minute)});
  std::vector<std::size_t> order{0, 1, 2, 3, 4, 5};
  std::vector<std::string> expected;
  do {
    engine_driver engine{rules, 1};
    std::vector<window_event> arrived;
    for (const std::size_t each : order) arrived.push_back(arriving(at(0, 30), events[each]));
    ASSERT_TRUE(engine.take(at(0, 30), arrived).empty());
    const auto found = engine.tick(at(10));
    ASSERT_EQ(kinds(found), (std::vector{kind::met, kind::cleared, kind::met, kind::cleared}));
    if (expected.empty()) expected = outlines(found);
    ASSERT_EQ(outlines(found), expected);
  } while (std::next_permutation(order.begin(), order.end()));
}

}  // namespace
}  // namespace tocsin::testing
