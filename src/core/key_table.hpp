// SPDX-License-Identifier: Apache-2.0
// An open-addressing index from 128-bit keys to dense slots, made for batches: one cache miss to
// look up.
#pragma once

#include <cstdint>
#include <vector>

#include "core/slab.hpp"
#include "tocsin/fingerprint.hpp"

namespace tocsin {

/// Maps a key to the slot its owner gave it. The owner keeps the keys by slot and answers whether a
/// slot holds a key; the index holds 32 bits of the hash beside the slot, so that a wrong slot is
/// almost never looked at.
class key_table {
 public:
  key_table() : cells_(64) {}

  /// The slot of `key`, or no_index. `holds(slot)` tells whether that slot's key is `key`.
  template <class Holds>
  [[nodiscard]] std::uint32_t find(const fingerprint& key, const Holds& holds) const {
    for (std::size_t at = home(key);; at = next(at)) {
      const cell& here = cells_[at];
      if (here.slot == no_index) return no_index;
      if (here.tag == tag_of(key) && holds(here.slot)) return here.slot;
    }
  }

  /// Precondition: the key is not in the table.
  void insert(const fingerprint& key, std::uint32_t slot) {
    if ((size_ + 1) * 8 > cells_.size() * 5) grow();
    place({tag_of(key), slot, key.low});
    ++size_;
  }

  /// Removes the entry of `slot`. Precondition: it is there under `key`.
  void erase(const fingerprint& key, std::uint32_t slot) {
    std::size_t hole = home(key);
    while (cells_[hole].slot != slot) hole = next(hole);
    // Entries behind the hole move up as long as they do not stand before their home: no
    // tombstones.
    for (std::size_t at = next(hole); cells_[at].slot != no_index; at = next(at)) {
      const std::size_t wanted = cells_[at].low & (cells_.size() - 1);
      if (((at - wanted) & (cells_.size() - 1)) >= ((at - hole) & (cells_.size() - 1))) {
        cells_[hole] = cells_[at];
        hole = at;
      }
    }
    cells_[hole] = cell{};
    --size_;
  }

  void prefetch(const fingerprint& key) const { __builtin_prefetch(&cells_[home(key)]); }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  struct cell {
    std::uint32_t tag = 0;
    std::uint32_t slot = no_index;
    std::uint64_t low = 0;
  };

  [[nodiscard]] static std::uint32_t tag_of(const fingerprint& key) noexcept {
    return static_cast<std::uint32_t>(key.high);
  }
  [[nodiscard]] std::size_t home(const fingerprint& key) const noexcept {
    return key.low & (cells_.size() - 1);
  }
  [[nodiscard]] std::size_t next(std::size_t at) const noexcept {
    return (at + 1) & (cells_.size() - 1);
  }
  void place(const cell& entry) {
    std::size_t at = entry.low & (cells_.size() - 1);
    while (cells_[at].slot != no_index) at = next(at);
    cells_[at] = entry;
  }
  void grow() {
    std::vector<cell> before(cells_.size() * 2);
    before.swap(cells_);
    for (const cell& entry : before)
      if (entry.slot != no_index) place(entry);
  }

  std::vector<cell> cells_;
  std::size_t size_ = 0;
};

}  // namespace tocsin
