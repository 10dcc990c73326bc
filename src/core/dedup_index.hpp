// SPDX-License-Identifier: Apache-2.0
// Remembers which events came in lately, to tell one that is sent again from a new one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "core/key_table.hpp"
#include "tocsin/event.hpp"
#include "tocsin/fingerprint.hpp"

namespace tocsin {

/// The identity an event is recognised by: its source_id and event_id.
[[nodiscard]] fingerprint dedup_key_of(std::string_view source_id, std::string_view event_id);

/// A hash of all that the sender wrote: fields and labels, these in whatever order. The arrival is
/// not in it, nor a `time` that the sender left out.
[[nodiscard]] std::uint64_t content_of(const event& from, std::span<const label> labels);

/// Not thread-safe. Deterministic: what it says depends on what was seen before, and when.
class dedup_index {
 public:
  enum class verdict : std::uint8_t {
    fresh,      ///< not seen, or no longer remembered: it is from now on
    duplicate,  ///< seen with the same content
    conflict,   ///< seen with different content; what was seen first stays remembered
  };

  /// An entry is forgotten when it is older than `keep`, or the oldest of more than `entries_max`
  /// (1 to 2^31 - 1).
  dedup_index(duration keep, std::size_t entries_max);

  /// Precondition: `now` never decreases.
  [[nodiscard]] verdict see(const fingerprint& key, std::uint64_t content, instant now);

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct entry {
    fingerprint key;
    std::uint64_t content;
    instant arrived;
  };
  /// Entries are numbered as they come, modulo 2^31; the table's slots are these numbers.
  static constexpr std::uint32_t number_mask = 0x7fff'ffff;

  void forget_oldest();

  duration keep_;
  std::size_t entries_max_;
  key_table slots_;
  std::deque<entry> entries_;  ///< by arrival
  std::uint32_t oldest_ = 0;   ///< number of entries_.front()
};

}  // namespace tocsin
