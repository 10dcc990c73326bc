// SPDX-License-Identifier: Apache-2.0
// The corner cases of windows, each by its name, in rules as a user writes them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "support/engine_driver.hpp"
#include "support/rules.hpp"

namespace tocsin::testing {
namespace {

using said = std::vector<std::string>;

/// Sunday, 1 March 2026, 00:00 UTC.
constexpr long long midnight_ms = 1'772'323'200'000;

/// A time of that day in Unix milliseconds; 24 hours and more are days that follow.
constexpr long long clock_at(long long hours, long long minutes, long long seconds = 0,
                             long long ms = 0) {
  return midnight_ms + ((hours * 60 + minutes) * 60 + seconds) * 1'000 + ms;
}

/// "10:05" or "10:05:00.001", "24:05" on the next day; of another day as RFC 3339.
std::string shown(instant at) {
  const long long ms = to_unix_ms(at) - midnight_ms;
  if (ms < 0 || ms >= 48 * 3'600'000) return format_rfc3339(at);
  std::string text = fmt::format("{:02}:{:02}", ms / 3'600'000, ms / 60'000 % 60);
  if (ms % 60'000 != 0) text += fmt::format(":{:02}", ms / 1'000 % 60);
  if (ms % 1'000 != 0) text += fmt::format(".{:03}", ms % 1'000);
  return text;
}

std::string shown(finding::kind what) {
  switch (what) {
    case finding::kind::met:
      return "met";
    case finding::kind::updated:
      return "updated";
    case finding::kind::cleared:
      return "cleared";
    default:
      return "ended by an event";
  }
}

/// What was found, when, and of which window: "met at 10:10: 2 in 10:00..10:10".
said lines(const std::vector<finding>& findings) {
  said all;
  for (const finding& each : findings)
    all.push_back(fmt::format("{} at {}: {} in {}..{}", shown(each.what), shown(each.at),
                              each.proof.event_count, shown(each.proof.window.start),
                              shown(each.proof.window.end)));
  return all;
}

/// An event of source "a" that arrives when it happens, or as late as said.
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
window_event with_value(window_event event, double value) {
  event.value = value;
  return event;
}
window_event with_level(window_event event, severity level) {
  event.level = level;
  return event;
}

/// One engine under one rule, grouped by source; `fields` are the rule's other lines.
struct engine_of : engine_driver {
  explicit engine_of(const std::string& window, const std::string& fields = {})
      : engine_driver(rules_from_yaml(yaml_of(window, fields)), 1) {}

  static std::string yaml_of(const std::string& window, const std::string& fields) {
    const bool filtered = fields.find("where:") != std::string::npos;
    const bool late = fields.find("lateness:") != std::string::npos;
    std::string yaml = "rules:\n- name: rule\n  group_by: [source_id]\n  window: " + window + "\n";
    if (!filtered) yaml += "  where: true\n";
    if (!late) yaml += "  lateness: 0s\n";
    return yaml + fields;
  }
};

const std::string at_close = "  fire: close\n";

TEST(window_corner_cases, an_event_exactly_on_a_boundary_is_in_the_fixed_window_that_begins_there) {
  engine_of engine{"{fixed: 10m}", at_close};
  engine.take(event_at(clock_at(9, 59, 59, 999)));
  engine.take(event_at(clock_at(10, 0)));
  EXPECT_EQ(lines(engine.take(event_at(clock_at(10, 9, 59, 999)))),
            said{"met at 10:00: 1 in 09:50..10:00"});
  engine.take(event_at(clock_at(10, 10)));
  EXPECT_EQ(lines(engine.tick(clock_at(10, 30, 0, 1))),
            (said{"updated at 10:10: 2 in 10:00..10:10", "updated at 10:20: 1 in 10:10..10:20",
                  "cleared at 10:30: 0 in 10:20..10:30"}));
}

TEST(window_corner_cases, an_event_exactly_on_a_boundary_is_in_the_sliding_windows_behind_it) {
  engine_of engine{"{sliding: 5m, every: 1m}", at_close};
  EXPECT_TRUE(engine.take(event_at(clock_at(10, 0))).empty());
  EXPECT_EQ(lines(engine.tick(clock_at(12, 0))),
            (said{"met at 10:01: 1 in 09:56..10:01", "cleared at 10:06: 0 in 10:01..10:06"}));
}

TEST(window_corner_cases, seven_minutes_do_not_divide_an_hour_and_windows_count_from_the_epoch) {
  engine_of engine{"{fixed: 7m}", at_close};
  // 09:54 on that day is 4,219,902 times 7 minutes since 1970.
  static_assert(clock_at(9, 54) == 4'219'902LL * 7 * 60 * 1'000);
  engine.take(event_at(clock_at(9, 55)));
  engine.take(event_at(clock_at(10, 0, 59, 999)));
  engine.take(event_at(clock_at(10, 1)));
  EXPECT_EQ(lines(engine.tick(clock_at(10, 9))),
            (said{"met at 10:01: 2 in 09:54..10:01", "updated at 10:08: 1 in 10:01..10:08"}));
}

TEST(window_corner_cases, events_on_both_sides_of_midnight_count_together) {
  engine_of sliding{"{sliding: 10m, every: 1m}", "  having: count() >= 2\n"};
  EXPECT_TRUE(sliding.take(event_at(clock_at(23, 58))).empty());
  EXPECT_EQ(lines(sliding.take(event_at(clock_at(24, 2)))),
            said{"met at 24:02: 2 in 23:53..24:03"});
  engine_of session{"{session: 10m}", "  having: count() >= 2\n"};
  session.take(event_at(clock_at(23, 58)));
  session.take(event_at(clock_at(24, 8)));
  EXPECT_EQ(lines(session.tick(clock_at(24, 19))), said{"met at 24:18: 2 in 23:58..24:08"});
}

TEST(window_corner_cases, a_day_without_a_time_zone_is_one_of_utc) {
  engine_of engine{"{fixed: 1d}", at_close};
  engine.take(event_at(clock_at(0, 0)));
  engine.take(event_at(clock_at(23, 59, 59, 999)));
  EXPECT_EQ(lines(engine.take(event_at(clock_at(24, 0, 0, 1)))),
            said{"met at 24:00: 2 in 00:00..24:00"});
}

TEST(window_corner_cases, each_event_of_a_session_extends_it) {
  engine_of engine{"{session: 5m}", "  lateness: 5s\n"};
  for (const long long minute : {0, 1, 2, 5})
    EXPECT_TRUE(engine.take(event_at(clock_at(10, minute))).empty());
  EXPECT_TRUE(engine.tick(clock_at(10, 7, 5, 1)).empty()) << "10:02 + 5m is not its end";
  EXPECT_TRUE(engine.tick(clock_at(10, 10, 5)).empty())
      << "the watermark is at its end, not beyond";
  EXPECT_EQ(lines(engine.tick(clock_at(10, 10, 5, 1))), said{"met at 10:10:05: 4 in 10:00..10:05"});
}

TEST(window_corner_cases, of_equal_time_an_event_comes_before_the_timer_of_a_window) {
  engine_of engine{"{fixed: 10m}", at_close};
  engine.take(event_at(clock_at(10, 1)));
  EXPECT_TRUE(engine.take(late_event(clock_at(10, 10), clock_at(10, 9))).empty());
  EXPECT_EQ(lines(engine.take(late_event(clock_at(10, 10, 0, 1), clock_at(10, 9)))),
            said{"met at 10:10: 2 in 10:00..10:10"});
  EXPECT_EQ(engine.totals().late, 1u) << "a millisecond later it is late";
}

TEST(window_corner_cases, of_equal_time_an_event_comes_before_the_timer_of_a_session) {
  engine_of together{"{session: 5m}"};
  together.take(event_at(clock_at(10, 0)));
  EXPECT_TRUE(together.take(event_at(clock_at(10, 5))).empty());
  EXPECT_EQ(lines(together.tick(clock_at(11, 0))), said{"met at 10:10: 2 in 10:00..10:05"});
  engine_of apart{"{session: 5m}"};
  apart.take(event_at(clock_at(10, 0)));
  EXPECT_EQ(lines(apart.take(event_at(clock_at(10, 5, 0, 1)))),
            said{"met at 10:05: 1 in 10:00..10:00"});
}

TEST(window_corner_cases, a_late_event_joins_two_sessions_and_both_contents_are_in_the_one) {
  engine_of engine{"{session: 5m}",
                   "  lateness: 10m\n  select: {total: sum(value), most: max(value)}\n"};
  engine.take(with_value(event_at(clock_at(10, 0)), 1));
  engine.take(with_value(event_at(clock_at(10, 10)), 16));
  engine.take(with_value(late_event(clock_at(10, 10, 30), clock_at(10, 9)), 8));
  engine.take(with_value(late_event(clock_at(10, 11), clock_at(10, 5)), 4));
  const auto found = engine.tick(clock_at(11, 0));
  ASSERT_EQ(lines(found), said{"met at 10:25: 4 in 10:00..10:10"});
  EXPECT_EQ(found[0].proof.values,
            (std::vector<std::pair<std::string, double>>{{"total", 29}, {"most", 16}}));
  EXPECT_EQ(engine.totals().late, 0u);
}

TEST(window_corner_cases, a_window_that_closes_with_no_event_makes_no_condition_true) {
  engine_of engine{"{fixed: 10m}", at_close + "  having: count() <= 1\n"};
  engine.take(event_at(clock_at(10, 1)));
  EXPECT_EQ(lines(engine.tick(clock_at(11, 0))),
            (said{"met at 10:10: 1 in 10:00..10:10", "cleared at 10:20: 0 in 10:10..10:20"}))
      << "no row is no count of zero, as in SQL";
  EXPECT_EQ(engine.totals().keys, 0u);
}

TEST(window_corner_cases, windows_that_ended_while_nothing_came_are_closed_in_order) {
  engine_of engine{"{fixed: 10m}", at_close + "  lateness: 30m\n  having: count() >= 2\n"};
  for (const long long minute : {1, 2, 11, 21, 22})
    EXPECT_TRUE(engine.take(event_at(clock_at(10, minute))).empty());
  EXPECT_EQ(lines(engine.tick(clock_at(20, 0))),
            (said{"met at 10:40: 2 in 10:00..10:10", "cleared at 10:50: 1 in 10:10..10:20",
                  "met at 11:00: 2 in 10:20..10:30", "cleared at 11:10: 0 in 10:30..10:40"}));
}

TEST(window_corner_cases, an_agent_an_hour_behind_is_late_and_harms_no_other) {
  engine_of engine{"{sliding: 5m, every: 1m}", "  lateness: 5s\n  having: count() >= 3\n"};
  std::size_t found = 0;
  for (int i = 0; i < 3; ++i) {
    window_event behind = late_event(clock_at(10, i), clock_at(9, i));
    behind.source = "behind";
    found += engine.take(behind).size();
    found += engine.take(event_at(clock_at(10, i))).size();
  }
  EXPECT_EQ(found, 1u) << "the one whose clock is right";
  EXPECT_EQ(engine.totals().late, 3u);
  EXPECT_EQ(engine.totals().updates, 3u);
  EXPECT_EQ(engine.totals().keys, 1u);
}

TEST(window_corner_cases, a_formula_that_overflows_is_missing_and_is_skipped) {
  engine_of engine{"{fixed: 10m}",
                   at_close +
                       "  select:\n    n: count()\n    most: max(value * 1e300)\n"
                       "    total: sum(value * 1e300)\n    share: sum(1 / value)\n"};
  engine.take(with_value(event_at(clock_at(10, 1)), 1e100));
  engine.take(with_value(event_at(clock_at(10, 2)), 0));
  const auto found = engine.take(event_at(clock_at(10, 10, 0, 1)));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].proof.values, (std::vector<std::pair<std::string, double>>{
                                       {"n", 2}, {"most", 0}, {"total", 0}, {"share", 1e-100}}));
}

TEST(window_corner_cases, a_sum_keeps_small_values_beside_large_ones_that_cancel) {
  // In one pane, and merged from three.
  for (const std::string window : {"{fixed: 3m}", "{sliding: 3m, every: 1m}"}) {
    engine_of engine{window, at_close +
                                 "  select: {total: sum(value), mean: avg(value)}\n"
                                 "  having: count() == 3\n"};
    const std::vector<double> values{1e17, 3, -1e17};
    for (std::size_t i = 0; i < values.size(); ++i)
      engine.take(with_value(event_at(clock_at(10, static_cast<long long>(i))), values[i]));
    const auto found = engine.tick(clock_at(10, 3, 0, 1));
    ASSERT_EQ(found.size(), 1u) << window;
    EXPECT_EQ(found[0].proof.values,
              (std::vector<std::pair<std::string, double>>{{"total", 3}, {"mean", 1}}))
        << window;
  }
}

TEST(window_corner_cases, zero_is_rendered_as_0) {
  engine_of engine{"{fixed: 10m}",
                   "  having: count() >= 2\n"
                   "  select: {slow: count_if(value == 504), total: sum(value), mean: avg(value)}\n"
                   "  title: '${slow} ${total} ${mean} ${value} ${duration}'\n"};
  engine.take(with_value(event_at(clock_at(10, 0)), 0));
  const auto found = engine.take(with_value(event_at(clock_at(10, 0)), 0));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].texts->title, "0 0 0 0 0s");
}

