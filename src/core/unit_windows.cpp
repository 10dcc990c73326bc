// SPDX-License-Identifier: Apache-2.0
// Life of a unit's states: made at a key's first event, armed with deadlines, released when over.
#include "core/unit_windows.hpp"

#include <bit>

#include "core/pane_windows.hpp"
#include "core/session_windows.hpp"

namespace tocsin {

unit_windows::unit_windows(const rule_set& rules, const unit& of, key_store& keys)
    : unit_(&of),
      keys_(&keys),
      records_(of),
      judge_(rules, of, records_),
      lateness_ms_(of.lateness.count()) {
  for (const std::uint32_t index : of.rules) {
    const rule& one = rules.rules()[index];
    (one.early ? early_mask_ : close_mask_) |= mask_of(one);
    gates_.push_back({one.count_floor, one.having.movement() == trend::rising});
    if (one.spec.keep_firing_for > duration{}) lingering_mask_ |= mask_of(one);
  }
  // Early rules have an event at hand when they need texts; at a close there is none.
  keeps_newest_ = close_mask_ != 0 || of.window.kind == window_kind::session;
}

std::uint32_t unit_windows::make_state(std::uint32_t slot) {
  std::uint32_t index;
  if (free_states_.empty()) {
    index = static_cast<std::uint32_t>(states_.size());
    states_.emplace_back();
    reported_.resize(states_.size() * unit_->rules.size());
  } else {
    index = free_states_.back();
    free_states_.pop_back();
  }
  states_[index].key = slot;
  keys_->attach(slot, unit_->index, index);
  return index;
}

std::uint32_t unit_windows::take(std::uint32_t slot, std::uint32_t index,
                                 const arriving_event& arriving, std::vector<finding>& out) {
  const std::int64_t arrived_ms = to_unix_ms(arriving.from.arrived);
  const std::int64_t time_ms =
      unit_->clock == rule_clock::event ? to_unix_ms(arriving.from.time) : arrived_ms;
  const std::int64_t watermark_ms = arrived_ms - lateness_ms_;
  if (!accepts(index, time_ms, watermark_ms)) {
    ++late_;
    return index;
  }
  if (index == no_index) index = make_state(slot);
  ++updates_;
  enter(index, arriving, time_ms, watermark_ms, out);
  return index;
}

void unit_windows::count_in(window_state& state, std::uint32_t record,
                            const arriving_event& arriving, std::int64_t time_ms) {
  window_record& to = records_.at(record);
  // A key that floods leaves the ids of its first events of each pane: what comes behind them would
  // only push the same memory through the cache.
  if (to.with_id < event_ids_max && arriving.from.has(event_field::event_id)) {
    if (state.ids == nullptr) state.ids = std::make_unique<id_ring>();
    state.ids->add(time_ms, arriving.position, arriving.from.text(event_field::event_id));
  }
  records_.add(to, arriving.batch, arriving.from, time_ms, arriving.position);
  if (keeps_newest_)
    record_store::keep_newest(to, arriving.batch, arriving.from, time_ms, arriving.position);
}

void unit_windows::act(std::uint32_t index, std::string_view key_values,
                       const arriving_event& arriving, std::vector<finding>& out) {
  const bool resolved = arriving.from.action == event_action::resolved;
  const finding::kind what = resolved ? finding::kind::recovered : finding::kind::dismissed;
  const judged_cause cause{arriving.from.arrived, arriving.position,
                           resolved ? "resolved by an event" : "closed by an event"};
  // An alert that keep_firing_for holds up is active though its condition is met no more.
  const std::uint64_t concerned = lingering_mask_ | (index == no_index ? 0 : states_[index].met);
  const judged_key key{key_values};
  for (std::uint64_t left = concerned; left != 0; left &= left - 1)
    out.push_back(judge_.report_action(
        what, judge_.rule_at(static_cast<std::uint32_t>(std::countr_zero(left))), key, cause));
  if (index == no_index) return;
  window_state& state = states_[index];
  state.met = 0;
  state.ids.reset();
  forget(state);
  state.due_ms = never_ms;
  release_if_over(index);
}

void unit_windows::arm(std::uint32_t index, std::int64_t deadline_ms) {
  window_state& state = states_[index];
  if (deadline_ms == state.due_ms) return;
  state.due_ms = deadline_ms;
  if (deadline_ms == never_ms) return;
  ++state.scheduled;
  deadlines_.add(deadline_ms, index);
}

void unit_windows::close_until(std::int64_t clock_ms, std::vector<finding>& out) {
  const std::int64_t watermark_ms = clock_ms - lateness_ms_;
  while (deadlines_.first() < watermark_ms) {
    const std::int64_t due_ms = deadlines_.first();
    for (const std::uint32_t index : deadlines_.take_first()) {
      --states_[index].scheduled;
      if (states_[index].key == no_index) {
        // Released already, with this stale entry still under way.
        if (states_[index].scheduled == 0) free_states_.push_back(index);
        continue;
      }
      if (states_[index].due_ms == due_ms) {
        states_[index].due_ms = never_ms;
        arm(index, close_at(index, due_ms, out));
      }
      release_if_over(index);
    }
  }
}

void unit_windows::release_if_over(std::uint32_t index) {
  window_state& state = states_[index];
  if (state.key == no_index || state.head != no_index || state.met != 0) return;
  if (state.due_ms != never_ms) return;
  keys_->detach(state.key, unit_->index);
  state.key = no_index;
  state.ids.reset();
  // Stale entries in the queue still name the state: it is used again when the last one has come
  // up.
  if (state.scheduled == 0) free_states_.push_back(index);
}

void unit_windows::report_holding(window_state& state, std::uint32_t state_index, const rule& of,
                                  const judged_window& window, const arriving_event* arriving,
                                  const judged_cause& cause, std::vector<finding>& out) {
  const bool was_met = (state.met & mask_of(of)) != 0;
  std::uint64_t& told = reported_[state_index * unit_->rules.size() + of.bit];
  if (was_met && window.record->last_position <= told) return;
  judged_key key = key_of(state);
  event_batch unpacked;
  if (arriving != nullptr) {
    key.batch = &arriving->batch;
    key.representative = &arriving->from;
  } else if (window.record->newest != nullptr) {
    unpacked = unpack_event(window.record->newest->packed);
    key.batch = &unpacked;
    key.representative = &unpacked.events.front();
  }
  finding said =
      judge_.report(was_met ? finding::kind::updated : finding::kind::met, of, window, key, cause);
  if (!was_met) said.texts = judge_.texts_of(of, window, key);
  told = window.record->last_position;
  state.met |= mask_of(of);
  out.push_back(std::move(said));
}

void unit_windows::report_cleared(window_state& state, const rule& of, const judged_window& window,
                                  const judged_cause& cause, std::vector<finding>& out) {
  out.push_back(judge_.report(finding::kind::cleared, of, window, key_of(state), cause));
  state.met &= ~mask_of(of);
}

std::unique_ptr<unit_windows> make_unit_windows(const rule_set& rules, const unit& of,
                                                key_store& keys) {
  if (of.window.kind == window_kind::session)
    return std::make_unique<session_windows>(rules, of, keys);
  return std::make_unique<pane_windows>(rules, of, keys);
}

}  // namespace tocsin
