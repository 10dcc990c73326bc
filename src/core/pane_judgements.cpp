// SPDX-License-Identifier: Apache-2.0
// Panes: when rules are judged over windows, early and at their closes, and what is waited for.
#include <algorithm>
#include <bit>
#include <optional>

#include "core/pane_windows.hpp"

namespace tocsin {
namespace {

/// Up to so many windows in a row are looked at one by one; of more, those that differ.
constexpr std::int64_t steps_max = 32;

}  // namespace

void pane_windows::judge_early(std::uint32_t index, std::size_t at, const entering& event,
                               std::int64_t watermark_ms, std::vector<finding>& out) {
  const window_state& state = states_[index];
  const view& of = views_[at];
  const std::int64_t open_ms = of.grid.first_open_of(event.pane_ms, watermark_ms);
  const bool in_newest = open_ms == newest_end(state, of);
  for (std::uint64_t left = of.early & ~state.met; left != 0; left &= left - 1) {
    const auto bit = static_cast<std::uint32_t>(std::countr_zero(left));
    // The newest window holds all that later windows hold: of a rising condition they can tell
    // nothing new.
    if (in_newest && (rising_mask_ >> bit & 1) != 0 && kept(index, at).bound < count_floors_[bit])
      continue;
    const rule& one = judge_.rule_at(bit);
    if (may_judge(one)) judge_open_windows(index, at, one, event, open_ms, out);
  }
}

void pane_windows::judge_open_windows(std::uint32_t index, std::size_t at, const rule& one,
                                      const entering& event, std::int64_t open_ms,
                                      std::vector<finding>& out) {
  window_state& state = states_[index];
  const view& of = views_[at];
  const std::int64_t newest_ms = newest_end(state, of);
  const std::int64_t last_ms = of.grid.last_of(event.pane_ms);
  const bool rising = (rising_mask_ & mask_of(one)) != 0;
  const std::int64_t until_ms = rising ? std::min(last_ms, std::max(open_ms, newest_ms)) : last_ms;
  for (std::int64_t at_ms = open_ms; at_ms <= until_ms;
       at_ms = next_window(state, of, at_ms, until_ms)) {
    const judged_window window = at_ms == newest_ms
                                     ? newest_window(index, at, event.time_ms)
                                     : window_at(index, at, at_ms, event.time_ms, frontier::other);
    if (!holds(one, window, state)) continue;
    report_holding(state, index, one, window, &event.arriving,
                   {event.arriving.from.arrived, event.arriving.position, "condition met"}, out);
    return;
  }
}

void pane_windows::judge_closed(std::uint32_t index, std::size_t at, std::int64_t due_ms,
                                std::vector<finding>& out) {
  window_state& state = states_[index];
  const view& of = views_[at];
  std::optional<judged_window> closed;
  const auto look = [&] { closed = window_at(index, at, due_ms, due_ms, frontier::closed); };
  for (std::uint64_t left = of.mask; left != 0; left &= left - 1) {
    const auto bit = static_cast<std::uint32_t>(std::countr_zero(left));
    const rule& one = judge_.rule_at(bit);
    const bool met = (state.met & mask_of(one)) != 0;
    if ((one.early && !met) || !may_judge(one)) continue;
    if (!closed) look();
    if (holds(one, *closed, state)) {
      report_holding(state, index, one, *closed, nullptr, closing_cause(due_ms, "window closed"),
                     out);
      continue;
    }
    if (!met) continue;
    const bool open_holds = one.early && open_window_holds(index, at, one, due_ms, out);
    // Looking at open windows has taken the place where baselines are merged.
    if (one.early && of.baseline_ms != 0) look();
    if (open_holds) continue;
    report_cleared(state, index, one, *closed, closing_cause(due_ms, "condition cleared"), out);
  }
}

bool pane_windows::open_window_holds(std::uint32_t index, std::size_t at, const rule& one,
                                     std::int64_t closed_ms, std::vector<finding>& out) {
  window_state& state = states_[index];
  if (state.head == no_index) return false;
  const view& of = views_[at];
  const std::int64_t newest_ms = newest_end(state, of);
  const bool rising = (rising_mask_ & mask_of(one)) != 0;
  const std::int64_t until_ms =
      rising ? newest_ms : of.grid.last_of(records_.at(state.head).end_ms);
  for (std::int64_t at_ms = next_window(state, of, closed_ms, closed_ms); at_ms <= until_ms;
       at_ms = next_window(state, of, at_ms, until_ms)) {
    const judged_window open = window_at(index, at, at_ms, closed_ms, frontier::other);
    if (!holds(one, open, state)) continue;
    report_holding(state, index, one, open, nullptr, closing_cause(closed_ms, "window closed"),
                   out);
    return true;
  }
  return false;
}

std::int64_t pane_windows::close_at(std::uint32_t index, std::int64_t due_ms,
                                    std::vector<finding>& out) {
  window_state& state = states_[index];
  for (std::size_t at = 0; at < views_.size(); ++at) {
    if (!wanted_ms_.empty()) {
      std::int64_t& wanted_ms = wanted_ms_[index * views_.size() + at];
      if (wanted_ms <= due_ms) wanted_ms = never_ms;
    }
    if (must_judge(state, views_[at]) && views_[at].grid.is_end(due_ms))
      judge_closed(index, at, due_ms, out);
  }
  drop_lost(state, due_ms);
  if (state.head == no_index) forget(state);
  return next_due(state, due_ms);
}

void pane_windows::want(std::uint32_t index, std::size_t at, std::int64_t end_ms) {
  arm_earlier(index, end_ms);
  if (wanted_ms_.empty()) return;
  std::int64_t& wanted_ms = wanted_ms_[index * views_.size() + at];
  wanted_ms = std::min(wanted_ms, end_ms);
}

void pane_windows::arm_after(std::uint32_t index, const entering& event, bool new_pane,
                             std::uint64_t met_before, std::int64_t watermark_ms) {
  const window_state& state = states_[index];
  for (std::size_t at = 0; at < views_.size(); ++at) {
    const view& of = views_[at];
    const std::int64_t open_ms = of.grid.first_open_of(event.pane_ms, watermark_ms);
    if (((state.met ^ met_before) & of.mask) != 0)
      want(index, at, std::min(open_ms, next_change(state, of, watermark_ms - 1)));
    // An event in a pane that is already closed changes the first window that is still open.
    else if (must_judge(state, of) && (new_pane || open_ms != of.grid.first_of(event.pane_ms)))
      want(index, at, open_ms);
    // What a met early rule's open windows hold is asked at every closing, so news for it makes the
    // key due at the next.
    if ((met_before & of.early) != 0) want(index, at, of.grid.first_open(watermark_ms));
  }
  if (new_pane) arm_earlier(index, all_lost_at(state));
}

std::int64_t pane_windows::next_window(const window_state& state, const view& of,
                                       std::int64_t end_ms, std::int64_t until_ms) const {
  if (until_ms - end_ms > steps_max * of.grid.every_ms()) return next_change(state, of, end_ms);
  return of.grid.lost_at(end_ms) - of.grid.size_ms() + of.grid.every_ms();
}

std::int64_t pane_windows::next_change(const window_state& state, const view& of,
                                       std::int64_t after_ms) const {
  std::int64_t next_ms = never_ms;
  for (std::uint32_t at = state.head; at != no_index; at = records_.at(at).next) {
    const std::int64_t first_ms = of.grid.first_of(records_.at(at).end_ms);
    if (first_ms <= after_ms) break;
    next_ms = first_ms;
  }
  if (of.baseline_ms != 0) {
    // As long as a window holds anything, each differs by what has moved in its baseline.
    if (state.head == no_index) return next_ms;
    const std::int64_t step_ms = of.grid.first_open(after_ms + 1);
    return of.grid.lost_at(records_.at(state.head).end_ms) >= step_ms ? std::min(next_ms, step_ms)
                                                                      : next_ms;
  }
  for (std::uint32_t at = state.own; at != no_index; at = records_.at(at).previous) {
    const std::int64_t lost_ms = of.grid.lost_at(records_.at(at).end_ms);
    if (lost_ms > after_ms) return std::min(next_ms, lost_ms);
  }
  return next_ms;
}

std::int64_t pane_windows::all_lost_at(const window_state& state) const {
  std::int64_t lost_ms = 0;
  bool first = true;
  for (const view& of : views_) {
    const std::int64_t here_ms = of.grid.lost_at(records_.at(state.head).end_ms) + of.baseline_ms;
    lost_ms = first ? here_ms : std::max(lost_ms, here_ms);
    first = false;
  }
  return lost_ms;
}

std::int64_t pane_windows::next_due(const window_state& state, std::int64_t after_ms) const {
  if (state.head == no_index) return never_ms;
  std::int64_t due_ms = all_lost_at(state);
  for (std::size_t at = 0; at < views_.size(); ++at)
    if (must_judge(state, views_[at]))
      due_ms = std::min(due_ms, next_change(state, views_[at], after_ms));
  if (wanted_ms_.empty()) return due_ms;
  const auto* const wanted =
      &wanted_ms_[static_cast<std::size_t>(&state - states_.data()) * views_.size()];
  return std::min(due_ms, *std::min_element(wanted, wanted + views_.size()));
}

}  // namespace tocsin