TEST(window_corner_cases, severity_is_the_worst_of_the_events_wherever_it_stands) {
  using levels = std::vector<severity>;
  for (const levels& order : {levels{severity::critical, severity::warning, severity::info},
                              levels{severity::warning, severity::critical, severity::info},
                              levels{severity::info, severity::warning, severity::critical}}) {
    engine_of engine{"{sliding: 3m, every: 1m}", at_close + "  having: count() == 3\n"};
    for (std::size_t i = 0; i < order.size(); ++i)
      engine.take(with_level(event_at(clock_at(10, static_cast<long long>(i))), order[i]));
    const auto found = engine.tick(clock_at(10, 3, 0, 1));
    ASSERT_EQ(lines(found), said{"met at 10:03: 3 in 10:00..10:03"});
    EXPECT_EQ(found[0].severity, severity::critical);
  }
}

TEST(window_corner_cases, the_count_is_not_split_by_severity) {
  engine_of engine{"{fixed: 10m}", "  having: count() >= 4\n"};
  std::vector<finding> found;
  for (const severity level :
       {severity::info, severity::warning, severity::error, severity::critical}) {
    EXPECT_TRUE(found.empty());
    found = engine.take(with_level(event_at(clock_at(10, 0)), level));
  }
  ASSERT_EQ(lines(found), said{"met at 10:00: 4 in 10:00..10:10"});
  EXPECT_EQ(engine.totals().keys, 1u);
}

