// SPDX-License-Identifier: Apache-2.0
// Who inhibits whom: for each rule, sources and targets with the same values of its equal labels.
#include "tocsin/inhibition.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "tocsin/alert_labels.hpp"

namespace tocsin {
namespace {

/// An alert's part in one rule.
struct role {
  std::uint32_t rule = 0;
  std::string key;  ///< the values of the equal labels
  bool source = false;
  bool target = false;
  bool two_sided = false;  ///< both sides accept its labels, whatever its state
  friend bool operator==(const role&, const role&) = default;
};

struct member {
  fingerprint alert_id;
  std::vector<role> roles;  ///< by rule
};

struct source {
  fingerprint alert_id;
  bool two_sided = false;
};

/// Those of one rule with the same key.
struct cell {
  std::map<fingerprint, source> sources;
  std::map<fingerprint, bool> targets;  ///< whether they are two-sided
};

bool inhibits(bool source_two_sided, bool target_two_sided) {
  return !(source_two_sided && target_two_sided);
}

/// Each value with its length before it, so that no two lists of values look the same.
std::string key_of(const std::vector<std::string>& equal, const alert& of) {
  std::string key;
  for (const std::string& name : equal) {
    const std::string_view value = alert_label(of, name);
    key += std::to_string(value.size());
    key += ':';
    key += value;
  }
  return key;
}

}  // namespace

struct inhibitor::state {
  explicit state(std::vector<inhibit_rule> given) : rules(std::move(given)), cells(rules.size()) {}

  std::vector<role> roles_of(const alert& now, bool active, bool firing) const {
    std::vector<role> roles;
    if (!active && !firing) return roles;
    for (std::uint32_t i = 0; i < rules.size(); ++i) {
      const bool from = matches(rules[i].source, now);
      const bool to = matches(rules[i].target, now);
      const bool is_source = from && firing;
      const bool is_target = to && active;
      if (!is_source && !is_target) continue;
      roles.push_back({i, key_of(rules[i].equal, now), is_source, is_target, from && to});
    }
    return roles;
  }

  void leave(const fingerprint& print, const role& old, std::set<fingerprint>& affected) {
    auto& by_key = cells[old.rule];
    const auto found = by_key.find(old.key);
    cell& in = found->second;
    if (old.source) {
      in.sources.erase(print);
      add_targets(in, old.two_sided, affected);
    }
    if (old.target) in.targets.erase(print);
    if (in.sources.empty() && in.targets.empty()) by_key.erase(found);
  }

  void join(const fingerprint& print, const fingerprint& alert_id, const role& fresh,
            std::set<fingerprint>& affected) {
    cell& in = cells[fresh.rule][fresh.key];
    if (fresh.source) {
      in.sources[print] = {alert_id, fresh.two_sided};
      add_targets(in, fresh.two_sided, affected);
    }
    if (fresh.target) in.targets[print] = fresh.two_sided;
  }

  static void add_targets(const cell& in, bool source_two_sided, std::set<fingerprint>& affected) {
    for (const auto& [print, two_sided] : in.targets) {
      if (inhibits(source_two_sided, two_sided)) affected.insert(print);
    }
  }

  std::vector<fingerprint> inhibiting(const fingerprint& print) const {
    std::vector<fingerprint> ids;
    const auto known = members.find(print);
    if (known == members.end()) return ids;
    for (const role& each : known->second.roles) {
      if (!each.target) continue;
      const cell& in = cells[each.rule].find(each.key)->second;
      for (const auto& [from, by] : in.sources) {
        if (inhibits(by.two_sided, each.two_sided)) ids.push_back(by.alert_id);
      }
    }
    // As texts they are in the same order.
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
  }

  std::vector<inhibit_rule> rules;
  std::vector<std::map<std::string, cell, std::less<>>> cells;  ///< by rule, then key
  std::map<fingerprint, member> members;                        ///< those with a role
};

inhibitor::inhibitor(std::vector<inhibit_rule> rules)
    : state_(std::make_unique<state>(std::move(rules))) {}
inhibitor::~inhibitor() = default;
inhibitor::inhibitor(inhibitor&&) noexcept = default;

std::vector<fingerprint> inhibitor::update(const alert& now, bool active, bool firing) {
  const fingerprint print = now.print;
  std::vector<role> roles = state_->roles_of(now, active, firing);
  const auto known = state_->members.find(print);
  const member old = known == state_->members.end() ? member{} : known->second;
  // A new alert under an old fingerprint inhibits under its new id.
  const bool same_id = old.alert_id == now.alert_id;
  if (roles == old.roles && (same_id || roles.empty())) return {};

  const std::vector<fingerprint> before = state_->inhibiting(print);
  std::set<fingerprint> affected;
  const auto stays = [&](const std::vector<role>& in, const role& one) {
    return same_id && std::find(in.begin(), in.end(), one) != in.end();
  };
  for (const role& each : old.roles) {
    if (!stays(roles, each)) state_->leave(print, each, affected);
  }
  for (const role& each : roles) {
    if (!stays(old.roles, each)) state_->join(print, now.alert_id, each, affected);
  }
  if (roles.empty()) {
    state_->members.erase(print);
  } else {
    state_->members[print] = {now.alert_id, std::move(roles)};
  }
  // It may have met itself among the targets on its way.
  affected.erase(print);
  if (state_->inhibiting(print) != before) affected.insert(print);
  return {affected.begin(), affected.end()};
}

std::vector<std::string> inhibitor::inhibited_by(const fingerprint& print) const {
  std::vector<std::string> ids;
  for (const fingerprint& each : state_->inhibiting(print)) ids.push_back(to_text(each));
  return ids;
}

}  // namespace tocsin
