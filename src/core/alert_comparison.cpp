// SPDX-License-Identifier: Apache-2.0
// Pairs alerts of two runs by rule, key and overlap in time, and says how the two of a pair differ.
#include "tocsin/alert_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

namespace tocsin {
namespace {

using kind = alert_difference::kind;
using change = alert_difference::change;
using alert_key = std::pair<std::string, fingerprint>;
using alerts_by_key = std::map<alert_key, std::vector<const past_alert*>>;

alerts_by_key by_key(const std::vector<past_alert>& alerts) {
  alerts_by_key sorted;
  for (const past_alert& each : alerts) sorted[{each.rule, each.print}].push_back(&each);
  return sorted;
}

bool ends_before(const past_alert& first, const past_alert& second) {
  return first.ended_at && *first.ended_at <= second.fired_at && first.fired_at != second.fired_at;
}

std::string number_text(double number) {
  return fmt::format("{}", number);
}

void add_value_changes(const past_alert& before, const past_alert& after,
                       std::vector<change>& into) {
  const auto held_by = [](const past_alert& of, const std::string& name) -> const double* {
    for (const auto& [have, value] : of.values) {
      if (have == name) return &value;
    }
    return nullptr;
  };
  for (const auto& [name, value] : before.values) {
    const double* const other = held_by(after, name);
    if (other != nullptr && nearly_equal(value, *other)) continue;
    into.push_back(
        {"values." + name, number_text(value), other == nullptr ? "missing" : number_text(*other)});
  }
  for (const auto& [name, value] : after.values) {
    if (held_by(before, name) == nullptr) {
      into.push_back({"values." + name, "missing", number_text(value)});
    }
  }
}

std::vector<change> changes_between(const past_alert& before, const past_alert& after) {
  std::vector<change> changes;
  const auto note = [&](std::string_view field, std::string was, std::string is) {
    if (was != is) changes.push_back({std::string(field), std::move(was), std::move(is)});
  };
  const auto end_text = [](const past_alert& of) {
    return of.ended_at ? format_rfc3339(*of.ended_at) : std::string("still active");
  };
  note("severity", std::string(to_text(before.fired_severity)),
       std::string(to_text(after.fired_severity)));
  note("worst_severity", std::string(to_text(before.worst_severity)),
       std::string(to_text(after.worst_severity)));
  note("event_count", std::to_string(before.event_count), std::to_string(after.event_count));
  add_value_changes(before, after, changes);
  note("ended_at", end_text(before), end_text(after));
  return changes;
}

alert_difference pair_of(const past_alert& before, const past_alert& after) {
  alert_difference pair{kind::same, before, after, changes_between(before, after)};
  if (after.fired_at < before.fired_at) {
    pair.what = kind::earlier;
  } else if (after.fired_at > before.fired_at) {
    pair.what = kind::later;
  } else if (!pair.changes.empty()) {
    pair.what = kind::changed;
  }
  return pair;
}

/// The alerts of one key, both sides in order of time. Alerts of one side never overlap, so taking
/// the first overlap each time leaves no better pair.
void compare_key(const std::vector<const past_alert*>& before,
                 const std::vector<const past_alert*>& after, std::vector<alert_difference>& into) {
  std::size_t was = 0;
  std::size_t is = 0;
  while (was < before.size() || is < after.size()) {
    const bool only_new = was == before.size();
    const bool only_old = is == after.size();
    if (only_old || (!only_new && ends_before(*before[was], *after[is]))) {
      into.push_back({kind::vanished, *before[was++], std::nullopt, {}});
    } else if (only_new || ends_before(*after[is], *before[was])) {
      into.push_back({kind::appeared, std::nullopt, *after[is++], {}});
    } else {
      into.push_back(pair_of(*before[was++], *after[is++]));
    }
  }
}

}  // namespace

void alert_timeline::add(const alert& after) {
  const auto known = active_.find(after.print);
  if (after.state == alert_state::resolved || after.state == alert_state::closed) {
    if (known == active_.end()) return;
    alerts_[known->second].ended_at = after.at;
    active_.erase(known);
    return;
  }
  if (known != active_.end()) {
    past_alert& held = alerts_[known->second];
    held.worst_severity = std::min(held.worst_severity, after.severity);
    return;
  }
  if (after.state != alert_state::firing) return;
  past_alert fresh;
  fresh.rule = after.rule;
  fresh.print = after.print;
  if (after.texts) {
    fresh.group.assign(after.texts->group.begin(), after.texts->group.end());
    fresh.title = after.texts->title;
  }
  fresh.fired_at = after.at;
  fresh.fired_severity = fresh.worst_severity = after.severity;
  fresh.values = after.proof.values;
  fresh.event_count = after.proof.event_count;
  active_.emplace(after.print, alerts_.size());
  alerts_.push_back(std::move(fresh));
}

std::string_view to_text(alert_difference::kind what) noexcept {
  switch (what) {
    case kind::same:
      return "same";
    case kind::changed:
      return "changed";
    case kind::earlier:
      return "earlier";
    case kind::later:
      return "later";
    case kind::appeared:
      return "appeared";
    case kind::vanished:
      return "vanished";
  }
  return "";
}

bool nearly_equal(double left, double right) noexcept {
  constexpr double share = 1e-9;
  return left == right ||
         std::abs(left - right) <= share * std::max(std::abs(left), std::abs(right));
}

alert_comparison compare_alerts(const std::vector<past_alert>& before,
                                const std::vector<past_alert>& after,
                                const std::vector<std::string>& old_rules,
                                const std::vector<std::string>& new_rules) {
  const auto old_alerts = by_key(before);
  const auto new_alerts = by_key(after);
  std::set<alert_key> keys;
  for (const auto& [key, alerts] : old_alerts) keys.insert(key);
  for (const auto& [key, alerts] : new_alerts) keys.insert(key);
  std::vector<alert_difference> all;
  const auto held = [](const alerts_by_key& by, const alert_key& key) {
    const auto found = by.find(key);
    return found == by.end() ? std::vector<const past_alert*>{} : found->second;
  };
  for (const alert_key& key : keys) compare_key(held(old_alerts, key), held(new_alerts, key), all);

  std::map<std::string, rule_comparison> rules;
  for (const std::string& name : old_rules) rules[name].is_old = true;
  for (const std::string& name : new_rules) rules[name].is_new = true;
  alert_comparison result;
  for (alert_difference& each : all) {
    rule_comparison& of = rules[each.either().rule];
    of.before += each.before ? 1 : 0;
    of.after += each.after ? 1 : 0;
    ++of.counts[each.what];
    if (each.what != kind::same) result.differences.push_back(std::move(each));
  }
  for (auto& [name, of] : rules) {
    of.rule = name;
    result.rules.push_back(std::move(of));
  }
  std::sort(result.differences.begin(), result.differences.end(),
            [](const alert_difference& left, const alert_difference& right) {
              const past_alert& one = left.either();
              const past_alert& other = right.either();
              return std::tie(one.fired_at, one.rule, one.print) <
                     std::tie(other.fired_at, other.rule, other.print);
            });
  return result;
}

}  // namespace tocsin
