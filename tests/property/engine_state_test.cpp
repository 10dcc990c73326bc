// SPDX-License-Identifier: Apache-2.0
// An engine's state over its life: it may be saved and restored anywhere, and it does not grow.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "support/rules.hpp"
#include "support/window_scenario.hpp"

namespace tocsin::testing {
namespace {

using lines = std::vector<std::string>;

/// Engines that can be stopped and started again between two steps.
class restartable {
 public:
  restartable(std::shared_ptr<const rule_set> rules, std::uint32_t shards)
      : rules_(std::move(rules)), router_(rules_, shards) {
    for (std::uint32_t shard = 0; shard < shards; ++shard) engines_.push_back(make(shard, shards));
  }

  void restart() {
    const auto shards = static_cast<std::uint32_t>(engines_.size());
    for (std::uint32_t shard = 0; shard < shards; ++shard) {
      const std::string saved = engines_[shard]->save();
      auto again = make(shard, shards);
      const auto refused = again->restore(saved);
      ASSERT_FALSE(refused) << refused->message;
      EXPECT_EQ(again->save(), saved) << "what was restored is not what was saved";
      engines_[shard] = std::move(again);
    }
  }

  std::vector<finding> step(instant clock, const event_batch* batch) {
    std::vector<finding> found;
    std::vector<slice> slices(engines_.size());
    if (batch) slices = router_.route(*batch);
    for (std::size_t shard = 0; shard < engines_.size(); ++shard)
      engines_[shard]->step(clock, batch, slices.at(shard), found);
    std::stable_sort(found.begin(), found.end());
    return found;
  }

  [[nodiscard]] engine_totals totals() const {
    engine_totals sum;
    for (const auto& engine : engines_) {
      sum.keys += engine->totals().keys;
      sum.bytes += engine->totals().bytes;
    }
    return sum;
  }

 private:
  [[nodiscard]] std::unique_ptr<window_engine> make(std::uint32_t shard,
                                                    std::uint32_t shards) const {
    return std::make_unique<window_engine>(rules_, engine_limits{}, shard, shards);
  }

