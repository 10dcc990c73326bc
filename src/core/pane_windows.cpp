// SPDX-License-Identifier: Apache-2.0
// Fixed and sliding windows over sparse panes: an event touches one pane, a window merges the panes
// it spans.
#include "core/pane_windows.hpp"

#include <algorithm>
#include <bit>

namespace tocsin {

pane_windows::pane_windows(const rule_set& rules, const unit& of, key_store& keys)
    : unit_windows(rules, of, keys),
      size_ms_(of.window.size.count()),
      every_ms_(of.window.every.count()),
      offset_ms_(of.window.offset.count()),
      closed_scratch_(records_.take()),
      open_scratch_(records_.take()) {}

pane_windows::~pane_windows() {
  for (window_state& state : states_) forget(state);
}

std::int64_t pane_windows::pane_end(std::int64_t time_ms) const {
  // Neighbouring events mostly share a pane: a division saved.
  if (time_ms < last_pane_end_ms_ && time_ms >= last_pane_end_ms_ - every_ms_)
    return last_pane_end_ms_;
  const std::int64_t since = time_ms - offset_ms_;
  const std::int64_t pane =
      since >= 0 ? since / every_ms_ : -((-since + every_ms_ - 1) / every_ms_);
  last_pane_end_ms_ = (pane + 1) * every_ms_ + offset_ms_;
  return last_pane_end_ms_;
}

std::int64_t pane_windows::first_open_end(std::int64_t pane_end_ms,
                                          std::int64_t watermark_ms) const {
  if (pane_end_ms >= watermark_ms) return pane_end_ms;
  const std::int64_t steps = (watermark_ms - pane_end_ms + every_ms_ - 1) / every_ms_;
  return pane_end_ms + steps * every_ms_;
}

bool pane_windows::accepts(std::uint32_t, std::int64_t time_ms, std::int64_t watermark_ms) {
  const std::int64_t end_ms = pane_end(time_ms);
  if (end_ms >= watermark_ms) return true;
  if (end_ms + size_ms_ - every_ms_ < watermark_ms) return false;
  ++late_;  // for some of its windows
  return true;
}

std::uint32_t pane_windows::pane_for(window_state& state, std::int64_t end_ms) {
  std::uint32_t* place = &state.head;
  while (*place != no_index && records_.at(*place).end_ms > end_ms)
    place = &records_.at(*place).next;
  if (*place != no_index && records_.at(*place).end_ms == end_ms) return *place;
  const std::uint32_t made = records_.take();
  records_.at(made).end_ms = end_ms;
  records_.at(made).next = *place;
  *place = made;
  if (made == state.head) begin_newest(state, end_ms);
  return made;
}

void pane_windows::begin_newest(window_state& state, std::int64_t end_ms) {
  if (state.running != no_index) records_.give_back(state.running);
  state.running = no_index;
  state.newest_ms = end_ms;
  state.window_count = 0;
  if (early_mask_ == 0) return;
  for (std::uint32_t at = state.head; at != no_index; at = records_.at(at).next) {
    if (records_.at(at).end_ms <= end_ms - size_ms_) return;
    state.window_count += records_.at(at).count;
  }
}

void pane_windows::enter(std::uint32_t index, const arriving_event& arriving, std::int64_t time_ms,
                         std::int64_t watermark_ms, std::vector<finding>& out) {
  window_state& state = states_[index];
  const std::int64_t end_ms = pane_end(time_ms);
  const std::uint32_t pane =
      state.head != no_index && end_ms == state.newest_ms ? state.head : pane_for(state, end_ms);
  const bool new_pane = records_.at(pane).count == 0;
  count_in(state, pane, arriving, time_ms);
  if (early_mask_ != 0 && end_ms > state.newest_ms - size_ms_) {
    ++state.window_count;
    if (state.running != no_index)
      records_.add(records_.at(state.running), arriving.batch, arriving.from, time_ms,
                   arriving.position);
  }
  const std::uint64_t met_before = state.met;
  const std::int64_t open_ms = first_open_end(end_ms, watermark_ms);
  if ((early_mask_ & ~met_before) != 0) judge_early(index, arriving, end_ms, open_ms, out);

  if (state.met != met_before) {
    arm_earlier(index, std::min(open_ms, next_due(state, watermark_ms - 1)));
  } else if (new_pane || open_ms != end_ms) {
    // An event in a pane that is already closed changes the first window that is still open.
    arm_earlier(index, must_judge(state) ? open_ms : state.newest_ms + size_ms_);
  }
  // What a met early rule's open windows hold is asked at every closing, so news for it makes the
  // key due at the next.
  if ((met_before & early_mask_) != 0) arm_earlier(index, pane_end(watermark_ms - 1));
}

void pane_windows::judge_early(std::uint32_t index, const arriving_event& arriving,
                               std::int64_t end_ms, std::int64_t open_ms,
                               std::vector<finding>& out) {
  window_state& state = states_[index];
  const bool in_newest = open_ms == state.newest_ms;
  for (std::uint64_t left = early_mask_ & ~state.met; left != 0; left &= left - 1) {
    const auto bit = static_cast<std::uint32_t>(std::countr_zero(left));
    // The newest window holds all that later windows hold: of a rising condition they can tell
    // nothing new.
    if (in_newest && gates_[bit].rising && state.window_count < gates_[bit].count_floor) continue;
    judge_open_windows(index, judge_.rule_at(bit), arriving, end_ms, open_ms, out);
  }
}

void pane_windows::judge_open_windows(std::uint32_t index, const rule& one,
                                      const arriving_event& arriving, std::int64_t end_ms,
                                      std::int64_t open_ms, std::vector<finding>& out) {
  window_state& state = states_[index];
  const std::int64_t last_ms = end_ms + size_ms_ - every_ms_;
  const std::int64_t until_ms =
      gates_[one.bit].rising ? std::min(last_ms, std::max(open_ms, state.newest_ms)) : last_ms;
  for (std::int64_t at_ms = open_ms; at_ms <= until_ms; at_ms += every_ms_) {
    const judged_window window =
        at_ms == state.newest_ms ? newest_window(state) : window_at(state, at_ms, open_scratch_);
    if (!judge_.holds(one, window)) continue;
    report_holding(state, index, one, window, &arriving,
                   {arriving.from.arrived, arriving.position, "condition met"}, out);
    return;
  }
}

judged_window pane_windows::newest_window(window_state& state) {
  // A window of one pane is that pane; else the merged contents are kept until a newer pane begins.
  if (size_ms_ != every_ms_ && state.running == no_index) {
    state.running = records_.take();
    merge_window(state, state.newest_ms, records_.at(state.running));
  }
  return window_at(state, state.newest_ms, open_scratch_);
}

judged_window pane_windows::window_at(const window_state& state, std::int64_t end_ms,
                                      std::uint32_t scratch) {
  const window_bounds bounds{unit_->window.kind, from_unix_ms(end_ms - size_ms_),
                             from_unix_ms(end_ms)};
  if (state.head != no_index && records_.at(state.head).end_ms == end_ms) {
    if (size_ms_ == every_ms_) return {&records_.at(state.head), bounds};
    if (state.running != no_index) return {&records_.at(state.running), bounds};
  }
  window_record& merged = records_.at(scratch);
  merge_window(state, end_ms, merged);
  return {&merged, bounds};
}

void pane_windows::merge_window(const window_state& state, std::int64_t end_ms,
                                window_record& into) const {
  records_.clear(into);
  for (std::uint32_t at = state.head; at != no_index; at = records_.at(at).next) {
    const window_record& pane = records_.at(at);
    if (pane.end_ms <= end_ms - size_ms_) break;
    if (pane.end_ms <= end_ms) records_.merge(into, pane);
  }
}

std::int64_t pane_windows::next_due(const window_state& state, std::int64_t after_ms) const {
  if (state.head == no_index) return never_ms;
  if (!must_judge(state)) return records_.at(state.head).end_ms + size_ms_;
  std::int64_t due_ms = never_ms;
  for (std::uint32_t at = state.head; at != no_index; at = records_.at(at).next) {
    const std::int64_t end_ms = records_.at(at).end_ms;
    if (end_ms > after_ms)
      due_ms = std::min(due_ms, end_ms);
    else if (end_ms + size_ms_ > after_ms)
      due_ms = std::min(due_ms, end_ms + size_ms_);
  }
  return due_ms;
}

std::int64_t pane_windows::close_at(std::uint32_t index, std::int64_t due_ms,
                                    std::vector<finding>& out) {
  window_state& state = states_[index];
  if (must_judge(state)) judge_closed(index, due_ms, out);
  drop_panes(state.head, due_ms - size_ms_);
  if (state.head == no_index) forget(state);
  return next_due(state, due_ms);
}

void pane_windows::judge_closed(std::uint32_t index, std::int64_t due_ms,
                                std::vector<finding>& out) {
  window_state& state = states_[index];
  const judged_window closed = window_at(state, due_ms, closed_scratch_);
  for (std::uint32_t bit = 0; bit < unit_->rules.size(); ++bit) {
    const rule& one = judge_.rule_at(bit);
    const bool met = (state.met & mask_of(one)) != 0;
    if (one.early && !met) continue;
    if (judge_.holds(one, closed)) {
      report_holding(state, index, one, closed, nullptr, closing_cause(due_ms, "window closed"),
                     out);
    } else if (met && !(one.early && open_window_holds(index, one, due_ms, out))) {
      report_cleared(state, one, closed, closing_cause(due_ms, "condition cleared"), out);
    }
  }
}

bool pane_windows::open_window_holds(std::uint32_t index, const rule& one, std::int64_t closed_ms,
                                     std::vector<finding>& out) {
  window_state& state = states_[index];
  if (state.head == no_index) return false;
  const std::int64_t until_ms =
      gates_[one.bit].rising ? state.newest_ms : state.newest_ms + size_ms_ - every_ms_;
  for (std::int64_t at_ms = closed_ms + every_ms_; at_ms <= until_ms; at_ms += every_ms_) {
    const judged_window open = window_at(state, at_ms, open_scratch_);
    if (!judge_.holds(one, open)) continue;
    report_holding(state, index, one, open, nullptr, closing_cause(closed_ms, "window closed"),
                   out);
    return true;
  }
  return false;
}

void pane_windows::drop_panes(std::uint32_t& from, std::int64_t lost_until_ms) {
  std::uint32_t* place = &from;
  while (*place != no_index && records_.at(*place).end_ms > lost_until_ms)
    place = &records_.at(*place).next;
  std::uint32_t at = *place;
  *place = no_index;
  while (at != no_index) {
    const std::uint32_t next = records_.at(at).next;
    records_.drop(at);
    at = next;
  }
}

void pane_windows::forget(window_state& state) {
  drop_panes(state.head, never_ms);
  if (state.running != no_index) records_.give_back(state.running);
  state.running = no_index;
}

}  // namespace tocsin
