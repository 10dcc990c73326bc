// SPDX-License-Identifier: Apache-2.0
// Buffers of a unit's states, and the alternation of turns and timers.
#include "core/ordered_windows.hpp"

#include <algorithm>
#include <utility>

#include "core/packed_event.hpp"

namespace tocsin {

ordered_windows::ordered_windows(const rule_set& rules, const unit& of, key_store& keys,
                                 engine_budget& budget)
    : unit_windows(rules, of, keys, budget) {}

bool ordered_windows::accepts(std::uint32_t, std::int64_t time_ms, std::int64_t watermark_ms) {
  if (time_ms >= watermark_ms) return true;
  count_late(0);
  return false;
}

void ordered_windows::enter(std::uint32_t index, const arriving_event& arriving,
                            std::int64_t time_ms, std::int64_t, std::vector<finding>&) {
  window_state& state = states_[index];
  waiting_event waiting{time_ms,
                        arriving.position,
                        to_unix_ms(arriving.from.arrived),
                        marks_of(arriving.batch, arriving.from),
                        {}};
  pack_event(arriving.batch, arriving.from, waiting.packed);
  waiting_bytes_ += waiting.bytes();
  buffer_of(state).add(std::move(waiting));
  arm_earlier(index, time_ms);
}

std::int64_t ordered_windows::close_at(std::uint32_t index, std::int64_t due_ms,
                                       std::vector<finding>& out) {
  window_state& state = states_[index];
  while (first_waiting(state) <= due_ms) {
    const waiting_event next = take_first(state);
    run_timers(index, next.time_ms - 1, out);
    const event_batch batch = unpack(next);
    take_turn(index, next, {batch, batch.events.front(), next.position}, out);
  }
  run_timers(index, due_ms, out);
  const std::int64_t next_ms = std::min(first_waiting(state), next_timer(state));
  if (first_waiting(state) == never_ms && !keeps_own(state)) forget_waiting(state);
  return next_ms;
}

void ordered_windows::run_timers(std::uint32_t index, std::int64_t until_ms,
                                 std::vector<finding>& out) {
  for (;;) {
    const std::int64_t deadline_ms = next_timer(states_[index]);
    if (deadline_ms > until_ms) return;
    run_timer(index, deadline_ms, out);
  }
}

std::uint64_t ordered_windows::own_bytes() const {
  return waiting_bytes_ + buffers_held() * sizeof(reorder_buffer);
}

reorder_buffer& ordered_windows::buffer_of(window_state& state) {
  if (state.own == no_index) {
    if (free_buffers_.empty()) {
      state.own = static_cast<std::uint32_t>(buffers_.size());
      buffers_.emplace_back();
    } else {
      state.own = free_buffers_.back();
      free_buffers_.pop_back();
    }
  }
  return buffers_[state.own];
}

waiting_event ordered_windows::take_first(const window_state& state) {
  waiting_event first = buffers_[state.own].take_first();
  waiting_bytes_ -= first.bytes();
  return first;
}

void ordered_windows::forget_waiting(window_state& state) {
  if (state.own == no_index) return;
  reorder_buffer& buffer = buffers_[state.own];
  waiting_bytes_ -= buffer.bytes();
  buffer.clear();
  free_buffers_.push_back(state.own);
  state.own = no_index;
}

void ordered_windows::save_waiting(const window_state& state, state_writer& to) const {
  if (state.own == no_index)
    reorder_buffer{}.save(to);
  else
    buffers_[state.own].save(to);
}

void ordered_windows::load_waiting(window_state& state, state_reader& from) {
  reorder_buffer& buffer = buffer_of(state);
  buffer.load(from);
  waiting_bytes_ += buffer.bytes();
  if (buffer.empty()) forget_waiting(state);
}

}  // namespace tocsin
