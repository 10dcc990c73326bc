// SPDX-License-Identifier: Apache-2.0
// Implementation of the window scenarios.
#include "support/window_scenario.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace tocsin::testing {
namespace {

window_event make_event(chooser& choose, std::uint64_t number) {
  window_event event;
  using text = std::optional<std::string>;
  event.source = choose.of<text>({std::nullopt, "", "a", "a", "a", "unknown"});
  event.item = choose.of<text>({std::nullopt, "x", "x", "y"});
  if (choose.one_in(3)) event.resource = "r" + std::to_string(choose.number(1, 2));
  if (!choose.one_in(3)) event.resource_name = "host " + std::to_string(number);
  if (!choose.one_in(4)) event.id = "e" + std::to_string(number);
  if (!choose.one_in(5)) event.value = static_cast<double>(choose.number(-3, 9));
  if (!choose.one_in(4)) event.level = static_cast<severity>(choose.number(0, 3));
  if (choose.one_in(3))
    event.text_labels.emplace_back("env", choose.of<std::string>({"p", "", "1"}));
  else if (choose.one_in(6))
    event.number_labels.emplace_back("env", choose.one_in(2) ? 1 : 2.5);
  else if (choose.one_in(12))
    event.null_labels.emplace_back("env");
  if (choose.one_in(4))
    event.text_labels.emplace_back("team", choose.one_in(2) ? "a" : "b");
  else if (choose.one_in(8))
    event.null_labels.emplace_back("team");
  if (choose.one_in(8)) event.number_labels.emplace_back("load", choose.one_in(2) ? 7 : 0.25);
  if (choose.one_in(25))
    event.action = choose.one_in(2) ? event_action::resolved : event_action::closed;
  return event;
}

}  // namespace

std::vector<log_line> make_log(chooser& choose, const scenario_taste& taste) {
  std::vector<log_line> log;
  // Near the epoch times get negative, where division and floor differ.
  long long now = choose.one_in(4) ? choose.number(0, 200) : 1'000'000;
  if (taste.begin_ms) now = *taste.begin_ms / taste.stretch;
  const auto count =
      static_cast<std::uint64_t>(choose.number(1, static_cast<long long>(taste.events_max)));
  const bool in_bursts = choose.one_in(3);
  for (std::uint64_t number = 1; number <= count; ++number) {
    if (taste.stretch == 1 && choose.one_in(150))
      now += 10'000'000;
    else if (choose.one_in(12))
      now += choose.number(50, 500);
    else if (choose.one_in(3))
      now = (now / 10 + 1) * 10 + choose.number(0, 1);
    else
      now += choose.number(0, 6);
    log_line line;
    line.tick = choose.one_in(12);
    if (!line.tick) {
      line.event = make_event(choose, number);
      line.event.arrived_ms = now * taste.stretch;
      long long time = now;
      if (choose.one_in(2)) time -= choose.number(0, 40);
      if (choose.one_in(8)) time -= choose.number(0, 250);
      if (choose.one_in(12)) time += choose.number(0, 120);
      if (choose.one_in(2)) time = time / 10 * 10 - choose.number(0, 1);
      line.event.time_ms = time * taste.stretch;
      line.ends_batch = !in_bursts || choose.one_in(5);
    }
    line.step_clock_ms = now * taste.stretch;
    if (choose.one_in(6)) {
      now += choose.number(0, 30);
      line.step_clock_ms = now * taste.stretch;
    }
    log.push_back(std::move(line));
  }
  return log;
}

instant end_of_all(const scenario& what) {
  long long end_ms = what.log.empty() ? 0 : what.log.back().step_clock_ms;
  for (const log_line& line : what.log)
    if (!line.tick) end_ms = std::max(end_ms, line.event.time_ms);
  duration longest{};
  for (const rule_spec& rule : what.rules) {
    duration within{};
    for (const sequence_step_spec& step : rule.then) within += step.within;
    longest = std::max(longest, rule.window.size + rule.window.every + rule.window.session_max +
                                    rule.baseline.length + within +
                                    rule.lateness.value_or(std::chrono::seconds{5}));
  }
  return from_unix_ms(end_ms) + 3 * longest + duration{1'000};
}

std::vector<scenario_step> steps_of(const std::vector<log_line>& log) {
  std::vector<scenario_step> steps;
  std::vector<window_event> waiting;
  std::uint64_t position = 1;
  const auto flush = [&](long long clock_ms) {
    steps.push_back({from_unix_ms(clock_ms), make_batch(waiting, position)});
    position += waiting.size();
    waiting.clear();
  };
  long long clock_ms = 0;
  for (const log_line& line : log) {
    if (line.tick) {
      if (!waiting.empty()) flush(clock_ms);
      steps.push_back({from_unix_ms(line.step_clock_ms), nullptr});
      continue;
    }
    waiting.push_back(line.event);
    clock_ms = line.step_clock_ms;
    if (line.ends_batch) flush(clock_ms);
  }
  if (!waiting.empty()) flush(clock_ms);
  return steps;
}

std::vector<std::string> findings_of(const std::vector<rule_spec>& rules,
                                     const std::vector<log_line>& log, std::size_t shards) {
  const auto compiled = compile_rules(rules);
  if (!compiled) return {"the rules do not compile"};
  engine_driver driver{compiled, shards};
  std::vector<std::string> lines;
  const auto add = [&](const std::vector<finding>& findings) {
    for (const finding& each : findings) lines.push_back(describe(each, *compiled));
  };
  for (const scenario_step& step : steps_of(log)) add(driver.step(step.clock, step.batch.get()));
  add(driver.step(end_of_all({rules, log}), nullptr));
  return lines;
}

scenario shrink(scenario failing, const std::function<bool(const scenario&)>& still_fails) {
  const auto drop = [&](auto scenario::*part, std::size_t from, std::size_t many) {
    scenario smaller = failing;
    auto& list = smaller.*part;
    const auto first = list.begin() + static_cast<std::ptrdiff_t>(from);
    list.erase(first, first + static_cast<std::ptrdiff_t>(std::min(many, list.size() - from)));
    if (list.empty() || !still_fails(smaller)) return false;
    failing = std::move(smaller);
    return true;
  };
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (std::size_t rule = 0; rule < failing.rules.size();)
      if (drop(&scenario::rules, rule, 1))
        smaller = true;
      else
        ++rule;
    for (std::size_t run = failing.log.size(); run > 0; run /= 2)
      for (std::size_t line = 0; line < failing.log.size();)
        if (drop(&scenario::log, line, run))
          smaller = true;
        else
          line += run;
  }
  return failing;
}

std::uint64_t property_rounds() {
  const char* asked = std::getenv("TOCSIN_PROPERTY_ROUNDS");
  return asked ? std::max(1ULL, std::strtoull(asked, nullptr, 10)) : 1;
}

std::optional<std::uint64_t> property_seed() {
  const char* asked = std::getenv("TOCSIN_PROPERTY_SEED");
  if (!asked) return std::nullopt;
  return std::strtoull(asked, nullptr, 10);
}

}  // namespace tocsin::testing
