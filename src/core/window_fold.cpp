// SPDX-License-Identifier: Apache-2.0
// Two stacks over a key's panes.
#include "core/window_fold.hpp"

#include <algorithm>

namespace tocsin {

void window_fold::clear(record_store& records) {
  for (const suffix& one : front_) records.give_back(one.record);
  front_.clear();
  if (back_ != no_index) records.give_back(back_);
  back_ = no_index;
  absorbed_ms_ = nothing;
}

std::uint64_t window_fold::turn(record_store& records, std::uint32_t head, std::int64_t after_ms,
                                std::int64_t before_ms) {
  clear(records);
  std::uint64_t merges = 0;
  for (std::uint32_t at = head; at != no_index; at = records.at(at).next) {
    const std::int64_t end_ms = records.at(at).end_ms;
    if (end_ms <= after_ms) break;
    if (end_ms >= before_ms) continue;
    const std::uint32_t made = records.take();
    merge(records, records.at(made), records.at(at));
    if (!front_.empty()) merge(records, records.at(made), records.at(front_.back().record));
    front_.push_back({end_ms, made});
    absorbed_ms_ = std::max(absorbed_ms_, end_ms);
    merges += 2;
  }
  return merges;
}

std::uint64_t window_fold::query(record_store& records, std::uint32_t head, std::int64_t after_ms,
                                 std::int64_t until_ms, std::int64_t settled_ms,
                                 window_record& result) {
  std::uint64_t merges = 0;
  while (!front_.empty() && front_.back().end_ms <= after_ms) {
    records.give_back(front_.back().record);
    front_.pop_back();
  }
  const std::int64_t before_ms = std::min(settled_ms, until_ms + 1);
  if (front_.empty()) merges += turn(records, head, after_ms, before_ms);
  if (!front_.empty()) merge(records, result, records.at(front_.back().record));
  // What has settled since goes behind the suffixes for good; the rest is merged this time only.
  const std::int64_t absorbed_before_ms = absorbed_ms_;
  for (std::uint32_t at = head; at != no_index; at = records.at(at).next) {
    const window_record& pane = records.at(at);
    if (pane.end_ms <= absorbed_before_ms || pane.end_ms <= after_ms) break;
    if (pane.end_ms > until_ms) continue;
    ++merges;
    if (pane.end_ms >= before_ms) {
      merge(records, result, pane);
      continue;
    }
    if (back_ == no_index) back_ = records.take();
    merge(records, records.at(back_), pane);
    absorbed_ms_ = std::max(absorbed_ms_, pane.end_ms);
  }
  if (back_ != no_index) merge(records, result, records.at(back_));
  return merges + 2;
}

}  // namespace tocsin
