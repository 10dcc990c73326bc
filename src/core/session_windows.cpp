// SPDX-License-Identifier: Apache-2.0
// Sessions: an event extends, joins or starts one; a session ends when the watermark is beyond its
// last event + gap.
#include "core/session_windows.hpp"

namespace tocsin {

session_windows::session_windows(const rule_set& rules, const unit& of, key_store& keys,
                                 engine_budget& budget)
    : unit_windows(rules, of, keys, budget), gap_ms_(of.views.front().size.count()) {}

session_windows::~session_windows() {
  for (window_state& state : states_) forget(state);
}

bool session_windows::accepts(std::uint32_t index, std::int64_t time_ms,
                              std::int64_t watermark_ms) {
  if (time_ms + gap_ms_ >= watermark_ms) return true;
  if (index != no_index)
    for (std::uint32_t at = states_[index].head; at != no_index; at = records_.at(at).next)
      if (belongs(records_.at(at), time_ms)) return true;
  count_late(0);
  return false;
}

std::uint32_t session_windows::session_for(window_state& state, std::int64_t time_ms) {
  std::uint32_t* place = &state.head;
  while (*place != no_index && records_.at(*place).last_ms + gap_ms_ < time_ms)
    place = &records_.at(*place).next;
  if (*place != no_index && belongs(records_.at(*place), time_ms)) {
    window_record& session = records_.at(*place);
    if (session.next != no_index && belongs(records_.at(session.next), time_ms))
      join(session, session.next);
    return *place;
  }
  const std::uint32_t made = records_.take();
  records_.at(made).next = *place;
  *place = made;
  return made;
}

void session_windows::join(window_record& earlier, std::uint32_t later) {
  window_record& other = records_.at(later);
  representative* const own = earlier.newest;
  records_.merge(earlier, other);
  // The joined session owns the newer representative; the other is freed with the record.
  if (earlier.newest != own) other.newest = own;
  earlier.next = other.next;
  records_.drop(later);
}

void session_windows::enter(std::uint32_t index, const arriving_event& arriving,
                            std::int64_t time_ms, std::int64_t, std::vector<finding>& out) {
  window_state& state = states_[index];
  const std::uint32_t entered = session_for(state, time_ms);
  count_in(state, entered, arriving, time_ms);
  const window_record& session = records_.at(entered);
  const std::int64_t first_due_ms = records_.at(state.head).last_ms + gap_ms_;
  // A session that grew is looked at when its old deadline comes, and armed anew then.
  if (first_due_ms < state.due_ms) arm(index, first_due_ms);
  for (std::uint32_t bit = 0; bit < unit_->rules.size(); ++bit) {
    if ((early_mask_ & ~state.met & (std::uint64_t{1} << bit)) == 0) continue;
    const rule& one = judge_.rule_at(bit);
    if (!may_judge(one)) continue;
    const judged_window window = window_of(session, time_ms);
    if (holds(one, window, state))
      report_holding(state, index, one, window, &arriving,
                     {arriving.from.arrived, arriving.position, "condition met"}, out);
  }
}

judged_window session_windows::window_of(const window_record& session, std::int64_t now_ms) const {
  return {&session,
          {window_kind::session, from_unix_ms(session.first_ms), from_unix_ms(session.last_ms)},
          now_ms};
}

std::int64_t session_windows::close_at(std::uint32_t index, std::int64_t due_ms,
                                       std::vector<finding>& out) {
  window_state& state = states_[index];
  if (state.head == no_index) return never_ms;
  const std::uint32_t first = state.head;
  if (records_.at(first).last_ms + gap_ms_ == due_ms) {
    state.head = records_.at(first).next;
    judge_ended(index, records_.at(first), due_ms, out);
    // A later session may reach back over the same times; these ids are not its own.
    forget_ids(state, records_.at(first).first_ms, records_.at(first).last_ms);
    records_.drop(first);
  }
  return state.head == no_index ? never_ms : records_.at(state.head).last_ms + gap_ms_;
}

void session_windows::judge_ended(std::uint32_t index, const window_record& session,
                                  std::int64_t due_ms, std::vector<finding>& out) {
  window_state& state = states_[index];
  for (std::uint32_t bit = 0; bit < unit_->rules.size(); ++bit) {
    const rule& one = judge_.rule_at(bit);
    if (!may_judge(one)) continue;
    const judged_window window = window_of(session, due_ms);
    if (holds(one, window, state)) {
      if (one.spec.fire_on.timeout)
        report_holding(state, index, one, window, nullptr,
                       closing_cause(due_ms, "session timed out"), out);
    } else if ((state.met & mask_of(one)) != 0) {
      report_cleared(state, index, one, window, closing_cause(due_ms, "session ended"), out);
    }
  }
}

void session_windows::forget(window_state& state) {
  while (state.head != no_index) {
    const std::uint32_t next = records_.at(state.head).next;
    records_.drop(state.head);
    state.head = next;
  }
}

void session_windows::save_contents(const window_state& state, state_writer& to) const {
  std::uint64_t sessions = 0;
  for (std::uint32_t at = state.head; at != no_index; at = records_.at(at).next) ++sessions;
  to.put(sessions);
  for (std::uint32_t at = state.head; at != no_index; at = records_.at(at).next)
    records_.save(records_.at(at), to);
}

void session_windows::load_contents(std::uint32_t index, state_reader& from) {
  std::uint32_t* place = &states_[index].head;
  for (std::uint64_t left = from.take_count(16); left != 0 && !from.failed(); --left) {
    *place = records_.take();
    records_.load(records_.at(*place), from);
    place = &records_.at(*place).next;
  }
}

}  // namespace tocsin
