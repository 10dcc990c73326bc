// SPDX-License-Identifier: Apache-2.0
// Panes: how events enter them, what is kept merged of them, when they go.
#include "core/pane_windows.hpp"

#include <algorithm>
#include <tuple>

namespace tocsin {
namespace {

/// A window with more panes than this is not scanned but folded.
constexpr std::uint64_t scan_panes_max = 8;

}  // namespace

pane_windows::pane_windows(const rule_set& rules, const unit& of, key_store& keys,
                           engine_budget& budget)
    : unit_windows(rules, of, keys, budget),
      grid_(of),
      trailing_(of.views.front().trailing),
      closed_scratch_(records_.take()),
      open_scratch_(records_.take()),
      baseline_scratch_(records_.take()) {
  records_.set_aside();
  for (const window_spec& spec : of.views)
    views_.push_back({{spec, of.pane, grid_.days()},
                      0,
                      0,
                      0,
                      of.baseline.length.count(),
                      ~std::uint64_t{0},
                      spec.size == of.pane || grid_.days() != nullptr});
  for (const std::uint32_t index : of.rules) {
    const rule& one = rules.rules()[index];
    view& watched = views_[one.view];
    watched.mask |= mask_of(one);
    (one.early ? watched.early : watched.close) |= mask_of(one);
    const bool rising = one.having.movement() == trend::rising;
    if (rising) rising_mask_ |= mask_of(one);
    count_floors_.push_back(one.count_floor);
    if (one.early) watched.floor = std::min(watched.floor, rising ? one.count_floor : 0);
  }
}

pane_windows::~pane_windows() {
  for (window_state& state : states_) forget(state);
  for (const std::uint32_t scratch : {closed_scratch_, open_scratch_, baseline_scratch_})
    records_.give_back(scratch);
}

bool pane_windows::accepts(std::uint32_t, std::int64_t time_ms, std::int64_t watermark_ms) {
  const std::int64_t end_ms = grid_.end_of(time_ms);
  if (end_ms >= watermark_ms) return true;
  bool any = false;
  for (std::size_t at = 0; at < views_.size(); ++at) {
    const window_grid& grid = views_[at].grid;
    if (grid.first_of(end_ms) < watermark_ms) count_late(at);
    any = any || grid.last_of(end_ms) >= watermark_ms;
  }
  return any;
}

void pane_windows::enter(std::uint32_t index, const arriving_event& arriving, std::int64_t time_ms,
                         std::int64_t watermark_ms, std::vector<finding>& out) {
  make_room();
  window_state& state = states_[index];
  const std::int64_t end_ms = grid_.end_of(time_ms);
  const bool in_newest = state.head != no_index && records_.at(state.head).end_ms == end_ms;
  const entering event{arriving, time_ms, end_ms, in_newest ? state.head : pane_for(index, end_ms)};
  const bool new_pane = records_.at(event.pane).count == 0;
  count_in(state, event.pane, arriving, time_ms);
  keep_up(index, event);
  if (trailing_ && new_pane) bound_trail(index);
  const std::uint64_t met_before = state.met;
  const bool open = event.pane_ms >= watermark_ms;
  const bool newest_and_open = open && event.pane == state.head;
  for (std::size_t at = 0; at < views_.size(); ++at) {
    if ((views_[at].early & ~met_before) == 0) continue;
    if (newest_and_open && kept(index, at).bound < views_[at].floor) continue;
    judge_early(index, at, event, watermark_ms, out);
  }
  // Nothing new is waited for when an event adds to an open pane and no rule is met.
  if (open && !new_pane && state.met == 0 && met_before == 0) return;
  arm_after(index, event, new_pane, met_before, watermark_ms);
}

void pane_windows::make_room() {
  if (view_states_.size() >= states_.size() * views_.size()) return;
  view_states_.resize(states_.size() * views_.size());
  if (views_.size() > 1) wanted_ms_.resize(view_states_.size(), never_ms);
  if (trailing_) trails_.resize(states_.size());
}

std::uint32_t pane_windows::pane_for(std::uint32_t index, std::int64_t end_ms) {
  window_state& state = states_[index];
  std::uint32_t newer = no_index;
  std::uint32_t older = state.head;
  while (older != no_index && records_.at(older).end_ms > end_ms) {
    newer = older;
    older = records_.at(older).next;
  }
  if (older != no_index && records_.at(older).end_ms == end_ms) return older;
  const std::uint32_t made = records_.take();
  window_record& pane = records_.at(made);
  pane.end_ms = end_ms;
  pane.next = older;
  pane.previous = newer;
  (older == no_index ? state.own : records_.at(older).previous) = made;
  if (newer != no_index) {
    records_.at(newer).next = made;
  } else {
    state.head = made;
    if (older != no_index) begin_newest(index, records_.at(older).end_ms, end_ms);
  }
  if (trailing_) ++trails_[index].panes;
  return made;
}

void pane_windows::begin_newest(std::uint32_t index, std::int64_t before_ms, std::int64_t end_ms) {
  for (std::size_t at = 0; at < views_.size(); ++at) {
    const window_grid& grid = views_[at].grid;
    if (grid.first_of(before_ms) != grid.first_of(end_ms)) drop_running(kept(index, at));
  }
}

void pane_windows::drop_oldest(window_state& state) {
  const std::uint32_t oldest = state.own;
  const std::uint32_t newer = records_.at(oldest).previous;
  (newer == no_index ? state.head : records_.at(newer).next) = no_index;
  state.own = newer;
  records_.drop(oldest);
}

void pane_windows::drop_lost(window_state& state, std::int64_t due_ms) {
  std::int64_t until_ms = never_ms;
  for (const view& of : views_) {
    const std::int64_t end_ms =
        of.grid.is_end(due_ms) ? due_ms : of.grid.first_of(due_ms) - of.grid.every_ms();
    until_ms = std::min(until_ms, of.grid.start_of(end_ms) - of.baseline_ms);
  }
  const auto index = static_cast<std::uint32_t>(&state - states_.data());
  while (state.own != no_index && records_.at(state.own).end_ms <= until_ms) {
    drop_oldest(state);
    if (trailing_) --trails_[index].panes;
  }
}

void pane_windows::bound_trail(std::uint32_t index) {
  trail& of = trails_[index];
  if (of.panes <= unit_->limits.events) return;
  window_state& state = states_[index];
  of.cut_ms = records_.at(state.own).end_ms;
  --of.panes;
  drop_oldest(state);
  drop_running(kept(index, 0));
}

void pane_windows::keep_up(std::uint32_t index, const entering& event) {
  const window_state& state = states_[index];
  for (std::size_t at = 0; at < views_.size(); ++at) {
    view_state& mine = kept(index, at);
    if (mine.folds != no_index) {
      fold_set& folds = folds_[mine.folds];
      for (window_fold* one :
           {&folds.newest, &folds.closed, &folds.newest_baseline, &folds.closed_baseline})
        one->touch(records_, event.pane_ms);
    }
    if (views_[at].early == 0) continue;
    if (mine.bound != ~std::uint32_t{0}) ++mine.bound;
    if (mine.running == no_index) continue;
    const std::int64_t newest_ms = newest_end(state, views_[at]);
    if (event.pane_ms == newest_ms || event.pane_ms > views_[at].grid.start_of(newest_ms))
      add_to_running(records_.at(mine.running), event);
  }
}

void pane_windows::add_to_running(window_record& running, const entering& event) {
  records_.add(running, event.arriving.batch, event.arriving.from, event.time_ms,
               event.arriving.position);
  representative* const newest = records_.at(event.pane).newest;
  if (newest != nullptr &&
      (running.newest == nullptr || std::tie(running.newest->time_ms, running.newest->position) <
                                        std::tie(newest->time_ms, newest->position)))
    running.newest = newest;
}

pane_windows::fold_set& pane_windows::folds_of(std::uint32_t index, std::size_t at) {
  view_state& mine = kept(index, at);
  if (mine.folds == no_index) {
    if (free_folds_.empty()) {
      mine.folds = static_cast<std::uint32_t>(folds_.size());
      folds_.emplace_back();
    } else {
      mine.folds = free_folds_.back();
      free_folds_.pop_back();
    }
  }
  return folds_[mine.folds];
}

void pane_windows::drop_running(view_state& of) {
  if (of.running == no_index) return;
  records_.give_back(of.running);
  of.running = no_index;
}

void pane_windows::drop_kept(std::uint32_t index) {
  if (view_states_.size() < (index + 1) * views_.size()) return;
  for (std::size_t at = 0; at < views_.size(); ++at) {
    view_state& mine = kept(index, at);
    drop_running(mine);
    mine.bound = 0;
    if (!wanted_ms_.empty()) wanted_ms_[index * views_.size() + at] = never_ms;
    if (mine.folds == no_index) continue;
    fold_set& folds = folds_[mine.folds];
    for (window_fold* one :
         {&folds.newest, &folds.closed, &folds.newest_baseline, &folds.closed_baseline})
      one->clear(records_);
    free_folds_.push_back(mine.folds);
    mine.folds = no_index;
  }
  if (trailing_) trails_[index] = {};
}

judged_window pane_windows::newest_window(std::uint32_t index, std::size_t at,
                                          std::int64_t now_ms) {
  const window_state& state = states_[index];
  const view& of = views_[at];
  const std::int64_t end_ms = newest_end(state, of);
  view_state& mine = kept(index, at);
  std::uint32_t held = mine.running;
  if (of.one_pane) {
    held = state.head;
  } else if (held == no_index) {
    held = mine.running = records_.take();
    merge_panes(index, at, end_ms, frontier::newest, records_.at(held));
  }
  const window_record& record = records_.at(held);
  mine.bound = static_cast<std::uint32_t>(std::min<std::uint64_t>(record.count, ~std::uint32_t{0}));
  return {&record,
          {unit_->views[at].kind, from_unix_ms(of.grid.start_of(end_ms)), from_unix_ms(end_ms)},
          now_ms,
          baseline_of(index, at, end_ms, frontier::newest)};
}

judged_window pane_windows::window_at(std::uint32_t index, std::size_t at, std::int64_t end_ms,
                                      std::int64_t now_ms, frontier which) {
  const window_state& state = states_[index];
  const view& of = views_[at];
  if (state.head != no_index && newest_end(state, of) == end_ms &&
      (of.one_pane || kept(index, at).running != no_index))
    return newest_window(index, at, now_ms);
  window_record& merged = records_.at(which == frontier::closed ? closed_scratch_ : open_scratch_);
  const window_record* contents = &merged;
  records_.clear(merged);
  if (of.one_pane) {
    std::uint32_t pane = state.head;
    while (pane != no_index && records_.at(pane).end_ms > end_ms) pane = records_.at(pane).next;
    if (pane != no_index && records_.at(pane).end_ms == end_ms) contents = &records_.at(pane);
  } else {
    merge_panes(index, at, end_ms, which, merged);
  }
  return {contents,
          {unit_->views[at].kind, from_unix_ms(of.grid.start_of(end_ms)), from_unix_ms(end_ms)},
          now_ms,
          baseline_of(index, at, end_ms, which)};
}

void pane_windows::merge_panes(std::uint32_t index, std::size_t at, std::int64_t end_ms,
                               frontier which, window_record& into) {
  const window_state& state = states_[index];
  const std::int64_t after_ms = std::max(views_[at].grid.start_of(end_ms), cut_of(index));
  // Who has had many panes is not scanned first to see whether it has them still.
  bool many = which != frontier::other && kept(index, at).folds != no_index;
  std::uint64_t merges = 0;
  for (std::uint32_t pane = state.head; pane != no_index && !many; pane = records_.at(pane).next) {
    const window_record& one = records_.at(pane);
    if (one.end_ms <= after_ms) break;
    if (one.end_ms > end_ms) continue;
    many = ++merges > scan_panes_max && which != frontier::other;
    if (!many) records_.merge(into, one);
  }
  if (many) {
    records_.clear(into);
    fold_set& folds = folds_of(index, at);
    const bool newest = which == frontier::newest;
    merges += (newest ? folds.newest : folds.closed)
                  .query(records_, state.head, after_ms, end_ms,
                         newest ? records_.at(state.head).end_ms : end_ms + 1, into);
  }
  charge(merges);
}

const window_record* pane_windows::baseline_of(std::uint32_t index, std::size_t at,
                                               std::int64_t end_ms, frontier which) {
  const view& of = views_[at];
  if (of.baseline_ms == 0) return nullptr;
  const window_state& state = states_[index];
  window_record& merged = records_.at(baseline_scratch_);
  records_.clear(merged);
  const std::int64_t until_ms = of.grid.start_of(end_ms);
  const std::int64_t after_ms = std::max(until_ms - of.baseline_ms, cut_of(index));
  if (which == frontier::other) {
    for (std::uint32_t pane = state.head; pane != no_index; pane = records_.at(pane).next) {
      const window_record& one = records_.at(pane);
      if (one.end_ms <= after_ms) break;
      if (one.end_ms > until_ms) continue;
      records_.merge_baseline(merged, one);
      charge(1);
    }
    return &merged;
  }
  fold_set& folds = folds_of(index, at);
  charge((which == frontier::newest ? folds.newest_baseline : folds.closed_baseline)
             .query(records_, state.head, after_ms, until_ms, until_ms + 1, merged));
  return &merged;
}

void pane_windows::forget(window_state& state) {
  while (state.own != no_index) drop_oldest(state);
  if (records_.layout().owns_heap())
    for (const std::uint32_t scratch : {closed_scratch_, open_scratch_, baseline_scratch_})
      records_.clear(records_.at(scratch));
  drop_kept(static_cast<std::uint32_t>(&state - states_.data()));
}

void pane_windows::save_contents(const window_state& state, state_writer& to) const {
  std::uint64_t panes = 0;
  for (std::uint32_t at = state.own; at != no_index; at = records_.at(at).previous) ++panes;
  to.put(panes);
  for (std::uint32_t at = state.own; at != no_index; at = records_.at(at).previous) {
    to.put(records_.at(at).end_ms);
    records_.save(records_.at(at), to);
  }
  const auto index = static_cast<std::uint32_t>(&state - states_.data());
  for (std::size_t at = 0; at < views_.size() && views_.size() > 1; ++at)
    to.put(wanted_ms_[index * views_.size() + at]);
  if (trailing_) to.put(cut_of(index));
}

void pane_windows::load_contents(std::uint32_t index, state_reader& from) {
  make_room();
  std::int64_t last_ms = INT64_MIN;
  for (std::uint64_t left = from.take_count(16); left != 0 && !from.failed(); --left) {
    const auto end_ms = from.take<std::int64_t>();
    if (end_ms <= last_ms) return from.fail();
    last_ms = end_ms;
    records_.load(records_.at(pane_for(index, end_ms)), from);
  }
  for (std::size_t at = 0; at < views_.size() && views_.size() > 1; ++at)
    wanted_ms_[index * views_.size() + at] = from.take<std::int64_t>();
  // Not known, so it has to be looked at.
  for (std::size_t at = 0; at < views_.size(); ++at) kept(index, at).bound = ~std::uint32_t{0};
  if (trailing_) trails_[index].cut_ms = from.take<std::int64_t>();
}

std::uint64_t pane_windows::own_bytes() const {
  return keys() * (views_.size() * sizeof(view_state) + (trailing_ ? sizeof(trail) : 0) +
                   (views_.size() > 1 ? views_.size() * sizeof(std::int64_t) : 0)) +
         (folds_.size() - free_folds_.size()) * sizeof(fold_set);
}

}  // namespace tocsin
