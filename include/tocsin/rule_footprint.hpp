// SPDX-License-Identifier: Apache-2.0
// What a key of a rule costs in memory, told before the rule runs.
#pragma once

#include <cstdint>

#include "tocsin/rule_set.hpp"

namespace tocsin {

/// An upper estimate of one key's state while events come all the time: every pane that can be held
/// is held. A key with few events has few panes and costs less. Of units that several rules share
/// it is what this rule alone would need.
struct rule_footprint {
  duration pane{};                   ///< width of a pane; 0 for sessions, absence, sequences
  std::uint64_t panes_a_window = 0;  ///< 0 likewise
  std::uint64_t records = 0;         ///< panes, sessions or partial sequences held at once
  /// Merged records beside them: one, or, in windows of very many panes, two for each.
  std::uint64_t merged_records = 0;
  std::uint64_t record_bytes = 0;
  std::uint64_t newest_bytes = 0;  ///< a record's copy of its newest event; merged ones have none
  std::uint64_t key_bytes = 0;     ///< what a key costs whatever its windows hold
  /// Some aggregate (distinct, quantile, top, ...) holds more than its cells, by the values that
  /// come; or events wait for their turn (sequences, sessions with an end of their own). That is
  /// not in the estimate.
  bool grows = false;

  [[nodiscard]] std::uint64_t bytes() const noexcept {
    return key_bytes + records * (record_bytes + newest_bytes) + merged_records * record_bytes;
  }
};

/// records: ceil((size + lateness + baseline) / pane) + 1 for fixed and sliding windows, but with
/// `every: event` at most limits.events; 1 for sessions and absence; steps - 1 for sequences.
/// record_bytes: a record's head and 8 bytes a cell. newest_bytes: where texts are made without an
/// event at hand. key_bytes: index, hash, state, the ids an alert lists. Texts are taken to be of
/// usual lengths: 16 bytes a group value or id, 200 bytes an event.
[[nodiscard]] rule_footprint footprint_of(const rule_set& rules, const rule& of);

}  // namespace tocsin
