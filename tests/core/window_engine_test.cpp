// SPDX-License-Identifier: Apache-2.0
// The exact meaning of windows, case by case.
#include "tocsin/window_engine.hpp"

#include <gtest/gtest.h>

#include "support/engine_driver.hpp"

namespace tocsin::testing {
namespace {

using kind = finding::kind;

/// A time of day of 1 March 2026, UTC, in Unix milliseconds.
constexpr long long clock_at(long long hours, long long minutes, long long seconds = 0) {
  return 1'772'323'200'000 + ((hours * 60 + minutes) * 60 + seconds) * 1'000;
}

placed_text text(std::string words) {
  return {std::move(words), 1, 1};
}

rule_spec rule_of(window_spec window, const std::string& having) {
  rule_spec rule;
  rule.file = "test.yaml";
  rule.line = 1;
  rule.name = text("rule");
  rule.where = text("true");
  rule.group_by = {text("source_id")};
  rule.window = window;
  rule.having = text(having);
  rule.title = text("${rule}: ${event_count}");
  rule.lateness = duration{0};
  return rule;
}

window_spec fixed(duration size) {
  return {window_kind::fixed, size, size, {}};
}
window_spec sliding(duration size, duration every) {
  return {window_kind::sliding, size, every, {}};
}
window_spec session(duration gap) {
  return {window_kind::session, gap, {}, {}};
}

constexpr duration minute = std::chrono::minutes{1};
constexpr duration second = std::chrono::seconds{1};

/// An event that arrives when it happens, of source "a".
window_event event_at(long long time_ms) {
  window_event event;
  event.arrived_ms = event.time_ms = time_ms;
  event.source = "a";
  return event;
}
window_event late_event(long long arrived_ms, long long time_ms) {
  window_event event = event_at(time_ms);
  event.arrived_ms = arrived_ms;
  return event;
}
window_event with_level(window_event event, severity level) {
  event.level = level;
  return event;
}
window_event with_action(window_event event, event_action action) {
  event.action = action;
  return event;
}

/// One engine under a single rule.
struct engine_of : engine_driver {
  explicit engine_of(rule_spec rule) : engine_driver(compile_rules({std::move(rule)}), 1) {}
};

std::vector<kind> kinds(const std::vector<finding>& findings) {
  std::vector<kind> all;
  for (const finding& each : findings) all.push_back(each.what);
  return all;
}

rule_spec closing(rule_spec rule) {
  rule.fire = fire_mode::close;
  return rule;
}

TEST(window_engine, an_event_exactly_on_a_boundary_is_in_the_window_that_begins_there) {
  engine_of engine{closing(rule_of(fixed(10 * minute), "count() >= 1"))};
  EXPECT_TRUE(engine.take(event_at(clock_at(10, 10))).empty());
  EXPECT_TRUE(engine.tick(clock_at(10, 20)).empty()) << "the window is not closed before its end";
  const auto found = engine.tick(clock_at(10, 20) + 1);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(to_unix_ms(found[0].proof.window.start), clock_at(10, 10));
  EXPECT_EQ(to_unix_ms(found[0].proof.window.end), clock_at(10, 20));
}

TEST(window_engine, a_window_closes_exactly_once_at_its_end) {
  rule_spec rule = closing(rule_of(fixed(10 * minute), "count() >= 2"));
  rule.lateness = 5 * second;
  engine_of engine{rule};
  engine.take(event_at(clock_at(10, 1)));
  engine.take(event_at(clock_at(10, 2)));
  std::vector<finding> found;
  for (long long now = clock_at(10, 2); now < clock_at(11, 0); now += 500)
    for (finding& each : engine.tick(now)) found.push_back(std::move(each));
  ASSERT_EQ(kinds(found), (std::vector{kind::met, kind::cleared}));
  EXPECT_EQ(to_unix_ms(found[0].at), clock_at(10, 10, 5));
  EXPECT_EQ(found[0].position, no_position);
  EXPECT_EQ(found[0].cause, "window closed");
  EXPECT_EQ(found[0].proof.event_count, 2u);
  EXPECT_EQ(to_unix_ms(found[1].at), clock_at(10, 20, 5));
  EXPECT_EQ(engine.totals().judgements, 1u) << "only the window that holds events is judged";
}

TEST(window_engine, of_equal_time_an_event_comes_before_the_closing) {
  rule_spec rule = closing(rule_of(fixed(10 * minute), "count() >= 1"));
  rule.lateness = 5 * second;
  engine_of engine{rule};
  engine.take(event_at(clock_at(10, 1)));
  EXPECT_TRUE(engine.take(late_event(clock_at(10, 10, 5), clock_at(10, 9))).empty());
  const auto found = engine.take(late_event(clock_at(10, 10, 5) + 1, clock_at(10, 9)));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].proof.event_count, 2u);
  EXPECT_EQ(engine.totals().late, 1u) << "a millisecond later it is late";
}

