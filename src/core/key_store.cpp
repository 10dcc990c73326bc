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
  slots_[slot] = {key, {no_index, no_index, no_index}};
  values_[slot] = pack_key(*group_, batch, from);
  table_.insert(key, slot);
  return slot;
}

std::uint32_t key_store::state_at(std::uint32_t slot, std::uint32_t unit, cursor& place) const {
  const key_link* at = place.at_ == nullptr ? &slots_[slot].first : place.at_;
  while (at->unit < unit && at->next != no_index)
    at = static_cast<const key_link*>(links_.at(at->next));
  place.at_ = at;
  return at->unit == unit ? at->state : no_index;
}

void key_store::attach(std::uint32_t slot, std::uint32_t unit, std::uint32_t state) {
  key_link* at = &slots_[slot].first;
  if (at->unit == no_index) {
    *at = {unit, state, no_index};
    return;
  }
  const std::uint32_t added = links_.take();
  key_link* const made = static_cast<key_link*>(links_.at(added));
  if (unit < at->unit) {
    *made = *at;
    *at = {unit, state, added};
    return;
  }
  while (at->next != no_index) {
    key_link* const next = static_cast<key_link*>(links_.at(at->next));
    if (next->unit > unit) break;
    at = next;
  }
  *made = {unit, state, at->next};
  at->next = added;
}

void key_store::detach(std::uint32_t slot, std::uint32_t unit) {
  slot_entry& entry = slots_[slot];
  key_link* at = &entry.first;
  if (at->unit == unit) {
    if (at->next == no_index) {
      remove(slot);
      return;
    }
    const std::uint32_t moved = at->next;
    *at = *static_cast<const key_link*>(links_.at(moved));
    links_.give_back(moved);
    return;
  }
  for (;;) {
    const std::uint32_t following = at->next;
    key_link* next = static_cast<key_link*>(links_.at(following));
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

}  // namespace tocsin
