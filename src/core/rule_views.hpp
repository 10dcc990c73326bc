// SPDX-License-Identifier: Apache-2.0
// Which fixed and sliding windows of different lengths may share the panes that events are counted
// in.
#pragma once

#include <cstdint>
#include <vector>

#include "tocsin/rule.hpp"

namespace tocsin {

/// True for windows whose panes others may share: fixed and sliding ones in UTC, not trailing.
[[nodiscard]] bool may_share_panes(const window_spec& window) noexcept;

/// The greatest width that divides all sizes, steps and offsets; the size of a window in days of a
/// time zone; 0 for other kinds. At least one view.
[[nodiscard]] duration pane_of(const std::vector<window_spec>& views);

/// Whether `extra` may join `views`: panes stay as wide as the smallest step, no view has more than
/// 512 of them, there are at most 8 views, and a baseline of `baseline` (0: none) still has at most
/// baseline_panes_max. Precondition: all may share panes.
[[nodiscard]] bool may_join(const std::vector<window_spec>& views, const window_spec& extra,
                            duration baseline);

/// The most panes that a baseline may go over.
inline constexpr std::int64_t baseline_panes_max = 10'000;

}  // namespace tocsin
