// SPDX-License-Identifier: Apache-2.0
// How an alert changes: transitions, updates, and what its first transition says already.
#include <algorithm>
#include <cassert>
#include <utility>

#include "core/alert_keeper.hpp"

namespace tocsin {

void alert_keeper::update(active_alert& of, draft next) {
  of.now = std::move(next);
  entries_.count(of);
  of.untold = true;
  of.incidents_stale = true;
  entries_.touch(of);
}

std::optional<error> alert_keeper::try_move(active_alert& of, alert_trigger trigger, instant at,
                                            const move_words& words, draft next) {
  const alert_state from = of.now->state;
  const auto to = next_state(from, trigger);
  if (!to) return to.failure();
  if (!next) next = draft_of(of);
  next->previous_state = from;
  next->state = *to;
  next->at = at;
  next->cause = texts_.share(words.cause);
  next->actor = texts_.share(words.actor);
  next->note = words.note;
  next->flapping = of.flaps.flapping();
  if (*to == alert_state::resolved) next->resolved_at = at;
  if (*to == alert_state::closed) next->closed_at = at;
  if (from == alert_state::none) shield_first(of, *next, at);
  const bool fires =
      *to == alert_state::firing && (from == alert_state::none || from == alert_state::pending);
  const bool told = fires && begin_firing(of, *next, at);
  ++next->number;
  next->seq = ++seq_;
  if (from == alert_state::pending || !is_active(*to)) of.inhibitor_stale = true;
  update(of, std::move(next));
  of.incidents_stale = !told;
  transitions_.push_back(of.now);
  return std::nullopt;
}

void alert_keeper::move(active_alert& of, alert_trigger trigger, instant at,
                        const move_words& words, draft next) {
  [[maybe_unused]] const auto refused = try_move(of, trigger, at, words, std::move(next));
  assert(!refused);
}

active_alert& alert_keeper::begin(draft fresh, std::uint32_t rule, alert_trigger trigger,
                                  instant at, const move_words& words) {
  active_alert before;
  memory_.give_back(before, fresh->print, at);
  active_alert& of = entries_.add(fresh, rule);
  of.flaps = before.flaps;
  of.evaluated_at = before.evaluated_at;
  if (trigger == alert_trigger::met_at_once && fresh->origin != alert_origin::incident) {
    evaluate(of, true, at);
  }
  if (mutes_ && minute_due_ == no_time) minute_due_ = next_minute(at);
  move(of, trigger, at, words, std::move(fresh));
  return of;
}

void alert_keeper::shield_first(active_alert& of, alert& fresh, instant at) {
  const bool done = guarded("shield", [&] {
    if (inhibits_) tell_inhibitor(fresh);
    of.inhibitor_stale = false;
    fresh.shields = shields_of(fresh, at);
    of.shields_stale = false;
  });
  of.failed |= !done;
}

bool alert_keeper::begin_firing(active_alert& of, alert& next, instant at) {
  bool told = false;
  const bool done = guarded("notification", [&] {
    if (next.assignee.empty()) next.assignee = assigner_.assign(at, next).to;
    if (next.origin == alert_origin::incident || policy_->incidents.empty()) return;
    std::vector<incident_news> news = incidents_.update(at, next);
    told = true;
    for (const incident_news& each : news) {
      // One that is raised by this very alert has no id yet: it joins with a transition of its own.
      const active_alert* const incident = entries_.find(each.print);
      const bool joins =
          std::find(each.joined.begin(), each.joined.end(), next.print) != each.joined.end();
      if (joins && incident != nullptr && !next.incident_id) {
        next.incident_id = incident->now->alert_id;
      }
    }
    std::move(news.begin(), news.end(), std::back_inserter(news_));
  });
  of.failed |= !done;
  return told;
}

void alert_keeper::evaluate(active_alert& of, bool firing, instant at) {
  if (!policy_->detect_flapping) return;
  constexpr duration pause = std::chrono::seconds{1};
  const bool before = (of.flaps.bits() & 1U) != 0;
  if (of.evaluated_at != no_time && firing == before && at - of.evaluated_at < pause) return;
  of.flaps.evaluate(firing);
  of.evaluated_at = at;
  entries_.touch(of);
}

}  // namespace tocsin