TEST(window_engine, a_size_that_does_not_divide_an_hour_counts_from_the_epoch) {
  engine_of engine{rule_of(fixed(7 * minute), "count() >= 1")};
  const long long time = clock_at(10, 0);
  const auto found = engine.take(event_at(time));
  ASSERT_EQ(found.size(), 1u);
  const long long size = 7 * 60'000;
  EXPECT_EQ(to_unix_ms(found[0].proof.window.start), time / size * size);
  EXPECT_EQ(to_unix_ms(found[0].proof.window.end), time / size * size + size);
}

TEST(window_engine, an_offset_shifts_where_fixed_windows_begin) {
  rule_spec rule = rule_of(fixed(60 * minute), "count() >= 1");
  rule.window.offset = 15 * minute;
  engine_of engine{rule};
  const auto found = engine.take(event_at(clock_at(10, 14)));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(to_unix_ms(found[0].proof.window.start), clock_at(9, 15));
  EXPECT_EQ(to_unix_ms(found[0].proof.window.end), clock_at(10, 15));
}

TEST(window_engine, events_across_midnight_count_together) {
  engine_of engine{rule_of(sliding(10 * minute, minute), "count() >= 2")};
  EXPECT_TRUE(engine.take(event_at(clock_at(23, 58))).empty());
  const auto found = engine.take(event_at(clock_at(24, 2)));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].proof.event_count, 2u);
}

