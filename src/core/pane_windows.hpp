// SPDX-License-Identifier: Apache-2.0
// Fixed and sliding windows of a unit. A fixed window is a sliding one whose step is its size, a
// trailing one a sliding one whose step is a millisecond.
#pragma once

#include <deque>

#include "core/pane_grid.hpp"
#include "core/unit_windows.hpp"
#include "core/window_fold.hpp"

namespace tocsin {

/// A pane is as wide as the greatest width that divides all windows of the unit; windows of
/// different sizes, the unit's views, read the same panes (Li et al. 2005, "No Pane, No Gain";
/// Krishnamurthy et al. 2006, "On-the-Fly Sharing for Streamed Aggregation"). Only panes that hold
/// events exist, so gaps in time cost nothing. Short windows are merged by scanning their panes,
/// long ones by a window_fold.
class pane_windows final : public unit_windows {
 public:
  pane_windows(const rule_set& rules, const unit& of, key_store& keys, engine_budget& budget);
  ~pane_windows() override;

 private:
  struct view {
    window_grid grid;
    std::uint64_t mask;        ///< the rules that have this window
    std::uint64_t early;       ///< those of them that fire early
    std::uint64_t close;       ///< those that do not
    std::int64_t baseline_ms;  ///< 0: none
    /// A newest window with fewer events meets none of the early rules.
    std::uint64_t floor;
    bool one_pane;  ///< a window is one pane
  };
  /// What is kept of a view's newest window: the one that ends first of those that hold the newest
  /// pane.
  struct view_state {
    std::uint32_t running = no_index;  ///< its contents, once they are asked for
    std::uint32_t bound = 0;           ///< it holds at most so many events
    std::uint32_t folds = no_index;    ///< in folds_, once it has many panes
  };
  /// The newest window and the newest closed one move forward each at its own pace.
  struct fold_set {
    window_fold newest{window_fold::part::whole};
    window_fold closed{window_fold::part::whole};
    window_fold newest_baseline{window_fold::part::baseline};
    window_fold closed_baseline{window_fold::part::baseline};
  };
  /// Of a trailing window whose instants are bounded by limits.events.
  struct trail {
    std::uint64_t panes = 0;
    std::int64_t cut_ms = INT64_MIN;  ///< panes up to this were forgotten
  };
  /// An event being taken in.
  struct entering {
    const arriving_event& arriving;
    std::int64_t time_ms;
    std::int64_t pane_ms;  ///< the end of its pane
    std::uint32_t pane;
  };
  /// Which window is asked for: how its contents may be remembered.
  enum class frontier : std::uint8_t { newest, closed, other };

  bool accepts(std::uint32_t state, std::int64_t time_ms, std::int64_t watermark_ms) override;
  void enter(std::uint32_t state, const arriving_event& arriving, std::int64_t time_ms,
             std::int64_t watermark_ms, std::vector<finding>& out) override;
  std::int64_t close_at(std::uint32_t state, std::int64_t due_ms,
                        std::vector<finding>& out) override;
  void forget(window_state& state) override;
  void save_contents(const window_state& state, state_writer& to) const override;
  void load_contents(std::uint32_t state, state_reader& from) override;
  [[nodiscard]] std::uint64_t own_bytes() const override;

  /// What is kept by state has room for all states.
  void make_room();

  // The chain of a key's panes: state.head is the newest, state.own the oldest.
  [[nodiscard]] std::uint32_t pane_for(std::uint32_t state, std::int64_t end_ms);
  void begin_newest(std::uint32_t state, std::int64_t before_ms, std::int64_t end_ms);
  void drop_oldest(window_state& state);
  void drop_lost(window_state& state, std::int64_t due_ms);
  void bound_trail(std::uint32_t state);

