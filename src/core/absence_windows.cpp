// SPDX-License-Identifier: Apache-2.0
// Absence: each newer event restarts a key's silence; one that grows too long is judged.
#include "core/absence_windows.hpp"

#include <algorithm>
#include <bit>

namespace tocsin {
namespace {

/// How long L is remembered of a key that met no rule when it was judged: an event from before L
/// that comes within it does not pass for news of the key.
constexpr std::int64_t kept_ms = 24 * 3'600'000;

/// An event that has the key's values in the group's fields, and nothing else. Its views point into
/// both.
event_batch event_of(const group& of, const expected_key& key) {
  event_batch batch;
  event& made = batch.events.emplace_back();
  for (std::size_t i = 0; i < of.fields.size(); ++i) {
    if (!key.values[i]) continue;
    const group_field& field = of.fields[i];
    if (field.field)
      made.set_text(*field.field, *key.values[i]);
    else
      batch.labels.push_back({field.label, *key.values[i], 0, label::kind::text});
  }
  made.labels_count = static_cast<std::uint32_t>(batch.labels.size());
  return batch;
}

}  // namespace

absence_windows::absence_windows(const rule_set& rules, const unit& of, key_store& keys,
                                 engine_budget& budget)
    : unit_windows(rules, of, keys, budget), absent_ms_(of.views.front().size.count()) {}

absence_windows::~absence_windows() {
  for (window_state& state : states_) forget(state);
}

void absence_windows::begin(std::int64_t clock_ms) {
  for (const expected_key& one : unit_->expected)
    if ((((one.key.low >> 32) * budget_->shards) >> 32) == budget_->shard) wait_for(one, clock_ms);
}

void absence_windows::wait_for(const expected_key& key, std::int64_t clock_ms) {
  std::uint32_t slot = keys_->find(key.key);
  if (slot == no_index) {
    const event_batch batch = event_of(rules_->groups()[unit_->group], key);
    slot = keys_->add(key.key, batch, batch.events.front());
  } else {
    key_store::cursor place;
    if (keys_->state_at(slot, unit_->index, place) != no_index) return;
  }
  const std::uint32_t index = make_state(slot);
  start(states_[index], {clock_ms, clock_ms, no_position});
  arm(index, clock_ms + absent_ms_);
}

void absence_windows::start(window_state& state, const silence& from) {
  state.head = records_.take();
  if (free_silences_.empty()) {
    state.own = static_cast<std::uint32_t>(silences_.size());
    silences_.push_back(from);
  } else {
    state.own = free_silences_.back();
    free_silences_.pop_back();
    silences_[state.own] = from;
  }
}

void absence_windows::enter(std::uint32_t index, const arriving_event& arriving,
                            std::int64_t time_ms, std::int64_t, std::vector<finding>& out) {
  window_state& state = states_[index];
  const silence heard{time_ms, to_unix_ms(arriving.from.arrived), arriving.position};
  bool is_newer = true;
  if (state.head == no_index) {
    start(state, heard);
  } else {
    silence& held = silences_[state.own];
    if (time_ms < held.since_ms) return;
    is_newer = time_ms > held.since_ms;
    if (is_newer) {
      clear_met(index, arriving, out);
      held = heard;
    }
    const window_record& before = records_.at(state.head);
    forget_ids(state, before.first_ms, before.last_ms);
    records_.drop(state.head);
    state.head = records_.take();
  }
  count_in(state, state.head, arriving, time_ms);
  // A key that is heard often is looked at when its first deadline comes, and armed anew then.
  if (is_newer) arm_earlier(index, time_ms + absent_ms_);
}

void absence_windows::clear_met(std::uint32_t index, const arriving_event& arriving,
                                std::vector<finding>& out) {
  window_state& state = states_[index];
  const judged_window window = window_of(state);
  for (std::uint64_t left = state.met; left != 0; left &= left - 1)
    report_cleared(state, index, judge_.rule_at(static_cast<std::uint32_t>(std::countr_zero(left))),
                   window, {arriving.from.arrived, arriving.position, "heard again"}, out);
}

judged_window absence_windows::window_of(const window_state& state) const {
  const std::int64_t since_ms = silences_[state.own].since_ms;
  const std::int64_t deadline_ms = since_ms + absent_ms_;
  return {&records_.at(state.head),
          {window_kind::absence, from_unix_ms(since_ms), from_unix_ms(deadline_ms)},
          deadline_ms};
}

std::int64_t absence_windows::close_at(std::uint32_t index, std::int64_t due_ms,
                                       std::vector<finding>& out) {
  window_state& state = states_[index];
  const std::int64_t deadline_ms = silences_[state.own].since_ms + absent_ms_;
  if (deadline_ms > due_ms) return deadline_ms;
  if (deadline_ms == due_ms) {
    judge(index, deadline_ms, out);
    return state.met == 0 ? deadline_ms + kept_ms : never_ms;
  }
  forget(state);
  return never_ms;
}

void absence_windows::judge(std::uint32_t index, std::int64_t deadline_ms,
                            std::vector<finding>& out) {
  window_state& state = states_[index];
  const judged_window window = window_of(state);
  // An event may come so late that its silence is too long already: that is known from its arrival
  // on, and no finding may lie before what was found until then.
  judged_cause cause = closing_cause(deadline_ms, "silent");
  const silence& held = silences_[state.own];
  if (cause.at < from_unix_ms(held.heard_ms)) {
    cause.at = from_unix_ms(held.heard_ms);
    cause.position = held.heard_position;
  }
  for (std::uint32_t bit = 0; bit < unit_->rules.size(); ++bit) {
    const rule& one = judge_.rule_at(bit);
    if (!may_judge(one) || !holds(one, window, state)) continue;
    const std::size_t found_before = out.size();
    report_holding(state, index, one, window, nullptr, cause, out);
    // An alert is told from others of its key by its first event: here by when waiting began.
    if (window.record->count == 0 && out.size() > found_before)
      out.back().proof.first_event_time = out.back().proof.last_event_time = window.bounds.start;
  }
}

void absence_windows::forget(window_state& state) {
  if (state.head == no_index) return;
  records_.drop(state.head);
  state.head = no_index;
  free_silences_.push_back(state.own);
  state.own = no_index;
}

void absence_windows::save_contents(const window_state& state, state_writer& to) const {
  to.put(static_cast<std::uint8_t>(state.head != no_index));
  if (state.head == no_index) return;
  to.put(silences_[state.own].since_ms);
  to.put(silences_[state.own].heard_ms);
  to.put(silences_[state.own].heard_position);
  records_.save(records_.at(state.head), to);
}

void absence_windows::load_contents(std::uint32_t index, state_reader& from) {
  if (from.take<std::uint8_t>() == 0) return;
  const auto since_ms = from.take<std::int64_t>();
  const auto heard_ms = from.take<std::int64_t>();
  const auto heard_position = from.take<std::uint64_t>();
  window_state& state = states_[index];
  start(state, {since_ms, heard_ms, heard_position});
  records_.load(records_.at(state.head), from);
}

}  // namespace tocsin