TEST(window_engine, a_burst_within_size_less_every_is_seen_and_events_a_size_apart_never_meet) {
  const rule_spec rule = rule_of(sliding(5 * minute, minute), "count() >= 2");
  for (long long start = clock_at(10, 0); start < clock_at(10, 1); start += 999) {
    engine_of near{rule};
    near.take(event_at(start));
    EXPECT_EQ(near.take(event_at(start + 4 * 60'000)).size(), 1u) << start;
    engine_of apart{rule};
    apart.take(event_at(start));
    EXPECT_TRUE(apart.take(event_at(start + 5 * 60'000)).empty()) << start;
  }
}

TEST(window_engine, early_firing_fires_at_the_event_that_makes_it_true) {
  engine_of engine{rule_of(sliding(5 * minute, minute), "count() >= 3")};
  EXPECT_TRUE(engine.take(event_at(clock_at(10, 0, 10))).empty());
  EXPECT_TRUE(engine.take(event_at(clock_at(10, 1, 10))).empty());
  const auto found = engine.take(event_at(clock_at(10, 1, 20)));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].what, kind::met);
  EXPECT_EQ(to_unix_ms(found[0].at), clock_at(10, 1, 20));
  EXPECT_EQ(found[0].position, 3u);
  EXPECT_EQ(found[0].cause, "condition met");
  EXPECT_EQ(found[0].proof.event_count, 3u);
  EXPECT_EQ(found[0].proof.first_event_position, 1u);
  ASSERT_TRUE(found[0].texts);
  EXPECT_EQ(found[0].texts->title, "rule: 3");
  EXPECT_TRUE(engine.take(event_at(clock_at(10, 1, 30))).empty()) << "met already";
}

TEST(window_engine, early_firing_counts_events_that_come_out_of_order) {
  rule_spec rule = rule_of(fixed(10 * minute), "count() >= 3");
  rule.lateness = minute;
  engine_of engine{rule};
  engine.take(late_event(clock_at(10, 9, 0), clock_at(10, 8)));
  engine.take(late_event(clock_at(10, 10, 30), clock_at(10, 10, 20)));  // the next window
  engine.take(late_event(clock_at(10, 10, 40), clock_at(10, 2)));
  const auto found = engine.take(late_event(clock_at(10, 10, 50), clock_at(10, 5)));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(to_unix_ms(found[0].proof.first_event_time), clock_at(10, 2));
  EXPECT_EQ(found[0].proof.first_event_position, 3u);
  EXPECT_EQ(to_unix_ms(found[0].proof.last_event_time), clock_at(10, 8));
}

TEST(window_engine, an_event_late_for_some_windows_counts_in_the_open_ones_only) {
  engine_of engine{closing(rule_of(sliding(3 * minute, minute), "count() >= 1"))};
  const auto found = engine.take(late_event(clock_at(10, 1, 30), clock_at(10, 0, 30)));
  EXPECT_TRUE(found.empty());
  EXPECT_EQ(engine.totals().late, 1u);
  EXPECT_EQ(engine.totals().updates, 1u);
  const auto closed = engine.tick(clock_at(10, 30));
  ASSERT_EQ(kinds(closed), (std::vector{kind::met, kind::cleared}));
  EXPECT_EQ(to_unix_ms(closed[0].proof.window.end), clock_at(10, 2)) << "10:01 was closed";
  EXPECT_EQ(to_unix_ms(closed[1].proof.window.end), clock_at(10, 4));
}

TEST(window_engine, an_agent_whose_clock_is_an_hour_behind_is_late) {
  rule_spec rule = rule_of(sliding(5 * minute, minute), "count() >= 1");
  rule.lateness = 5 * second;
  engine_of engine{rule};
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(engine.take(late_event(clock_at(10, i), clock_at(9, i))).empty());
  EXPECT_EQ(engine.totals().late, 10u);
  EXPECT_EQ(engine.totals_by_rule().at(0).late, 10u);
  EXPECT_EQ(engine.totals().updates, 0u);
  EXPECT_EQ(engine.totals().keys, 0u) << "late events make no state";
}

TEST(window_engine, by_the_arrival_clock_no_event_is_late) {
  rule_spec rule = rule_of(fixed(10 * minute), "count() >= 1");
  rule.clock = rule_clock::arrival;
  engine_of engine{rule};
  const auto found = engine.take(late_event(clock_at(10, 3), clock_at(8, 0)));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(to_unix_ms(found[0].proof.first_event_time), clock_at(10, 3));
  EXPECT_EQ(engine.totals().late, 0u);
}

TEST(window_engine, a_window_that_closes_with_no_event_clears_the_condition) {
  rule_spec rule = closing(rule_of(fixed(10 * minute), "n >= 1"));
  rule.select = {{"n", text("count()")}, {"most", text("max(value)")}};
  engine_of engine{rule};
  window_event event = event_at(clock_at(10, 1));
  event.value = 7;
  engine.take(event);
  const auto met = engine.tick(clock_at(10, 10, 1));
  ASSERT_EQ(kinds(met), std::vector{kind::met});
  EXPECT_EQ(met[0].proof.values,
            (std::vector<std::pair<std::string, double>>{{"n", 1}, {"most", 7}}));
  EXPECT_TRUE(engine.tick(clock_at(10, 20)).empty());
  const auto cleared = engine.tick(clock_at(10, 20) + 1);
  ASSERT_EQ(kinds(cleared), std::vector{kind::cleared});
  EXPECT_EQ(cleared[0].proof.event_count, 0u);
  EXPECT_EQ(cleared[0].proof.values, (std::vector<std::pair<std::string, double>>{{"n", 0}}));
  EXPECT_EQ(cleared[0].cause, "condition cleared");
}

TEST(window_engine, a_met_key_that_falls_silent_is_still_cleared_and_freed) {
  engine_of engine{rule_of(sliding(5 * minute, minute), "count() >= 2")};
  engine.take(event_at(clock_at(10, 0, 10)));
  EXPECT_EQ(kinds(engine.take(event_at(clock_at(10, 2, 10)))), std::vector{kind::met});
  EXPECT_EQ(engine.totals().keys, 1u);
  // The last window with both events ends at 10:05, so 10:06 is the first closed one without.
  EXPECT_TRUE(engine.tick(clock_at(10, 6)).empty());
  EXPECT_EQ(kinds(engine.tick(clock_at(10, 6) + 1)), std::vector{kind::cleared});
  // The last window with the second event ends at 10:07; one more step passes it.
  EXPECT_TRUE(engine.tick(clock_at(10, 8) + 1).empty());
  EXPECT_EQ(engine.totals().keys, 0u);
}

TEST(window_engine, windows_that_ended_in_a_time_without_steps_close_in_order) {
  engine_of engine{closing(rule_of(fixed(10 * minute), "count() >= 1"))};
  engine.take(event_at(clock_at(10, 5)));
  const auto met = engine.take(event_at(clock_at(10, 15)));
  auto found = engine.take(event_at(clock_at(15, 0)));
  found.insert(found.begin(), met.begin(), met.end());
  ASSERT_EQ(kinds(found), (std::vector{kind::met, kind::updated, kind::cleared}));
  EXPECT_EQ(to_unix_ms(found[0].at), clock_at(10, 10));
  EXPECT_EQ(to_unix_ms(found[1].at), clock_at(10, 20));
  EXPECT_EQ(to_unix_ms(found[2].at), clock_at(10, 30));
}

TEST(window_engine, a_gap_of_a_year_costs_nothing) {
  rule_spec rule = rule_of(sliding(5 * minute, second), "count() >= 2");
  engine_of engine{rule};
  engine.take(event_at(clock_at(10, 0)));
  engine.take(event_at(clock_at(10, 0)));
  engine.tick(clock_at(10, 10));
  const auto before = engine.totals().judgements;
  const long long year = 365LL * 24 * 3'600'000;
  engine.take(event_at(clock_at(10, 10) + year));
  EXPECT_TRUE(engine.tick(clock_at(10, 10) + 2 * year).empty());
  EXPECT_LT(engine.totals().judgements - before, 1'000u);
  EXPECT_EQ(engine.totals().keys, 0u);
}

TEST(window_engine, severity_is_the_worst_of_the_events_and_does_not_split_the_count) {
  rule_spec rule = rule_of(fixed(10 * minute), "count() >= 3");
  rule.severity = text("worst_level");
  engine_of engine{rule};
  engine.take(with_level(event_at(clock_at(10, 1)), severity::warning));
  engine.take(with_level(event_at(clock_at(10, 2)), severity::critical));
  const auto found = engine.take(with_level(event_at(clock_at(10, 3)), severity::info));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].severity, severity::critical);
  EXPECT_EQ(found[0].proof.event_count, 3u);
}

TEST(window_engine, an_update_brings_the_severity_and_leaves_the_texts_as_they_were) {
  rule_spec rule = rule_of(fixed(10 * minute), "count() >= 1");
  rule.severity = text("worst_level");
  rule.title = text("${max_severity} on ${resource_name}");
  engine_of engine{rule};
  const auto met = engine.take(with_level(event_at(clock_at(10, 1)), severity::warning));
  ASSERT_EQ(kinds(met), std::vector{kind::met});
  EXPECT_TRUE(met[0].texts);
  engine.take(with_level(event_at(clock_at(10, 2)), severity::critical));
  const auto found = engine.tick(clock_at(10, 10, 1));
  ASSERT_EQ(kinds(found), std::vector{kind::updated});
  EXPECT_EQ(found[0].severity, severity::critical);
  EXPECT_FALSE(found[0].texts);
}

TEST(window_engine, texts_of_a_closed_window_come_from_its_newest_event) {
  rule_spec rule = closing(rule_of(fixed(10 * minute), "count() >= 2"));
  rule.lateness = minute;
  rule.title = text("${resource_name}");
  engine_of engine{rule};
  const auto named = [](window_event event, const std::string& name) {
    event.resource_name = name;
    return event;
  };
  engine.take(named(late_event(clock_at(10, 9), clock_at(10, 8)), "newest"));
  engine.take(named(late_event(clock_at(10, 9), clock_at(10, 2)), "late"));
  engine.take(named(event_at(clock_at(10, 10, 30)), "of the next window"));
  const auto found = engine.tick(clock_at(10, 11, 1));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].texts->title, "newest");
  EXPECT_EQ(found[0].texts->resource_name, "newest");
}

TEST(window_engine, zero_is_rendered_as_0) {
  rule_spec rule = rule_of(fixed(10 * minute), "count() >= 1");
  rule.select = {{"slow", text("count_if(value == 504)")}, {"total", text("sum(value)")}};
  rule.title = text("${slow} slow, total ${total}, value ${value}");
  engine_of engine{rule};
  window_event event = event_at(clock_at(10, 0));
  event.value = 0;
  const auto found = engine.take(event);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].texts->title, "0 slow, total 0, value 0");
  EXPECT_EQ(found[0].proof.values,
            (std::vector<std::pair<std::string, double>>{{"slow", 0}, {"total", 0}}));
}

