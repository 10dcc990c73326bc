// SPDX-License-Identifier: Apache-2.0
// Implementation of what naive rules have in common.
#include "support/naive_rule.hpp"

#include <algorithm>
#include <stdexcept>

#include "support/naive_absence.hpp"
#include "support/naive_cut_sessions.hpp"
#include "support/naive_panes.hpp"
#include "support/naive_scope.hpp"
#include "support/naive_sequences.hpp"
#include "support/naive_sessions.hpp"

namespace tocsin::testing {

bool comes_before(const naive_event* left, const naive_event* right) {
  return std::pair{left->time, left->position} < std::pair{right->time, right->position};
}

std::uint64_t newest_position(const naive_window& in) {
  std::uint64_t newest = 0;
  for (const naive_event* each : in.events) newest = std::max(newest, each->position);
  return newest;
}

void id_memory::remember(std::uint64_t position) {
  remembered.push_back(position);
  if (remembered.size() > event_ids_max) remembered.erase(remembered.begin());
}

naive_rule::naive_rule(const rule_set& rules, const rule& by)
    : rules_(rules),
      by_(by),
      where_(condition(by.spec.where.text.empty() ? "true" : by.spec.where.text)) {}

expression naive_rule::condition(const std::string& text) {
  auto compiled = expression::compile(text, schema::of_event());
  if (!compiled) throw std::invalid_argument("'" + text + "': " + compiled.failure().message);
  return *compiled;
}

void naive_rule::begin(instant) {}

void naive_rule::forget(const naive_key&) {}

bool naive_rule::meets_where(const event_batch& batch, const event& what) const {
  return where_.holds(event_scope{batch, what});
}

bool naive_rule::concerns(const naive_arrival& from) const {
  return meets_where(*from.batch, from.what());
}

key_values naive_rule::key_of(const naive_arrival& from) const {
  key_values name;
  const event_scope names{*from.batch, from.what()};
  for (const group_field& each : rules_.groups()[rules_.units()[by_.unit].group].fields) {
    const value part =
        each.field ? names.get(static_cast<std::uint32_t>(*each.field)) : names.label(each.label);
    name.push_back(part.is_missing() ? std::nullopt : std::optional{part.to_text()});
  }
  return name;
}

bool naive_rule::accept(const naive_arrival& from, const std::shared_ptr<id_memory>& ids) {
  if (!concerns(from)) return false;
  const event& what = from.what();
  const instant time = spec().clock == rule_clock::event ? what.time : what.arrived;
  const key_values name = key_of(from);
  naive_key& key = keys_[name];
  key.name = name;
  if (ids) key.ids = ids;
  return take(key, {from.batch, &what, time, from.position()}, what.arrived - lateness());
}

void naive_rule::recover(const naive_arrival& from, std::vector<finding>& out) {
  const auto place = keys_.find(key_of(from));
  if (place == keys_.end()) return;
  const bool resolved = from.what().action == event_action::resolved;
  if (place->second.met) {
    finding& found = out.emplace_back();
    found.what = resolved ? finding::kind::recovered : finding::kind::dismissed;
    found.rule = by_.index;
    found.print = print_of(place->second);
    found.at = from.what().arrived;
    found.position = from.position();
    found.cause = resolved ? "resolved by an event" : "closed by an event";
  }
  forget(place->second);
  keys_.erase(place);
}

bool naive_rule::any_met() const {
  return std::any_of(keys_.begin(), keys_.end(), [](const auto& each) { return each.second.met; });
}

fingerprint naive_rule::print_of(const naive_key& key) const {
  const auto& fields = rules_.groups()[rules_.units()[by_.unit].group].fields;
  std::vector<key_part> parts;
  for (std::size_t i = 0; i < fields.size(); ++i)
    parts.push_back(
        {fields[i].name, key.name[i] ? std::string_view{*key.name[i]} : std::string_view{}});
  return fingerprint_of(by_.name, parts);
}

bool naive_rule::holds(const naive_key& key, const naive_window& in) const {
  // There is no row for an empty window; only silence is judged by nothing at all.
  if (in.events.empty() && spec().window.kind != window_kind::absence) return false;
  return by_.having.holds(naive_scope{rules_, by_, key, in});
}

void naive_rule::report_holding(naive_key& key, instant at, std::string_view cause,
                                const naive_window& in, std::vector<finding>& out) const {
  if (!key.met) {
    report(finding::kind::met, key, at, no_position, cause, in, out);
  } else if (newest_position(in) > key.newest) {
    report(finding::kind::updated, key, at, no_position, cause, in, out);
  }
}

void naive_rule::report(finding::kind kind, naive_key& key, instant at, std::uint64_t position,
                        std::string_view cause, const naive_window& in,
                        std::vector<finding>& out) const {
  const naive_scope names{rules_, by_, key, in};
  finding found;
  found.what = kind;
  found.rule = by_.index;
  found.print = print_of(key);
  found.at = at;
  found.position = position;
  found.cause = cause;
  found.severity = names.level();
  found.proof = names.proof();
  if (kind == finding::kind::met) found.texts = names.texts();
  key.met = kind == finding::kind::met || kind == finding::kind::updated;
  if (key.met) key.newest = newest_position(in);
  out.push_back(std::move(found));
}

std::unique_ptr<naive_rule> make_naive_rule(const rule_set& rules, const rule& by) {
  const window_spec& window = by.spec.window;
  const bool cut = !by.spec.close.text.empty() || window.session_max > duration{0} ||
                   window.session_events_max > 0;
  switch (window.kind) {
    case window_kind::fixed:
    case window_kind::sliding:
      return std::make_unique<naive_panes>(rules, by);
    case window_kind::session:
      if (cut) return std::make_unique<naive_cut_sessions>(rules, by);
      return std::make_unique<naive_sessions>(rules, by);
    case window_kind::absence:
      return std::make_unique<naive_absence>(rules, by);
    case window_kind::sequence:
      return std::make_unique<naive_sequences>(rules, by);
  }
  throw std::invalid_argument("no such kind of window");
}

}  // namespace tocsin::testing
