// SPDX-License-Identifier: Apache-2.0
// The window engine equals the naive one: random rules, events, out-of-order arrivals, batches,
// ticks and shards.
#include <gtest/gtest.h>

#include "support/naive_windows.hpp"
#include "support/window_scenario.hpp"

namespace tocsin::testing {
namespace {

std::string listed(const std::vector<finding>& findings, const rule_set& rules) {
  std::string text;
  for (const finding& each : findings) text += "  " + describe(each, rules) + "\n";
  return text.empty() ? "  (nothing)\n" : text;
}

/// Runs the scenario through both engines: where they first differ, or nothing.
std::string difference(const scenario& what, std::size_t shards) {
  const auto rules = compile_rules(what.rules);
  if (!rules) return "the rules do not compile";
  engine_driver engine{rules, shards};
  naive_windows naive{rules};
  auto steps = steps_of(what.log);
  // Two last ticks: all windows end; nothing more comes of it.
  for (int i = 1; i <= 2; ++i) steps.push_back({steps.back().clock + duration{1'000'000}, nullptr});
  for (const scenario_step& step : steps) {
    const auto seen = engine.step(step.clock, step.batch.get());
    const auto wanted = naive.step(step.clock, step.batch);
    if (listed(seen, *rules) != listed(wanted, *rules))
      return "step at " + std::to_string(to_unix_ms(step.clock)) + ":\nengine:\n" +
             listed(seen, *rules) + "naive:\n" + listed(wanted, *rules);
    if (engine.late_by_unit() != naive.late_by_unit())
      return "late events differ in the step at " + std::to_string(to_unix_ms(step.clock));
    if (engine.totals().updates != naive.updates()) return "events taken differ";
  }
  if (!naive.any_met() && engine.totals().keys != 0)
    return std::to_string(engine.totals().keys) + " keys are alive after all has ended";
  return {};
}

void equals_the_naive_engine(const scenario_taste& taste, std::uint64_t first_seed,
                             std::uint64_t scenarios) {
  static const std::vector<std::size_t> shard_counts{1, 2, 5};
  std::uint64_t last_seed = first_seed + scenarios * property_rounds() - 1;
  if (const auto only = property_seed()) first_seed = last_seed = *only;
  for (std::uint64_t seed = first_seed; seed <= last_seed; ++seed) {
    const std::size_t shards = shard_counts[seed % shard_counts.size()];
    const scenario made = make_scenario(seed, taste);
    if (difference(made, shards).empty()) continue;
    const scenario small =
        shrink(made, [&](const scenario& smaller) { return !difference(smaller, shards).empty(); });
    FAIL() << "seed " << seed << ", " << shards << " shards (TOCSIN_PROPERTY_SEED=" << seed
           << " runs it alone), shrunk to:\n"
           << to_text(small) << difference(small, shards);
  }
}

TEST(window_engine_property, fixed_and_sliding_windows_equal_the_naive_engine) {
  scenario_taste taste;
  taste.sessions = false;
  equals_the_naive_engine(taste, 1, 2'000);
}

TEST(window_engine_property, sessions_equal_the_naive_engine) {
  scenario_taste taste;
  taste.fixed_and_sliding = false;
  equals_the_naive_engine(taste, 1'000'000'000, 2'000);
}

TEST(window_engine_property, all_kinds_of_windows_together_equal_the_naive_engine) {
  equals_the_naive_engine({}, 2'000'000'000, 1'000);
}

TEST(window_engine_property, long_logs_equal_the_naive_engine) {
  scenario_taste taste;
  taste.events_max = 1'500;
  taste.rules_max = 3;
  equals_the_naive_engine(taste, 3'000'000'000, 20);
}

}  // namespace
}  // namespace tocsin::testing