TEST(window_engine, aggregates_skip_missing_values_and_of_none_are_missing) {
  rule_spec rule = closing(rule_of(fixed(10 * minute), "n >= 1"));
  rule.select = {{"n", text("count()")},
                 {"total", text("sum(value)")},
                 {"mean", text("avg(value)")},
                 {"least", text("min(value)")}};
  engine_of engine{rule};
  engine.take(event_at(clock_at(10, 1)));
  const auto none = engine.tick(clock_at(10, 10, 1));
  ASSERT_EQ(none.size(), 1u);
  EXPECT_EQ(none[0].proof.values, (std::vector<std::pair<std::string, double>>{{"n", 1}}));
  window_event event = event_at(clock_at(10, 11));
  event.value = 4;
  engine.take(event);
  engine.take(event_at(clock_at(10, 12)));
  const auto some = engine.tick(clock_at(10, 20, 1));
  ASSERT_EQ(some.size(), 1u);
  EXPECT_EQ(some[0].proof.values, (std::vector<std::pair<std::string, double>>{
                                      {"n", 2}, {"total", 4}, {"mean", 4}, {"least", 4}}));
}

TEST(window_engine, null_empty_and_unknown_are_three_keys) {
  engine_of engine{rule_of(fixed(10 * minute), "count() >= 2")};
  std::vector<window_event> events(3, event_at(clock_at(10, 0)));
  events[0].source = std::nullopt;
  events[1].source = "";
  events[2].source = "unknown";
  EXPECT_TRUE(engine.take(clock_at(10, 0), events).empty());
  EXPECT_EQ(engine.totals().keys, 3u);
  const auto found = engine.take(clock_at(10, 0), events);
  ASSERT_EQ(found.size(), 3u);
  using group = decltype(alert_texts::group);
  EXPECT_EQ(found[0].texts->group, (group{{"source_id", std::nullopt}}));
  EXPECT_EQ(found[1].texts->group, (group{{"source_id", ""}}));
  EXPECT_EQ(found[2].texts->group, (group{{"source_id", "unknown"}}));
  EXPECT_NE(found[0].print, found[1].print);
  EXPECT_NE(found[1].print, found[2].print);
}

