// SPDX-License-Identifier: Apache-2.0
// An open-addressing index from 128-bit keys to slots, made for batches: one cache line to look up,
// 13 to 20 bytes a key.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "core/huge_page_allocator.hpp"
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

  void prefetch(const fingerprint& key) const { __builtin_prefetch(&buckets_[home(tag_of(key))]); }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// What its entries take at the highest load: buckets kept for keys that are gone do not count.
  [[nodiscard]] std::size_t bytes() const noexcept { return size_ * sizeof(bucket) / load_max; }

 private:
  static constexpr unsigned places = 7;
  /// Entries a bucket on average: of buckets with 5, one in eight passes keys on (Poisson).
  static constexpr std::size_t load_max = 5;

  struct alignas(64) bucket {
    /// A bit for each place that is taken under `tag`.
    [[nodiscard]] unsigned places_of(std::uint32_t tag) const noexcept {
      unsigned hits = 0;
      for (unsigned i = 0; i < places; ++i) hits |= static_cast<unsigned>(tags[i] == tag) << i;
      return hits & used;
    }

    std::array<std::uint32_t, places> tags{};
    std::uint32_t used = 0;  ///< a bit for each place that is taken
    std::array<std::uint32_t, places> slots{};
    std::uint32_t passed = 0;  ///< entries behind it that found no place here
  };
  static_assert(sizeof(bucket) == 64);
  using buckets = std::vector<bucket, huge_page_allocator<bucket>>;

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
  void place(std::uint32_t tag, std::uint32_t slot) {
    constexpr unsigned all = (1U << places) - 1;
    std::size_t at = home(tag);
    for (; buckets_[at].used == all; at = next(at)) ++buckets_[at].passed;
    bucket& here = buckets_[at];
    const auto free = static_cast<unsigned>(std::countr_one(here.used));
    here.tags[free] = tag;
    here.slots[free] = slot;
    here.used |= 1U << free;
  }
  void grow() {
    buckets before(buckets_.size() + buckets_.size() / 2);
    before.swap(buckets_);
    for (const bucket& each : before) {
      for (unsigned taken = each.used; taken != 0; taken &= taken - 1) {
        const auto at = static_cast<unsigned>(std::countr_zero(taken));
        place(each.tags[at], each.slots[at]);
      }
    }
  }

  buckets buckets_;
  std::size_t size_ = 0;
};

}  // namespace tocsin
