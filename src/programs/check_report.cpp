// SPDX-License-Identifier: Apache-2.0
// Puts compiled rules into words.
#include "programs/check_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/json_line.hpp"
#include "tocsin/rule_footprint.hpp"

namespace tocsin {

namespace {

const unit& unit_of(const rule_set& rules, const rule& of) {
  return rules.units()[of.unit];
}

std::vector<std::string> group_names(const rule_set& rules, const rule& of) {
  std::vector<std::string> names;
  for (const auto& field : rules.groups()[unit_of(rules, of).group].fields) {
    names.push_back(field.name);
  }
  return names;
}

std::vector<std::string> aggregate_names(const rule_set& rules, const rule& of) {
  std::vector<std::string> names;
  for (const auto slot : of.aggregate_slots) {
    names.push_back(canonical_text(unit_of(rules, of).aggregates[slot]));
  }
  return names;
}

/// The equalities by which the router finds the rule without evaluating `where`.
std::vector<std::string> index_names(const rule_set& rules, const rule& of) {
  std::vector<std::string> names;
  for (const auto& each : unit_of(rules, of).where.required()) {
    const auto field =
        each.field ? std::string(to_text(*each.field)) : fmt::format("labels.{}", each.label);
    names.push_back(fmt::format("{} == {:?}", field, fmt::join(each.texts, " or ")));
  }
  return names;
}

std::string fixed_text(const window_spec& window) {
  std::string text = fmt::format("fixed {}", format_duration(window.size));
  if (window.offset.count() != 0) {
    text += fmt::format(", offset {}", format_duration(window.offset));
  }
  if (!window.time_zone.empty()) text += fmt::format(", time zone {}", window.time_zone);
  return text;
}

std::vector<std::string> ends_fired_on(const rule& of) {
  std::vector<std::string> ends;
  const session_ends& on = of.spec.fire_on;
  if (on.timeout) ends.emplace_back("timeout");
  if (on.close) ends.emplace_back("close");
  if (on.limit) ends.emplace_back("limit");
  if (of.early) ends.emplace_back("early");
  return ends;
}

std::string session_text(const unit& in, const rule& of) {
  const window_spec& window = of.spec.window;
  std::string text = fmt::format("session, gap {}", format_duration(window.size));
  if (window.session_max.count() != 0) {
    text += fmt::format(", max {}", format_duration(window.session_max));
  }
  if (window.session_events_max != 0) {
    text += fmt::format(", max_events {}", window.session_events_max);
  }
  if (in.close) text += fmt::format(", closed by {}", in.close->canonical());
  return text + fmt::format(", fires on {}", fmt::join(ends_fired_on(of), ", "));
}

std::string sequence_text(const unit& in) {
  std::string text = "sequence: ";
  for (const sequence_step& step : in.steps) {
    if (&step != &in.steps.front()) {
      text += fmt::format(", then within {} {}", format_duration(step.within),
                          step.absent ? "not " : "");
    }
    text += fmt::format("({})", step.where.canonical());
  }
  return text;
}

std::string window_text(const unit& in, const rule& of) {
  const window_spec& window = of.spec.window;
  switch (window.kind) {
    case window_kind::fixed:
      return fixed_text(window);
    case window_kind::sliding:
      return fmt::format("sliding {} every {}", format_duration(window.size),
                         window.trailing ? "event" : format_duration(window.every));
    case window_kind::session:
      return session_text(in, of);
    case window_kind::absence:
      return fmt::format("absent {}{}", format_duration(window.size),
                         in.expected.empty() ? ""
                                             : fmt::format(", {} keys expected from the start",
                                                           in.expected.size()));
    case window_kind::sequence:
      return sequence_text(in);
  }
  return {};
}

std::string limits_text(const rule_limits& of) {
  std::string text;
  const auto add = [&text](std::string_view name, std::uint64_t limit) {
    if (limit != 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, limit);
  };
  add("keys", of.keys);
  add("bytes", of.bytes);
  add("events", of.events);
  return text;
}

std::string firing_text(const rule& of) {
  const window_kind kind = of.spec.window.kind;
  if (kind == window_kind::absence || kind == window_kind::sequence) return of.early_reason;
  return fmt::format("{}: {}", of.early ? "early, at the event" : "at the window's close",
                     of.early_reason);
}

std::string severity_text(const rule& of) {
  if (of.fixed_severity) return std::string(to_text(*of.fixed_severity));
  if (of.severity_expression) return of.severity_expression->canonical();
  return "worst_level";
}

std::vector<std::string> unit_mates(const rule_set& rules, const rule& of) {
  std::vector<std::string> names;
  for (const auto index : unit_of(rules, of).rules) {
    if (index != of.index) names.push_back(rules.rules()[index].name);
  }
  return names;
}

std::string or_none(const std::vector<std::string>& names, std::string_view none) {
  return names.empty() ? std::string(none) : fmt::format("{}", fmt::join(names, ", "));
}

void add_list(json_line& to, std::string_view key, const std::vector<std::string>& texts) {
  to.key(key).begin_list();
  for (const auto& each : texts) to.text(each);
  to.end_list();
}

void add_trial(json_line& to, const rule_trial& trial) {
  to.key("event").begin_object();
  to.key("matches").flag(trial.matches);
  to.key("recovers").flag(trial.recovers);
  to.key("fingerprint").text(to_text(trial.print));
  to.key("key").begin_object();
  for (const auto& [name, value] : trial.key) {
    to.key(name);
    value ? to.text(*value) : to.null();
  }
  to.end_object().end_object();
}

std::uint64_t milliseconds(duration length) {
  return static_cast<std::uint64_t>(length.count());
}

void add_steps(json_line& to, const unit& in) {
  to.key("steps").begin_list();
  for (const sequence_step& step : in.steps) {
    to.begin_object().key(step.absent ? "not" : "where").text(step.where.canonical());
    to.key("within_ms").count(milliseconds(step.within)).end_object();
  }
  to.end_list();
}

void add_window(json_line& to, const unit& in, const rule& of) {
  const window_spec& window = of.spec.window;
  to.key("window").begin_object();
  to.key("kind").text(to_text(window.kind));
  to.key("size_ms").count(milliseconds(window.size));
  to.key("every_ms").count(milliseconds(window.every));
  to.key("offset_ms").count(milliseconds(window.offset));
  to.key("trailing").flag(window.trailing);
  if (!window.time_zone.empty()) to.key("time_zone").text(window.time_zone);
  if (window.kind == window_kind::session) {
    to.key("max_ms").count(milliseconds(window.session_max));
    to.key("max_events").count(window.session_events_max);
    if (in.close) to.key("close").text(in.close->canonical());
    add_list(to, "fire_on", ends_fired_on(of));
  }
  if (window.kind == window_kind::sequence) add_steps(to, in);
  if (window.kind == window_kind::absence) to.key("expected_keys").count(in.expected.size());
  to.end_object();
  if (in.baseline.length.count() != 0) {
    to.key("baseline").begin_object().key("length_ms").count(milliseconds(in.baseline.length));
    to.key("min_samples").count(in.baseline.samples_min).end_object();
  }
  to.key("limits").begin_object().key("keys").count(in.limits.keys);
  to.key("bytes").count(in.limits.bytes).key("events").count(in.limits.events).end_object();
}

std::string panes_text(const rule_footprint& of) {
  return fmt::format("{} a window, {} each", of.panes_a_window, format_duration(of.pane));
}

std::string memory_text(const rule_footprint& of) {
  const auto records = of.records + of.merged_records;
  return fmt::format(
      "about {} bytes for a key that is busy all the time: {} record{} of {} bytes{}", of.bytes(),
      records, records == 1 ? "" : "s", of.record_bytes,
      of.grows ? "; more with the values or events it has to remember" : "");
}

void add_footprint(json_line& to, const rule_footprint& of) {
  to.key("panes").begin_object().key("count").count(of.panes_a_window);
  to.key("width_ms").count(milliseconds(of.pane)).end_object();
  to.key("memory").begin_object().key("bytes_per_key").count(of.bytes());
  to.key("records").count(of.records).key("merged_records").count(of.merged_records);
  to.key("record_bytes").count(of.record_bytes).key("grows").flag(of.grows).end_object();
}

void add_rule(json_line& to, const rule_set& rules, const rule& of, const event_batch* tried) {
  const auto& in = unit_of(rules, of);
  to.begin_object();
  to.key("name").text(of.name).key("file").text(of.spec.file);
  to.key("line").count(static_cast<std::uint64_t>(of.spec.line));
  to.key("revision").text(of.revision).key("unit").count(of.unit);
  add_list(to, "unit_shared_with", unit_mates(rules, of));
  to.key("where").text(in.where_canonical);
  add_list(to, "index", index_names(rules, of));
  add_list(to, "group_by", group_names(rules, of));
  add_window(to, in, of);
  to.key("lateness_ms").count(static_cast<std::uint64_t>(in.lateness.count()));
  to.key("clock").text(in.clock == rule_clock::event ? "event" : "arrival");
  add_list(to, "aggregates", aggregate_names(rules, of));
  to.key("having").text(of.condition).key("severity").text(severity_text(of));
  to.key("early").flag(of.early).key("early_reason").text(of.early_reason);
  add_footprint(to, footprint_of(rules, of));
  if (tried != nullptr) add_trial(to, try_rule(rules, of, *tried));
  to.end_object();
}

}  // namespace

rule_trial try_rule(const rule_set& rules, const rule& of, const event_batch& batch) {
  const auto& tried = batch.events.front();
  const event_scope names(batch, tried);
  const auto& in = unit_of(rules, of);
  rule_trial trial;
  trial.recovers = tried.action != event_action::firing;
  trial.matches = !trial.recovers && in.where.holds(names);
  for (const auto& field : rules.groups()[in.group].fields) {
    std::optional<std::string> text;
    if (field.field) {
      if (tried.has(*field.field)) text = std::string(tried.text(*field.field));
    } else if (const auto held = names.label(field.label); !held.is_missing()) {
      text = held.to_text();
    }
    trial.key.emplace_back(field.name, std::move(text));
  }
  std::vector<key_part> parts;
  for (const auto& [name, value] : trial.key) {
    parts.push_back({name, value ? std::string_view(*value) : std::string_view{}});
  }
  trial.print = fingerprint_of(of.name, parts);
  return trial;
}

std::string describe_rule(const rule_set& rules, const rule& of,
                          const std::optional<rule_trial>& trial) {
  const auto& in = unit_of(rules, of);
  auto text =
      fmt::format("{} ({}:{}), revision {}\n", of.name, of.spec.file, of.spec.line, of.revision);
  const auto line = [&text](std::string_view name, std::string_view value) {
    text += fmt::format("  {:<11}{}\n", name, value);
  };
  line("where", in.where_canonical);
  line("index", or_none(index_names(rules, of), "none: `where` is evaluated for every event"));
  line("group_by", or_none(group_names(rules, of), "nothing: all events are one key"));
  line("window",
       fmt::format("{}, lateness {}, by {} time", window_text(in, of), format_duration(in.lateness),
                   in.clock == rule_clock::event ? "event" : "arrival"));
  const auto footprint = footprint_of(rules, of);
  if (footprint.panes_a_window > 0) line("panes", panes_text(footprint));
  line("aggregates", or_none(aggregate_names(rules, of), "none"));
  line("having", of.condition);
  if (in.baseline.length.count() != 0) {
    line("baseline", fmt::format("{} before the window, at least {} values",
                                 format_duration(in.baseline.length), in.baseline.samples_min));
  }
  if (const auto limits = limits_text(in.limits); !limits.empty()) line("limits", limits);
  line("fires", firing_text(of));
  if (of.spec.pending_for.count() > 0) line("for", format_duration(of.spec.pending_for));
  if (of.spec.keep_firing_for.count() > 0) {
    line("keeps", fmt::format("firing for {}", format_duration(of.spec.keep_firing_for)));
  }
  if (of.spec.close_after.count() > 0) {
    line("closes", fmt::format("without data for {}", format_duration(of.spec.close_after)));
  }
  line("severity", severity_text(of));
  line("memory", memory_text(footprint));
  line("unit", fmt::format("{}, shared with: {}", of.unit,
                           or_none(unit_mates(rules, of), "no other rule")));
  if (!trial) return text;
  std::string key;
  for (const auto& [name, value] : trial->key) {
    key += fmt::format("{}{}={}", key.empty() ? "" : ", ", name,
                       value ? fmt::format("\"{}\"", *value) : "NULL");
  }
  line("event", trial->recovers  ? "ends what this key's alert is, whatever `where` says"
                : trial->matches ? "matches"
                                 : "does not match");
  line("key",
       fmt::format("{} (fingerprint {})", key.empty() ? "(empty)" : key, to_text(trial->print)));
  return text;
}

std::string report_as_json(const diagnostics& found, const rule_set* rules,
                           const event_batch* tried, const std::vector<enrichment_trial>& trials) {
  json_line to;
  to.begin_object().key("ok").flag(!has_errors(found)).key("diagnostics").begin_list();
  for (const auto& each : found) {
    to.begin_object().key("kind");
    to.text(each.kind == diagnostic::grade::error ? "error" : "warning");
    to.key("file").text(each.file).key("line").count(static_cast<std::uint64_t>(each.line));
    to.key("column").count(static_cast<std::uint64_t>(each.column));
    to.key("message").text(each.message).end_object();
  }
  to.end_list().key("rules").begin_list();
  if (rules != nullptr) {
    for (const auto& each : rules->rules()) add_rule(to, *rules, each, tried);
  }
  to.end_list();
  if (!trials.empty()) add_enrichment(to, trials);
  to.end_object();
  return to.line();
}

}  // namespace tocsin