/// An instant of March 2026, UTC.
constexpr long long march(long long day, long long hours, long long ms = 0) {
  return clock_at((day - 1) * 24 + hours, 0) + ms;
}

const std::string berlin_days = "{fixed: 1d, timezone: Europe/Berlin}";

TEST(window_corner_cases, the_day_on_which_summer_time_begins_has_23_hours) {
  engine_of engine{berlin_days, at_close};
  engine.take(event_at(march(28, 23)));      // 29 March 00:00 in Berlin
  engine.take(event_at(march(29, 22, -1)));  // the same day's last millisecond
  const auto found = engine.take(event_at(march(29, 22, 1)));
  ASSERT_EQ(lines(found), said{"met at 2026-03-29T22:00:00.000Z: 2 in "
                               "2026-03-28T23:00:00.000Z..2026-03-29T22:00:00.000Z"});
  EXPECT_EQ(lines(engine.tick(march(30, 22, 1))),
            said{"updated at 2026-03-30T22:00:00.000Z: 1 in "
                 "2026-03-29T22:00:00.000Z..2026-03-30T22:00:00.000Z"});
}

TEST(window_corner_cases, the_day_on_which_summer_time_ends_has_25_hours) {
  engine_of engine{berlin_days, at_close};
  constexpr long long day = 24 * 3'600'000;
  // 25 October 2026 begins in Berlin at 22:00 UTC of the day before, and ends at 23:00 UTC.
  const long long start = clock_at(0, 0) + 237 * day + 22 * 3'600'000;
  engine.take(event_at(start - 1));
  engine.take(event_at(start));
  engine.take(event_at(start + 25 * 3'600'000 - 1));
  EXPECT_EQ(lines(engine.tick(start + 25 * 3'600'000 + 1)),
            said{"updated at 2026-10-25T23:00:00.000Z: 2 in "
                 "2026-10-24T22:00:00.000Z..2026-10-25T23:00:00.000Z"});
}

