// SPDX-License-Identifier: Apache-2.0
// The living keys of one group on one shard, and which units have state for each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/key_table.hpp"
#include "core/packed_event.hpp"
#include "core/slab.hpp"
#include "tocsin/event_router.hpp"

namespace tocsin {

/// One unit's state of a key. A key's links are chained in ascending order of unit.
struct key_link {
  std::uint32_t unit;
  std::uint32_t state;
  std::uint32_t next;
  std::uint32_t unused = 0;  ///< the slab's blocks are multiples of 8 bytes
};

/// A key lives as long as some unit has state for it.
class key_store {
 public:
  explicit key_store(const group& of) : group_(&of), links_(sizeof(key_link)) {}

  [[nodiscard]] std::uint32_t find(const fingerprint& key) const {
    return table_.find(key, [&](std::uint32_t slot) { return slots_[slot].key == key; });
  }
  /// A new key with the group values of an event. Precondition: find(key) == no_index. A state must
  /// be attached, or drop_if_unused called.
  [[nodiscard]] std::uint32_t add(const fingerprint& key, const event_batch& batch,
                                  const event& from);

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
    if (slots_[slot].first.unit == no_index) remove(slot);
  }

  /// The key's group values (packed_event.hpp); valid until the key goes.
  [[nodiscard]] std::string_view values(std::uint32_t slot) const { return values_[slot]; }
  [[nodiscard]] std::size_t size() const noexcept { return table_.size(); }
  void prefetch(const fingerprint& key) const { table_.prefetch(key); }

 private:
  void remove(std::uint32_t slot);

  // The first link lies in the slot itself: most keys have one unit.
  struct slot_entry {
    fingerprint key;
    key_link first;
  };

  const group* group_;
  key_table table_;
  std::vector<slot_entry> slots_;
  std::vector<std::string> values_;
  std::vector<std::uint32_t> free_;
  slab links_;
};

}  // namespace tocsin
