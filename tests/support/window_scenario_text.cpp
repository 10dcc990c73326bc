// SPDX-License-Identifier: Apache-2.0
// Window scenarios in words, for a person to follow by hand.
#include <fmt/format.h>

#include "support/window_scenario.hpp"

namespace tocsin::testing {
namespace {

std::string shown(const std::optional<std::string>& text) {
  return text ? "'" + *text + "'" : "-";
}

std::string shown(const window_spec& window) {
  std::string text = fmt::format("{} size {} every {} offset {}", to_text(window.kind),
                                 window.size.count(), window.every.count(), window.offset.count());
  if (window.trailing) text += " (trailing)";
  if (!window.time_zone.empty()) text += " zone " + window.time_zone;
  if (window.session_max > duration{0}) text += fmt::format(" max {}", window.session_max.count());
  if (window.session_events_max > 0)
    text += fmt::format(" max_events {}", window.session_events_max);
  return text;
}

/// What only some kinds of windows have.
std::string shown_extras(const rule_spec& rule) {
  std::string text;
  if (!rule.close.text.empty()) text += "; close " + rule.close.text;
  if (rule.window.kind == window_kind::session) {
    text += "; fire_on";
    if (rule.fire_on.timeout) text += " timeout";
    if (rule.fire_on.close) text += " close";
    if (rule.fire_on.limit) text += " limit";
  }
  for (const sequence_step_spec& step : rule.then)
    text += fmt::format("; then {}{} within {}", step.absent ? "not " : "", step.where.text,
                        step.within.count());
  for (const auto& key : rule.expect) {
    text += "; expect";
    for (const auto& [field, words] : key) text += fmt::format(" {}='{}'", field, words.text);
  }
  if (rule.baseline.length > duration{0})
    text += fmt::format("; baseline {} min_samples {}", rule.baseline.length.count(),
                        rule.baseline.samples_min);
  return text;
}

std::string_view shown(fire_mode mode) {
  switch (mode) {
    case fire_mode::automatic:
      return "automatic";
    case fire_mode::early:
      return "early";
    case fire_mode::close:
      return "close";
  }
  return "?";
}

std::string shown(const rule_spec& rule) {
  std::string group;
  for (const placed_text& each : rule.group_by) group += (group.empty() ? "" : ", ") + each.text;
  std::string line = fmt::format(
      "- {}: where {}; group_by [{}]; {}{}; lateness {}; clock {}; fire {}; having {}; severity "
      "{}; "
      "select",
      rule.name.text, rule.where.text, group, shown(rule.window), shown_extras(rule),
      rule.lateness ? fmt::to_string(rule.lateness->count()) : "default",
      rule.clock == rule_clock::event ? "event" : "arrival", shown(rule.fire), rule.having.text,
      rule.severity.text);
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
  for (const std::string& name : event.null_labels) text += fmt::format(" {}=null", name);
  if (line.ends_batch) text += fmt::format(" | step at {}", line.step_clock_ms);
  return text + "\n";
}

}  // namespace

std::string to_text(const scenario& what) {
  std::string text = "rules:\n";
  for (const rule_spec& rule : what.rules) text += shown(rule);
  text += "log (arrival, time, ...):\n";
  for (const log_line& line : what.log) text += shown(line);
  return text;
}

}  // namespace tocsin::testing
