// SPDX-License-Identifier: Apache-2.0
// An open-addressing index from 128-bit keys to slots, made for batches: one cache line to look up,
// 13 to 20 bytes a key.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/slab.hpp"
#include "tocsin/fingerprint.hpp"

namespace tocsin {

/// Maps a key to the slot its owner gave it. The owner keeps the keys by slot and answers whether a
/// slot holds a key. The index holds 32 bits of the hash beside the slot, the tag, which say both
/// where an entry belongs and, with what the place does not say already, that a wrong slot is
/// almost never looked at (of n entries, a wrong tag is passed over with probability 1 - n / 2^32).
///
/// Buckets of one cache line, looked at as a whole: no branch depends on where in it a key is. A
/// key whose bucket is full goes to the next one that is not, and buckets count the keys that have
/// passed them (as Folly's F14 does), so that a key that is not there mostly costs one line. An
/// entry's home is tag * buckets / 2^32 (Lemire 2019, "Fast random integer generation in an
/// interval"): entries lie nearly in order of their tags, and growing reads and writes memory in
/// order, without asking for a key.
class key_table {
 public:
  key_table() : buckets_(16) {}

  /// The slot of `key`, or no_index. `holds(slot)` tells whether that slot's key is `key`.
  template <class Holds>
  [[nodiscard]] std::uint32_t find(const fingerprint& key, const Holds& holds) const {
    const std::uint32_t tag = tag_of(key);
    for (std::size_t at = home(tag);; at = next(at)) {
      const bucket& here = buckets_[at];
      for (unsigned hits = here.places_of(tag); hits != 0; hits &= hits - 1) {
        const std::uint32_t slot = here.slots[static_cast<unsigned>(std::countr_zero(hits))];
        if (holds(slot)) return slot;
      }
      if (here.passed == 0) return no_index;
    }
  }

  /// Precondition: the key is not in the table.
  void insert(const fingerprint& key, std::uint32_t slot) {
    if (size_ >= buckets_.size() * load_max) grow();
    place(tag_of(key), slot);
    ++size_;
  }

  /// Removes the entry of `slot`. Precondition: it is there under `key`.
  void erase(const fingerprint& key, std::uint32_t slot) {
    const std::uint32_t tag = tag_of(key);
    for (std::size_t at = home(tag);; at = next(at)) {
      bucket& here = buckets_[at];
      for (unsigned hits = here.places_of(tag); hits != 0; hits &= hits - 1) {
        const auto place = static_cast<unsigned>(std::countr_zero(hits));
        if (here.slots[place] != slot) continue;
        here.used &= ~(1U << place);
        --size_;
        return;
      }
      --here.passed;
    }
  }

  /// Inlined always: g++ 12 takes a function that only prefetches for one without effect, and
  /// leaves out calls of it.
  [[gnu::always_inline]] void prefetch(const fingerprint& key) const {
    __builtin_prefetch(&buckets_[home(tag_of(key))]);
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// What its entries take at the highest load: buckets kept for keys that are gone do not count.
  [[nodiscard]] std::size_t bytes() const noexcept { return size_ * sizeof(bucket) / load_max; }

 private:
  static constexpr unsigned places = 7;
  /// Entries a bucket on average: of buckets with 5, one in eight passes keys on (Poisson).
  static constexpr std::size_t load_max = 5;
  /// Tables of so many buckets (2 MiB) and more have addresses ahead to grow into: memory that is
  /// not touched is none, and to clear and copy it costs more than all else about growing.
  static constexpr std::size_t ahead_from = 32'768;
  static constexpr std::size_t ahead_factor = 8;

  struct alignas(64) bucket {
    /// A bit for each place that is taken under `tag`.
    [[nodiscard]] unsigned places_of(std::uint32_t tag) const noexcept {
      unsigned hits = 0;
      for (unsigned i = 0; i < places; ++i) hits |= static_cast<unsigned>(tags[i] == tag) << i;
      return hits & used;
    }

    /// Precondition: there is a place.
    void add(std::uint32_t tag, std::uint32_t slot) noexcept {
      const auto free = static_cast<unsigned>(std::countr_one(used));
      tags[free] = tag;
      slots[free] = slot;
      used |= 1U << free;
    }

    std::array<std::uint32_t, places> tags{};
    std::uint32_t used = 0;  ///< a bit for each place that is taken
    std::array<std::uint32_t, places> slots{};
    std::uint32_t passed = 0;  ///< entries behind it that found no place here
  };
  static_assert(sizeof(bucket) == 64);

  // The high half: shards are chosen by the low one, so within a shard it is not random.
  [[nodiscard]] static std::uint32_t tag_of(const fingerprint& key) noexcept {
    return static_cast<std::uint32_t>(key.high);
  }
  [[nodiscard]] std::size_t home(std::uint32_t tag) const noexcept {
    return (std::uint64_t{tag} * buckets_.size()) >> 32;
  }
  [[nodiscard]] std::size_t next(std::size_t at) const noexcept {
    return at + 1 == buckets_.size() ? 0 : at + 1;
  }
  static constexpr unsigned all_used = (1U << places) - 1;

  void place(std::uint32_t tag, std::uint32_t slot) {
    std::size_t at = home(tag);
    for (; buckets_[at].used == all_used; at = next(at)) ++buckets_[at].passed;
    buckets_[at].add(tag, slot);
  }
  // In place, from the last bucket on: homes move up, so they lie among what is done already. Only
  // what was passed on can have its home further down; it waits, as does what finds its home full.
  void grow() {
    const std::size_t before = buckets_.size();
    const std::size_t wanted = before + before / 2;
    if (wanted > buckets_.capacity()) {
      buckets_.reserve(wanted < ahead_from ? wanted : ahead_factor * wanted);
    }
    buckets_.resize(wanted);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> waiting;
    for (std::size_t at = before; at-- > 0;) {
      const bucket here = std::exchange(buckets_[at], bucket{});
      for (unsigned taken = here.used; taken != 0; taken &= taken - 1) {
        const auto from = static_cast<unsigned>(std::countr_zero(taken));
        const std::uint32_t tag = here.tags[from];
        const std::size_t to = home(tag);
        if (to >= at && buckets_[to].used != all_used) {
          buckets_[to].add(tag, here.slots[from]);
        } else {
          waiting.emplace_back(tag, here.slots[from]);
        }
      }
    }
    for (const auto& [tag, slot] : waiting) place(tag, slot);
  }

  std::vector<bucket> buckets_;
  std::size_t size_ = 0;
};

}  // namespace tocsin
