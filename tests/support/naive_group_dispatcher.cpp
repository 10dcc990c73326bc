// SPDX-License-Identifier: Apache-2.0
// Looks at all groups and all escalations for each next thing that is due.
#include "support/naive_group_dispatcher.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tocsin/alert_labels.hpp"

namespace tocsin::testing {
namespace {

bool fires(const alert& of) {
  return of.state == alert_state::firing || of.state == alert_state::acknowledged;
}

bool ended(const alert& of) {
  return of.state == alert_state::resolved || of.state == alert_state::closed;
}

bool shielded(const alert& of) {
  return !of.shields.silenced_by.empty() || !of.shields.inhibited_by.empty();
}

void number(const notify_route& of, std::vector<const notify_route*>& all) {
  all.push_back(&of);
  for (const notify_route& child : of.routes) number(child, all);
}

std::string labels_text(const notify_route& route, const alert& of) {
  std::vector<std::string> shown;
  for (const auto& [name, value] : alert_labels(of)) {
    const auto& by = route.group_by;
    if (route.group_by_all || std::find(by.begin(), by.end(), name) != by.end())
      shown.push_back(fmt::format("{}=\"{}\"", name, value));
  }
  return fmt::format("{{{}}}", fmt::join(shown, ", "));
}

std::string line(instant at, std::string_view receiver, std::string_view key, std::uint32_t level,
                 std::vector<transition> alerts) {
  std::stable_sort(alerts.begin(), alerts.end(), [](const auto& left, const auto& right) {
    if (fires(*left) != fires(*right)) return fires(*left);
    return std::pair{left->started_at, left->alert_id} <
           std::pair{right->started_at, right->alert_id};
  });
  std::string text = fmt::format("{} {} {} level {}:", to_unix_ms(at), receiver, key, level);
  for (const transition& each : alerts)
    text += fmt::format(" {}/{}/{}", each->alert_id.low, each->number, to_text(each->state));
  return text;
}

}  // namespace

std::string to_line(const notice& of) {
  std::string text =
      fmt::format("{} {} {} level {}:", to_unix_ms(of.at), of.receiver, of.group_key, of.level);
  for (const transition& each : of.alerts)
    text += fmt::format(" {}/{}/{}", each->alert_id.low, each->number, to_text(each->state));
  return text;
}

std::vector<naive_group_dispatcher::group_name> naive_group_dispatcher::names_for(
    instant at, const transition& now) {
  std::vector<const notify_route*> all;
  number(policy_->root, all);
  std::vector<group_name> names;
  for (const notify_route* route : routes_of(policy_->root, alert_labels(*now))) {
    const auto place = std::find(all.begin(), all.end(), route) - all.begin();
    const group_name name{static_cast<std::size_t>(place), labels_text(*route, *now)};
    const auto [found, is_new] = groups_.try_emplace(name);
    group& in = found->second;
    if (is_new) {
      in.route = route;
      in.key = route->key + ":" + name.second;
      in.next = at + route->group_wait;
    }
    if (!in.looked_at && now->posted)
      in.next = std::min(in.next, std::max(at, now->posted->starts_at + route->group_wait));
    names.push_back(name);
  }
  return names;
}

void naive_group_dispatcher::take(member& in, const transition& now) const {
  if (in.what != heard::nothing) {
    if (shielded(*now) || now->severity < in.now->severity) in.again = true;
    if (!now->flapping) in.flapping_heard = false;
  }
  in.now = now;
  in.elsewhere = false;
}

void naive_group_dispatcher::end(const transition& now) {
  for (auto& [name, in] : groups_) {
    const auto found = in.members.find(now->print);
    if (found == in.members.end()) continue;
    member& each = found->second;
    if (ended(*each.now) && each.now->alert_id != now->alert_id) continue;
    if (!now->flapping) each.flapping_heard = false;
    each.now = now;
    const bool nothing_to_tell =
        each.what == heard::nothing || (each.what == heard::resolved && !now->flapping);
    if (nothing_to_tell) in.members.erase(found);
  }
}

void naive_group_dispatcher::update(instant at, const transition& now) {
  climb_on(at, now);
  if (!policy_->routed) return;
  if (ended(*now)) end(now);
  if (!fires(*now)) return;
  const auto names = names_for(at, now);
  for (auto& [name, in] : groups_) {
    const auto found = in.members.find(now->print);
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      if (found != in.members.end()) {
        take(found->second, now);
      } else {
        in.members[now->print].now = now;
      }
    } else if (found != in.members.end()) {
      if (ended(*found->second.now)) continue;
      if (found->second.what == heard::firing) {
        found->second.now = now;
        found->second.elsewhere = true;
      } else {
        in.members.erase(found);
      }
    }
  }
}

bool naive_group_dispatcher::takes(const std::string& receiver, bool resolved) const {
  for (const notify_receiver& each : policy_->receivers) {
    if (each.name != receiver) continue;
    return std::any_of(each.webhooks.begin(), each.webhooks.end(),
                       [resolved](const auto& hook) { return !resolved || hook.send_resolved; });
  }
  return true;
}

