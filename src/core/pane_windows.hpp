// SPDX-License-Identifier: Apache-2.0
// Fixed and sliding windows of a unit. A fixed window is a sliding one whose step is its size.
#pragma once

#include "core/unit_windows.hpp"

namespace tocsin {

/// Panes have the width `every` and end at multiples of it (plus the offset); a window spans size /
/// every of them. Only panes that hold events exist, so gaps in time cost nothing (Li et al. 2005,
/// "No Pane, No Gain").
class pane_windows final : public unit_windows {
 public:
  pane_windows(const rule_set& rules, const unit& of, key_store& keys);
  ~pane_windows() override;

 private:
  bool accepts(std::uint32_t state, std::int64_t time_ms, std::int64_t watermark_ms) override;
  void enter(std::uint32_t state, const arriving_event& arriving, std::int64_t time_ms,
             std::int64_t watermark_ms, std::vector<finding>& out) override;
  std::int64_t close_at(std::uint32_t state, std::int64_t due_ms,
                        std::vector<finding>& out) override;
  void forget(window_state& state) override;

  /// The end of the pane that holds time_ms.
  [[nodiscard]] std::int64_t pane_end(std::int64_t time_ms) const;
  /// The first window that holds the pane and is not closed.
  [[nodiscard]] std::int64_t first_open_end(std::int64_t pane_end_ms,
                                            std::int64_t watermark_ms) const;
  /// The pane that ends at end_ms, made when there is none.
  [[nodiscard]] std::uint32_t pane_for(window_state& state, std::int64_t end_ms);
  /// A pane has become the newest: what was kept of the newest window begins anew.
  void begin_newest(window_state& state, std::int64_t end_ms);
  /// The window that ends with the newest pane; from now on its contents are kept merged.
  [[nodiscard]] judged_window newest_window(window_state& state);
  /// The window that ends at end_ms, merged into `scratch` when it is not kept.
  [[nodiscard]] judged_window window_at(const window_state& state, std::int64_t end_ms,
                                        std::uint32_t scratch);
  void merge_window(const window_state& state, std::int64_t end_ms, window_record& into) const;
  void judge_early(std::uint32_t state, const arriving_event& arriving, std::int64_t end_ms,
                   std::int64_t open_ms, std::vector<finding>& out);
  /// Reports the first open window that holds the event and meets the rule.
  void judge_open_windows(std::uint32_t state, const rule& one, const arriving_event& arriving,
                          std::int64_t end_ms, std::int64_t open_ms, std::vector<finding>& out);
  void judge_closed(std::uint32_t state, std::int64_t due_ms, std::vector<finding>& out);
  /// Whether a window that is still open meets an early rule; it is then reported.
  bool open_window_holds(std::uint32_t state, const rule& one, std::int64_t closed_ms,
                         std::vector<finding>& out);
  [[nodiscard]] bool must_judge(const window_state& state) const {
    return close_mask_ != 0 || state.met != 0;
  }
  /// The first deadline greater than after_ms at which what a window holds differs from the window
  /// before, or, when nothing is to be judged, at which the last pane is lost.
  [[nodiscard]] std::int64_t next_due(const window_state& state, std::int64_t after_ms) const;
  /// Arms the deadline unless an earlier one is armed.
  void arm_earlier(std::uint32_t state, std::int64_t deadline_ms) {
    if (deadline_ms < states_[state].due_ms) arm(state, deadline_ms);
  }
  /// Frees the panes of the chain from `from` that end at lost_until_ms or before.
  void drop_panes(std::uint32_t& from, std::int64_t lost_until_ms);

  std::int64_t size_ms_;
  std::int64_t every_ms_;
  std::int64_t offset_ms_;
  mutable std::int64_t last_pane_end_ms_ =
      -never_ms;  ///< of the last pane_end(); no pane before the first
  std::uint32_t closed_scratch_;
  std::uint32_t open_scratch_;
};

}  // namespace tocsin
