// SPDX-License-Identifier: Apache-2.0
// Sequences: how an event in its turn carries them on, and what time does to those that wait.
#include "core/sequence_windows.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

namespace tocsin {

sequence_windows::sequence_windows(const rule_set& rules, const unit& of, key_store& keys,
                                   engine_budget& budget)
    : ordered_windows(rules, of, keys, budget),
      positive_(of.steps.size() - (of.steps.back().absent ? 1 : 0)),
      ends_absent_(of.steps.back().absent),
      size_ms_(of.views.front().size.count()),
      nothing_(records_.take()) {
  records_.set_aside();
  assert(positive_ >= 1 && of.steps.size() >= 2 && of.steps.size() <= steps_max);
}

sequence_windows::~sequence_windows() {
  for (window_state& state : states_) forget(state);
}

std::uint64_t sequence_windows::marks_of(const event_batch& batch, const event& from) const {
  const event_scope names{batch, from};
  std::uint64_t marks = 0;
  for (std::size_t step = 0; step < unit_->steps.size(); ++step)
    if (unit_->steps[step].where.holds(names)) marks |= std::uint64_t{1} << step;
  return marks;
}

void sequence_windows::take_turn(std::uint32_t index, const waiting_event& of,
                                 const arriving_event& arriving, std::vector<finding>& out) {
  const auto meets = [&](std::size_t step) { return (of.marks >> step & 1) != 0; };
  std::vector<chain>& begun = progress_of(states_[index]).begun;
  if (ends_absent_ && meets(positive_)) {
    replace(begun[positive_ - 1], {});
    for (std::uint64_t left = states_[index].met; left != 0; left &= left - 1)
      clear(index, static_cast<std::uint32_t>(std::countr_zero(left)), of.time_ms, "came after all",
            out);
  }
  std::shared_ptr<const waiting_event> kept;
  // Downwards, so that one event is never two steps of the same sequence.
  for (std::size_t step = positive_; step-- > 0;) {
    if (!meets(step)) continue;
    if (step > 0 && (begun[step - 1].empty() || expiry_of(begun[step - 1], step - 1) < of.time_ms))
      continue;
    const bool completes = step + 1 == positive_;
    if (completes && ends_absent_ && !begun[step].empty()) continue;
    if (kept == nullptr) kept = std::make_shared<const waiting_event>(of);
    chain longer;
    longer.reserve(step + 1);
    if (step > 0) longer = begun[step - 1];
    longer.push_back(kept);
    if (completes && !ends_absent_)
      judge_match(index, longer, of.time_ms, of.time_ms + size_ms_, &arriving, "sequence complete",
                  out);
    else
      replace(begun[step], std::move(longer));
  }
}

std::int64_t sequence_windows::next_timer(const window_state& state) const {
  if (state.own == no_index || state.own >= progress_.size()) return never_ms;
  const progress& held = progress_[state.own];
  std::int64_t first_ms = never_ms;
  for (std::size_t step = 0; step < held.begun.size(); ++step)
    if (!held.begun[step].empty()) first_ms = std::min(first_ms, expiry_of(held.begun[step], step));
  for (const std::int64_t over_ms : held.over_ms) first_ms = std::min(first_ms, over_ms);
  return first_ms;
}

void sequence_windows::run_timer(std::uint32_t index, std::int64_t deadline_ms,
                                 std::vector<finding>& out) {
  std::vector<chain>& begun = progress_of(states_[index]).begun;
  // First what did not follow: it may carry on a rule whose last match is over at the same time.
  for (std::size_t step = begun.size(); step-- > 0;) {
    if (begun[step].empty() || expiry_of(begun[step], step) > deadline_ms) continue;
    if (ends_absent_ && step + 1 == positive_)
      judge_match(index, begun[step], deadline_ms, deadline_ms + size_ms_, nullptr,
                  "did not follow", out);
    replace(begun[step], {});
  }
  for (std::uint32_t bit = 0; bit < unit_->rules.size(); ++bit)
    if (progress_of(states_[index]).over_ms[bit] <= deadline_ms)
      clear(index, bit, deadline_ms, "sequence over", out);
}

std::int64_t sequence_windows::expiry_of(const chain& begun, std::size_t step) const {
  return begun.back()->time_ms + unit_->steps[step + 1].within.count();
}

void sequence_windows::judge_match(std::uint32_t index, const chain& events, std::int64_t now_ms,
                                   std::int64_t over_ms, const arriving_event* arriving,
                                   std::string_view words, std::vector<finding>& out) {
  window_state& state = states_[index];
  const std::uint32_t record = records_.take();
  for (const auto& one : events) {
    const event_batch batch = unpack(*one);
    count_in(state, record, {batch, batch.events.front(), one->position}, one->time_ms);
  }
  const window_record& match = records_.at(record);
  const judged_window window{
      &match,
      {window_kind::sequence, from_unix_ms(match.first_ms), from_unix_ms(match.last_ms)},
      now_ms};
  for (std::uint32_t bit = 0; bit < unit_->rules.size(); ++bit) {
    const rule& one = judge_.rule_at(bit);
    if (!may_judge(one) || !holds(one, window, state)) continue;
    report_holding(state, index, one, window, arriving, closing_cause(now_ms, words), out);
    progress_[state.own].over_ms[bit] = over_ms;
  }
  // The next match's ids are those of its own events alone.
  forget_ids(state, match.first_ms, match.last_ms);
  records_.drop(record);
}

void sequence_windows::clear(std::uint32_t index, std::uint32_t bit, std::int64_t now_ms,
                             std::string_view words, std::vector<finding>& out) {
  window_state& state = states_[index];
  progress_[state.own].over_ms[bit] = never_ms;
  const instant now = from_unix_ms(now_ms);
  const judged_window window{&records_.at(nothing_), {window_kind::sequence, now, now}, now_ms};
  report_cleared(state, index, judge_.rule_at(bit), window, closing_cause(now_ms, words), out);
}

sequence_windows::progress& sequence_windows::progress_of(const window_state& state) {
  if (state.own >= progress_.size()) progress_.resize(state.own + 1);
  progress& held = progress_[state.own];
  if (held.begun.empty()) {
    // What completes a sequence of events alone is judged at once and not kept.
    held.begun.resize(ends_absent_ ? positive_ : positive_ - 1);
    held.over_ms.resize(unit_->rules.size(), never_ms);
  }
  return held;
}

void sequence_windows::replace(chain& begun, chain by) {
  begun_bytes_ += bytes_of(by);
  begun_bytes_ -= bytes_of(begun);
  begun = std::move(by);
}

std::uint64_t sequence_windows::bytes_of(const chain& of) {
  // Chains share events; each counts them whole, so that a state weighs the same after a restart.
  std::uint64_t bytes = 0;
  for (const auto& one : of) bytes += sizeof one + one->bytes();
  return bytes;
}

std::uint64_t sequence_windows::own_bytes() const {
  const std::uint64_t bytes_each = sizeof(progress) + unit_->steps.size() * sizeof(chain) +
                                   unit_->rules.size() * sizeof(std::int64_t);
  return ordered_windows::own_bytes() + begun_bytes_ + buffers_held() * bytes_each;
}

void sequence_windows::forget(window_state& state) {
  if (state.own != no_index && state.own < progress_.size()) {
    progress& held = progress_[state.own];
    for (chain& one : held.begun) replace(one, {});
    std::fill(held.over_ms.begin(), held.over_ms.end(), never_ms);
  }
  forget_waiting(state);
}

void sequence_windows::save_contents(const window_state& state, state_writer& to) const {
  save_waiting(state, to);
  const bool begun = keeps_own(state);
  to.put(static_cast<std::uint8_t>(begun));
  if (!begun) return;
  const progress& held = progress_[state.own];
  for (const chain& one : held.begun) {
    to.put(static_cast<std::uint64_t>(one.size()));
    for (const auto& each : one) each->save(to);
  }
  for (const std::int64_t over_ms : held.over_ms) to.put(over_ms);
}

void sequence_windows::load_contents(std::uint32_t index, state_reader& from) {
  window_state& state = states_[index];
  load_waiting(state, from);
  if (from.take<std::uint8_t>() == 0) return;
  buffer_of(state);
  progress& held = progress_of(state);
  for (chain& one : held.begun) {
    chain read(from.take_count(waiting_event::saved_bytes_min));
    for (auto& each : read) each = std::make_shared<const waiting_event>(waiting_event::load(from));
    if (!from.failed()) replace(one, std::move(read));
  }
  for (std::int64_t& over_ms : held.over_ms) over_ms = from.take<std::int64_t>();
}

}  // namespace tocsin
