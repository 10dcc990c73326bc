// SPDX-License-Identifier: Apache-2.0
// What must not change when rules, times, batches or shards are arranged differently: relations
// that need no second engine to check the first.
#include <gtest/gtest.h>

#include <numeric>

#include <algorithm>
#include <map>

#include "support/window_scenario.hpp"

namespace tocsin::testing {
namespace {

using lines = std::vector<std::string>;

placed_text text(std::string words) {
  return {std::move(words), 1, 1};
}

/// Runs `relation` for many seeds; it gives what is wrong, or nothing.
void holds_for_seeds(std::uint64_t first_seed, std::uint64_t count,
                     const std::function<std::string(std::uint64_t seed)>& relation) {
  std::uint64_t last_seed = first_seed + count * property_rounds() - 1;
  if (const auto only = property_seed()) first_seed = last_seed = *only;
  for (std::uint64_t seed = first_seed; seed <= last_seed; ++seed) {
    const std::string wrong = relation(seed);
    if (!wrong.empty()) FAIL() << "TOCSIN_PROPERTY_SEED=" << seed << ": " << wrong;
  }
}

/// The first place where two lists of findings differ, or nothing.
std::string first_difference(const lines& left, const lines& right, const scenario& of) {
  const auto [one, other] = std::mismatch(left.begin(), left.end(), right.begin(), right.end());
  if (one == left.end() && other == right.end()) return {};
  return "\n" + to_text(of) + "one:   " + (one == left.end() ? "(nothing)" : *one) +
         "\nother: " + (other == right.end() ? "(nothing)" : *other);
}

lines sorted(lines list) {
  std::sort(list.begin(), list.end());
  return list;
}

TEST(metamorphic, rules_alone_together_and_in_any_order_give_the_same_findings) {
  holds_for_seeds(10'000'000, 150, [](std::uint64_t seed) {
    scenario made = make_scenario(seed);
    const lines together = sorted(findings_of(made.rules, made.log));
    lines alone;
    for (const rule_spec& rule : made.rules)
      for (std::string& line : findings_of({rule}, made.log)) alone.push_back(std::move(line));
    if (auto wrong = first_difference(together, sorted(std::move(alone)), made); !wrong.empty())
      return wrong;
    std::vector<rule_spec> reversed{made.rules.rbegin(), made.rules.rend()};
    return first_difference(together, sorted(findings_of(reversed, made.log)), made);
  });
}

TEST(metamorphic, other_keys_change_nothing_for_a_key) {
  holds_for_seeds(20'000'000, 150, [](std::uint64_t seed) {
    scenario made = make_scenario(seed);
    for (rule_spec& rule : made.rules) rule.group_by = {text("source_id")};
    std::map<std::optional<std::string>, std::vector<log_line>> logs;
    for (const log_line& line : made.log)
      if (!line.tick) logs[line.event.source];
    // Another key's line becomes a tick with a position of its own: an event that no rule wants.
    for (auto& [source, log] : logs) {
      for (log_line line : made.log) {
        if (!line.tick && line.event.source != source) {
          line.event.source = "nobody";
          line.event.value = std::nullopt;
          line.event.action = event_action::firing;
        }
        log.push_back(std::move(line));
      }
    }
    for (rule_spec& rule : made.rules)
      rule.where.text = "(" + rule.where.text + ") && !(has(source_id) && source_id == 'nobody')";
    lines alone;
    for (const auto& [source, log] : logs)
      for (std::string& line : findings_of(made.rules, log)) alone.push_back(std::move(line));
    return first_difference(sorted(findings_of(made.rules, made.log)), sorted(std::move(alone)),
                            made);
  });
}

/// A finding's line without what a shift of time moves, and the times themselves, shifted.
lines shifted_findings(const scenario& what, long long by_ms) {
  const auto rules = compile_rules(what.rules);
  std::vector<log_line> log = what.log;
  for (log_line& line : log) {
    line.event.time_ms += by_ms;
    line.event.arrived_ms += by_ms;
    line.step_clock_ms += by_ms;
  }
  engine_driver driver{rules, 1};
  lines list;
  auto steps = steps_of(log);
  steps.push_back({steps.back().clock + duration{100'000}, nullptr});
  for (const scenario_step& step : steps) {
    for (finding& each : driver.step(step.clock, step.batch.get())) {
      const duration shift{by_ms};
      each.at -= shift;
      if (each.what == finding::kind::recovered || each.what == finding::kind::dismissed) {
        list.push_back(describe(each, *rules));
        continue;
      }
      each.proof.window.start -= shift;
      each.proof.window.end -= shift;
      if (each.proof.event_count > 0) {
        each.proof.first_event_time -= shift;
        each.proof.last_event_time -= shift;
      }
      list.push_back(describe(each, *rules));
    }
  }
  return list;
}

TEST(metamorphic, a_shift_by_a_multiple_of_all_slides_shifts_the_findings) {
  holds_for_seeds(30'000'000, 250, [](std::uint64_t seed) {
    scenario_taste taste;
    taste.times_in_texts = false;
    const scenario made = make_scenario(seed, taste);
    long long slides_ms = 1;
    for (const rule_spec& rule : made.rules)
      if (rule.window.every > duration{})
        slides_ms = std::lcm(slides_ms, static_cast<long long>(rule.window.every.count()));
    const lines still = shifted_findings(made, 0);
    for (const long long by_ms : {slides_ms, 1'000'000 * slides_ms}) {
      auto wrong = first_difference(still, shifted_findings(made, by_ms), made);
      if (!wrong.empty()) return wrong;
    }
    return std::string{};
  });
}

TEST(metamorphic, a_sliding_window_that_steps_by_its_size_is_a_fixed_one) {
  holds_for_seeds(40'000'000, 250, [](std::uint64_t seed) {
    scenario_taste taste;
    taste.sessions = false;
    scenario made = make_scenario(seed, taste);
    for (rule_spec& rule : made.rules) {
      rule.window.kind = window_kind::fixed;
      rule.window.every = rule.window.size;
      rule.window.offset = {};
    }
    const lines fixed = findings_of(made.rules, made.log);
    for (rule_spec& rule : made.rules) rule.window.kind = window_kind::sliding;
    lines sliding = findings_of(made.rules, made.log);
    for (std::string& line : sliding) {
      // What an explicit recovery reports is of no window at all.
      if (line.find(" recovered ") != std::string::npos) continue;
      if (line.find(" dismissed ") != std::string::npos) continue;
      line.replace(line.find(" sliding["), 9, " fixed[");
    }
    return first_difference(fixed, sliding, made);
  });
}

TEST(metamorphic, sums_over_fixed_windows_and_late_events_are_all_that_came) {
  holds_for_seeds(50'000'000, 250, [](std::uint64_t seed) {
    scenario made = make_scenario(seed);
    chooser choose{seed};
    const long long size = choose.of<long long>({10, 20, 30, 70});
    rule_spec rule;
    rule.file = "scenario";
    rule.name = text("windows");
    rule.where = text("true");
    // Each window has a key of its own, so that each is reported once when it closes.
    rule.group_by = {text("labels.window")};
    rule.window.kind = window_kind::fixed;
    rule.window.size = rule.window.every = duration{size};
    rule.having = text("count() >= 1");
    rule.fire = fire_mode::close;
    rule.lateness = duration{choose.number(0, 60)};
    made.rules = {rule};
    std::uint64_t came = 0;
    for (log_line& line : made.log) {
      if (line.tick) continue;
      ++came;
      line.event.action = event_action::firing;
      const long long time = line.event.time_ms;
      const long long window = time >= 0 ? time / size : -((-time + size - 1) / size);
      line.event.text_labels = {{"window", std::to_string(window)}};
      line.event.number_labels.clear();
    }
    const auto rules = compile_rules(made.rules);
    engine_driver driver{rules, 2};
    std::uint64_t counted = 0;
    auto steps = steps_of(made.log);
    steps.push_back({steps.back().clock + duration{100'000}, nullptr});
    for (const scenario_step& step : steps)
      for (const finding& each : driver.step(step.clock, step.batch.get()))
        if (each.what == finding::kind::met) counted += each.proof.event_count;
    if (counted + driver.totals().late == came && driver.totals().updates == counted)
      return std::string{};
    return "\n" + to_text(made) + "came " + std::to_string(came) + ", counted " +
           std::to_string(counted) + ", late " + std::to_string(driver.totals().late);
  });
}

TEST(metamorphic, each_event_is_in_size_by_every_windows_or_in_those_still_open_if_it_is_late) {
  holds_for_seeds(100'000'000, 250, [](std::uint64_t seed) {
    scenario made = make_scenario(seed);
    chooser choose{seed};
    const long long every = choose.of<long long>({10, 20, 30, 70});
    const long long windows = choose.number(1, 12);
    rule_spec rule;
    rule.file = "scenario";
    rule.name = text("windows");
    rule.where = text("true");
    // Each event has a key of its own: the first window that holds it meets the condition, the
    // first that does not clears it.
    rule.group_by = {text("event_id")};
    rule.window.kind = window_kind::sliding;
    rule.window.size = duration{every * windows};
    rule.window.every = duration{every};
    rule.fire = fire_mode::close;
    rule.lateness = duration{choose.number(0, 60)};
    made.rules = {rule};
    std::map<std::string, long long> open;  // by event id: windows that must hold it
    std::uint64_t late = 0;
    for (log_line& line : made.log) {
      if (line.tick) continue;
      line.event.action = event_action::firing;
      line.event.id = "e" + std::to_string(open.size());
      const long long watermark = line.event.arrived_ms - rule.lateness->count();
      long long& holding = open[*line.event.id];
      for (long long start = line.event.time_ms; start > line.event.time_ms - every * windows;
           --start)
        if (start % every == 0 && start + every * windows >= watermark) ++holding;
      late += holding < windows ? 1 : 0;
    }
    engine_driver driver{compile_rules(made.rules), 2};
    std::map<std::string, long long> first_ends;
    std::map<std::string, long long> held;
    auto steps = steps_of(made.log);
    steps.push_back({steps.back().clock + duration{100'000}, nullptr});
    std::map<std::string, std::string> ids;  // by fingerprint
    for (const scenario_step& step : steps)
      for (const finding& each : driver.step(step.clock, step.batch.get())) {
        if (each.what == finding::kind::met) ids[to_text(each.print)] = each.proof.event_ids.at(0);
        const std::string& id = ids[to_text(each.print)];
        const long long end = to_unix_ms(each.proof.window.end);
        if (each.what == finding::kind::met) first_ends[id] = end;
        if (each.what == finding::kind::cleared) held[id] = (end - first_ends[id]) / every;
      }
    for (const auto& [id, wanted] : open) {
      if (held[id] == wanted) continue;
      return "\n" + to_text(made) + id + " is in " + std::to_string(held[id]) + " windows, not " +
             std::to_string(wanted);
    }
    if (driver.totals().late == late) return std::string{};
    return "\n" + to_text(made) + std::to_string(driver.totals().late) + " are late, not " +
           std::to_string(late);
  });
}

TEST(metamorphic, batches_may_be_cut_anywhere) {
  holds_for_seeds(60'000'000, 250, [](std::uint64_t seed) {
    scenario made = make_scenario(seed);
    const lines as_made = findings_of(made.rules, made.log);
    chooser choose{seed};
    for (const long long cut : {1, 3, 1'000}) {
      for (log_line& line : made.log) line.ends_batch = choose.one_in(cut);
      auto wrong = first_difference(as_made, findings_of(made.rules, made.log), made);
      if (!wrong.empty()) return wrong;
    }
    return std::string{};
  });
}

TEST(metamorphic, more_ticks_change_nothing) {
  holds_for_seeds(70'000'000, 250, [](std::uint64_t seed) {
    const scenario made = make_scenario(seed);
    scenario ticking{made.rules, {}};
    for (const log_line& line : made.log) {
      log_line tick;
      tick.tick = true;
      tick.step_clock_ms = line.tick ? line.step_clock_ms : line.event.arrived_ms;
      ticking.log.push_back(tick);
      ticking.log.push_back(line);
    }
    return first_difference(findings_of(made.rules, made.log),
                            findings_of(ticking.rules, ticking.log), made);
  });
}

TEST(metamorphic, any_number_of_shards_gives_the_same_findings) {
  holds_for_seeds(80'000'000, 150, [](std::uint64_t seed) {
    const scenario made = make_scenario(seed);
    const lines one = findings_of(made.rules, made.log, 1);
    for (const std::size_t shards : {2, 3, 5, 16}) {
      auto wrong = first_difference(one, findings_of(made.rules, made.log, shards), made);
      if (!wrong.empty()) return wrong;
    }
    return std::string{};
  });
}

TEST(metamorphic, after_the_last_window_no_key_is_alive) {
  holds_for_seeds(90'000'000, 250, [](std::uint64_t seed) {
    scenario_taste taste;
    taste.sessions = false;
    const scenario made = make_scenario(seed, taste);
    engine_driver driver{compile_rules(made.rules), 3};
    auto steps = steps_of(made.log);
    steps.push_back({steps.back().clock + duration{100'000}, nullptr});
    for (const scenario_step& step : steps) driver.step(step.clock, step.batch.get());
    if (driver.totals().keys == 0) return std::string{};
    return "\n" + to_text(made) + std::to_string(driver.totals().keys) + " keys are alive";
  });
}

}  // namespace
}  // namespace tocsin::testing
