// SPDX-License-Identifier: Apache-2.0
// Leads each alert to its groups and tells what became of their incidents.
#include <cmath>
#include <map>
#include <set>

#include "core/incident_group.hpp"
#include "tocsin/alert_labels.hpp"
#include "tocsin/incident.hpp"

namespace tocsin {
namespace {

incident_alert incident_alert_of(const alert& now, const incident_rule& rule) {
  incident_alert made;
  made.alert_id = now.alert_id;
  made.started_at = now.started_at;
  made.severity = now.severity;
  if (rule.value.empty()) return made;
  for (const auto& [name, value] : now.proof.values) {
    if (name == rule.value && !std::isnan(value)) made.value = value;
  }
  return made;
}

incident_group::labels group_of(const alert& now, const incident_rule& rule) {
  incident_group::labels group;
  for (const std::string& name : rule.group_by) group.emplace_back(name, alert_label(now, name));
  return group;
}

fingerprint print_of(const incident_rule& rule, const incident_group::labels& group) {
  std::vector<key_part> key;
  for (const auto& [name, value] : group) key.push_back({name, value});
  return fingerprint_of(rule.name, key);
}

/// One rule with its groups.
struct rule_groups {
  std::map<fingerprint, incident_group> groups;  ///< by the fingerprint of their incident
  std::map<fingerprint, fingerprint> group_of;   ///< alert -> its group
};

}  // namespace

struct incident_book::state {
  std::vector<incident_rule> rules;
  std::vector<rule_groups> by_rule;
  std::set<fingerprint> changed;

  /// News of the group's incident as it stands; remembers that it was told.
  incident_news news(incident_news::kind what, std::size_t rule, const fingerprint& print,
                     incident_group& group, instant at, std::vector<fingerprint> joined) {
    group.told = group.summary(!rules[rule].value.empty());
    incident_news made;
    made.what = what;
    made.rule = rule;
    made.print = print;
    made.at = at;
    made.severity = group.told.severity;
    made.values = group.told.values;
    made.members = group.listed();
    made.group = group.group();
    made.first_started_at = group.first_started_at();
    made.joined = std::move(joined);
    changed.insert(print);
    return made;
  }

  /// Erases the group when nothing is left of it.
  void tidy(std::size_t rule, const fingerprint& print) {
    auto& groups = by_rule[rule].groups;
    const auto found = groups.find(print);
    if (found != groups.end() && found->second.idle()) groups.erase(found);
  }

  void leave(std::size_t rule, const fingerprint& alert_print, instant at,
             std::vector<incident_news>& told) {
    rule_groups& of = by_rule[rule];
    const auto place = of.group_of.find(alert_print);
    const fingerprint print = place->second;
    of.group_of.erase(place);
    incident_group& group = of.groups.at(print);
    const incident_part part = group.find(alert_print)->part;
    group.remove(alert_print);
    if (part != incident_part::waiting || group.open()) changed.insert(print);
    if (part == incident_part::member) {
      const bool over = group.active_members() == 0;
      told.push_back(news(over ? incident_news::kind::over : incident_news::kind::changed, rule,
                          print, group, at, {}));
      if (over) group.close();
    }
    tidy(rule, print);
  }

  void enter(std::size_t rule, const alert& now, instant at, std::vector<incident_news>& told) {
    const incident_rule& spec = rules[rule];
    rule_groups& of = by_rule[rule];
    incident_group::labels labels = group_of(now, spec);
    const fingerprint print = print_of(spec, labels);
    incident_group& group = of.groups.try_emplace(print, std::move(labels)).first->second;
    of.group_of[now.print] = print;
    group.add(now.print, incident_alert_of(now, spec));
    if (group.open()) {
      told.push_back(news(incident_news::kind::changed, rule, print, group, at, {now.print}));
      return;
    }
    std::vector<fingerprint> joined = group.raise(now.print, spec.within, spec.min_alerts);
    if (joined.empty()) return;
    told.push_back(news(incident_news::kind::raised, rule, print, group, at, std::move(joined)));
  }