  std::shared_ptr<const rule_set> rules_;
  event_router router_;
  std::vector<std::unique_ptr<window_engine>> engines_;
};

/// The findings of a scenario with a restart before one in `restarts` steps; 0: none.
lines findings_with_restarts(const scenario& made, std::uint64_t seed, long long restarts) {
  const auto rules = compile_rules(made.rules);
  restartable engines{rules, static_cast<std::uint32_t>(1 + seed % 3)};
  chooser choose{seed};
  lines list;
  auto steps = steps_of(made.log);
  steps.push_back({steps.back().clock + duration{100'000}, nullptr});
  for (const scenario_step& step : steps) {
    if (restarts != 0 && choose.one_in(restarts)) engines.restart();
    for (const finding& each : engines.step(step.clock, step.batch.get()))
      list.push_back(describe(each, *rules));
  }
  // Updates and late events are counted from an engine's beginning; keys are its state.
  list.push_back("keys " + std::to_string(engines.totals().keys));
  return list;
}

TEST(engine_state, a_restart_anywhere_changes_no_finding) {
  for (std::uint64_t seed = 110'000'000; seed < 110'000'000 + 200 * property_rounds(); ++seed) {
    const scenario made = make_scenario(seed);
    const lines without = findings_with_restarts(made, seed, 0);
    for (const long long restarts : {1, 7}) {
      const lines with = findings_with_restarts(made, seed, restarts);
      const auto [one, other] =
          std::mismatch(without.begin(), without.end(), with.begin(), with.end());
      ASSERT_TRUE(one == without.end() && other == with.end())
          << "seed " << seed << ", a restart before one in " << restarts << " steps\n"
          << to_text(made) << "without: " << (one == without.end() ? "(nothing)" : *one)
          << "\nwith:    " << (other == with.end() ? "(nothing)" : *other);
    }
  }
}

/// Rules of every kind whose conditions end by themselves.
constexpr std::string_view rules_that_end = R"(
rules:
- name: sliding
  where: true
  group_by: [source_id]
  window: {sliding: 5m, every: 1m}
  select: {mean: avg(value), spread: stddev(value), kinds: distinct(item)}
  having: count() >= 3
- name: fixed
  where: true
  group_by: [source_id, item]
  window: {fixed: 10m}
  select: {high: 'quantile(value, 0.9)', all: 'collect(item, 3)'}
  having: high > 5
- name: session
  where: true
  group_by: [source_id]
  window: {session: 2m, max: 10m, close: 'value == 3'}
  having: count() > 1000
- name: scored
  where: true
  group_by: [item]
  window: {sliding: 5m, every: 1m}
  baseline: {length: 30m}
  having: zscore(value) > 3
- name: trailing
  where: true
  group_by: [source_id]
  window: {sliding: 2m, every: event}
  having: count() >= 2
- name: pair
  group_by: [source_id]
  then: [{where: value == 1}, {where: value == 2, within: 2m}]
)";

constexpr long long minute_ms = 60'000;
constexpr long long day_begins_ms = 1'772'323'200'000;

/// Sixty keys that were never seen before, and a few that always come.
std::vector<window_event> events_of_minute(long long minute) {
  std::vector<window_event> events;
  for (int number = 0; number < 200; ++number) {
    window_event each;
    each.arrived_ms = day_begins_ms + minute * minute_ms + number * 300;
    each.time_ms = each.arrived_ms - number % 7 * 500;
    each.source = number % 10 == 0
                      ? "always"
                      : "churn-" + std::to_string(minute) + "-" + std::to_string(number % 60);
    each.item = number % 2 == 0 ? "cpu" : "disk";
    each.id = "e" + std::to_string(minute) + "-" + std::to_string(number);
    each.value = number % 4;
    events.push_back(std::move(each));
  }
  return events;
}

TEST(engine_state, a_day_of_keys_that_come_and_go_leaves_memory_as_it_was) {
  restartable engines{rules_from_yaml(rules_that_end), 2};
  std::array<std::uint64_t, 24> most_bytes{};  // by hour
  std::array<std::uint64_t, 24> most_keys{};
  std::uint64_t position = 1;
  for (long long minute = 0; minute < 24 * 60; ++minute) {
    const auto events = events_of_minute(minute);
    const auto batch = make_batch(events, position);
    position += events.size();
    engines.step(from_unix_ms(day_begins_ms + (minute + 1) * minute_ms), batch.get());
    const auto hour = static_cast<std::size_t>(minute / 60);
    most_bytes[hour] = std::max(most_bytes[hour], engines.totals().bytes);
    most_keys[hour] = std::max(most_keys[hour], engines.totals().keys);
  }
  ASSERT_GT(most_bytes[1], 0u);
  for (std::size_t hour = 2; hour < 24; ++hour) {
    EXPECT_LE(most_keys[hour], most_keys[1]) << "hour " << hour;
    EXPECT_LE(most_bytes[hour], most_bytes[1] + most_bytes[1] / 20) << "hour " << hour;
  }
  engines.step(from_unix_ms(day_begins_ms + 3 * 24 * 60 * minute_ms), nullptr);
  EXPECT_EQ(engines.totals().keys, 0u);
  EXPECT_LE(engines.totals().bytes, most_bytes[1] / 10) << "tables keep some room, and no more";
}

TEST(engine_state, a_standard_deviation_does_not_change_by_what_is_added_to_all_values) {
  for (std::uint64_t seed = 120'000'000; seed < 120'000'000 + 100 * property_rounds(); ++seed) {
    chooser choose{seed};
    std::vector<window_event> events(static_cast<std::size_t>(choose.number(2, 40)));
    for (window_event& each : events) {
      each.arrived_ms = each.time_ms = day_begins_ms + choose.number(0, 9'999);
      each.value = static_cast<double>(choose.number(-400, 400)) / 4;
    }
    std::sort(events.begin(), events.end(), [](const auto& left, const auto& right) {
      return left.arrived_ms < right.arrived_ms;
    });
    std::vector<double> spreads;
    for (const double added : {0.0, 1e6, -1e9}) {
      engine_driver driver{rules_from_yaml(R"(
rules:
- name: spread
  where: true
  group_by: [source_id]
  window: {sliding: 10s, every: 1s}
  lateness: 10s
  select: {spread: stddev(value), count: count()}
  having: count >= 2
  fire: close
)"),
                           1};
      std::vector<window_event> moved = events;
      for (window_event& each : moved) *each.value += added;
      driver.take(moved.back().arrived_ms, moved);
      const auto found = driver.tick(day_begins_ms + 3'600'000);
      ASSERT_FALSE(found.empty()) << "seed " << seed;
      // The last window that is told holds the end of the log, whatever is added.
      spreads.push_back(found[found.size() - 2].proof.values.at(0).second);
    }
    for (const double each : spreads)
      EXPECT_NEAR(each, spreads[0], 1e-6 * std::max(1.0, spreads[0])) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tocsin::testing
