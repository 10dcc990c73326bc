// SPDX-License-Identifier: Apache-2.0
// Checks each transition against the ones before it, and records against what is active.
#include "support/alert_ledger.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "support/model_book.hpp"
#include "support/random_alert.hpp"
#include "tocsin/alert_lifecycle.hpp"

namespace tocsin::testing {

void alert_ledger::take(const book_changes& changes, instant from, instant until) {
  for (const transition& each : changes.transitions) check(*each, from, until);
  for (const alert_record& each : changes.alerts) {
    const auto [place, fresh] = in_this_.insert(each.now->alert_id);
    if (!fresh) wrong("given twice by one change", *each.now);
    records_[each.now->alert_id] = each.now;
  }
  in_this_.clear();
  for (const transition& each : changes.transitions) {
    const auto record = records_.find(each->alert_id);
    if (record == records_.end() || record->second->number < each->number) {
      wrong("its record was not given with its transition", *each);
    }
  }
}

void alert_ledger::compare(const std::vector<transition>& active) {
  std::map<fingerprint, transition> by_id;
  for (const transition& each : active) by_id[each->alert_id] = each;
  if (by_id.size() != active.size()) wrong_ += "two active alerts have one id\n";
  for (const auto& [print, id] : active_) {
    if (by_id.count(id) == 0) wrong_ += "lost: " + to_text(id) + "\n";
  }
  for (const auto& [id, each] : by_id) {
    const auto began = active_.find(each->print);
    if (began == active_.end() || began->second != id) wrong("active without a beginning", *each);
    const auto record = records_.find(id);
    if (record == records_.end()) {
      wrong("has no record", *each);
    } else if (const auto field = first_difference(*record->second, *each); !field.empty()) {
      wrong("its record differs in " + field, *each);
    }
  }
}

fingerprint alert_ledger::print_of(const fingerprint& id) const {
  for (const auto& [print, active] : active_) {
    if (active == id) return print;
  }
  return id;
}

void alert_ledger::wrong(const std::string& what, const alert& of) {
  wrong_ += fmt::format("{}: seq {} number {} at {} {}->{} {}: {}\n", what, of.seq, of.number,
                        to_unix_ms(of.at), to_text(of.previous_state), to_text(of.state), of.cause,
                        standing(of));
}

void alert_ledger::check(const alert& after, instant from, instant until) {
  causes_.insert(after.cause);
  last_transition& last = lives_[after.alert_id];
  if (after.seq != ++seq_) wrong(fmt::format("wanted seq {}", seq_), after);
  seq_ = after.seq;
  if (after.number != last.number + 1) {
    wrong(fmt::format("wanted number {}", last.number + 1), after);
  }
  if (after.previous_state != last.state) wrong("another state was before", after);
  const auto table = lifecycle_table();
  const bool legal = std::any_of(table.begin(), table.end(), [&](const lifecycle_move& each) {
    return each.from == after.previous_state && each.to == after.state;
  });
  if (!legal) wrong("illegal", after);
  if (after.at < at_ || after.at < from || after.at > until) wrong("out of time", after);
  if (after.cause.empty() || after.actor.empty()) wrong("without cause or actor", after);
  const bool resolved = after.state == alert_state::resolved;
  const bool closed = after.state == alert_state::closed;
  if (resolved != after.resolved_at.has_value() || closed != after.closed_at.has_value()) {
    wrong("its end and its state differ", after);
  }
  check_active(after, resolved || closed);
  at_ = std::max(at_, after.at);
  last = {after.number, after.state};
}

void alert_ledger::check_active(const alert& after, bool ends) {
  const auto active = active_.find(after.print);
  if (after.previous_state == alert_state::none) {
    if (!ids_.insert(after.alert_id).second) wrong("another alert had its id", after);
    if (active != active_.end()) wrong("a second one under its fingerprint", after);
    active_[after.print] = after.alert_id;
  } else if (active == active_.end() || active->second != after.alert_id) {
    wrong("not active", after);
  }
  if (!ends) return;
  active_.erase(after.print);
  ended_.push_back(after.alert_id);
}

}  // namespace tocsin::testing
