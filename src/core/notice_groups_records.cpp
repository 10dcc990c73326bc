// SPDX-License-Identifier: Apache-2.0
// What of groups outlasts a restart: a record of each group's timers, one of each alert that was
// told of and is not told to have ended, and one of the last look.
#include <fmt/format.h>

#include "core/notice_groups.hpp"
#include "core/state_bytes.hpp"

namespace tocsin {
namespace {

constexpr std::uint8_t record_version = 1;
constexpr std::string_view group_prefix = "group/";
constexpr std::string_view told_prefix = "told/";
constexpr std::string_view looked_key = "looked";

}  // namespace

std::string notice_groups::key_of(const group& of) const {
  return fmt::format("{}{}", group_prefix, to_text(print_of(of)));
}

std::string notice_groups::key_of(const member& of) const {
  return fmt::format("{}{}/{}", told_prefix, to_text(print_of(groups_[of.group])),
                     to_text(of.print));
}

void notice_groups::mark(group& of, std::uint32_t group_at) {
  if (!of.changed) changed_groups_.push_back(group_at);
  of.changed = true;
}

void notice_groups::mark(member& of, std::uint32_t member_at) {
  if (!of.changed) changed_members_.push_back(member_at);
  of.changed = true;
}

std::string notice_groups::record_of(const group& of) const {
  std::string bytes;
  state_writer into{bytes};
  const route_table::facts& routed = routes_[of.route];
  into.put(record_version);
  into.put_text(routed.route->key);
  into.put_text(routed.route->receiver);
  into.put(routed.occurrence);
  into.put_text(labels_of(of));
  into.put(of.due);
  into.put(of.told_at);
  into.put(of.notices);
  into.put(static_cast<std::uint8_t>(of.flushed));
  into.put(static_cast<std::uint8_t>(of.muted));
  return bytes;
}

std::string notice_groups::record_of(const member& of) const {
  std::string bytes;
  state_writer into{bytes};
  into.put(record_version);
  into.put(print_of(groups_[of.group]));
  into.put(of.print);
  into.put(of.what);
  into.put(static_cast<std::uint8_t>(of.told_flapping));
  into.put(static_cast<std::uint8_t>(of.again));
  // Active alerts come back by themselves.
  const bool ended = of.now && is_ended(*of.now);
  into.put_text(ended ? alert_bytes(*of.now) : std::string{});
  return bytes;
}

void notice_groups::take_changed(std::vector<group_record>& into) {
  settle();
  for (std::string& key : gone_) into.push_back({std::move(key), {}});
  gone_.clear();
  for (const std::uint32_t group_at : changed_groups_) {
    group& of = groups_[group_at];
    if (!of.alive || !of.changed) continue;  // Its place was given back.
    of.changed = false;
    of.stored = true;
    into.push_back({key_of(of), record_of(of)});
  }
  changed_groups_.clear();
  for (const std::uint32_t member_at : changed_members_) {
    member& of = members_[member_at];
    if (of.group == no_index || !of.changed) continue;
    of.changed = false;
    of.stored = true;
    into.push_back({key_of(of), record_of(of)});
  }
  changed_members_.clear();
  if (looked_changed_ && looked_at_) {
    std::string bytes;
    state_writer looked{bytes};
    looked.put(record_version);
    looked.put(*looked_at_);
    into.push_back({std::string{looked_key}, std::move(bytes)});
  }
  looked_changed_ = false;
}

void notice_groups::forget_changed() {
  settle();
  gone_.clear();
  for (const std::uint32_t group_at : changed_groups_) groups_[group_at].changed = false;
  changed_groups_.clear();
  for (const std::uint32_t member_at : changed_members_) members_[member_at].changed = false;
  changed_members_.clear();
  looked_changed_ = false;
}

bool notice_groups::restore(const group_record& record) {
  bool known = true;
  if (record.key == looked_key) {
    state_reader from{record.bytes};
    known = from.take<std::uint8_t>() == record_version;
    const instant at = from.take_instant();
    if (known && !from.failed()) looked_at_ = at;
  } else if (record.key.starts_with(group_prefix)) {
    known = restore_group(record.bytes);
  } else if (record.key.starts_with(told_prefix)) {
    known = restore_member(record.bytes);
  } else {
    return false;
  }
  if (!known) gone_.push_back(record.key);
  unsettled_ = true;
  return true;
}

bool notice_groups::restore_group(std::string_view bytes) {
  state_reader from{bytes};
  if (from.take<std::uint8_t>() != record_version) return false;
  const std::string_view key = from.take_text();
  const std::string_view receiver = from.take_text();
  const auto route = routes_.find(key, receiver, from.take<std::uint32_t>());
  group read;
  const std::string_view labels = from.take_text();
  read.due = from.take_instant();
  read.told_at = from.take_instant();
  read.notices = from.take<std::uint32_t>();
  read.flushed = from.take<std::uint8_t>() != 0;
  read.muted = from.take<std::uint8_t>() != 0;
  if (from.failed() || !from.at_end() || !route) return false;
  const fingerprint print = routes_.group_print(*route, labels);
  if (group_of_.contains(print)) return true;
  read.route = *route;
  read.alive = read.stored = true;
  const std::uint32_t group_at = add_group(*route, print, labels);
  read.key = groups_[group_at].key;
  groups_[group_at] = std::move(read);
  restored_groups_.push_back(group_at);
  return true;
}

bool notice_groups::restore_member(std::string_view bytes) {
  state_reader from{bytes};
  if (from.take<std::uint8_t>() != record_version) return false;
  orphan read;
  read.group = from.take_fingerprint();
  read.print = from.take_fingerprint();
  const auto what = from.take<std::uint8_t>();
  read.told_flapping = from.take<std::uint8_t>() != 0;
  read.again = from.take<std::uint8_t>() != 0;
  const std::string_view ended = from.take_text();
  if (from.failed() || !from.at_end() || what > static_cast<std::uint8_t>(told::resolved))
    return false;
  read.what = static_cast<told>(what);
  if (!ended.empty()) {
    auto alert_read = alert_from_bytes(ended);
    if (!alert_read) return false;
    read.ended = std::make_shared<const alert>(std::move(alert_read).value());
  }
  orphans_.push_back(std::move(read));
  return true;
}

void notice_groups::settle() {
  if (!unsettled_) return;
  unsettled_ = false;
  for (const orphan& each : orphans_) {
    const auto in = group_of_.find(each.group);
    if (in == group_of_.end()) {
      gone_.push_back(
          fmt::format("{}{}/{}", told_prefix, to_text(each.group), to_text(each.print)));
      continue;
    }
    member& made = members_[add_member(in->second, each.print)];
    made.what = each.what;
    made.told_flapping = each.told_flapping;
    made.again = each.again;
    made.now = each.ended;
    made.stored = true;
  }
  orphans_.clear();
  for (const std::uint32_t group_at : restored_groups_) {
    group& of = groups_[group_at];
    const duration interval = routes_[of.route].interval;
    // It was looked at since its record was made, and nothing of it changed.
    if (looked_at_ && of.due <= *looked_at_)
      of.due += ((*looked_at_ - of.due) / interval + 1) * interval;
    set_due(group_at, of.due);
  }
}

}  // namespace tocsin