  /// An alert that is in a group already, and still active.
  void refresh(std::size_t rule, const alert& now, instant at, std::vector<incident_news>& told) {
    const incident_rule& spec = rules[rule];
    rule_groups& of = by_rule[rule];
    const fingerprint print = of.group_of.at(now.print);
    incident_group& group = of.groups.at(print);
    const incident_alert before = *group.find(now.print);
    const incident_alert newest = incident_alert_of(now, spec);
    if (before.part == incident_part::waiting) {
      const bool stays =
          matches(spec.matchers, now) && print_of(spec, group_of(now, spec)) == print;
      if (!stays || (!group.open() && newest.started_at != before.started_at)) {
        leave(rule, now.print, at, told);
        if (matches(spec.matchers, now)) enter(rule, now, at, told);
        return;
      }
    }
    group.refresh(now.print, newest);
    if (before.part != incident_part::member) return;
    if (before.restored) {
      group.told = group.summary(!spec.value.empty());
    } else if (group.summary(!spec.value.empty()) != group.told) {
      told.push_back(news(incident_news::kind::changed, rule, print, group, at, {}));
    }
  }

  void update(std::size_t rule, const alert& now, instant at, std::vector<incident_news>& told) {
    const bool active = now.state == alert_state::firing || now.state == alert_state::acknowledged;
    rule_groups& of = by_rule[rule];
    if (const auto place = of.group_of.find(now.print); place != of.group_of.end()) {
      const incident_alert& known = *of.groups.at(place->second).find(now.print);
      if (active && known.alert_id == now.alert_id) return refresh(rule, now, at, told);
      // The end of one that came before says nothing about the one that is here.
      if (!active && known.alert_id != now.alert_id) return;
      leave(rule, now.print, at, told);
    }
    if (active && matches(rules[rule].matchers, now)) enter(rule, now, at, told);
  }

  /// The rule and the group of an incident; null when there is none.
  std::pair<std::size_t, incident_group*> find(const fingerprint& incident) {
    for (std::size_t rule = 0; rule < by_rule.size(); ++rule) {
      const auto found = by_rule[rule].groups.find(incident);
      if (found != by_rule[rule].groups.end()) return {rule, &found->second};
    }
    return {0, nullptr};
  }
};

incident_book::incident_book(std::vector<incident_rule> rules) : state_(std::make_unique<state>()) {
  state_->by_rule.resize(rules.size());
  state_->rules = std::move(rules);
}
incident_book::~incident_book() = default;
incident_book::incident_book(incident_book&&) noexcept = default;

const std::vector<incident_rule>& incident_book::rules() const noexcept {
  return state_->rules;
}

std::vector<incident_news> incident_book::update(instant at, const alert& now) {
  std::vector<incident_news> told;
  if (now.origin == alert_origin::incident) return told;
  for (std::size_t rule = 0; rule < state_->rules.size(); ++rule) {
    state_->update(rule, now, at, told);
  }
  return told;
}

void incident_book::forget(const fingerprint& incident) {
  const auto [rule, group] = state_->find(incident);
  if (group == nullptr || !group->open()) return;
  group->close();
  state_->changed.insert(incident);
}

std::string incident_book::bytes_of(const fingerprint& incident) const {
  const auto [rule, group] = state_->find(incident);
  if (group == nullptr || !group->lasting()) return "";
  return group->bytes(state_->rules[rule].name);
}

std::vector<std::pair<fingerprint, std::string>> incident_book::take_changed() {
  std::vector<std::pair<fingerprint, std::string>> taken;
  for (const fingerprint& print : state_->changed) taken.emplace_back(print, bytes_of(print));
  state_->changed.clear();
  return taken;
}

bool incident_book::restore(std::string_view bytes) {
  auto read = incident_group::from_bytes(bytes);
  if (!read) return false;
  auto& [name, group] = *read;
  for (std::size_t rule = 0; rule < state_->rules.size(); ++rule) {
    const incident_rule& spec = state_->rules[rule];
    if (spec.name != name) continue;
    rule_groups& of = state_->by_rule[rule];
    const fingerprint print = print_of(spec, group.group());
    for (const auto& [alert_print, one] : group.alerts()) {
      if (of.group_of.count(alert_print) != 0) return false;
    }
    if (of.groups.count(print) != 0) return false;
    for (const auto& [alert_print, one] : group.alerts()) of.group_of[alert_print] = print;
    group.told = group.summary(!spec.value.empty());
    of.groups.emplace(print, std::move(group));
    return true;
  }
  return false;
}

std::vector<fingerprint> incident_book::members_of(const fingerprint& incident) const {
  const auto [rule, group] = state_->find(incident);
  if (group == nullptr || !group->open()) return {};
  return group->listed();
}

}  // namespace tocsin