TEST(window_corner_cases, a_year_of_local_days_has_neither_gap_nor_overlap) {
  engine_of engine{berlin_days, at_close};
  constexpr long long hour = 3'600'000;
  std::map<long long, int> days_by_hours;
  instant before{};
  const auto check = [&](const std::vector<finding>& findings) {
    for (const finding& each : findings) {
      const window_bounds& day = each.proof.window;
      if (before != instant{}) {
        EXPECT_EQ(day.start, before);
      }
      before = day.end;
      const long long hours = (day.end - day.start).count() / hour;
      EXPECT_EQ(static_cast<long long>(each.proof.event_count), hours) << shown(day.start);
      ++days_by_hours[hours];
    }
  };
  // From 1 March 00:00 in Berlin, an event an hour.
  for (long long at = clock_at(-1, 0); at < clock_at(-1, 0) + 365 * 24 * hour; at += hour)
    check(engine.take(event_at(at)));
  EXPECT_EQ(days_by_hours, (std::map<long long, int>{{23, 1}, {24, 362}, {25, 1}}))
      << "the last of 365 is not over yet";
}

/// A failure (0) or the success that ends the session (1).
window_event outcome(long long arrived_ms, long long time_ms, double value) {
  return with_value(late_event(arrived_ms, time_ms), value);
}

