// SPDX-License-Identifier: Apache-2.0
// Lets alerts climb the levels of their escalation policy.
#include "core/escalation.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/notify_policy_routes.hpp"
#include "core/state_bytes.hpp"
#include "tocsin/alert_labels.hpp"

namespace tocsin {
namespace {

constexpr std::uint8_t record_version = 1;
constexpr std::string_view record_prefix = "escalation/";

std::string key_of(const fingerprint& print) {
  return fmt::format("{}{}", record_prefix, to_text(print));
}

/// The first step of a level after `done`; never when there is none.
instant next_step(const escalation_level& level, instant fired, instant done) {
  const instant first = fired + level.after;
  std::int64_t step = 0;
  if (done >= first) {
    if (level.every <= duration{0}) return never;
    step = (done - first) / level.every + 1;
  }
  return step < std::int64_t{level.repeat} ? first + step * level.every : never;
}

bool can_be_told(const alert& of) {
  return of.state == alert_state::firing && !of.shields.any() && !of.flapping;
}

}  // namespace

escalations::escalations(std::shared_ptr<const notify_policy> policy)
    : policy_(std::move(policy)) {}

void escalations::update(instant at, const transition& now) {
  if (policy_->escalations.empty()) return;
  if (now->state != alert_state::firing && now->state != alert_state::acknowledged) {
    forget(now->print);
    return;
  }
  const auto found = climb_of_.find(now->print);
  if (found == climb_of_.end() || climbs_[found->second].alert_id != now->alert_id) begin(now);
  const std::uint32_t place = climb_of_.at(now->print);
  climb& of = climbs_[place];
  const bool alike = of.now && of.now->texts == now->texts && of.now->severity == now->severity;
  of.now = now;
  if (!alike) {
    const std::uint32_t accepting = policy_for(*now);
    if (accepting != of.policy) {
      of.policy = accepting;
      of.done = of.fired - duration{1};
      mark(of, place);
    }
  }
  schedule(of, place, at);
}

void escalations::begin(const transition& now) {
  const auto [found, is_new] = climb_of_.try_emplace(now->print, no_index);
  if (is_new) found->second = climbs_.take();
  climb& of = climbs_[found->second];
  of.alert_id = now->alert_id;
  of.now = nullptr;
  of.fired = now->at;
  of.done = of.fired - duration{1};
  of.due = never;
  of.policy = no_index;
  mark(of, found->second);
}

void escalations::forget(const fingerprint& print) {
  const auto found = climb_of_.find(print);
  if (found == climb_of_.end()) return;
  if (climbs_[found->second].stored) gone_.push_back(key_of(print));
  climbs_.give_back(found->second);
  climb_of_.erase(found);
}

std::uint32_t escalations::policy_for(const alert& of) const {
  const auto& all = policy_->escalations;
  const auto accepts = [&of](const escalation_policy& each) { return matches(each.matchers, of); };
  const auto found = std::find_if(all.begin(), all.end(), accepts);
  return found == all.end() ? no_index : static_cast<std::uint32_t>(found - all.begin());
}

void escalations::schedule(climb& of, std::uint32_t place, instant at) {
  instant due = never;
  if (of.policy != no_index && can_be_told(*of.now)) {
    for (const escalation_level& level : policy_->escalations[of.policy].levels)
      due = std::min(due, next_step(level, of.fired, of.done));
    // What was missed is due now, unless it waits for its turn already.
    if (due < at) due = of.due < at ? of.due : at;
  }
  if (due == of.due) return;
  of.due = due;
  due_.add(due, place);
}

std::optional<instant> escalations::next_due() {
  return due_.first([this](std::uint32_t place) { return climbs_[place].due; });
}

void escalations::run(instant at, std::vector<notice_ptr>& into) {
  due_.take(
      at, [this](std::uint32_t place) { return climbs_[place].due; }, due_places_);
  const auto rank = [this](std::uint32_t place) {
    const climb& of = climbs_[place];
    return std::pair{std::string_view{policy_->escalations[of.policy].name}, of.alert_id};
  };
  std::sort(due_places_.begin(), due_places_.end(),
            [&rank](std::uint32_t left, std::uint32_t right) { return rank(left) < rank(right); });
  for (const std::uint32_t place : due_places_) {
    climb& of = climbs_[place];
    if (of.due != at) continue;  // The queue may name it twice.
    tell(of, at, into);
    of.done = at;
    of.due = never;
    mark(of, place);
    schedule(of, place, at);
  }
}

void escalations::tell(climb& of, instant at, std::vector<notice_ptr>& into) {
  const escalation_policy& said = policy_->escalations[of.policy];
  for (std::size_t at_level = 0; at_level < said.levels.size(); ++at_level) {
    const escalation_level& level = said.levels[at_level];
    if (next_step(level, of.fired, of.done) > at) continue;
    for (const std::string& receiver : level.receivers) {
      if (!appetite_of(*policy_, receiver).firing) continue;
      auto made = std::make_shared<notice>();
      made->kind = notice_kind::escalation;
      made->receiver = receiver;
      made->group_key = fmt::format("escalation/{}:{}", said.name, to_text(of.alert_id));
      const std::string_view name = alert_label(*of.now, "alertname");
      if (!name.empty()) made->group_labels.emplace_back("alertname", name);
      made->at = at;
      made->alerts.push_back(of.now);
      made->level = static_cast<std::uint32_t>(at_level + 1);
      const std::string at_ms = std::to_string(to_unix_ms(at));
      const std::string level_text = std::to_string(made->level);
      const key_part parts[] = {{"group", made->group_key}, {"at", at_ms}, {"level", level_text}};
      made->id = to_text(fingerprint_of(receiver, parts));
      into.push_back(std::move(made));
    }
  }
}

void escalations::mark(climb& of, std::uint32_t place) {
  if (!of.changed) changed_.push_back(place);
  of.changed = true;
}

void escalations::take_changed(std::vector<group_record>& into) {
  for (std::string& key : gone_) into.push_back({std::move(key), {}});
  gone_.clear();
  for (const std::uint32_t place : changed_) {
    climb& of = climbs_[place];
    if (!of.changed || !of.now) continue;  // Its place was given back.
    of.changed = false;
    of.stored = true;
    std::string bytes;
    state_writer out{bytes};
    out.put(record_version);
    out.put(of.now->print);
    out.put(of.alert_id);
    out.put(of.fired);
    out.put(of.done);
    out.put_text(of.policy == no_index ? std::string_view{}
                                       : std::string_view{policy_->escalations[of.policy].name});
    into.push_back({key_of(of.now->print), std::move(bytes)});
  }
  changed_.clear();
}

void escalations::forget_changed() {
  gone_.clear();
  for (const std::uint32_t place : changed_) climbs_[place].changed = false;
  changed_.clear();
}

bool escalations::restore(const group_record& record) {
  if (!record.key.starts_with(record_prefix)) return false;
  state_reader from{record.bytes};
  const bool known = from.take<std::uint8_t>() == record_version;
  const fingerprint print = from.take_fingerprint();
  climb read;
  read.alert_id = from.take_fingerprint();
  read.fired = from.take_instant();
  read.done = from.take_instant();
  const std::string_view name = from.take_text();
  const auto& all = policy_->escalations;
  if (!known || from.failed() || !from.at_end() || all.empty()) {
    gone_.push_back(record.key);
    return true;
  }
  const auto named = std::find_if(
      all.begin(), all.end(), [name](const escalation_policy& each) { return each.name == name; });
  if (name.data() != nullptr && named != all.end())
    read.policy = static_cast<std::uint32_t>(named - all.begin());
  read.stored = true;
  const auto [found, is_new] = climb_of_.try_emplace(print, no_index);
  if (is_new) found->second = climbs_.take();
  climbs_[found->second] = std::move(read);
  return true;
}

}  // namespace tocsin
