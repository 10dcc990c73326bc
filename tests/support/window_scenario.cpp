// SPDX-License-Identifier: Apache-2.0
// Implementation of the window scenarios.
#include "support/window_scenario.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace tocsin::testing {
namespace {

placed_text at_line(std::string text) {
  return {std::move(text), 1, 1};
}

window_spec make_window(chooser& choose, const scenario_taste& taste) {
  window_spec window;
  const bool session = taste.sessions && (!taste.fixed_and_sliding || choose.one_in(3));
  const duration step{choose.of<long long>({10, 20, 30, 50})};
  if (session) {
    window.kind = window_kind::session;
    window.size = step;
  } else if (choose.one_in(3)) {
    window.kind = window_kind::fixed;
    window.size = window.every = step * choose.number(1, 3);
    if (choose.one_in(2)) window.offset = duration{choose.number(0, window.size.count() - 1)};
  } else {
    window.kind = window_kind::sliding;
    window.every = step;
    window.size = step * choose.number(1, 6);
  }
  return window;
}

/// `to` counts the same windows as `from`: both get into one unit.
void share_windows(rule_spec& to, const rule_spec& from) {
  to.where = from.where;
  to.group_by = from.group_by;
  to.window = from.window;
  to.lateness = from.lateness;
  to.clock = from.clock;
}

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
  if (choose.one_in(25))
    event.action = choose.one_in(2) ? event_action::resolved : event_action::closed;
  return event;
}

std::string shown(const std::optional<std::string>& text) {
  return text ? "'" + *text + "'" : "-";
}

std::string shown(const rule_spec& rule) {
  std::string group;
  for (const placed_text& each : rule.group_by) group += (group.empty() ? "" : ", ") + each.text;
  std::string line = fmt::format(
      "- {}: where {}; group_by [{}]; {} size {} every {} offset {}; lateness {}; clock {}; fire "
      "{}; having {}; severity {}; select",
      rule.name.text, rule.where.text, group, to_text(rule.window.kind), rule.window.size.count(),
      rule.window.every.count(), rule.window.offset.count(),
      rule.lateness ? fmt::to_string(rule.lateness->count()) : "default",
      rule.clock == rule_clock::event ? "event" : "arrival",
      rule.fire == fire_mode::automatic ? "automatic"
      : rule.fire == fire_mode::early   ? "early"
                                        : "close",
      rule.having.text, rule.severity.text);
  for (const auto& [name, formula] : rule.select) line += " " + name + "=" + formula.text;
  return line + "\n";
}

std::string shown(const log_line& line) {
  if (line.tick) return fmt::format("{:>8} tick\n", line.step_clock_ms);
  const window_event& event = line.event;
  std::string text = fmt::format(
      "{:>8} t={:<8} {:<8} source={} item={} resource={} name={} id={} value={} level={}",
      event.arrived_ms, event.time_ms, to_text(event.action), shown(event.source),
      shown(event.item), shown(event.resource), shown(event.resource_name), shown(event.id),
      event.value ? fmt::to_string(*event.value) : "-", event.level ? to_text(*event.level) : "-");
  for (const auto& [name, label] : event.text_labels) text += fmt::format(" {}='{}'", name, label);
  for (const auto& [name, label] : event.number_labels) text += fmt::format(" {}={}", name, label);
  if (line.ends_batch) text += fmt::format(" | step at {}", line.step_clock_ms);
  return text + "\n";
}

}  // namespace

