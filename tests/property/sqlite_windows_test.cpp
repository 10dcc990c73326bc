// SPDX-License-Identifier: Apache-2.0
// Windows and aggregates against a database: the same events in SQL tables, grouped by SQL.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <tuple>

#include "support/engine_driver.hpp"
#include "support/rules.hpp"
#include "support/sql_database.hpp"
#include "support/window_scenario.hpp"

namespace tocsin::testing {
namespace {

/// An aggregate as a rule selects it and as SQL has it over the tables `one` (a window's first
/// pass) and `held` (its events). SQLite knows no standard deviation, so it is worked out in a
/// second pass, from the deviations from the first one's mean.
struct compared_aggregate {
  const char* name;
  const char* rule;
  const char* sql;
};
constexpr std::array aggregates{
    compared_aggregate{"total", "sum(value)", "one.total"},
    compared_aggregate{"mean", "avg(value)", "one.mean"},
    compared_aggregate{"least", "min(value)", "one.least"},
    compared_aggregate{"most", "max(value)", "one.most"},
    compared_aggregate{"large", "count_if(value >= 10)", "one.large"},
    compared_aggregate{
        "spread", "stddev(value)",
        "sqrt(sum((held.value - one.mean) * (held.value - one.mean)) / (one.n - 1))"},
    compared_aggregate{"spread_pop", "stddev_pop(value)",
                       "sqrt(sum((held.value - one.mean) * (held.value - one.mean)) / one.n)"},
    compared_aggregate{"square", "variance(value)",
                       "sum((held.value - one.mean) * (held.value - one.mean)) / (one.n - 1)"},
    compared_aggregate{"square_pop", "variance_pop(value)",
                       "sum((held.value - one.mean) * (held.value - one.mean)) / one.n"},
};

using key_text = std::optional<std::string>;

/// What one window of a key holds.
struct window_row {
  key_text key;
  long long start_ms = 0;
  long long end_ms = 0;
  long long count = 0;
  long long newest_position = 0;
  long long positions = 0;  ///< the sum of their squares: tells contents apart
  std::array<std::optional<double>, aggregates.size()> values;
};

/// How a test's windows are cut and how its events come.
struct windows_under_test {
  std::string rule;  ///< the value of `window:`
  std::string held;  ///< SQL: the events of each window as (source, starts, ends, position, value)
  long long lateness_ms = 0;
  long long delay_max_ms = 0;   ///< an event arrives so much after its time, at most
  long long every_ms = 0;       ///< from one window's end to the next; 0: sessions have no step
  std::size_t windows_min = 0;  ///< the test is void with fewer
};

/// With as many rules, each for the windows whose count leaves one remainder, the rule that is met
/// changes with the count: its clearing and the other's meeting both tell what the window holds.
constexpr long long remainders = 16;

std::string rules_of(const windows_under_test& test) {
  std::string yaml = "rules:\n";
  for (long long remainder = 0; remainder < remainders; ++remainder) {
    yaml += fmt::format(
        "  - name: remainder-{}\n    where: 'true'\n    group_by: [source_id]\n    window: {}\n"
        "    lateness: {}ms\n    fire: close\n    having: count() % {} == {}\n    select:\n",
        remainder, test.rule, test.lateness_ms, remainders, remainder);
    for (const compared_aggregate& each : aggregates)
      yaml += fmt::format("      {}: {}\n", each.name, each.rule);
  }
  return yaml;
}

/// Events of four keys, in bursts and pauses. Values are multiples of 1/4, so that sums are exact
/// in any order.
std::vector<window_event> make_events(std::uint64_t seed, long long delay_max_ms) {
  chooser choose{seed};
  std::vector<window_event> events(12'000);
  long long now_ms = 1'772'323'200'000;
  for (window_event& each : events) {
    now_ms += choose.one_in(60) ? choose.number(100, 2'000) : choose.number(0, 20);
    each.arrived_ms = now_ms;
    const long long delay_ms = choose.number(0, delay_max_ms);
    each.time_ms = now_ms - delay_ms;
    if (choose.one_in(4)) each.time_ms -= std::min(each.time_ms % 10, delay_max_ms - delay_ms);
    each.source = choose.of<key_text>({std::nullopt, "", "unknown", "a", "a", "a"});
    if (!choose.one_in(6)) each.value = static_cast<double>(choose.number(-200, 400)) / 4;
  }
  return events;
}

void fill(sql_database& into, const std::vector<window_event>& events) {
  into.run(
      "CREATE TABLE events(position INTEGER PRIMARY KEY, arrived INTEGER, time INTEGER, source "
      "TEXT, value REAL); CREATE INDEX by_time ON events(source, time); BEGIN");
  {
    sql_database::statement insert{into, "INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5)"};
    long long position = 0;
    for (const window_event& each : events) {
      insert.bind(1, ++position);
      insert.bind(2, each.arrived_ms);
      insert.bind(3, each.time_ms);
      insert.bind(4, each.source);
      insert.bind(5, each.value);
      insert.step();
    }
  }
  into.run("COMMIT");
}

/// All windows that hold events, by key and start.
std::vector<window_row> rows_of(const windows_under_test& test,
                                const std::vector<window_event>& events) {
  sql_database tables;
  fill(tables, events);
  tables.run(fmt::format(
      "CREATE TABLE held AS {};"
      "CREATE INDEX by_window ON held(source, starts);"
      "CREATE TABLE one AS SELECT source, starts, ends, count(*) AS events, max(position) AS "
      "newest, sum(position * position) AS positions, count(value) AS n, sum(value) AS total, "
      "avg(value) AS "
      "mean, min(value) AS least, "
      "max(value) AS most, count(CASE WHEN value >= 10 THEN 1 END) AS large FROM held GROUP BY "
      "source, starts, ends",
      test.held));
  std::string columns;
  for (const compared_aggregate& each : aggregates) columns += fmt::format(", {}", each.sql);
  sql_database::statement query{
      tables,
      fmt::format(
          "SELECT one.source, one.starts, one.ends, one.events, one.newest, one.positions{} FROM "
          "one JOIN held ON held.source IS one.source AND held.starts = one.starts "
          "GROUP BY one.source, one.starts ORDER BY one.source, one.starts",
          columns)};
  std::vector<window_row> rows;
  while (query.step()) {
    window_row& row = rows.emplace_back();
    row.key = query.text(0);
    row.start_ms = query.integer(1);
    row.end_ms = query.integer(2);
    row.count = query.integer(3);
    row.newest_position = query.integer(4);
    row.positions = query.integer(5);
    for (std::size_t i = 0; i < aggregates.size(); ++i)
      row.values[i] = query.number(6 + static_cast<int>(i));
  }
  return rows;
}

using window_place = std::tuple<key_text, long long, long long>;  ///< key, start, end

/// What the engine said of each window, by any of its rules.
std::map<window_place, std::vector<finding>> findings_of(const windows_under_test& test,
                                                         const std::vector<window_event>& events) {
  engine_driver driver{rules_from_yaml(rules_of(test)), 3};
  std::map<std::string, key_text> keys;
  std::map<window_place, std::vector<finding>> all;
  const auto keep = [&](std::vector<finding> found) {
    for (finding& each : found) {
      const std::string print = to_text(each.print);
      if (each.what == finding::kind::met) keys[print] = each.texts->group.at(0).second;
      const window_bounds& bounds = each.proof.window;
      all[{keys.at(print), to_unix_ms(bounds.start), to_unix_ms(bounds.end)}].push_back(
          std::move(each));
    }
  };
  for (const window_event& each : events) keep(driver.take(each));
  keep(driver.tick(events.back().arrived_ms + 1'000'000));
  return all;
}

std::string shown(const window_row& row) {
  return fmt::format("key {} window [{}, {}] of {} events", row.key ? "'" + *row.key + "'" : "NULL",
                     row.start_ms, row.end_ms, row.count);
}

void expect_equal(const window_row& row, const finding& found) {
  EXPECT_EQ(static_cast<long long>(found.proof.event_count), row.count) << shown(row);
  const std::map<std::string, double> values{found.proof.values.begin(), found.proof.values.end()};
  for (std::size_t i = 0; i < aggregates.size(); ++i) {
    const auto seen = values.find(aggregates[i].name);
    ASSERT_EQ(seen != values.end(), row.values[i].has_value())
        << aggregates[i].rule << " of " << shown(row);
    if (!row.values[i]) continue;
    // Only roots and quotients of exact sums: the last bits may differ by the order of operations.
    EXPECT_NEAR(seen->second, *row.values[i], 1e-12 * std::max(1.0, std::abs(*row.values[i])))
        << aggregates[i].rule << " of " << shown(row);
  }
}

/// Which windows a key's rules report, told from the contents alone: those at which another rule is
/// met than before, and those with an event newer than the last one that their rule has reported.
/// So windows are silent that hold the same events as the one before, and, when events come out of
/// order, the few that gained only events that had arrived before, and lost as many (or 16, or 32).
class reporting {
 public:
  /// Rows come by key and start. `every_ms` is 0 for sessions.
  bool tells(const window_row& row, long long every_ms) {
    // An empty window between two clears every rule.
    const bool follows = every_ms == 0 || row.end_ms == before_.end_ms + every_ms;
    if (before_.key != row.key || !follows) before_ = {}, met_ = -1;
    const bool changed = row.count != before_.count || row.positions != before_.positions;
    changed_ += changed ? 1 : 0;
    before_ = row;
    if (met_ == row.count % remainders && row.newest_position <= told_) return false;
    EXPECT_TRUE(changed) << "a window is to be told twice";
    met_ = row.count % remainders;
    told_ = row.newest_position;
    return true;
  }
  /// Windows that held other events than the one before.
  [[nodiscard]] std::size_t changed() const { return changed_; }

 private:
  window_row before_;
  long long met_ = -1;  ///< the remainder whose rule is met; -1: none
  long long told_ = 0;  ///< newest position that rule has reported
  std::size_t changed_ = 0;
};

void engine_equals_sql(std::uint64_t seed, const windows_under_test& test) {
  const std::vector<window_event> events = make_events(seed, test.delay_max_ms);
  const std::vector<window_row> rows = rows_of(test, events);
  auto findings = findings_of(test, events);
  reporting told;
  std::size_t compared = 0;
  for (const window_row& row : rows) {
    const auto found = findings.find({row.key, row.start_ms, row.end_ms});
    const bool reported = found != findings.end();
    ASSERT_EQ(reported, told.tells(row, test.every_ms)) << shown(row);
    if (!reported) continue;
    ++compared;
    for (const finding& each : found->second) expect_equal(row, each);
    if (::testing::Test::HasFailure()) FAIL() << "seed " << seed << ", window " << test.rule;
    findings.erase(found);
  }
  // What is left are the empty windows that clear what the last event of a run had met.
  for (const auto& [place, left] : findings)
    for (const finding& each : left) {
      EXPECT_EQ(each.proof.event_count, 0u) << "SQL has no window at " << std::get<1>(place);
      EXPECT_EQ(each.what, finding::kind::cleared);
    }
  EXPECT_GE(compared, test.windows_min);
  EXPECT_GE(compared * 100, told.changed() * 97) << "of windows whose contents changed";
  ::testing::Test::RecordProperty("windows", static_cast<int>(rows.size()));
  ::testing::Test::RecordProperty("changed", static_cast<int>(told.changed()));
  ::testing::Test::RecordProperty("compared", static_cast<int>(compared));
}

/// Each event in the one fixed window its time is in, unless that was closed when it arrived.
windows_under_test fixed_windows(long long size_ms, long long offset_ms, long long lateness_ms,
                                 long long delay_max_ms) {
  windows_under_test test;
  test.rule = fmt::format("{{fixed: {}ms, offset: {}ms}}", size_ms, offset_ms);
  test.held = fmt::format(
      "SELECT source, starts, starts + {0} AS ends, position, value FROM (SELECT *, time - ((time "
      "- {1}) % {0} + {0}) % {0} AS starts FROM events) WHERE arrived - {2} <= starts + {0}",
      size_ms, offset_ms, lateness_ms);
  test.lateness_ms = lateness_ms;
  test.delay_max_ms = delay_max_ms;
  test.every_ms = size_ms;
  test.windows_min = 1'000;
  return test;
}

/// A series of ends, each joined with the events of the size before it that had arrived in time.
windows_under_test sliding_windows(long long size_ms, long long every_ms, long long lateness_ms,
                                   long long delay_max_ms) {
  windows_under_test test;
  test.rule = fmt::format("{{sliding: {}ms, every: {}ms}}", size_ms, every_ms);
  test.held = fmt::format(
      "WITH RECURSIVE series(ends) AS (SELECT min(time) / {1} * {1} FROM events UNION ALL SELECT "
      "ends + {1} FROM series WHERE ends <= (SELECT max(time) + {0} FROM events)) SELECT "
      "keys.source"
      " AS source, ends - {0} AS starts, ends, position, value FROM series CROSS JOIN (SELECT "
      "DISTINCT source FROM events) AS keys CROSS JOIN events ON events.source IS keys.source AND "
      "time >= ends - {0} AND time < ends AND arrived - {2} <= ends",
      size_ms, every_ms, lateness_ms);
  test.lateness_ms = lateness_ms;
  test.delay_max_ms = delay_max_ms;
  test.every_ms = every_ms;
  test.windows_min = 5'000;
  return test;
}

/// A session begins with each event that is more than the gap behind the one before. No event may
/// be late: what late events find depends on when sessions ended, which no table tells.
windows_under_test sessions(long long gap_ms, long long lateness_ms) {
  windows_under_test test;
  test.rule = fmt::format("{{session: {}ms}}", gap_ms);
  test.held = fmt::format(
      "SELECT source, min(time) OVER same AS starts, max(time) OVER same AS ends, position, value "
      "FROM (SELECT *, sum(begins) OVER (PARTITION BY source ORDER BY time, position) AS number "
      "FROM (SELECT *, coalesce(time - lag(time) OVER (PARTITION BY source ORDER BY time, position)"
      " > {}, 1) AS begins FROM events)) WINDOW same AS (PARTITION BY source, number)",
      gap_ms);
  test.lateness_ms = lateness_ms;
  test.delay_max_ms = lateness_ms;
  test.windows_min = 1'000;
  return test;
}

TEST(sqlite_windows, fixed_windows_equal_a_group_by) {
  engine_equals_sql(1, fixed_windows(100, 0, 0, 0));
  engine_equals_sql(2, fixed_windows(70, 13, 0, 0));
}

TEST(sqlite_windows, fixed_windows_of_unordered_events_equal_a_group_by) {
  engine_equals_sql(3, fixed_windows(100, 0, 150, 150));
}

TEST(sqlite_windows, fixed_windows_without_their_late_events_equal_a_group_by) {
  engine_equals_sql(4, fixed_windows(100, 40, 30, 200));
}

TEST(sqlite_windows, sliding_windows_equal_a_join_with_a_series_of_ends) {
  engine_equals_sql(5, sliding_windows(300, 50, 0, 0));
}

TEST(sqlite_windows, sliding_windows_of_unordered_events_equal_a_join_with_a_series_of_ends) {
  engine_equals_sql(6, sliding_windows(300, 50, 120, 120));
}

TEST(sqlite_windows, late_events_count_in_the_sliding_windows_that_sql_finds_open) {
  engine_equals_sql(7, sliding_windows(400, 100, 20, 300));
}

TEST(sqlite_windows, sessions_equal_running_sums_over_gaps) {
  engine_equals_sql(8, sessions(60, 0));
}

TEST(sqlite_windows, sessions_of_unordered_events_equal_running_sums_over_gaps) {
  engine_equals_sql(9, sessions(60, 250));
}

}  // namespace
}  // namespace tocsin::testing
