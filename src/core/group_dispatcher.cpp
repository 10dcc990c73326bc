// SPDX-License-Identifier: Apache-2.0
// Runs groups and escalations in one order of time.
#include "tocsin/group_dispatcher.hpp"

#include <algorithm>
#include <utility>

#include "core/escalation.hpp"
#include "core/notice_groups.hpp"

namespace tocsin {
namespace {

void sort_once(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

}  // namespace

struct group_dispatcher::state {
  explicit state(std::shared_ptr<const notify_policy> said)
      : policy(said), groups(said), climbs(std::move(said)) {}

  std::shared_ptr<const notify_policy> policy;
  notice_groups groups;
  escalations climbs;
};

group_dispatcher::group_dispatcher(std::shared_ptr<const notify_policy> policy)
    : state_(std::make_unique<state>(std::move(policy))) {}
group_dispatcher::~group_dispatcher() = default;
group_dispatcher::group_dispatcher(group_dispatcher&&) noexcept = default;

void group_dispatcher::update(instant at, const transition& now) {
  if (state_->policy->routed) state_->groups.update(at, now);
  state_->climbs.update(at, now);
}

std::optional<instant> group_dispatcher::next_due() const {
  const auto group = state_->groups.next_due();
  const auto climb = state_->climbs.next_due();
  if (!group || !climb) return group ? group : climb;
  return std::min(*group, *climb);
}

std::vector<notice_ptr> group_dispatcher::run(instant at) {
  std::vector<notice_ptr> told;
  for (auto due = next_due(); due && *due <= at; due = next_due()) {
    // "escalation/..." is before the groups' keys, which begin with a brace.
    if (state_->climbs.next_due() == due) state_->climbs.run(*due, told);
    if (state_->groups.next_due() == due) state_->groups.run(*due, told);
  }
  return told;
}

std::size_t group_dispatcher::size() const noexcept {
  return state_->groups.size();
}

std::vector<std::string> group_dispatcher::muted_by(const alert& of, instant at) const {
  std::vector<std::string> names;
  if (!has_intervals()) return names;
  std::vector<std::uint32_t> taken;
  state_->groups.routes().routes_of(of, taken);
  for (const std::uint32_t route : taken) {
    const auto& muting_it = state_->groups.routes().muted_by(route, at);
    names.insert(names.end(), muting_it.begin(), muting_it.end());
  }
  sort_once(names);
  return names;
}

bool group_dispatcher::has_intervals() const noexcept {
  return state_->policy->routed && state_->groups.routes().has_intervals();
}

std::vector<group_view> group_dispatcher::groups() const {
  return state_->groups.view();
}

std::vector<std::string> group_dispatcher::receivers_of(const alert& of) const {
  std::vector<std::string> names;
  if (!state_->policy->routed) return names;
  for (const notify_route* route : routes_of(state_->policy->root, of))
    names.push_back(route->receiver);
  sort_once(names);
  return names;
}

std::vector<group_record> group_dispatcher::take_changed() {
  std::vector<group_record> records;
  state_->groups.take_changed(records);
  state_->climbs.take_changed(records);
  std::stable_sort(
      records.begin(), records.end(),
      [](const group_record& left, const group_record& right) { return left.key < right.key; });
  // Of one key the last counts: from behind it is the first of its equals.
  const auto kept = std::unique(records.rbegin(), records.rend(),
                                [](const group_record& later, const group_record& earlier) {
                                  return later.key == earlier.key;
                                });
  records.erase(records.begin(), kept.base());
  return records;
}

void group_dispatcher::forget_changed() {
  state_->groups.forget_changed();
  state_->climbs.forget_changed();
}

void group_dispatcher::restore(const group_record& record) {
  if (state_->climbs.restore(record)) return;
  if (state_->policy->routed && state_->groups.restore(record)) return;
  state_->groups.drop(record.key);
}

}  // namespace tocsin
