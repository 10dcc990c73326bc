// SPDX-License-Identifier: Apache-2.0
// What a group tells when it is looked at: Alertmanager's deduplication (notify.go, needsUpdate),
// with acknowledges, flapping, and resolutions of shielded alerts beside it.
#include <algorithm>
#include <tuple>

#include "core/notice_groups.hpp"

namespace tocsin {

bool told_before(const transition& left, const transition& right) {
  const auto rank = [](const alert& of) {
    return std::tuple{!is_active(of), of.started_at, of.alert_id};
  };
  return rank(*left) < rank(*right);
}

std::optional<instant> notice_groups::next_due() {
  settle();
  catch_up();
  return due_.first([this](std::uint32_t group_at) { return groups_[group_at].due; });
}

void notice_groups::run(instant at, std::vector<notice_ptr>& into) {
  restored_groups_.clear();
  const auto due_of = [this](std::uint32_t group_at) { return groups_[group_at].due; };
  due_.take(at, due_of, due_groups_);
  if (due_groups_.size() > 1) {
    const auto rank = [this](std::uint32_t group_at) {
      const group& of = groups_[group_at];
      return std::tuple{of.key.view(), routes_[of.route].receiver.view(), of.route};
    };
    std::sort(
        due_groups_.begin(), due_groups_.end(),
        [&rank](std::uint32_t left, std::uint32_t right) { return rank(left) < rank(right); });
  }
  for (const std::uint32_t group_at : due_groups_) {
    // The queue may name a group twice.
    if (groups_[group_at].due == at) flush(group_at, at, into);
  }
  looked_at_ = at;
  looked_changed_ = true;
}

void notice_groups::flush(std::uint32_t group_at, instant at, std::vector<notice_ptr>& into) {
  group& of = groups_[group_at];
  const bool was_flushed = of.flushed;
  const bool was_muted = of.muted;
  of.flushed = true;
  if (!routes_.muted_by(of.route, at).empty()) {
    of.muted = true;
  } else {
    look_at(group_at, at);
    const bool due_again = look_.repeatable && of.notices != 0 &&
                           at - of.told_at >= routes_[of.route].route->repeat_interval;
    const bool somebody = !look_.firing.empty() || !look_.resolved.empty();
    if (somebody && (look_.news || due_again)) {
      into.push_back(told_notice(group_at, at));
      note_told();
    }
    of.muted = false;
  }
  if (of.first == no_index) {
    remove_group(group_at);
    return;
  }
  if (!was_flushed || was_muted != of.muted) mark(of, group_at);
  set_due(group_at, at + routes_[of.route].interval);
}

void notice_groups::look_at(std::uint32_t group_at, instant at) {
  look_.firing.clear();
  look_.resolved.clear();
  look_.news = look_.repeatable = false;
  const group& of = groups_[group_at];
  for (std::uint32_t each = of.first; each != no_index;) {
    const member& in = members_[each];
    const std::uint32_t next = in.next;
    if (!in.now) {
      remove_member(each);  // It was active when it was stored, and has not come back.
    } else if (is_ended(*in.now)) {
      look_at_ended(of, each, at);
    } else if (!in.left && !is_shielded(*in.now)) {
      look_at_active(of, each);
    }
    each = next;
  }
}

void notice_groups::look_at_ended(const group& of, std::uint32_t member_at, instant at) {
  const member& in = members_[member_at];
  const bool calm =
      !in.now->flapping || at - in.now->at >= routes_[of.route].route->repeat_interval;
  if (in.what != told::firing) {
    if (calm) remove_member(member_at);
  } else if (calm || !in.told_flapping) {
    if (routes_[of.route].takes.resolved) {
      look_.resolved.push_back(member_at);
      look_.news = true;
    } else {
      remove_member(member_at);
    }
  }
}

void notice_groups::look_at_active(const group& of, std::uint32_t member_at) {
  const member& in = members_[member_at];
  const bool flaps = in.now->flapping;
  if ((flaps && in.told_flapping) || !routes_[of.route].takes.firing) return;
  const bool seen_to = in.now->state == alert_state::acknowledged;
  const bool new_to_them = flaps || in.what != told::firing;
  const bool anew = (in.again || of.muted) && !seen_to;
  look_.firing.push_back(member_at);
  look_.news = look_.news || new_to_them || anew;
  look_.repeatable = look_.repeatable || (!seen_to && !flaps);
}

notice_ptr notice_groups::told_notice(std::uint32_t group_at, instant at) {
  group& of = groups_[group_at];
  ++of.notices;
  of.told_at = at;
  mark(of, group_at);
  auto made = std::make_shared<notice>();
  made->kind = notice_kind::group;
  made->receiver = routes_[of.route].receiver;
  made->group_key = of.key;
  made->at = at;
  made->alerts.reserve(look_.firing.size() + look_.resolved.size());
  for (const auto* members : {&look_.firing, &look_.resolved}) {
    for (const std::uint32_t each : *members) made->alerts.push_back(members_[each].now);
  }
  std::sort(made->alerts.begin(), made->alerts.end(), told_before);
  made->group_labels = routes_.group_labels(of.route, *made->alerts.front());
  const std::string occurrence = std::to_string(routes_[of.route].occurrence);
  const std::string at_ms = std::to_string(to_unix_ms(at));
  const std::string count = std::to_string(of.notices);
  const key_part parts[] = {
      {"group", made->group_key}, {"occurrence", occurrence}, {"at", at_ms}, {"count", count}};
  made->id = to_text(fingerprint_of(made->receiver, parts));
  return made;
}

void notice_groups::note_told() {
  for (const std::uint32_t each : look_.firing) {
    member& in = members_[each];
    const bool flaps = in.now->flapping;
    if (in.what != told::firing || in.again || in.told_flapping != flaps) mark(in, each);
    in.what = told::firing;
    in.again = false;
    in.told_flapping = flaps;
  }
  for (const std::uint32_t each : look_.resolved) {
    member& in = members_[each];
    // That it flaps was told with this resolution, or before it and it has been calm since.
    if (in.now->flapping && !in.told_flapping) {
      in.what = told::resolved;
      in.told_flapping = true;
      in.again = false;
      mark(in, each);
    } else {
      remove_member(each);
    }
  }
}

}  // namespace tocsin