TEST(window_engine, a_pane_remembers_its_first_ids_in_order_of_time) {
  engine_of engine{rule_of(fixed(60 * minute), "count() >= 20")};
  std::vector<finding> found;
  for (int i = 1; i <= 20; ++i) {
    window_event event = late_event(clock_at(10, 30), clock_at(10, 29) - i * 1'000);
    event.id = "e" + std::to_string(i);
    found = engine.take(event);
  }
  ASSERT_EQ(found.size(), 1u);
  ASSERT_EQ(found[0].proof.event_ids.size(), event_ids_max);
  EXPECT_EQ(found[0].proof.event_ids.front(), "e16") << "the oldest by time of the first 16";
  EXPECT_EQ(found[0].proof.event_ids.back(), "e1");
  EXPECT_TRUE(found[0].proof.event_ids_truncated);
}

TEST(window_engine, events_without_ids_truncate_nothing) {
  engine_of engine{rule_of(fixed(60 * minute), "count() >= 20")};
  std::vector<finding> found;
  for (int i = 1; i <= 20; ++i) {
    window_event event = event_at(clock_at(10, i));
    if (i % 2 == 0) event.id = "e" + std::to_string(i);
    found = engine.take(event);
  }
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].proof.event_ids.size(), 10u);
  EXPECT_FALSE(found[0].proof.event_ids_truncated);
}

