// SPDX-License-Identifier: Apache-2.0
// The contents of a window that moves forward over many panes, merged in constant time a pane.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/window_record.hpp"

namespace tocsin {

/// Two stacks (Tangwongsan, Hirzel and Schneider 2015, "General Incremental Sliding-Window
/// Aggregation", sec. 2.3): of the older panes every suffix is kept merged, oldest on top, so that
/// a pane that leaves is popped; the newer ones are merged into one record. When the older ones are
/// used up, the newer take their place. Nothing is ever subtracted. An event for an older pane
/// makes the fold begin anew at its next use.
class window_fold {
 public:
  /// How panes are merged: whole, or only what baselines need.
  enum class part : std::uint8_t { whole, baseline };

  explicit window_fold(part of) : part_(of) {}

  /// Merges the panes with ends in (after_ms, until_ms] into `result`, which must be clear. Panes
  /// before `settled_ms` are taken to hold all they will: for those that do not, tell. Gives the
  /// number of merges. Precondition: after_ms and until_ms never decrease, but after clear().
  std::uint64_t query(record_store& records, std::uint32_t head, std::int64_t after_ms,
                      std::int64_t until_ms, std::int64_t settled_ms, window_record& result);

  /// An event came for the pane that ends at end_ms.
  void touch(record_store& records, std::int64_t end_ms) {
    if (end_ms <= absorbed_ms_) clear(records);
  }
  void clear(record_store& records);

  [[nodiscard]] std::uint64_t bytes() const noexcept { return front_.capacity() * sizeof(suffix); }

 private:
  struct suffix {
    std::int64_t end_ms;  ///< of its oldest pane
    std::uint32_t record;
  };
  static constexpr std::int64_t nothing = INT64_MIN;

  void merge(record_store& records, window_record& into, const window_record& from) const {
    part_ == part::whole ? records.merge(into, from) : records.merge_baseline(into, from);
  }
  std::uint64_t turn(record_store& records, std::uint32_t head, std::int64_t after_ms,
                     std::int64_t before_ms);

  std::vector<suffix> front_;
  std::uint32_t back_ = no_index;       ///< merged panes behind the suffixes, up to absorbed_ms_
  std::int64_t absorbed_ms_ = nothing;  ///< panes up to this are in the suffixes or in back_
  part part_;
};

}  // namespace tocsin
