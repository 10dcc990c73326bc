// SPDX-License-Identifier: Apache-2.0
// Counts and mean times over the alerts that began to fire in a span.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "io/sqlite_store_queries.hpp"

namespace tocsin {
namespace {

constexpr duration day = std::chrono::days{1};
/// As far as durations of settings go.
constexpr std::int64_t days_max = 10'000;

std::optional<duration> mean_of(std::int64_t sum, std::int64_t count) {
  if (count == 0) return std::nullopt;
  return duration{(sum + count / 2) / count};
}

/// Sums over one rule, by which the whole adds up.
struct sums {
  std::int64_t acknowledged_ms = 0, acknowledged = 0;
  std::int64_t ended_ms = 0, ended = 0;
};

instant midnight_of(instant at) noexcept {
  return std::chrono::floor<std::chrono::days>(at);
}

/// Alerts of a span that are counted; incidents (origin 2) are not. The index is named, for an
/// order that suits the grouping would read all alerts there are.
constexpr const char* counted =
    "alerts INDEXED BY alerts_by_firing WHERE fired_at >= ?1 AND fired_at < ?2 AND origin <> 2";

sums add_rules(sqlite_database& db, instant from, instant until, alert_statistics& into) {
  sums all;
  sqlite_statement& rows = db.prepared(fmt::format(
      "SELECT (SELECT name FROM rules WHERE id = rule), count(*), sum(state IN (1, 2, 3)), "
      "sum(state = 4), sum(state = 5), count(first_acknowledged_at), "
      "coalesce(sum(first_acknowledged_at - fired_at), 0), count(ended_at), "
      "coalesce(sum(ended_at - fired_at), 0), "
      "sum(state = 4 AND first_acknowledged_at IS NULL AND NOT ended_by_operator) "
      "FROM {} GROUP BY rule",
      counted));
  rows.bind(1, to_unix_ms(from)).bind(2, to_unix_ms(until));
  const auto count = [&](int column) { return static_cast<std::uint64_t>(rows.integer(column)); };
  while (rows.step()) {
    const sums of{rows.integer(6), rows.integer(5), rows.integer(8), rows.integer(7)};
    into.rules.push_back({std::string{rows.bytes(0)}, count(1), count(5), count(9),
                          mean_of(of.acknowledged_ms, of.acknowledged),
                          mean_of(of.ended_ms, of.ended), std::nullopt});
    into.total += count(1);
    into.active += count(2);
    into.resolved += count(3);
    into.closed += count(4);
    into.acknowledged += count(5);
    all.acknowledged_ms += of.acknowledged_ms;
    all.acknowledged += of.acknowledged;
    all.ended_ms += of.ended_ms;
    all.ended += of.ended;
  }
  return all;
}

/// The middle time to resolve of each rule; of an even number the mean of the two in the middle.
void add_medians(sqlite_database& db, instant from, instant until, alert_statistics& into) {
  sqlite_statement& rows = db.prepared(
      fmt::format("SELECT (SELECT name FROM rules WHERE id = rule), sum(took), count(*) FROM "
                  "(SELECT rule, ended_at - fired_at AS took, "
                  "row_number() OVER (PARTITION BY rule ORDER BY ended_at - fired_at) AS place, "
                  "count(*) OVER (PARTITION BY rule) AS n FROM {} AND ended_at IS NOT NULL) "
                  "WHERE place IN ((n + 1) / 2, (n + 2) / 2) GROUP BY rule",
                  counted));
  rows.bind(1, to_unix_ms(from)).bind(2, to_unix_ms(until));
  std::map<std::string, std::optional<duration>, std::less<>> medians;
  while (rows.step()) medians.emplace(rows.bytes(0), mean_of(rows.integer(1), rows.integer(2)));
  for (alert_statistics::of_rule& each : into.rules) {
    if (const auto found = medians.find(each.rule); found != medians.end())
      each.median_time_to_resolve = found->second;
  }
}

void add_days(sqlite_database& db, instant from, instant until, alert_statistics& into) {
  for (instant start = midnight_of(from); start < until; start += day) {
    alert_statistics::of_day made;
    made.start = start;
    for (const auto level :
         {severity::critical, severity::error, severity::warning, severity::info})
      made.by_severity[level] = 0;
    into.days.push_back(std::move(made));
  }
  sqlite_statement& rows = db.prepared(fmt::format(
      "SELECT (fired_at - ?3) / 86400000, severity, count(*) FROM {} GROUP BY 1, 2", counted));
  rows.bind(1, to_unix_ms(from)).bind(2, to_unix_ms(until)).bind(3, to_unix_ms(midnight_of(from)));
  while (rows.step()) {
    const auto place = static_cast<std::size_t>(rows.integer(0));
    if (place >= into.days.size()) continue;
    into.days[place].by_severity[static_cast<severity>(rows.integer(1))] +=
        static_cast<std::uint64_t>(rows.integer(2));
  }
}

}  // namespace

result<alert_statistics> read_statistics(sqlite_database& db, instant from, instant until) {
  alert_statistics made;
  if (from >= until) return made;
  if (until > instant{duration{32'503'680'000'000}} ||
      from < instant{duration{-62'135'596'800'000}} || until - from > day * days_max) {
    return error{"bad_query",
                 fmt::format("the span is not within the years 1 and 3000, or longer than {} days",
                             days_max)};
  }
  sqlite_transaction one{db, sqlite_transaction::kind::read};
  const sums all = add_rules(db, from, until, made);
  add_medians(db, from, until, made);
  add_days(db, from, until, made);
  if (auto failure = one.commit()) return *failure;
  made.mean_time_to_acknowledge = mean_of(all.acknowledged_ms, all.acknowledged);
  made.mean_time_to_resolve = mean_of(all.ended_ms, all.ended);
  std::sort(made.rules.begin(), made.rules.end(),
            [](const alert_statistics::of_rule& left, const alert_statistics::of_rule& right) {
              return left.total != right.total ? left.total > right.total : left.rule < right.rule;
            });
  return made;
}

}  // namespace tocsin
