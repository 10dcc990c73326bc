// SPDX-License-Identifier: Apache-2.0
// What must not matter to any kind of window: how the log is cut into batches, how many shards
// there are, in which order events arrive within the lateness, and that the engine is stopped and
// goes on from what it saved.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "support/finding_comparison.hpp"
#include "support/window_scenario.hpp"

namespace tocsin::testing {
namespace {

using relation = std::function<std::string(std::uint64_t seed)>;

void holds_for_seeds(std::uint64_t first_seed, std::uint64_t count, const relation& wrong_with) {
  std::uint64_t last_seed = first_seed + count * property_rounds() - 1;
  if (const auto only = property_seed()) first_seed = last_seed = *only;
  for (std::uint64_t seed = first_seed; seed <= last_seed; ++seed) {
    const std::string wrong = wrong_with(seed);
    if (!wrong.empty()) FAIL() << "TOCSIN_PROPERTY_SEED=" << seed << ": " << wrong;
  }
}

/// All kinds of windows, every fourth time days in time zones.
scenario any_scenario(std::uint64_t seed) {
  return make_scenario(
      seed, seed % 4 == 0 ? scenario_taste::days(seed / 4) : scenario_taste::everything());
}

/// All findings of a scenario. `restarts`: whether the engine is stopped before a step.
std::vector<finding> run(
    const std::shared_ptr<const rule_set>& rules, const scenario& what, std::size_t shards,
    const std::function<bool()>& restarts = [] { return false; }) {
  engine_driver driver{rules, shards};
  std::vector<finding> all;
  auto steps = steps_of(what.log);
  steps.push_back({end_of_all(what), nullptr});
  for (const scenario_step& step : steps) {
    if (restarts()) {
      const std::string refused = driver.restart();
      if (!refused.empty()) ADD_FAILURE() << refused;
    }
    const auto found = driver.step(step.clock, step.batch.get());
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

/// The smallest scenario found for which `wrong_with` still says something, with what it says.
std::string shrunk(const scenario& what,
                   const std::function<std::string(const scenario&)>& wrong_with) {
  if (wrong_with(what).empty()) return {};
  const scenario small =
      shrink(what, [&](const scenario& smaller) { return !wrong_with(smaller).empty(); });
  return "shrunk to:\n" + to_text(small) + wrong_with(small);
}

TEST(window_order_property, batches_may_be_cut_anywhere) {
  // An absence's expected keys begin at the first step's clock, so they see how it is cut.
  holds_for_seeds(100'000'000, 150, [](std::uint64_t seed) {
    scenario made = any_scenario(seed);
    for (rule_spec& rule : made.rules) rule.expect.clear();
    return shrunk(made, [seed](const scenario& what) {
      const auto rules = compile_rules(what.rules);
      const auto as_made = run(rules, what, 1);
      chooser choose{seed};
      for (const long long cut : {1, 3, 1'000}) {
        scenario other = what;
        for (log_line& line : other.log) line.ends_batch = choose.one_in(cut);
        if (auto wrong = difference_of(run(rules, other, 1), as_made, *rules); !wrong.empty())
          return wrong;
      }
      return std::string{};
    });
  });
}

TEST(window_order_property, any_number_of_shards_finds_the_same) {
  holds_for_seeds(200'000'000, 150, [](std::uint64_t seed) {
    return shrunk(any_scenario(seed), [](const scenario& what) {
      const auto rules = compile_rules(what.rules);
      const auto one = run(rules, what, 1);
      for (const std::size_t shards : {2, 5})
        if (auto wrong = difference_of(run(rules, what, shards), one, *rules); !wrong.empty())
          return wrong;
      return std::string{};
    });
  });
}

TEST(window_order_property, an_engine_goes_on_from_what_it_saved) {
  holds_for_seeds(300'000'000, 200, [](std::uint64_t seed) {
    return shrunk(any_scenario(seed), [seed](const scenario& what) {
      const auto rules = compile_rules(what.rules);
      chooser choose{seed};
      const std::size_t shards = seed % 3 + 1;
      const auto restarted = run(rules, what, shards, [&] { return choose.one_in(4); });
      return difference_of(restarted, run(rules, what, shards), *rules);
    });
  });
}

TEST(window_order_property, what_was_restored_is_saved_as_it_was) {
  holds_for_seeds(400'000'000, 100, [](std::uint64_t seed) {
    const scenario made = any_scenario(seed);
    const auto rules = compile_rules(made.rules);
    engine_driver driver{rules, 2};
    const auto steps = steps_of(made.log);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      driver.step(steps[i].clock, steps[i].batch.get());
      if (i % 5 != seed % 5) continue;
      const engine_totals before = driver.totals();
      if (auto refused = driver.restart(); !refused.empty()) return refused;
      const auto once = driver.save();
      if (auto refused = driver.restart(); !refused.empty()) return refused;
      if (driver.save() != once) return "saved differently in step " + std::to_string(i);
      if (driver.totals().keys != before.keys)
        return std::to_string(before.keys) + " keys became " +
               std::to_string(driver.totals().keys) + " in step " + std::to_string(i);
    }
    return std::string{};
  });
}

/// The most an event of an orderless log is behind its time.
constexpr long long delay_max = 60;

/// A scenario whose rules tell of closed windows only, and whose events all have times of their own
/// and come in time. Explicit recoveries act at their arrival, absences hear at it: there are none.
scenario orderless_scenario(std::uint64_t seed) {
  scenario_taste taste = scenario_taste::everything();
  taste.absence = false;
  scenario made = make_scenario(seed, taste);
  chooser choose{seed};
  for (rule_spec& rule : made.rules) {
    if (rule.window.kind != window_kind::sequence) rule.fire = fire_mode::close;
    if (rule.window.kind == window_kind::session && !rule.fire_on.close && !rule.fire_on.limit)
      rule.fire_on.timeout = true;
    rule.clock = rule_clock::event;
    rule.lateness = duration{choose.of<long long>({delay_max, delay_max, 80, 100})};
    // Which ids are remembered goes by arrival.
    rule.description = {};
  }
  std::set<long long> times;
  std::erase_if(made.log, [&](log_line& line) {
    line.event.action = event_action::firing;
    return line.tick || !times.insert(line.event.time_ms).second;
  });
  return made;
}

/// The same events, each delayed by chance.
std::vector<log_line> arriving_by_chance(std::vector<log_line> log, std::uint64_t seed) {
  chooser choose{seed};
  for (log_line& line : log) {
    line.event.arrived_ms = line.event.time_ms + choose.number(0, delay_max);
    line.step_clock_ms = line.event.arrived_ms;
    line.ends_batch = choose.one_in(3);
  }
  std::stable_sort(log.begin(), log.end(), [](const log_line& left, const log_line& right) {
    return left.event.arrived_ms < right.event.arrived_ms;
  });
  return log;
}

/// What is the same for any order of arrival: when conditions are met and cleared, and with which
/// windows, counts, times, values and texts. Positions (and the ids they choose) are not, and
/// neither are updates, which tell of what is new in the log since the last one.
std::vector<finding> without_order(std::vector<finding> all) {
  std::erase_if(all, [](const finding& each) { return each.what == finding::kind::updated; });
  for (finding& each : all) {
    each.proof.first_event_position = 0;
    each.proof.event_ids.clear();
    each.proof.event_ids_truncated = false;
  }
  // Of equal (at, position), what a rule and key finds keeps its order.
  std::stable_sort(all.begin(), all.end());
  return all;
}

TEST(window_order_property, the_order_of_arrival_within_the_lateness_changes_nothing_that_closes) {
  holds_for_seeds(500'000'000, 300, [](std::uint64_t seed) {
    return shrunk(orderless_scenario(seed), [seed](const scenario& what) {
      const auto rules = compile_rules(what.rules);
      std::vector<finding> first;
      for (std::uint64_t order = 0; order < 3; ++order) {
        const scenario arrived{what.rules, arriving_by_chance(what.log, seed * 3 + order)};
        const auto found = without_order(run(rules, arrived, 1));
        if (order == 0) first = found;
        if (auto wrong = difference_of(found, first, *rules); !wrong.empty())
          return to_text(arrived) + wrong;
      }
      return std::string{};
    });
  });
}

}  // namespace
}  // namespace tocsin::testing
