// SPDX-License-Identifier: Apache-2.0
// The chain of checks that an alert goes through: one table, each by itself.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/alert_keeper.hpp"

namespace tocsin {
namespace {

using trigger = alert_trigger;

/// How long after a check threw the alert is looked at again.
constexpr duration retry_after = std::chrono::seconds{1};

struct shield_words {
  std::string_view began;
  std::string_view ended;
};

/// The cause of a change of shields. `changes`: the kinds that changed, with what they were and
/// are.
std::string_view cause_of(const alert_shields& before, const alert_shields& after) {
  std::string_view cause;
  const auto look = [&](const std::vector<std::string>& was, const std::vector<std::string>& is,
                        const shield_words& words) {
    if (was == is) return;
    const bool plain = cause.empty() && was.empty() != is.empty();
    cause = !plain ? "shields changed" : is.empty() ? words.ended : words.began;
  };
  look(before.silenced_by, after.silenced_by, {"silenced", "no longer silenced"});
  look(before.inhibited_by, after.inhibited_by, {"inhibited", "no longer inhibited"});
  look(before.muted_by, after.muted_by, {"muted", "no longer muted"});
  return cause;
}

}  // namespace

const std::vector<alert_keeper::check>& alert_keeper::checks() {
  static const std::vector<check> table{
      {"next_state", &alert_keeper::check_next_state},
      {"close", &alert_keeper::check_close},
      {"recover", &alert_keeper::check_recover},
      {"shield", &alert_keeper::check_shield},
      {"acknowledge_expiry", &alert_keeper::check_acknowledge_expiry},
      {"severity", &alert_keeper::check_severity},
      {"notification", &alert_keeper::check_notification},
  };
  return table;
}

void alert_keeper::check_next_state(active_alert& of, const moment& now) {
  if (of.now->state != alert_state::pending || of.rule == no_rule) return;
  // Its windows began empty with a restart: nobody knows yet whether its condition held on.
  if (of.unconfirmed_until != no_time) return;
  const duration wanted = spec_of(of).pending_for;
  if (!now.passed(later(of.now->started_at, wanted))) return;
  evaluate(of, true, now.at);
  move(of, trigger::held, now.at,
       {fmt::format("condition held for {}", format_duration(wanted)), "rule"});
}

void alert_keeper::check_close(active_alert& of, const moment& now) {
  if (of.rule == no_rule || !of.is_firing()) return;
  const duration longest = spec_of(of).close_after;
  if (longest == duration::zero() || !now.passed(later(of.found_at, longest))) return;
  move(of, trigger::forsaken, now.at,
       {fmt::format("no data for {}", format_duration(longest)), "checker"});
}

void alert_keeper::check_recover(active_alert& of, const moment& now) {
  if (!is_active(of.now->state)) return;
  if (of.cleared_at != no_time && of.rule != no_rule && of.is_firing() &&
      now.passed(later(of.cleared_at, spec_of(of).keep_firing_for))) {
    move(of, trigger::cleared, now.at, {"condition cleared", "rule"});
  } else if (now.passed(of.unconfirmed_until)) {
    move(of, trigger::cleared, now.at, {"not met since the restart", "checker"});
  } else if (of.now->posted && now.passed(of.now->posted->ends_at)) {
    evaluate(of, false, now.at);
    move(of, trigger::cleared, now.at, {"end time passed", "checker"});
  }
}

void alert_keeper::check_shield(active_alert& of, const moment& now) {
  if (std::exchange(of.inhibitor_stale, false) && inhibits_) tell_inhibitor(*of.now);
  if (!is_active(of.now->state)) return;
  if (of.flaps.flapping() != of.now->flapping) {
    move(of, trigger::marked, now.at,
         {of.flaps.flapping() ? "flapping" : "flapping ended", "checker"});
  }
  if (!of.shields_stale) return;
  alert_shields fresh = shields_of(*of.now, now.at);
  of.shields_stale = false;
  const std::string_view cause = cause_of(of.now->shields, fresh);
  if (cause.empty()) return;
  draft next = draft_of(of);
  next->shields = std::move(fresh);
  move(of, trigger::marked, now.at, {std::string{cause}, "checker"}, std::move(next));
}

void alert_keeper::check_acknowledge_expiry(active_alert& of, const moment& now) {
  if (of.now->state != alert_state::acknowledged) return;
  const auto& until = of.now->acknowledged->until;
  if (!until || !now.passed(*until)) return;
  draft next = draft_of(of);
  next->acknowledged.reset();
  move(of, trigger::unacknowledged, now.at, {"acknowledge expired", "checker"}, std::move(next));
}

void alert_keeper::check_severity(active_alert& of, const moment& now) {
  if (!of.is_firing() || of.found_severity == of.now->severity) return;
  const bool worse = of.found_severity < of.now->severity;
  draft next = draft_of(of);
  next->severity = of.found_severity;
  if (worse) next->acknowledged.reset();
  move(of, worse ? trigger::upgraded : trigger::downgraded, now.at,
       {worse ? "severity upgraded" : "severity downgraded",
        of.now->origin == alert_origin::rule ? "rule" : "checker"},
       std::move(next));
  // The severity is a label: it may be shielded otherwise now, and shield others.
  of.inhibitor_stale = true;
  of.shields_stale = true;
  concerned_.push_back(of.now->print);
}

void alert_keeper::check_notification(active_alert& of, const moment& now) {
  const bool tell_incidents = of.incidents_stale && !policy_->incidents.empty() &&
                              of.now->origin != alert_origin::incident &&
                              of.now->state != alert_state::pending;
  of.incidents_stale = false;
  if (tell_incidents) {
    std::vector<incident_news> fresh = incidents_.update(now.at, *of.now);
    std::move(fresh.begin(), fresh.end(), std::back_inserter(news_));
  }
  hear_news();
  if (!of.untold || restoring_) return;
  if (notifies_) dispatcher_.update(now.at, of.now);
  of.untold = false;
}

alert_shields alert_keeper::shields_of(const alert& of, instant at) const {
  alert_shields found;
  if (silences_.size() > 0) found.silenced_by = silences_.silencing(of, at);
  if (inhibits_) found.inhibited_by = inhibitor_.inhibited_by(of.print);
  if (mutes_) found.muted_by = dispatcher_.muted_by(of, at);
  return found;
}

void alert_keeper::tell_inhibitor(const alert& now) {
  const bool firing = now.state == alert_state::firing || now.state == alert_state::acknowledged;
  for (const fingerprint& each : inhibitor_.update(now, is_active(now.state), firing)) {
    active_alert* const target = entries_.find(each);
    if (target == nullptr) continue;
    target->shields_stale = true;
    if (each != now.print) concerned_.push_back(each);
  }
}

transition alert_keeper::look(active_alert& of, const moment& now) {
  const fingerprint alert_id = of.now->alert_id;
  transition after = look_at_one(of, now);
  look_at_concerned(now.at);
  const active_alert* const still = entries_.find_id(alert_id);
  return still != nullptr ? still->now : after;
}

void alert_keeper::look_at_concerned(instant at) {
  // This ends: who is looked at because of others has new shields, a new severity or a new incident
  // at most, and others are concerned by a severity only once.
  for (std::size_t i = 0; i < concerned_.size(); ++i) {
    active_alert* const other = entries_.find(concerned_[i]);
    if (other != nullptr) (void)look_at_one(*other, {at, false});
    if (!news_.empty()) (void)guarded("notification", [&] { hear_news(); });
  }
  concerned_.clear();
}

transition alert_keeper::look_at_one(active_alert& of, const moment& now) {
  for (const check& each : checks()) {
    of.failed |= !guarded(each.name, [&] { (this->*each.run)(of, now); });
  }
  if (!is_active(of.now->state)) return end(of);
  of.failed_before = std::exchange(of.failed, false);
  instant next = deadline_of(of);
  // A clock that ran out is dealt with, unless its check threw.
  if (now.by_timer) next = std::max(next, now.at + duration{1});
  if (of.failed_before) next = now.at + retry_after;
  entries_.queue(of, next);
  return of.now;
}

instant alert_keeper::deadline_of(const active_alert& of) const {
  const alert& now = *of.now;
  instant first = of.unconfirmed_until;
  const auto add = [&](instant deadline) { first = std::min(first, deadline); };
  if (now.state == alert_state::acknowledged && now.acknowledged->until) {
    add(*now.acknowledged->until);
  }
  if (now.posted) add(now.posted->ends_at);
  if (of.rule == no_rule) return first;
  const rule_spec& spec = spec_of(of);
  if (now.state == alert_state::pending) {
    if (of.unconfirmed_until == no_time) add(later(now.started_at, spec.pending_for));
    return first;
  }
  if (of.cleared_at != no_time) add(later(of.cleared_at, spec.keep_firing_for));
  if (spec.close_after != duration::zero()) add(later(of.found_at, spec.close_after));
  return first;
}

transition alert_keeper::end(active_alert& of) {
  memory_.keep(of, of.now->at);
  std::unique_ptr<active_alert> ended = entries_.remove(of);
  transition last = ended->now;
  if (std::exchange(ended->failed, false) || ended->untold) ended_.push_back(std::move(ended));
  return last;
}

void alert_keeper::retry_ended(instant at) {
  // Whoever was not told that an alert has ended would keep it for ever.
  for (auto& each : std::exchange(ended_, {})) {
    active_alert& of = *each;
    if (entries_.find(of.now->print) != nullptr)
      continue;  // The next of its name has taken its place.
    bool done = guarded("shield", [&] { check_shield(of, {at, false}); });
    done &= guarded("notification", [&] { check_notification(of, {at, false}); });
    if (!done) ended_.push_back(std::move(each));
  }
  look_at_concerned(at);
}

}  // namespace tocsin
