// SPDX-License-Identifier: Apache-2.0
// What findings do to alerts.
#include <fmt/format.h>

#include <utility>

#include "core/alert_keeper.hpp"

namespace tocsin {

using trigger = alert_trigger;

const rule_spec& alert_keeper::spec_of(const active_alert& of) const {
  return rules_->rule_at(of.rule).spec;
}

void alert_keeper::take(finding& found) {
  active_alert* const of = entries_.find(found.print);
  if (of == nullptr) {
    // What ends or updates an alert that is not there has nothing to act on.
    if (found.what == finding::kind::met) begin(found);
    return;
  }
  switch (found.what) {
    case finding::kind::met:
    case finding::kind::updated:
      refresh(*of, found);
      break;
    case finding::kind::cleared:
      clear(*of, found);
      break;
    case finding::kind::recovered:
    case finding::kind::dismissed:
      end_by_event(*of, found);
      break;
  }
  look(*of, {found.at, false});
}

void alert_keeper::begin(finding& found) {
  const rule& by = rules_->rule_at(found.rule);
  auto fresh = std::make_shared<alert>();
  // Alerts of a key may begin with the same first event, one after the other.
  const fingerprint of_events =
      alert_id_of(found.print, by.revision, to_unix_ms(found.proof.first_event_time),
                  found.proof.first_event_position);
  fresh->alert_id = alert_id_of(of_events, "", to_unix_ms(found.at), found.position);
  fresh->print = found.print;
  fresh->rule = by.name;
  fresh->revision = by.revision;
  fresh->condition = by.condition;
  fresh->severity = found.severity;
  fresh->texts = std::move(found.texts);
  fresh->proof = std::move(found.proof);
  fresh->started_at = found.at;
  const bool waits = by.spec.pending_for > duration::zero();
  active_alert& of =
      begin(std::move(fresh), found.rule, waits ? trigger::met : trigger::met_at_once, found.at,
            {waits ? "condition met" : std::string{found.cause}, "rule"});
  of.found_at = found.at;
  look(of, {found.at, false});
}

void alert_keeper::refresh(active_alert& of, finding& found) {
  const bool pending = of.now->state == alert_state::pending;
  of.found_at = found.at;
  of.unconfirmed_until = no_time;
  // The condition holds, so what waits for it to stay false has nothing to wait for.
  of.cleared_at = no_time;
  of.found_severity = found.severity;
  if (!pending) evaluate(of, true, found.at);
  draft next = draft_of(of);
  // What is only pending has told nobody its severity yet.
  const bool other_severity = pending && next->severity != found.severity;
  if (pending) next->severity = found.severity;
  if (found.proof.event_count > 0) next->proof = std::move(found.proof);
  if (found.texts || other_severity) {
    if (found.texts) next->texts = std::move(found.texts);
    // Its labels may be others.
    of.shields_stale = true;
    of.inhibitor_stale = true;
  }
  update(of, std::move(next));
}

void alert_keeper::clear(active_alert& of, const finding& found) {
  const rule_spec& spec = rules_->rule_at(found.rule).spec;
  if (of.now->state == alert_state::pending) {
    move(of, trigger::cleared, found.at,
         {fmt::format("condition cleared before it held for {}", format_duration(spec.pending_for)),
          "rule"});
    return;
  }
  evaluate(of, false, found.at);
  if (spec.keep_firing_for == duration::zero()) {
    move(of, trigger::cleared, found.at, {std::string{found.cause}, "rule"});
  } else if (of.cleared_at == no_time) {
    of.cleared_at = found.at;
    entries_.touch(of);
  }
}

void alert_keeper::end_by_event(active_alert& of, const finding& found) {
  if (of.is_firing()) evaluate(of, false, found.at);
  move(of, found.what == finding::kind::recovered ? trigger::recovered : trigger::dismissed,
       found.at, {std::string{found.cause}, "event"});
}

}  // namespace tocsin