void naive_group_dispatcher::look(group& in, instant at, std::vector<std::string>& told) {
  in.looked_at = true;
  in.next = at + in.route->group_interval;
  if (!muting(*policy_, *in.route, at).empty()) {
    in.was_muted = true;
    return;
  }
  std::vector<transition> listed;
  std::vector<fingerprint> forgotten;
  bool tell = false;
  bool anybody_to_repeat = false;
  for (auto& [print, each] : in.members) {
    if (ended(*each.now)) {
      const bool calm = !each.now->flapping || at - each.now->at >= in.route->repeat_interval;
      if (each.what == heard::firing && (calm || !each.flapping_heard)) {
        if (takes(in.route->receiver, true)) {
          listed.push_back(each.now);
          tell = true;
        }
        const bool keep =
            each.now->flapping && !each.flapping_heard && takes(in.route->receiver, true);
        if (!keep) forgotten.push_back(print);
      } else if (each.what != heard::firing && calm) {
        forgotten.push_back(print);
      }
      continue;
    }
    if (each.elsewhere || shielded(*each.now) || !takes(in.route->receiver, false)) continue;
    if (each.now->flapping && each.flapping_heard) continue;
    listed.push_back(each.now);
    const bool nobody_has_it = each.now->state == alert_state::firing;
    if (each.now->flapping || each.what != heard::firing) tell = true;
    if (nobody_has_it && (each.again || in.was_muted)) tell = true;
    if (nobody_has_it && !each.now->flapping) anybody_to_repeat = true;
  }
  in.was_muted = false;
  if (anybody_to_repeat && in.told_at && at - *in.told_at >= in.route->repeat_interval) tell = true;
  if (tell && !listed.empty()) {
    in.told_at = at;
    told.push_back(line(at, in.route->receiver, in.key, 0, listed));
    for (const transition& each : listed) {
      member& of = in.members[each->print];
      of.what = ended(*each) ? heard::resolved : heard::firing;
      of.flapping_heard = each->flapping;
      of.again = false;
    }
  }
  for (const fingerprint& print : forgotten) in.members.erase(print);
}

void naive_group_dispatcher::climb_on(instant at, const transition& now) {
  if (!fires(*now)) {
    climbs_.erase(now->print);
    return;
  }
  const auto found = climbs_.find(now->print);
  if (found != climbs_.end() && found->second.now->alert_id != now->alert_id) climbs_.erase(found);
  const bool is_new = !climbs_.contains(now->print);
  climb& of = climbs_[now->print];
  if (is_new) of.fired = now->at;
  of.now = now;
  const escalation_policy* accepting = nullptr;
  for (const escalation_policy& each : policy_->escalations) {
    if (accepting == nullptr && matches(each.matchers, *now)) accepting = &each;
  }
  if (accepting != of.policy) {
    of.policy = accepting;
    of.told.clear();
    of.able_since.reset();
  }
  const bool able = now->state == alert_state::firing && !now->shields.any() && !now->flapping;
  if (!able) of.able_since.reset();
  if (able && !of.able_since) of.able_since = at;
}

std::vector<naive_group_dispatcher::step> naive_group_dispatcher::steps_left(const climb& of) {
  std::vector<step> left;
  if (of.policy == nullptr) return left;
  for (std::size_t level = 0; level < of.policy->levels.size(); ++level) {
    const escalation_level& said = of.policy->levels[level];
    for (std::uint32_t time = 0; time < said.repeat; ++time) {
      if (!of.told.contains({level, time}))
        left.push_back({of.fired + said.after + time * said.every, {level, time}});
    }
  }
  return left;
}

std::optional<instant> naive_group_dispatcher::due(const climb& of) {
  std::optional<instant> first;
  if (!of.able_since) return first;
  for (const step& each : steps_left(of)) {
    const instant at = std::max(each.at, *of.able_since);
    if (!first || at < *first) first = at;
  }
  return first;
}

void naive_group_dispatcher::tell(climb& of, instant at, std::vector<std::string>& told) {
  std::set<std::size_t> levels;
  for (const step& each : steps_left(of)) {
    if (each.at > at) continue;
    of.told.insert(each.what);
    levels.insert(each.what.first);
  }
  for (const std::size_t level : levels) {
    for (const std::string& receiver : of.policy->levels[level].receivers) {
      if (!takes(receiver, false)) continue;
      const auto key = fmt::format("escalation/{}:{}", of.policy->name, to_text(of.now->alert_id));
      told.push_back(line(at, receiver, key, static_cast<std::uint32_t>(level + 1), {of.now}));
    }
  }
}

std::vector<std::string> naive_group_dispatcher::run(instant at) {
  std::vector<std::string> told;
  for (;;) {
    std::optional<instant> next;
    const auto consider = [&next, at](std::optional<instant> when) {
      if (when && *when <= at && (!next || *when < *next)) next = when;
    };
    for (const auto& [name, in] : groups_) consider(in.next);
    for (const auto& [print, of] : climbs_) consider(due(of));
    if (!next) return told;

    std::map<std::pair<std::string, fingerprint>, climb*> climbs;
    for (auto& [print, of] : climbs_) {
      if (due(of) == next) climbs[{of.policy->name, of.now->alert_id}] = &of;
    }
    for (auto& [key, of] : climbs) tell(*of, *next, told);
    std::map<std::tuple<std::string, std::string, std::size_t>, group_name> groups;
    for (const auto& [name, in] : groups_) {
      if (in.next == next) groups[{in.key, in.route->receiver, name.first}] = name;
    }
    for (const auto& [key, name] : groups) {
      look(groups_.at(name), *next, told);
      if (groups_.at(name).members.empty()) groups_.erase(name);
    }
  }
}

}  // namespace tocsin::testing
