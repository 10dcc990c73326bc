// SPDX-License-Identifier: Apache-2.0
// Events of one key that wait for their turn, handed out in order of (time, log position).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/state_bytes.hpp"
#include "tocsin/event.hpp"

namespace tocsin {

/// An event copied out of its batch, with what a packed event leaves out.
struct waiting_event {
  std::int64_t time_ms = 0;     ///< by the rule's clock
  std::uint64_t position = 0;   ///< in the log
  std::int64_t arrived_ms = 0;  ///< by the log's clock
  std::uint64_t marks = 0;      ///< by bit: which of its unit's conditions the event meets
  std::string packed;           ///< packed_event.hpp

  [[nodiscard]] std::uint64_t bytes() const noexcept {
    return sizeof(waiting_event) + packed.size();
  }
  void save(state_writer& to) const;
  [[nodiscard]] static waiting_event load(state_reader& from);
  /// What save() writes at least, for state_reader::take_count.
  static constexpr std::size_t saved_bytes_min = 5 * 8;
};

/// A batch of the one event, its arrival included, whose views point into `of`.
[[nodiscard]] event_batch unpack(const waiting_event& of);

/// A binary heap: an event that arrives in order costs O(1) to add, every other, and each that is
/// taken, O(log n).
class reorder_buffer {
 public:
  void add(waiting_event event);
  /// The event with the smallest (time, position). Precondition: not empty.
  [[nodiscard]] waiting_event take_first();
  /// The time of that event; never_ms when empty.
  [[nodiscard]] std::int64_t first_ms() const noexcept;
  [[nodiscard]] bool empty() const noexcept { return events_.empty(); }
  /// Forgets all events. The memory of few is kept for the next key.
  void clear();

  /// Of the events that wait; the same before a save and after the load.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  void save(state_writer& to) const;
  /// Precondition: empty.
  void load(state_reader& from);

 private:
  std::vector<waiting_event> events_;
  std::uint64_t bytes_ = 0;
};

}  // namespace tocsin
