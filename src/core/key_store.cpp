// SPDX-License-Identifier: Apache-2.0
// Slots of keys and their chains of unit states.
#include "core/key_store.hpp"

#include <new>

namespace tocsin {

std::uint32_t key_store::add(const fingerprint& key, const event_batch& batch, const event& from) {
  pack_key(*group_, batch, from, packing_);
  return add(key, packing_);
}

std::uint32_t key_store::add(const fingerprint& key, std::string_view packed_values) {
  const std::uint32_t slot = slots_.take();
  new (slots_.at(slot)) slot_entry{key, {no_index, no_index, no_index}, values_.add(packed_values)};
  table_.insert(key, slot);
  return slot;
}

std::uint32_t key_store::state_at(std::uint32_t slot, std::uint32_t unit, cursor& place) const {
  const key_link* at = place.at_ == nullptr ? &entry_at(slot).first : place.at_;
  while (at->unit < unit && at->next != no_index) at = &link_at(at->next);
  place.at_ = at;
  return at->unit == unit ? at->state : no_index;
}

void key_store::attach(std::uint32_t slot, std::uint32_t unit, std::uint32_t state) {
  key_link* at = &entry_at(slot).first;
  if (at->unit == no_index) {
    *at = {unit, state, no_index};
    return;
  }
  const std::uint32_t added = links_.take();
  key_link& made = link_at(added);
  if (unit < at->unit) {
    made = *at;
    *at = {unit, state, added};
    return;
  }
  while (at->next != no_index) {
    key_link& next = link_at(at->next);
    if (next.unit > unit) break;
    at = &next;
  }
  made = {unit, state, at->next};
  at->next = added;
}

void key_store::detach(std::uint32_t slot, std::uint32_t unit) {
  key_link* at = &entry_at(slot).first;
  if (at->unit == unit) {
    if (at->next == no_index) {
      remove(slot);
      return;
    }
    const std::uint32_t moved = at->next;
    *at = link_at(moved);
    links_.give_back(moved);
    return;
  }
  for (;;) {
    const std::uint32_t following = at->next;
    key_link& next = link_at(following);
    if (next.unit == unit) {
      at->next = next.next;
      links_.give_back(following);
      return;
    }
    at = &next;
  }
}

void key_store::remove(std::uint32_t slot) {
  slot_entry& entry = entry_at(slot);
  table_.erase(entry.key, slot);
  values_.drop(entry.values);
  entry.values = no_index;
  slots_.give_back(slot);
}

}  // namespace tocsin
