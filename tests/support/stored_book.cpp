// SPDX-License-Identifier: Apache-2.0
// Applies changes of an alert book to maps.
#include "support/stored_book.hpp"

#include <gtest/gtest.h>

#include <utility>

#include "tocsin/alert_lifecycle.hpp"

namespace tocsin::testing {

void stored_book::take(const book_changes& changes) {
  clock_ = changes.clock;
  if (changes.step > 0) step_ = changes.step;
  for (const transition& each : changes.transitions) {
    EXPECT_EQ(each->seq, seq_ + 1);
    seq_ = each->seq;
  }
  for (const alert_record& each : changes.alerts) {
    if (is_active(each.now->state)) {
      alerts_[each.now->alert_id] = {alert_bytes(*each.now), each.bytes};
    } else {
      alerts_.erase(each.now->alert_id);
    }
  }
  for (const silence_ptr& each : changes.silences) silences_.insert_or_assign(each->id, *each);
  for (const std::string& id : changes.silences_gone) silences_.erase(id);
  const auto put = [](auto& into, const std::string& name, const std::string& value) {
    if (value.empty()) {
      into.erase(name);
    } else {
      into[name] = value;
    }
  };
  for (const group_record& each : changes.groups) put(groups_, each.key, each.bytes);
  for (const auto& [name, value] : changes.facts) put(facts_, name, value);
}

book_state stored_book::state() const {
  book_state state;
  state.clock = clock_;
  state.seq = seq_;
  state.step = step_;
  for (const auto& [id, stored] : alerts_) {
    auto read = alert_from_bytes(stored.now);
    if (!read) {
      ADD_FAILURE() << read.failure().message;
      continue;
    }
    state.alerts.push_back({std::make_shared<const alert>(std::move(*read)), stored.bytes});
  }
  for (const auto& [id, each] : silences_) state.silences.push_back(each);
  for (const auto& [key, bytes] : groups_) state.groups.push_back({key, bytes});
  state.facts.assign(facts_.begin(), facts_.end());
  return state;
}

}  // namespace tocsin::testing
