// SPDX-License-Identifier: Apache-2.0
// Where panes and windows begin and end: multiples of a width, or days of a time zone.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <optional>

#include "tocsin/rule_set.hpp"

namespace tocsin {

/// Greatest a + k * step that is not greater than `at`, for whole k.
[[nodiscard]] constexpr std::int64_t floor_to(std::int64_t at, std::int64_t step,
                                              std::int64_t a) noexcept {
  const std::int64_t since = at - a;
  const std::int64_t steps = since >= 0 ? since / step : -((-since + step - 1) / step);
  return a + steps * step;
}

/// Smallest a + k * step that is not smaller than `at`.
[[nodiscard]] constexpr std::int64_t ceil_to(std::int64_t at, std::int64_t step,
                                             std::int64_t a) noexcept {
  return floor_to(at + step - 1, step, a);
}

/// Days of a time zone, in runs of n days counted from 1970-01-01. A day is 23 or 25 hours long
/// where the zone's clocks change.
class day_grid {
 public:
  /// Precondition: the zone can be loaded (the rule's compiler has tried).
  explicit day_grid(const window_spec& window);

  /// The start of the run that holds time_ms.
  [[nodiscard]] std::int64_t start_of(std::int64_t time_ms) const;
  /// The start of the run behind the one that starts at start_ms: its end.
  [[nodiscard]] std::int64_t next_after(std::int64_t start_ms) const;
  /// The start of the run before.
  [[nodiscard]] std::int64_t before(std::int64_t start_ms) const;

 private:
  [[nodiscard]] std::int64_t start_of_run(std::int64_t run) const;
  [[nodiscard]] std::int64_t run_of(std::int64_t time_ms) const;

  absl::TimeZone zone_;
  std::int64_t days_;
  std::int64_t offset_ms_;
};

/// The panes of a unit.
class pane_grid {
 public:
  explicit pane_grid(const unit& of);

  /// The end of the pane that holds time_ms.
  [[nodiscard]] std::int64_t end_of(std::int64_t time_ms) const {
    // Neighbouring events mostly share a pane: a division saved.
    if (time_ms < last_end_ms_ && time_ms >= last_start_ms_) return last_end_ms_;
    return find_end(time_ms);
  }
  [[nodiscard]] const day_grid* days() const noexcept { return days_ ? &*days_ : nullptr; }

 private:
  std::int64_t find_end(std::int64_t time_ms) const;

  std::int64_t width_ms_;
  std::int64_t offset_ms_;
  std::optional<day_grid> days_;
  // No pane before the first look-up.
  mutable std::int64_t last_start_ms_ = 0;
  mutable std::int64_t last_end_ms_ = 0;
};

/// One of a unit's windows: which of them hold a pane, named by their ends. A pane is named by its
/// end, too.
class window_grid {
 public:
  /// `days` is null for windows on a plain grid.
  window_grid(const window_spec& window, duration pane, const day_grid* days)
      : size_ms_(window.size.count()),
        every_ms_(window.every.count()),
        offset_ms_(window.offset.count()),
        step_is_pane_(window.every == pane || days != nullptr),
        days_(days) {}

  [[nodiscard]] std::int64_t size_ms() const noexcept { return size_ms_; }
  [[nodiscard]] std::int64_t every_ms() const noexcept { return every_ms_; }

  [[nodiscard]] bool is_end(std::int64_t at_ms) const {
    return days_ != nullptr || ceil_to(at_ms, every_ms_, offset_ms_) == at_ms;
  }
  /// The first window that holds the pane.
  [[nodiscard]] std::int64_t first_of(std::int64_t pane_end_ms) const {
    return step_is_pane_ ? pane_end_ms : ceil_to(pane_end_ms, every_ms_, offset_ms_);
  }
  /// The last window that holds the pane.
  [[nodiscard]] std::int64_t last_of(std::int64_t pane_end_ms) const {
    return days_ != nullptr ? pane_end_ms : first_of(pane_end_ms) + size_ms_ - every_ms_;
  }
  /// The first window after the pane has left.
  [[nodiscard]] std::int64_t lost_at(std::int64_t pane_end_ms) const {
    return days_ != nullptr ? days_->next_after(pane_end_ms) : first_of(pane_end_ms) + size_ms_;
  }
  /// The first window that holds the pane and is not closed: ends at the watermark or later.
  [[nodiscard]] std::int64_t first_open_of(std::int64_t pane_end_ms,
                                           std::int64_t watermark_ms) const {
    const std::int64_t first = first_of(pane_end_ms);
    if (first >= watermark_ms || days_ != nullptr) return first;
    return ceil_to(watermark_ms, every_ms_, offset_ms_);
  }
  /// The first window whose end is the watermark or later.
  [[nodiscard]] std::int64_t first_open(std::int64_t watermark_ms) const {
    if (days_ == nullptr) return ceil_to(watermark_ms, every_ms_, offset_ms_);
    const std::int64_t start = days_->start_of(watermark_ms);
    return start == watermark_ms ? start : days_->next_after(start);
  }
  /// The window before that ends at end_ms: panes with this end or earlier are not in it.
  [[nodiscard]] std::int64_t start_of(std::int64_t end_ms) const {
    return days_ != nullptr ? days_->before(end_ms) : end_ms - size_ms_;
  }

 private:
  std::int64_t size_ms_;
  std::int64_t every_ms_;
  std::int64_t offset_ms_;
  bool step_is_pane_;
  const day_grid* days_;
};

}  // namespace tocsin
