// SPDX-License-Identifier: Apache-2.0
// The window engine equals the naive one: random rules, events, out-of-order arrivals, batches,
// ticks and shards.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/finding_comparison.hpp"
#include "support/naive_windows.hpp"
#include "support/window_scenario.hpp"

namespace tocsin::testing {
namespace {

std::vector<std::uint64_t> late_of(const engine_driver& engine) {
  std::vector<std::uint64_t> late;
  for (const rule_totals& each : engine.totals_by_rule()) late.push_back(each.late);
  return late;
}

bool waits_for_keys(const scenario& what) {
  return std::any_of(what.rules.begin(), what.rules.end(), [](const rule_spec& rule) {
    return rule.window.kind == window_kind::absence;
  });
}

/// Runs the scenario through both engines: where they first differ, or nothing.
std::string difference(const scenario& what, std::size_t shards) {
  const auto rules = compile_rules(what.rules);
  if (!rules) return "the rules do not compile";
  engine_driver engine{rules, shards};
  naive_windows naive{rules};
  auto steps = steps_of(what.log);
  // Two last ticks: all windows end; nothing more comes of it.
  steps.push_back({end_of_all(what), nullptr});
  steps.push_back({end_of_all(what) + duration{1'000'000}, nullptr});
  for (const scenario_step& step : steps) {
    const std::string at = "step at " + std::to_string(to_unix_ms(step.clock));
    const auto seen = engine.step(step.clock, step.batch.get());
    const auto wanted = naive.step(step.clock, step.batch);
    if (const auto wrong = difference_of(seen, wanted, *rules); !wrong.empty())
      return at + ":\n" + wrong;
    if (late_of(engine) != naive.late_by_rule()) return "late events differ in the " + at;
    if (engine.totals().updates != naive.updates()) return "events taken differ in the " + at;
  }
  const engine_totals left = engine.totals();
  if (!naive.any_met() && !waits_for_keys(what) && (left.keys != 0 || left.bytes != 0))
    return std::to_string(left.keys) + " keys with " + std::to_string(left.bytes) +
           " bytes are alive after all has ended";
  return {};
}

using taste_of_seed = std::function<scenario_taste(std::uint64_t seed)>;

void equals_the_naive_engine(const taste_of_seed& taste, std::uint64_t first_seed,
                             std::uint64_t scenarios) {
  static const std::vector<std::size_t> shard_counts{1, 2, 5};
  std::uint64_t last_seed = first_seed + scenarios * property_rounds() - 1;
  if (const auto only = property_seed()) first_seed = last_seed = *only;
  std::uint64_t events = 0;
  for (std::uint64_t seed = first_seed; seed <= last_seed; ++seed) {
    const std::size_t shards = shard_counts[seed % shard_counts.size()];
    const scenario made = make_scenario(seed, taste(seed));
    events += made.log.size();
    if (difference(made, shards).empty()) continue;
    const scenario small =
        shrink(made, [&](const scenario& smaller) { return !difference(smaller, shards).empty(); });
    FAIL() << "seed " << seed << ", " << shards << " shards (TOCSIN_PROPERTY_SEED=" << seed
           << " runs it alone), shrunk to:\n"
           << to_text(small) << difference(small, shards);
  }
  ::testing::Test::RecordProperty("events", std::to_string(events));
}

taste_of_seed always(const scenario_taste& taste) {
  return [taste](std::uint64_t) { return taste; };
}

/// Nothing is on but how many rules and events there are.
scenario_taste nothing() {
  scenario_taste taste;
  taste.fixed_and_sliding = taste.sessions = false;
  return taste;
}

TEST(window_engine_property, fixed_and_sliding_windows_equal_the_naive_engine) {
  scenario_taste taste = nothing();
  taste.fixed_and_sliding = true;
  equals_the_naive_engine(always(taste), 1, 1'000);
}

TEST(window_engine_property, sessions_equal_the_naive_engine) {
  scenario_taste taste = nothing();
  taste.sessions = true;
  equals_the_naive_engine(always(taste), 1'000'000'000, 1'000);
}

TEST(window_engine_property, trailing_windows_equal_the_naive_engine) {
  scenario_taste taste = nothing();
  taste.trailing = taste.all_aggregates = true;
  taste.events_max = 80;
  equals_the_naive_engine(always(taste), 4'000'000'000, 400);
}

TEST(window_engine_property, cut_sessions_equal_the_naive_engine) {
  scenario_taste taste = nothing();
  taste.cut_sessions = true;
  equals_the_naive_engine(always(taste), 5'000'000'000, 1'000);
}

TEST(window_engine_property, absence_equals_the_naive_engine) {
  scenario_taste taste = nothing();
  taste.absence = true;
  equals_the_naive_engine(always(taste), 6'000'000'000, 1'000);
}

TEST(window_engine_property, sequences_equal_the_naive_engine) {
  scenario_taste taste = nothing();
  taste.sequences = true;
  equals_the_naive_engine(always(taste), 7'000'000'000, 1'000);
}

TEST(window_engine_property, days_in_time_zones_equal_the_naive_engine) {
  equals_the_naive_engine(scenario_taste::days, 8'000'000'000, 500);
}

TEST(window_engine_property, all_aggregates_equal_the_naive_ones) {
  scenario_taste taste = nothing();
  taste.fixed_and_sliding = taste.sessions = taste.all_aggregates = true;
  equals_the_naive_engine(always(taste), 9'000'000'000, 1'000);
}

TEST(window_engine_property, baselines_equal_the_naive_ones) {
  scenario_taste taste = nothing();
  taste.fixed_and_sliding = taste.baselines = taste.all_aggregates = true;
  equals_the_naive_engine(always(taste), 10'000'000'000, 700);
}

/// Windows of so many panes are not scanned but folded.
TEST(window_engine_property, long_windows_equal_the_naive_engine) {
  scenario_taste taste = nothing();
  taste.fixed_and_sliding = taste.long_windows = taste.all_aggregates = true;
  taste.events_max = 250;
  taste.rules_max = 3;
  equals_the_naive_engine(always(taste), 11'000'000'000, 400);
}

TEST(window_engine_property, long_windows_with_baselines_equal_the_naive_engine) {
  scenario_taste taste = nothing();
  taste.fixed_and_sliding = taste.long_windows = taste.baselines = taste.all_aggregates = true;
  taste.events_max = 250;
  taste.rules_max = 3;
  equals_the_naive_engine(always(taste), 12'000'000'000, 300);
}

TEST(window_engine_property, all_kinds_of_windows_together_equal_the_naive_engine) {
  equals_the_naive_engine(always(scenario_taste::everything()), 2'000'000'000, 1'000);
}

TEST(window_engine_property, long_logs_equal_the_naive_engine) {
  scenario_taste taste = scenario_taste::everything();
  taste.events_max = 1'200;
  taste.rules_max = 3;
  equals_the_naive_engine(always(taste), 3'000'000'000, 10);
}

}  // namespace
}  // namespace tocsin::testing