rule_spec make_rule(chooser& choose, const std::string& name, const scenario_taste& taste) {
  rule_spec rule;
  rule.file = "scenario";
  rule.line = 1;
  rule.name = at_line(name);
  rule.where = at_line(choose.of<std::string>({"true", "true", "true", "value > 0", "has(value)",
                                               "item == 'x'", "source_id == 'a' || value >= 5"}));
  static const std::vector<std::vector<std::string>> groups{
      {"source_id"}, {"source_id", "item"}, {"labels.env"}, {"item"}, {}, {"item", "labels.env"}};
  for (const std::string& field : choose.of(groups)) rule.group_by.push_back(at_line(field));
  rule.window = make_window(choose, taste);
  rule.lateness = duration{choose.of<long long>({0, 0, 5, 10, 20, 50, 100})};
  if (choose.one_in(6)) rule.clock = rule_clock::arrival;
  rule.select = {
      {"failures", at_line("count()")},          {"total", at_line("sum(value)")},
      {"mean", at_line("avg(value)")},           {"least", at_line("min(value)")},
      {"most", at_line("max(value)")},           {"big", at_line("count_if(value >= 4)")},
      {"share", at_line("sum(value) / count()")}};
  if (choose.one_in(3)) rule.select.resize(static_cast<std::size_t>(choose.number(6, 7)));
  rule.having = at_line(choose.of<std::string>(
      {"failures >= 1", "failures >= 2", "failures >= 3", "count() >= 4", "total > 5", "mean >= 3",
       "least < 0", "most > 6", "failures >= 2 && most > 3", "failures <= 2", "total < 4",
       "big >= 1", "failures == 1", "mean > 2 || failures >= 5", "event_count >= 3",
       "max_severity == 'critical'", "duration >= 15ms", "count_if(item == 'x') >= 2"}));
  rule.severity = at_line(choose.of<std::string>({"worst_level", "worst_level", "warning",
                                                  "event_count >= 3 ? 'critical' : 'warning'",
                                                  "most > 4 ? 'error' : 'nonsense'"}));
  rule.title = at_line(
      "${rule} ${source_id} ${item} ${resource_name} ${labels.env} ${failures} ${total} ${value} "
      "${event_count} ${duration} ${max_severity} ${window.size}");
  if (taste.times_in_texts)
    rule.description =
        at_line("${window.start} ${window.end} ${first_event_time} ${last_event_time}");
  rule.labels.emplace_back("kind", at_line("${item}/${most}"));
  rule.fire = choose.of<fire_mode>(
      {fire_mode::automatic, fire_mode::automatic, fire_mode::early, fire_mode::close});
  return rule;
}

std::vector<log_line> make_log(chooser& choose, std::size_t events_max) {
  std::vector<log_line> log;
  // Near the epoch times get negative, where division and floor differ.
  long long now = choose.one_in(4) ? choose.number(0, 200) : 1'000'000;
  const auto count =
      static_cast<std::uint64_t>(choose.number(1, static_cast<long long>(events_max)));
  const bool in_bursts = choose.one_in(3);
  for (std::uint64_t number = 1; number <= count; ++number) {
    if (choose.one_in(150))
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
      line.event.arrived_ms = now;
      long long time = now;
      if (choose.one_in(2)) time -= choose.number(0, 40);
      if (choose.one_in(8)) time -= choose.number(0, 250);
      if (choose.one_in(12)) time += choose.number(0, 120);
      if (choose.one_in(2)) time = time / 10 * 10 - choose.number(0, 1);
      line.event.time_ms = time;
      line.ends_batch = !in_bursts || choose.one_in(5);
    }
    line.step_clock_ms = now;
    if (choose.one_in(6)) now = line.step_clock_ms += choose.number(0, 30);
    log.push_back(std::move(line));
  }
  return log;
}

scenario make_scenario(std::uint64_t seed, const scenario_taste& taste) {
  chooser choose{seed};
  scenario made;
  const long long rules = choose.number(1, static_cast<long long>(taste.rules_max));
  for (long long number = 1; number <= rules; ++number) {
    rule_spec rule = make_rule(choose, "rule-" + std::to_string(number), taste);
    if (!made.rules.empty() && choose.one_in(2)) share_windows(rule, choose.of(made.rules));
    made.rules.push_back(std::move(rule));
  }
  made.log = make_log(choose, taste.events_max);
  return made;
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
  const long long end = log.empty() ? 0 : log.back().step_clock_ms;
  add(driver.tick(end + 100'000));
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

std::string to_text(const scenario& what) {
  std::string text = "rules:\n";
  for (const rule_spec& rule : what.rules) text += shown(rule);
  text += "log (arrival, time, ...):\n";
  for (const log_line& line : what.log) text += shown(line);
  return text;
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