  // What is kept merged.
  [[nodiscard]] view_state& kept(std::uint32_t state, std::size_t at) {
    return view_states_[state * views_.size() + at];
  }
  /// What is kept takes in an event that its pane has just taken.
  void keep_up(std::uint32_t state, const entering& event);
  void add_to_running(window_record& running, const entering& event);
  [[nodiscard]] fold_set& folds_of(std::uint32_t state, std::size_t at);
  void drop_kept(std::uint32_t state);
  void drop_running(view_state& of);

  // Windows of a view, named by their ends.
  [[nodiscard]] std::int64_t newest_end(const window_state& state, const view& of) const {
    return of.grid.first_of(records_.at(state.head).end_ms);
  }
  [[nodiscard]] judged_window newest_window(std::uint32_t state, std::size_t at,
                                            std::int64_t now_ms);
  [[nodiscard]] judged_window window_at(std::uint32_t state, std::size_t at, std::int64_t end_ms,
                                        std::int64_t now_ms, frontier which);
  void merge_panes(std::uint32_t state, std::size_t at, std::int64_t end_ms, frontier which,
                   window_record& into);
  [[nodiscard]] const window_record* baseline_of(std::uint32_t state, std::size_t at,
                                                 std::int64_t end_ms, frontier which);
  [[nodiscard]] std::int64_t cut_of(std::uint32_t state) const {
    return trails_.empty() ? INT64_MIN : trails_[state].cut_ms;
  }

  // Judgements.
  void judge_early(std::uint32_t state, std::size_t at, const entering& event,
                   std::int64_t watermark_ms, std::vector<finding>& out);
  /// Reports the first open window that holds the event and meets the rule.
  void judge_open_windows(std::uint32_t state, std::size_t at, const rule& one,
                          const entering& event, std::int64_t open_ms, std::vector<finding>& out);
  void judge_closed(std::uint32_t state, std::size_t at, std::int64_t due_ms,
                    std::vector<finding>& out);
  /// Whether a window that is still open meets an early rule; it is then reported.
  bool open_window_holds(std::uint32_t state, std::size_t at, const rule& one,
                         std::int64_t closed_ms, std::vector<finding>& out);

  // Deadlines.
  [[nodiscard]] bool must_judge(const window_state& state, const view& of) const {
    return of.close != 0 || (state.met & of.mask) != 0;
  }
  /// A view's window is to be looked at when it closes, whatever changes in it by then.
  void want(std::uint32_t state, std::size_t at, std::int64_t end_ms);
  void arm_after(std::uint32_t state, const entering& event, bool new_pane,
                 std::uint64_t met_before, std::int64_t watermark_ms);
  /// The first window end greater than after_ms at which what the window holds differs from the
  /// window before; never_ms when nothing is left to change.
  [[nodiscard]] std::int64_t next_change(const window_state& state, const view& of,
                                         std::int64_t after_ms) const;
  /// The window behind end_ms to be looked at, when those up to until_ms are.
  [[nodiscard]] std::int64_t next_window(const window_state& state, const view& of,
                                         std::int64_t end_ms, std::int64_t until_ms) const;
  /// When the newest pane has left all windows and baselines.
  [[nodiscard]] std::int64_t all_lost_at(const window_state& state) const;
  [[nodiscard]] std::int64_t next_due(const window_state& state, std::int64_t after_ms) const;

  pane_grid grid_;
  std::vector<view> views_;
  std::vector<view_state> view_states_;  ///< by state and view
  std::deque<fold_set> folds_;
  std::vector<std::uint32_t> free_folds_;
  /// By state and view: the first window that is wanted; empty with one view, whose windows all
  /// close in the order in which they are wanted.
  std::vector<std::int64_t> wanted_ms_;
  std::vector<trail> trails_;  ///< by state; empty unless the windows are trailing
  bool trailing_;
  std::vector<std::uint64_t> count_floors_;  ///< by rule::bit
  std::uint64_t rising_mask_ = 0;
  std::uint32_t closed_scratch_;
  std::uint32_t open_scratch_;
  std::uint32_t baseline_scratch_;
};

}  // namespace tocsin