TEST(window_engine, a_resolved_event_recovers_and_what_was_counted_is_forgotten) {
  rule_spec rule = rule_of(sliding(10 * minute, minute), "count() >= 2");
  rule.where = text("has(value)");
  engine_of engine{rule};
  window_event event = event_at(clock_at(10, 0, 30));
  event.value = 1;
  engine.take(event);
  EXPECT_EQ(kinds(engine.take(event)), std::vector{kind::met});
  const auto found = engine.take(with_action(event_at(clock_at(10, 1)), event_action::resolved));
  ASSERT_EQ(kinds(found), std::vector{kind::recovered}) << "the filter is not asked";
  EXPECT_EQ(found[0].position, 3u);
  EXPECT_EQ(engine.totals().keys, 0u);
  event.arrived_ms = event.time_ms = clock_at(10, 1, 30);
  EXPECT_TRUE(engine.take(event).empty()) << "counting begins anew";
  EXPECT_EQ(kinds(engine.take(event)), std::vector{kind::met});
}

TEST(window_engine, a_closed_event_dismisses) {
  engine_of engine{rule_of(fixed(10 * minute), "count() >= 1")};
  engine.take(event_at(clock_at(10, 0)));
  const auto found = engine.take(with_action(event_at(clock_at(10, 1)), event_action::closed));
  EXPECT_EQ(kinds(found), std::vector{kind::dismissed});
}

TEST(window_engine, a_resolved_event_forgets_what_an_unmet_key_had_counted) {
  engine_of engine{rule_of(fixed(10 * minute), "count() >= 2")};
  engine.take(event_at(clock_at(10, 0)));
  EXPECT_TRUE(engine.take(with_action(event_at(clock_at(10, 1)), event_action::resolved)).empty());
  EXPECT_TRUE(engine.take(event_at(clock_at(10, 2))).empty());
}

TEST(window_engine, a_resolved_event_of_an_unknown_key_is_ignored) {
  engine_of engine{rule_of(fixed(10 * minute), "count() >= 1")};
  EXPECT_TRUE(engine.take(with_action(event_at(clock_at(10, 1)), event_action::resolved)).empty());
  EXPECT_EQ(engine.totals().keys, 0u);
}

TEST(window_engine, events_at_most_the_gap_apart_are_one_session) {
  engine_of engine{rule_of(session(5 * minute), "count() >= 1")};
  for (const int minutes : {0, 1, 2, 5})
    EXPECT_TRUE(engine.take(event_at(clock_at(10, minutes))).empty());
  EXPECT_TRUE(engine.tick(clock_at(10, 7, 1)).empty()) << "not five minutes after the third event";
  EXPECT_TRUE(engine.tick(clock_at(10, 10)).empty()) << "the watermark must be beyond last + gap";
  const auto found = engine.tick(clock_at(10, 10) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(to_unix_ms(found[0].at), clock_at(10, 10));
  EXPECT_EQ(found[0].cause, "session timed out");
  EXPECT_EQ(found[0].proof.event_count, 4u);
  EXPECT_EQ(found[0].proof.window.kind, window_kind::session);
  EXPECT_EQ(to_unix_ms(found[0].proof.window.start), clock_at(10, 0));
  EXPECT_EQ(to_unix_ms(found[0].proof.window.end), clock_at(10, 5));
}

TEST(window_engine, events_exactly_the_gap_apart_are_one_session_and_further_ones_are_two) {
  const rule_spec rule = rule_of(session(5 * minute), "count() >= 2");
  engine_of near{rule};
  near.take(event_at(clock_at(10, 0)));
  near.take(event_at(clock_at(10, 5)));
  EXPECT_EQ(kinds(near.tick(clock_at(11, 0))), std::vector{kind::met});
  engine_of apart{rule};
  apart.take(event_at(clock_at(10, 0)));
  apart.take(event_at(clock_at(10, 5) + 1));
  EXPECT_TRUE(apart.tick(clock_at(11, 0)).empty());
}

TEST(window_engine, a_late_event_joins_two_sessions_into_one) {
  rule_spec rule = rule_of(session(5 * minute), "count() >= 1");
  rule.lateness = 10 * minute;
  engine_of engine{rule};
  engine.take(event_at(clock_at(10, 0)));
  engine.take(event_at(clock_at(10, 8)));
  engine.take(late_event(clock_at(10, 9), clock_at(10, 4)));
  const auto found = engine.tick(clock_at(11, 0));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].proof.event_count, 3u);
  EXPECT_EQ(to_unix_ms(found[0].proof.window.start), clock_at(10, 0));
  EXPECT_EQ(to_unix_ms(found[0].proof.window.end), clock_at(10, 8));
  EXPECT_EQ(to_unix_ms(found[0].at), clock_at(10, 23));
}

