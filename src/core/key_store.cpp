// SPDX-License-Identifier: Apache-2.0
// Slots of keys and their chains of unit states.
#include "core/key_store.hpp"

namespace tocsin {

std::uint32_t key_store::add(const fingerprint& key, const event_batch& batch, const event& from) {
  std::uint32_t slot;
  if (free_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
    values_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[slot] = {key, {no_index, no_index, no_index, 0}};
  values_[slot] = pack_key(*group_, batch, from);
  table_.insert(key, slot);
  return slot;
}

std::uint32_t key_store::state_of(std::uint32_t slot, std::uint32_t unit) const {
  const link* at = &slots_[slot].first;
  while (at->unit != unit) {
    if (at->next == no_index) return no_index;
    at = static_cast<const link*>(links_.at(at->next));
  }
  return at->state;
}

void key_store::attach(std::uint32_t slot, std::uint32_t unit, std::uint32_t state) {
  link& first = slots_[slot].first;
  if (first.unit == no_index) {
    first = {unit, state, no_index, 0};
    return;
  }
  const std::uint32_t added = links_.take();
  *static_cast<link*>(links_.at(added)) = {unit, state, first.next, 0};
  first.next = added;
}

void key_store::detach(std::uint32_t slot, std::uint32_t unit) {
  slot_entry& entry = slots_[slot];
  link* at = &entry.first;
  if (at->unit == unit) {
    if (at->next == no_index) {
      remove(slot);
      return;
    }
    const std::uint32_t moved = at->next;
    *at = *static_cast<const link*>(links_.at(moved));
    links_.give_back(moved);
    return;
  }
  for (;;) {
    const std::uint32_t following = at->next;
    link* next = static_cast<link*>(links_.at(following));
    if (next->unit == unit) {
      at->next = next->next;
      links_.give_back(following);
      return;
    }
    at = next;
  }
}

void key_store::remove(std::uint32_t slot) {
  table_.erase(slots_[slot].key, slot);
  values_[slot] = {};
  free_.push_back(slot);
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> key_store::states(std::uint32_t slot) const {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> all;
  const link* at = &slots_[slot].first;
  for (;;) {
    if (at->unit != no_index) all.emplace_back(at->unit, at->state);
    if (at->next == no_index) return all;
    at = static_cast<const link*>(links_.at(at->next));
  }
}

}  // namespace tocsin