const std::string closed_session = "{session: 5m, close: 'value == 1'}";
const std::string failures = "  where: value == 0\n";

TEST(window_corner_cases, a_close_out_of_order_ends_the_session_at_its_own_time) {
  engine_of engine{closed_session, failures +
                                       "  lateness: 1m\n  fire_on: [timeout, close]\n"
                                       "  having: count() >= 3\n"};
  std::vector<finding> all;
  for (const window_event& each :
       {outcome(clock_at(10, 0), clock_at(10, 0), 0), outcome(clock_at(10, 2), clock_at(10, 2), 1),
        outcome(clock_at(10, 2, 30), clock_at(10, 1, 40), 0),
        outcome(clock_at(10, 3), clock_at(10, 3), 0)})
    for (finding& found : engine.take(each)) all.push_back(std::move(found));
  for (finding& found : engine.tick(clock_at(11, 0))) all.push_back(std::move(found));
  EXPECT_EQ(lines(all),
            (said{"met at 10:03: 3 in 10:00..10:02", "cleared at 10:09: 1 in 10:03..10:03"}));
  EXPECT_EQ(engine.totals().late, 0u);
}

TEST(window_corner_cases, a_close_ends_a_session_in_silence_unless_asked_for) {
  engine_of engine{closed_session, failures};
  engine.take(outcome(clock_at(10, 0), clock_at(10, 0), 0));
  engine.take(outcome(clock_at(10, 5), clock_at(10, 5), 1));
  EXPECT_TRUE(engine.tick(clock_at(11, 0)).empty()) << "at the gap's very end it still belongs";
  engine.take(outcome(clock_at(12, 0), clock_at(12, 0), 0));
  auto found = engine.take(outcome(clock_at(12, 5, 0, 1), clock_at(12, 5, 0, 1), 1));
  ASSERT_FALSE(found.empty()) << "a millisecond later it has timed out";
  EXPECT_EQ(lines({found[0]}), said{"met at 12:05: 1 in 12:00..12:00"});
}

