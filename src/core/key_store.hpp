// SPDX-License-Identifier: Apache-2.0
// The living keys of one group on one shard, and which units have state for each.
#pragma once

#include <string>
#include <string_view>

#include "core/key_table.hpp"
#include "core/packed_event.hpp"
#include "core/slab.hpp"
#include "core/value_pool.hpp"
#include "tocsin/event_router.hpp"

namespace tocsin {

/// One unit's state of a key. A key's links are chained in ascending order of unit.
struct key_link {
  std::uint32_t unit;
  std::uint32_t state;
  std::uint32_t next;
};

/// Memory in use for keys, in bytes.
struct key_memory {
  std::size_t table;   ///< the index, with its empty cells
  std::size_t slots;   ///< hash and first unit of each key
  std::size_t links;   ///< further units
  std::size_t values;  ///< group values

  [[nodiscard]] std::size_t total() const noexcept { return table + slots + links + values; }
};

/// A key lives as long as some unit has state for it.
class key_store {
 public:
  explicit key_store(const group& of)
      : group_(&of), slots_(sizeof(slot_entry)), links_(sizeof(key_link)) {}

  [[nodiscard]] std::uint32_t find(const fingerprint& key) const {
    return table_.find(key, [&](std::uint32_t slot) { return entry_at(slot).key == key; });
  }
  /// A new key with the group values of an event. Precondition: find(key) == no_index. A state must
  /// be attached, or drop_if_unused called.
  [[nodiscard]] std::uint32_t add(const fingerprint& key, const event_batch& batch,
                                  const event& from);
  /// The same with group values that are packed already (packed_event.hpp).
  [[nodiscard]] std::uint32_t add(const fingerprint& key, std::string_view packed_values);

  /// Where the look-up of a key's states stands: units asked for in ascending order cost one walk
  /// together.
  class cursor {
    friend class key_store;
    const key_link* at_ = nullptr;
  };
  /// The state a unit has for the key, or no_index. Precondition: the units asked for with one
  /// cursor ascend, and the slot is the same.
  [[nodiscard]] std::uint32_t state_at(std::uint32_t slot, std::uint32_t unit, cursor& place) const;
  void attach(std::uint32_t slot, std::uint32_t unit, std::uint32_t state);
  /// The unit's state is gone; with the last one the key goes too.
  void detach(std::uint32_t slot, std::uint32_t unit);
  /// Takes out a key that no unit has state for.
  void drop_if_unused(std::uint32_t slot) {
    if (entry_at(slot).first.unit == no_index) remove(slot);
  }

  /// The key's group values (packed_event.hpp); valid, at the same place, until the key goes.
  [[nodiscard]] std::string_view values(std::uint32_t slot) const {
    return values_.at(entry_at(slot).values);
  }
  [[nodiscard]] const fingerprint& key(std::uint32_t slot) const { return entry_at(slot).key; }
  [[nodiscard]] std::size_t size() const noexcept { return table_.size(); }
  [[nodiscard]] key_memory bytes() const noexcept {
    return {table_.bytes(), slots_.used_bytes(), links_.used_bytes(), values_.used_bytes()};
  }

  /// Calls `visit(slot, key, values)` for each living key, in ascending order of slot. No key may
  /// be added or go meanwhile.
  template <class Visit>
  void each(Visit visit) const {
    slots_.each_ever_taken([&](std::uint32_t slot) {
      const slot_entry& entry = entry_at(slot);
      if (entry.values != no_index) visit(slot, entry.key, values_.at(entry.values));
    });
  }

  void prefetch(const fingerprint& key) const { table_.prefetch(key); }
  /// The slot that the key most probably has, or no_index, without touching the slot, which is
  /// asked for ahead. Worth while some events after prefetch.
  [[nodiscard]] std::uint32_t guess(const fingerprint& key) const {
    const std::uint32_t slot = table_.find(key, [](std::uint32_t) { return true; });
    if (slot != no_index) __builtin_prefetch(slots_.at(slot));
    return slot;
  }
  /// find(key), quicker when the guess made for it is right. Keys may have come and gone since.
  [[nodiscard]] std::uint32_t find(const fingerprint& key, std::uint32_t guess) const {
    if (guess != no_index && entry_at(guess).values != no_index && entry_at(guess).key == key)
      return guess;
    return find(key);
  }

 private:
  // The first link lies in the slot itself: most keys have one unit. Two slots a cache line.
  struct slot_entry {
    fingerprint key;
    key_link first;
    std::uint32_t values;  ///< handle in values_; no_index: no living key
  };
  static_assert(sizeof(slot_entry) == 32);

  [[nodiscard]] slot_entry& entry_at(std::uint32_t slot) const {
    return *static_cast<slot_entry*>(slots_.at(slot));
  }
  [[nodiscard]] key_link& link_at(std::uint32_t index) const {
    return *static_cast<key_link*>(links_.at(index));
  }
  void remove(std::uint32_t slot);

  const group* group_;
  key_table table_;
  slab slots_;
  slab links_;
  value_pool values_;
  std::string packing_;  ///< the values of the key being added
};

}  // namespace tocsin
