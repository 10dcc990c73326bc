// SPDX-License-Identifier: Apache-2.0
// An open-addressing index from 128-bit keys to slots, made for batches: one cache miss to look up,
// 10 to 15 bytes a key.
#pragma once

#include <cstdint>
#include <vector>

#include "core/slab.hpp"
#include "tocsin/fingerprint.hpp"

namespace tocsin {

/// Maps a key to the slot its owner gave it. The owner keeps the keys by slot and answers whether a
/// slot holds a key. The index holds 32 bits of the hash beside the slot, the tag, which say both
/// where an entry belongs and, with what the place does not say already, that a wrong slot is
/// almost never looked at (of n cells, a wrong tag is passed over with probability 1 - n / 2^32).
///
/// Linear probing over any number of cells: an entry's home is tag * cells / 2^32 (Lemire 2019,
/// "Fast random integer generation in an interval"), so that entries lie nearly in order of their
/// tags and growing reads and writes memory in order, without asking for a key.
class key_table {
 public:
  key_table() : cells_(64) {}

  /// The slot of `key`, or no_index. `holds(slot)` tells whether that slot's key is `key`.
  template <class Holds>
  [[nodiscard]] std::uint32_t find(const fingerprint& key, const Holds& holds) const {
    const std::uint32_t tag = tag_of(key);
    for (std::size_t at = home(tag);; at = next(at)) {
      const cell& here = cells_[at];
      if (here.slot == no_index) return no_index;
      if (here.tag == tag && holds(here.slot)) return here.slot;
    }
  }

  /// Precondition: the key is not in the table.
  void insert(const fingerprint& key, std::uint32_t slot) {
    if ((size_ + 1) * 5 > cells_.size() * 4) grow();
    place({tag_of(key), slot});
    ++size_;
  }

  /// Removes the entry of `slot`. Precondition: it is there under `key`.
  void erase(const fingerprint& key, std::uint32_t slot) {
    std::size_t hole = home(tag_of(key));
    while (cells_[hole].slot != slot) hole = next(hole);
    // Entries behind the hole move up as long as they do not stand before their home: no
    // tombstones.
    for (std::size_t at = next(hole); cells_[at].slot != no_index; at = next(at)) {
      if (behind(at, home(cells_[at].tag)) >= behind(at, hole)) {
        cells_[hole] = cells_[at];
        hole = at;
      }
    }
    cells_[hole] = cell{};
    --size_;
  }

  void prefetch(const fingerprint& key) const { __builtin_prefetch(&cells_[home(tag_of(key))]); }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// What its entries take at the highest load: cells kept for keys that are gone do not count.
  [[nodiscard]] std::size_t bytes() const noexcept { return size_ * sizeof(cell) * 5 / 4; }

 private:
  struct cell {
    std::uint32_t tag = 0;
    std::uint32_t slot = no_index;
  };

  // The high half: shards are chosen by the low one, so within a shard it is not random.
  [[nodiscard]] static std::uint32_t tag_of(const fingerprint& key) noexcept {
    return static_cast<std::uint32_t>(key.high);
  }
  [[nodiscard]] std::size_t home(std::uint32_t tag) const noexcept {
    return (std::uint64_t{tag} * cells_.size()) >> 32;
  }
  [[nodiscard]] std::size_t next(std::size_t at) const noexcept {
    return at + 1 == cells_.size() ? 0 : at + 1;
  }
  /// How many cells `at` is behind `from`, the end joined to the beginning.
  [[nodiscard]] std::size_t behind(std::size_t at, std::size_t from) const noexcept {
    return at >= from ? at - from : at + cells_.size() - from;
  }
  void place(const cell& entry) {
    std::size_t at = home(entry.tag);
    while (cells_[at].slot != no_index) at = next(at);
    cells_[at] = entry;
  }
  void grow() {
    std::vector<cell> before(cells_.size() + cells_.size() / 2);
    before.swap(cells_);
    for (const cell& entry : before)
      if (entry.slot != no_index) place(entry);
  }

  std::vector<cell> cells_;
  std::size_t size_ = 0;
};

}  // namespace tocsin
