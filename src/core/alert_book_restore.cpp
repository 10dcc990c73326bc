// SPDX-License-Identifier: Apache-2.0
// Going on with what was stored, and saying what changed.
#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/alert_keeper.hpp"

namespace tocsin {
namespace {

using trigger = alert_trigger;

constexpr std::string_view incident_prefix = "incident/";
constexpr std::string_view assign_prefix = "assign/";

/// How much longer than its windows need an alert is waited for after a restart.
constexpr duration confirm_slack = std::chrono::seconds{1};

absl::flat_hash_map<std::string_view, std::uint32_t> indices_of(const rule_set& rules) {
  absl::flat_hash_map<std::string_view, std::uint32_t> indices;
  for (const rule& each : rules.rules()) indices.emplace(each.name, each.index);
  for (const auto which : {rule_set::built_in::overflow, rule_set::built_in::failure}) {
    const std::uint32_t index = rules.index_of(which);
    indices.emplace(rules.rule_at(index).name, index);
  }
  return indices;
}

template <class T>
void append(std::vector<T>& to, std::vector<T> from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

}  // namespace

bool book_changes::empty() const noexcept {
  return transitions.empty() && alerts.empty() && silences.empty() && silences_gone.empty() &&
         groups.empty() && notices.empty() && facts.empty();
}

alert_keeper::alert_keeper(std::shared_ptr<const rule_set> rules,
                           std::shared_ptr<const alert_policy> policy)
    : rules_(std::move(rules)),
      policy_(policy ? std::move(policy) : std::make_shared<const alert_policy>()),
      inhibits_(!policy_->notify->inhibit_rules.empty()),
      notifies_(policy_->notify->routed || !policy_->notify->escalations.empty()),
      inhibitor_(policy_->notify->inhibit_rules),
      incidents_(policy_->incidents),
      assigner_(policy_->assignment),
      dispatcher_(policy_->notify),
      mutes_(dispatcher_.has_intervals()),
      memory_(policy_->detect_flapping ? policy_->flap_memory : duration::zero()) {}

book_changes alert_keeper::restore(book_state stored, instant clock, bool windows_kept) {
  clock_ = stored.clock;
  seq_ = stored.seq;
  for (silence& each : stored.silences) silences_.restore(std::move(each));
  // What is due at the very clock that was stored has not run yet.
  const instant before = clock_ - duration{1};
  (void)silences_.advance(before);
  silences_due_ = silences_.next_change(before).value_or(no_time);
  restore_facts(stored.facts);
  for (const group_record& each : stored.groups) dispatcher_.restore(each);
  restore_alerts(std::move(stored.alerts));
  if (mutes_ && entries_.size() > 0) minute_due_ = next_minute(before);
  clock = std::max(clock, clock_);
  entries_.for_each([&](active_alert& of) {
    // Another condition is not met because the one before was.
    const bool changed =
        of.rule != no_rule && of.now->revision != rules_->rule_at(of.rule).revision;
    if (!windows_kept || changed) doubt(of, clock);
    return true;
  });
  // Groups are told of alerts as they are now: what they would have told meanwhile is of the past.
  restoring_ = true;
  restore_surroundings();
  run_timers(clock);
  clock_ = clock;
  settle_rules(clock);
  restoring_ = false;
  tell_groups();
  return take_changes();
}

void alert_keeper::restore_facts(const std::vector<std::pair<std::string, std::string>>& facts) {
  for (const auto& [key, value] : facts) {
    const std::string_view name = key;
    bool known = false;
    if (name.starts_with(assign_prefix)) {
      known = assigner_.restore(name.substr(assign_prefix.size()), value);
    } else if (name.starts_with(incident_prefix)) {
      known = incidents_.restore(value);
    } else {
      known = memory_.restore(name, value);
    }
    // Of rules that are gone, or of nobody: not to be kept for ever.
    if (!known) facts_.emplace_back(key, "");
  }
}

void alert_keeper::restore_alerts(std::vector<alert_record> stored) {
  const auto indices = indices_of(*rules_);
  for (alert_record& each : stored) {
    std::uint32_t index = no_rule;
    if (each.now->origin == alert_origin::rule) {
      const auto found = indices.find(each.now->rule);
      if (found != indices.end()) index = found->second;
    }
    active_alert& of = entries_.add(std::move(each.now), index);
    of.found_at = clock_;
    of.shields_stale = false;
    // What the book knew beside it is of a version that nobody reads: counted, its clocks begin
    // anew.
    if (!read_entry_bytes(each.bytes, of)) ++failed_["restore"];
  }
}

void alert_keeper::doubt(active_alert& of, instant clock) {
  if (of.rule == no_rule) return;
  const rule_spec& spec = spec_of(of);
  of.unconfirmed_until = clock + spec.window.size + spec.lateness.value_or(duration::zero()) +
                         spec.keep_firing_for + confirm_slack;
  entries_.touch(of);
}

bool alert_keeper::plausible_mutes(const alert& of) const {
  if (!mutes_) return of.shields.muted_by.empty();
  // Who began at this very clock knows what holds now, who began before what held until now: the
  // minute's turn is still to come.
  const auto now = dispatcher_.muted_by(of, clock_);
  const auto before = dispatcher_.muted_by(of, clock_ - duration{1});
  return of.shields.muted_by == now || of.shields.muted_by == before;
}

void alert_keeper::restore_surroundings() {
  std::vector<active_alert*> all;
  entries_.for_each([&](active_alert& of) {
    all.push_back(&of);
    return true;
  });
  for (active_alert* const of : all) {
    // Whom it concerns is of no interest: all are asked below.
    if (inhibits_) (void)inhibitor_.update(*of->now, true, of->is_firing());
    of->inhibitor_stale = false;
  }
  for (active_alert* const of : all) {
    // Settings may have changed what shields it.
    of->shields_stale = (inhibits_ ? inhibitor_.inhibited_by(of->now->print)
                                   : std::vector<std::string>{}) != of->now->shields.inhibited_by ||
                        !plausible_mutes(*of->now);
  }
  for (active_alert* const of : all) concerned_.push_back(of->now->print);
  look_at_concerned(clock_);
}

void alert_keeper::settle_rules(instant clock) {
  std::vector<fingerprint> all;
  entries_.for_each([&](const active_alert& of) {
    all.push_back(of.now->print);
    return true;
  });
  for (const fingerprint& print : all) {
    active_alert* const of = entries_.find(print);
    if (of == nullptr) continue;
    const alert& now = *of->now;
    const bool gone = now.origin == alert_origin::rule ? of->rule == no_rule
                                                       : now.origin == alert_origin::incident &&
                                                             incidents_.members_of(print).empty();
    if (gone) {
      move(*of, trigger::forsaken, clock, {"rule removed", "checker"});
      (void)look(*of, {clock, false});
    } else if (of->rule != no_rule && now.revision != rules_->rule_at(of->rule).revision) {
      const rule& by = rules_->rule_at(of->rule);
      draft next = draft_of(*of);
      next->revision = by.revision;
      next->condition = by.condition;
      move(*of, trigger::marked, clock, {"rule changed", "checker"}, std::move(next));
      (void)look(*of, {clock, false});
    }
  }
}

void alert_keeper::tell_groups() {
  if (!notifies_) return;
  entries_.for_each([&](active_alert& of) {
    dispatcher_.update(clock_, of.now);
    of.untold = false;
    return true;
  });
  retry_ended(clock_);
}

book_changes alert_keeper::take_changes() {
  forget_old(clock_);
  book_changes changes;
  changes.clock = clock_;
  changes.transitions = std::exchange(transitions_, {});
  changes.alerts = entries_.take_changed();
  changes.silences = silences_.take_changed();
  changes.silences_gone = std::exchange(silences_gone_, {});
  changes.groups = dispatcher_.take_changed();
  changes.notices = std::exchange(notices_, {});
  changes.facts = std::exchange(facts_, {});
  append(changes.facts, memory_.take_changed());
  for (auto& [key, value] : assigner_.take_changed()) {
    changes.facts.emplace_back(std::string{assign_prefix} + key, std::move(value));
  }
  for (auto& [print, bytes] : incidents_.take_changed()) {
    changes.facts.emplace_back(std::string{incident_prefix} + to_text(print), std::move(bytes));
  }
  return changes;
}

}  // namespace tocsin
