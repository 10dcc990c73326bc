// SPDX-License-Identifier: Apache-2.0
// What operators do to alerts and silences.
#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "core/alert_keeper.hpp"
#include "tocsin/alert_labels.hpp"

namespace tocsin {
namespace {

using trigger = alert_trigger;

std::optional<error> refusal_of(const alert_selector& which, const std::string& by) {
  if (by.empty()) {
    return error{"bad_operation", "\"by\" is empty (wanted the name of who does it)"};
  }
  if (which.ids.empty() && which.matchers.empty()) {
    return error{"nothing_chosen", "neither alert ids nor matchers say which alerts are meant"};
  }
  return std::nullopt;
}

error held_by_another(const alert& of) {
  return {
      "already_acknowledged",
      fmt::format("alert {} is acknowledged by {} since {}; say replace to take it over",
                  to_text(of.alert_id), of.acknowledged->by, format_rfc3339(of.acknowledged->at))};
}

bool any_state(const alert&) {
  return true;
}

}  // namespace

alert_book::operated alert_keeper::operate(const operation& wanted) {
  result<operation_result> outcome =
      std::visit([&](const auto& each) { return take(each); }, wanted);
  return {std::move(outcome), take_changes()};
}

template <class Fits, class Act>
result<operation_result> alert_keeper::on_chosen(const alert_selector& which, const Fits& fits,
                                                 const Act& act) {
  std::vector<fingerprint> ids = which.ids;
  if (ids.empty()) {
    entries_.for_each([&](const active_alert& of) {
      if (fits(*of.now) && matches(which.matchers, *of.now)) ids.push_back(of.now->alert_id);
      return true;
    });
  }
  operation_result done;
  for (const fingerprint& id : ids) {
    active_alert* const of = entries_.find_id(id);
    if (of == nullptr) {
      done.alerts.push_back(
          {id, error{"not_found", fmt::format("no active alert has the id {}", to_text(id))},
           nullptr});
      continue;
    }
    std::optional<error> refused = act(*of);
    transition now = refused ? of->now : look(*of, {clock_, false});
    done.alerts.push_back({id, std::move(refused), std::move(now)});
  }
  return done;
}

result<operation_result> alert_keeper::take(const acknowledge_alerts& wanted) {
  if (auto refused = refusal_of(wanted.which, wanted.by)) return *std::move(refused);
  if (wanted.until && *wanted.until <= clock_) {
    return error{"bad_operation",
                 fmt::format("\"until\" is {}, wanted a time later than now ({})",
                             format_rfc3339(*wanted.until), format_rfc3339(clock_))};
  }
  const auto fits = [&](const alert& of) {
    return of.state == alert_state::firing ||
           (of.state == alert_state::acknowledged && wanted.replace);
  };
  return on_chosen(wanted.which, fits, [&](active_alert& of) -> std::optional<error> {
    if (of.now->state == alert_state::acknowledged && !wanted.replace) {
      return held_by_another(*of.now);
    }
    draft next = draft_of(of);
    next->acknowledged = acknowledgement{wanted.by, clock_, wanted.until};
    auto refused = try_move(of, trigger::acknowledged, clock_,
                            {"acknowledged", wanted.by, wanted.note}, std::move(next));
    if (!refused) assigner_.handled(of.now->print, wanted.by);
    return refused;
  });
}

result<operation_result> alert_keeper::take(const unacknowledge_alerts& wanted) {
  if (auto refused = refusal_of(wanted.which, wanted.by)) return *std::move(refused);
  const auto fits = [](const alert& of) { return of.state == alert_state::acknowledged; };
  return on_chosen(wanted.which, fits, [&](active_alert& of) {
    draft next = draft_of(of);
    next->acknowledged.reset();
    return try_move(of, trigger::unacknowledged, clock_, {"unacknowledged", wanted.by, wanted.note},
                    std::move(next));
  });
}

result<operation_result> alert_keeper::take(const close_alerts& wanted) {
  if (auto refused = refusal_of(wanted.which, wanted.by)) return *std::move(refused);
  return on_chosen(wanted.which, any_state, [&](active_alert& of) {
    auto refused =
        try_move(of, trigger::closed, clock_, {"closed by an operator", wanted.by, wanted.note});
    if (refused) return refused;
    assigner_.handled(of.now->print, wanted.by);
    if (of.now->origin == alert_origin::incident) incidents_.forget(of.now->print);
    return refused;
  });
}

result<operation_result> alert_keeper::take(const note_on_alerts& wanted) {
  if (auto refused = refusal_of(wanted.which, wanted.by)) return *std::move(refused);
  if (wanted.note.empty()) {
    return error{"bad_operation", "\"note\" is empty (wanted the text of the note)"};
  }
  return on_chosen(wanted.which, any_state, [&](active_alert& of) {
    return try_move(of, trigger::marked, clock_, {"note", wanted.by, wanted.note});
  });
}

result<operation_result> alert_keeper::take(const assign_alerts& wanted) {
  if (auto refused = refusal_of(wanted.which, wanted.by)) return *std::move(refused);
  return on_chosen(wanted.which, any_state, [&](active_alert& of) -> std::optional<error> {
    // Who has it already is assigned nothing new; a note is still to be kept.
    if (of.now->assignee == wanted.to && wanted.note.empty()) return std::nullopt;
    draft next = draft_of(of);
    next->assignee = wanted.to;
    std::string cause = wanted.to.empty() ? "unassigned" : "assigned to " + wanted.to;
    auto refused = try_move(of, trigger::marked, clock_, {std::move(cause), wanted.by, wanted.note},
                            std::move(next));
    if (!refused) assigner_.handled(of.now->print, wanted.to);
    return refused;
  });
}

result<operation_result> alert_keeper::take(const put_silence& wanted) {
  std::vector<silence_ptr> changed;
  if (auto edited = silences_.find(wanted.wanted.id)) changed.push_back(std::move(edited));
  result<silence_ptr> put = silences_.put(clock_, wanted.wanted);
  if (!put) return put.failure();
  changed.push_back(*put);
  turn_silences(clock_, std::move(changed));
  return operation_result{{}, std::move(*put)};
}

result<operation_result> alert_keeper::take(const expire_silence& wanted) {
  result<silence_ptr> expired = silences_.expire(clock_, wanted.id);
  if (!expired) return expired.failure();
  turn_silences(clock_, {*expired});
  return operation_result{{}, std::move(*expired)};
}

}  // namespace tocsin