TEST(window_engine, an_event_of_a_session_that_has_ended_is_late) {
  engine_of engine{rule_of(session(5 * minute), "count() >= 2")};
  engine.take(event_at(clock_at(10, 0)));
  engine.tick(clock_at(10, 6));
  EXPECT_TRUE(engine.take(late_event(clock_at(10, 6), clock_at(10, 0, 30))).empty());
  EXPECT_EQ(engine.totals().late, 1u);
  EXPECT_EQ(engine.totals().keys, 0u);
}

TEST(window_engine, a_met_session_stays_met_until_a_session_ends_without_meeting_the_condition) {
  engine_of engine{rule_of(session(5 * minute), "count() >= 2")};
  engine.take(event_at(clock_at(10, 0)));
  engine.take(event_at(clock_at(10, 1)));
  EXPECT_EQ(kinds(engine.tick(clock_at(10, 30))), std::vector{kind::met});
  EXPECT_TRUE(engine.tick(clock_at(12, 0)).empty());
  EXPECT_EQ(engine.totals().keys, 1u);
  engine.take(event_at(clock_at(12, 0)));
  engine.take(event_at(clock_at(12, 1)));
  EXPECT_EQ(kinds(engine.tick(clock_at(12, 30))), std::vector{kind::updated});
  engine.take(event_at(clock_at(13, 0)));
  const auto found = engine.tick(clock_at(13, 30));
  ASSERT_EQ(kinds(found), std::vector{kind::cleared});
  EXPECT_EQ(found[0].cause, "session ended");
  EXPECT_EQ(engine.totals().keys, 0u);
}

TEST(window_engine, an_early_session_rule_fires_inside_the_session) {
  rule_spec rule = rule_of(session(5 * minute), "count() >= 2");
  rule.fire = fire_mode::early;
  engine_of engine{rule};
  engine.take(event_at(clock_at(10, 0)));
  const auto found = engine.take(event_at(clock_at(10, 1)));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].cause, "condition met");
  EXPECT_TRUE(engine.tick(clock_at(10, 30)).empty()) << "no news since";
}

TEST(window_engine, an_ended_sessions_ids_are_not_those_of_the_next_one) {
  rule_spec rule = rule_of(session(5 * minute), "count() >= 1");
  engine_of engine{rule};
  const auto named = [](window_event event, const std::string& id) {
    event.id = id;
    return event;
  };
  engine.take(named(event_at(clock_at(10, 10)), "ended"));
  EXPECT_EQ(kinds(engine.tick(clock_at(10, 15, 1))), std::vector{kind::met});
  engine.take(named(late_event(clock_at(10, 15, 1), clock_at(10, 11)), "first"));
  engine.take(named(late_event(clock_at(10, 15, 1), clock_at(10, 9)), "before"));
  const auto found = engine.tick(clock_at(10, 30));
  ASSERT_EQ(kinds(found), std::vector{kind::updated});
  EXPECT_EQ(found[0].proof.event_count, 2u);
  EXPECT_EQ(found[0].proof.event_ids, (std::vector<std::string>{"before", "first"}));
}

TEST(window_engine, an_empty_slice_and_a_tick_do_the_same) {
  const rule_spec rule = closing(rule_of(fixed(10 * minute), "count() >= 1"));
  const auto rules = compile_rules({rule});
  for (const bool tick : {true, false}) {
    engine_of engine{rule};
    engine.take(event_at(clock_at(10, 0)));
    const event_batch empty;
    EXPECT_EQ(engine.step(from_unix_ms(clock_at(10, 10, 1)), tick ? nullptr : &empty).size(), 1u);
  }
}

}  // namespace
}  // namespace tocsin::testing