TEST(window_corner_cases, the_order_of_arrival_within_lateness_changes_no_session) {
  // Two failures, the success, and a failure of the next session.
  const std::vector<std::pair<long long, double>> events{
      {clock_at(10, 0), 0}, {clock_at(10, 1), 0}, {clock_at(10, 2), 1}, {clock_at(10, 3), 0}};
  std::vector<std::size_t> order{0, 1, 2, 3};
  do {
    engine_of engine{
        closed_session,
        failures + "  lateness: 5m\n  fire_on: [timeout, close]\n  having: count() >= 3\n"};
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto& [time_ms, value] = events[order[i]];
      engine.take(outcome(clock_at(10, 4) + static_cast<long long>(i), time_ms, value));
    }
    EXPECT_EQ(lines(engine.tick(clock_at(11, 0))),
              (said{"met at 10:07: 3 in 10:00..10:02", "cleared at 10:13: 1 in 10:03..10:03"}));
  } while (std::next_permutation(order.begin(), order.end()) && !HasFailure());
}

/// A step of one engine alone: the driver cannot stop and go on.
std::vector<finding> step(window_engine& engine, event_router& router, long long clock_ms,
                          const std::vector<window_event>& events, std::uint64_t position) {
  std::vector<finding> found;
  const auto batch = make_batch(events, position);
  const auto slices = router.route(*batch);
  engine.step(from_unix_ms(clock_ms), batch.get(), slices.at(0), found);
  return found;
}

TEST(window_corner_cases, windows_that_ended_during_a_restart_are_closed_in_order) {
  const auto rules = rules_from_yaml(
      engine_of::yaml_of("{fixed: 10m}", at_close + "  lateness: 30m\n  having: count() >= 2\n"));
  event_router router{rules, 1};
  std::string saved;
  {
    window_engine engine{rules};
    std::vector<window_event> events;
    for (const long long minute : {1, 2, 11, 21, 22})
      events.push_back(event_at(clock_at(10, minute)));
    EXPECT_TRUE(step(engine, router, clock_at(10, 22), events, 1).empty());
    saved = engine.save();
  }
  window_engine engine{rules};
  const auto refused = engine.restore(saved);
  ASSERT_FALSE(refused) << refused->message;
  // The first event behind the restart finds all of them ended.
  EXPECT_EQ(lines(step(engine, router, clock_at(20, 0), {event_at(clock_at(20, 0))}, 6)),
            (said{"met at 10:40: 2 in 10:00..10:10", "cleared at 10:50: 1 in 10:10..10:20",
                  "met at 11:00: 2 in 10:20..10:30", "cleared at 11:10: 0 in 10:30..10:40"}));
  EXPECT_EQ(engine.totals().keys, 1u);
}

TEST(window_corner_cases, a_standard_deviation_of_large_values_keeps_its_small_differences) {
  engine_of engine{"{sliding: 3m, every: 1m}",
                   at_close +
                       "  select: {spread: stddev(value), square: variance_pop(value)}\n"
                       "  having: count() == 3\n"};
  for (const int i : {2, 0, 1})
    EXPECT_TRUE(engine.take(with_value(event_at(clock_at(10, (i + 1) % 3)), 1e9 + i)).empty());
  const auto found = engine.tick(clock_at(10, 3, 0, 1));
  ASSERT_EQ(found.size(), 1u);
  ASSERT_EQ(found[0].proof.values.size(), 2u);
  EXPECT_DOUBLE_EQ(found[0].proof.values[0].second, 1);
  EXPECT_NEAR(found[0].proof.values[1].second, 2.0 / 3, 1e-12);
}

}  // namespace
}  // namespace tocsin::testing
