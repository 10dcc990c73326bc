// SPDX-License-Identifier: Apache-2.0
// Keeps alerts in the groups that their routes and labels say.
#include "core/notice_groups.hpp"

#include <algorithm>
#include <cassert>
#include <tuple>

namespace tocsin {
namespace {

/// Whether an alert takes the routes it took.
bool routes_alike(const alert& before, const alert& now) {
  return is_active(before) && before.alert_id == now.alert_id && before.texts == now.texts &&
         before.severity == now.severity;
}

}  // namespace

notice_groups::notice_groups(std::shared_ptr<const notify_policy> policy)
    : policy_(std::move(policy)), routes_(policy_) {}

void notice_groups::update(instant at, const transition& now) {
  settle();
  if (!restored_groups_.empty()) restored_until_ = std::max(restored_until_, at);
  const std::uint32_t first = first_member_of(now->print);
  if (is_ended(*now)) {
    end(first, now);
  } else if (is_active(*now)) {
    if (first != no_index && members_[first].now && routes_alike(*members_[first].now, *now)) {
      move_all(first, at, now);
    } else {
      route(first, at, now);
    }
  }
}

std::uint32_t notice_groups::first_member_of(const fingerprint& print) const {
  const auto found = members_of_.find(print);
  return found == members_of_.end() ? no_index : found->second;
}

void notice_groups::move_all(std::uint32_t first, instant at, const transition& now) {
  for (std::uint32_t each = first; each != no_index; each = members_[each].next_of_alert) {
    member& of = members_[each];
    if (is_ended(*of.now)) continue;  // An earlier alert of this print, whose end is to be told.
    if (of.left) {
      of.now = now;
    } else {
      hurry(of.group, at, *now);
      advance(each, now);
    }
  }
}

void notice_groups::route(std::uint32_t first, instant at, const transition& now) {
  routes_.routes_of(*now, taken_routes_);
  target_groups_.clear();
  for (const std::uint32_t each : taken_routes_)
    target_groups_.push_back(group_for(each, at, *now));
  for (std::uint32_t each = first; each != no_index;) {
    const std::uint32_t next = members_[each].next_of_alert;
    const auto target =
        std::find(target_groups_.begin(), target_groups_.end(), members_[each].group);
    if (target == target_groups_.end()) {
      depart(each, now);
    } else {
      *target = no_index;
      advance(each, now);
    }
    each = next;
  }
  for (const std::uint32_t each : target_groups_) {
    if (each != no_index) join(each, now);
  }
}

void notice_groups::join(std::uint32_t group_at, const transition& now) {
  members_[add_member(group_at, now->print)].now = now;
}

void notice_groups::advance(std::uint32_t member_at, const transition& now) {
  member& of = members_[member_at];
  if (of.what != told::nothing) {
    const bool worse = of.now && now->severity < of.now->severity;
    const bool again = of.again || is_shielded(*now) || worse;
    const bool told_flapping = of.told_flapping && now->flapping;
    const bool had_end = of.now && is_ended(*of.now);
    if (again != of.again || told_flapping != of.told_flapping || had_end) mark(of, member_at);
    of.again = again;
    of.told_flapping = told_flapping;
  }
  of.left = false;
  of.now = now;
}

void notice_groups::depart(std::uint32_t member_at, const transition& now) {
  member& of = members_[member_at];
  if (of.now && is_ended(*of.now)) return;  // An earlier alert of this print.
  if (of.what == told::firing) {
    of.now = now;
    of.left = true;
  } else {
    remove_member(member_at);
  }
}

void notice_groups::end(std::uint32_t first, const transition& now) {
  for (std::uint32_t each = first; each != no_index;) {
    member& of = members_[each];
    const std::uint32_t next = of.next_of_alert;
    const bool of_earlier_alert = of.now && is_ended(*of.now) && of.now->alert_id != now->alert_id;
    if (!of_earlier_alert) {
      if (of.what == told::nothing || (of.what == told::resolved && !now->flapping)) {
        remove_member(each);
      } else {
        of.now = now;
        of.told_flapping = of.told_flapping && now->flapping;
        mark(of, each);
      }
    }
    each = next;
  }
}

std::uint32_t notice_groups::group_for(std::uint32_t route, instant at, const alert& of) {
  routes_.group_labels_text(route, of, labels_text_);
  const fingerprint print = routes_.group_print(route, labels_text_);
  const notify_route& said = *routes_[route].route;
  const auto found = group_of_.find(print);
  std::uint32_t group_at = no_index;
  if (found != group_of_.end()) {
    group_at = found->second;
  } else {
    group_at = add_group(route, print, labels_text_);
    set_due(group_at, at + said.group_wait);
    mark(groups_[group_at], group_at);
  }
  hurry(group_at, at, of);
  return group_at;
}

void notice_groups::hurry(std::uint32_t group_at, instant at, const alert& of) {
  group& in = groups_[group_at];
  if (in.flushed || !of.posted) return;
  const instant due = std::max(at, of.posted->starts_at + routes_[in.route].route->group_wait);
  if (due >= in.due) return;
  set_due(group_at, due);
  mark(in, group_at);
}

std::uint32_t notice_groups::add_group(std::uint32_t route, const fingerprint& print,
                                       std::string_view labels) {
  const std::uint32_t group_at = groups_.take();
  group& made = groups_[group_at];
  made.alive = true;
  made.route = route;
  made.key = routes_.group_key(route, labels);
  group_of_.emplace(print, group_at);
  return group_at;
}

std::uint32_t notice_groups::add_member(std::uint32_t group_at, const fingerprint& print) {
  const std::uint32_t member_at = members_.take();
  member& made = members_[member_at];
  group& in = groups_[group_at];
  made.print = print;
  made.group = group_at;
  made.next = in.first;
  if (in.first != no_index) members_[in.first].previous = member_at;
  in.first = member_at;
  const auto [of_alert, first] = members_of_.try_emplace(print, member_at);
  if (!first) {
    made.next_of_alert = of_alert->second;
    of_alert->second = member_at;
  }
  return member_at;
}

void notice_groups::remove_member(std::uint32_t member_at) {
  const member& gone = members_[member_at];
  if (gone.stored) gone_.push_back(key_of(gone));
  if (gone.next != no_index) members_[gone.next].previous = gone.previous;
  if (gone.previous != no_index) {
    members_[gone.previous].next = gone.next;
  } else {
    groups_[gone.group].first = gone.next;
  }
  const auto of_alert = members_of_.find(gone.print);
  assert(of_alert != members_of_.end());
  if (of_alert->second != member_at) {
    std::uint32_t before = of_alert->second;
    while (members_[before].next_of_alert != member_at) before = members_[before].next_of_alert;
    members_[before].next_of_alert = gone.next_of_alert;
  } else if (gone.next_of_alert != no_index) {
    of_alert->second = gone.next_of_alert;
  } else {
    members_of_.erase(of_alert);
  }
  members_.give_back(member_at);
}

void notice_groups::remove_group(std::uint32_t group_at) {
  const group& gone = groups_[group_at];
  assert(gone.first == no_index);
  if (gone.stored) gone_.push_back(key_of(gone));
  group_of_.erase(print_of(gone));
  groups_.give_back(group_at);
}

void notice_groups::set_due(std::uint32_t group_at, instant due) {
  groups_[group_at].due = due;
  due_.add(due, group_at);
}

void notice_groups::catch_up() {
  if (restored_groups_.empty() || restored_until_ == instant::min()) return;
  for (const std::uint32_t group_at : restored_groups_) {
    const group& of = groups_[group_at];
    const duration interval = routes_[of.route].interval;
    const duration behind = restored_until_ - of.due;
    // Nobody looked in the meantime: the last of the looks that were missed does for all.
    if (behind >= interval) set_due(group_at, of.due + behind / interval * interval);
  }
  restored_groups_.clear();
}

fingerprint notice_groups::print_of(const group& of) const {
  return routes_.group_print(of.route, labels_of(of));
}

std::vector<group_view> notice_groups::view() {
  settle();
  std::vector<std::pair<group_view, std::uint32_t>> all;
  for (const auto& [print, group_at] : group_of_) {
    const group& of = groups_[group_at];
    group_view seen;
    for (std::uint32_t each = of.first; each != no_index; each = members_[each].next) {
      const member& in = members_[each];
      const bool shown = in.now && (is_ended(*in.now) ? in.what == told::firing : !in.left);
      if (shown) seen.alerts.push_back(in.now);
    }
    if (seen.alerts.empty()) continue;
    std::sort(seen.alerts.begin(), seen.alerts.end(), told_before);
    seen.key = of.key;
    seen.receiver = routes_[of.route].route->receiver;
    const text_map labels = routes_.group_labels(of.route, *seen.alerts.front());
    seen.labels.assign(labels.begin(), labels.end());
    all.emplace_back(std::move(seen), of.route);
  }
  std::sort(all.begin(), all.end(), [](const auto& left, const auto& right) {
    return std::tie(left.first.receiver, left.first.labels, left.first.key, left.second) <
           std::tie(right.first.receiver, right.first.labels, right.first.key, right.second);
  });
  std::vector<group_view> views;
  views.reserve(all.size());
  for (auto& [seen, route] : all) views.push_back(std::move(seen));
  return views;
}

}  // namespace tocsin
