// SPDX-License-Identifier: Apache-2.0
// Cut sessions: how an event in its turn starts, extends or ends one, and what each end means to
// the rules.
#include "core/cut_sessions.hpp"

#include <algorithm>
#include <bit>

namespace tocsin {
namespace {

constexpr std::uint64_t counts_mark = 1;  // meets the rules' own `where`
constexpr std::uint64_t closes_mark = 2;  // meets `close`

}  // namespace

cut_sessions::cut_sessions(const rule_set& rules, const unit& of, key_store& keys,
                           engine_budget& budget)
    : ordered_windows(rules, of, keys, budget),
      gap_ms_(of.views.front().size.count()),
      max_ms_(of.views.front().session_max.count()),
      events_max_(of.views.front().session_events_max),
      nothing_(records_.take()) {
  records_.set_aside();
}

cut_sessions::~cut_sessions() {
  for (window_state& state : states_) forget(state);
}

std::uint64_t cut_sessions::marks_of(const event_batch& batch, const event& from) const {
  if (!unit_->close) return counts_mark;
  const event_scope names{batch, from};
  const bool counts = !unit_->counts || unit_->counts->holds(names);
  return (counts ? counts_mark : 0) | (unit_->close->holds(names) ? closes_mark : 0);
}

void cut_sessions::take_turn(std::uint32_t index, const waiting_event& of,
                             const arriving_event& arriving, std::vector<finding>& out) {
  window_state& state = states_[index];
  const bool counts = (of.marks & counts_mark) != 0;
  if (state.head == no_index) {
    if (!counts) {
      clear_met(index, of.time_ms, out);
      return;
    }
    state.head = records_.take();
  }
  count_in(state, state.head, arriving, of.time_ms);
  if (counts) judge_early(index, of.time_ms, arriving, out);
  if ((of.marks & closes_mark) != 0)
    end_session(index, session_end::close, of.time_ms, out);
  else if (records_.at(state.head).count == events_max_)
    end_session(index, session_end::limit, of.time_ms, out);
}

std::int64_t cut_sessions::next_timer(const window_state& state) const {
  if (state.head == no_index) return never_ms;
  const window_record& session = records_.at(state.head);
  return std::min(timeout_of(session), limit_of(session));
}

void cut_sessions::run_timer(std::uint32_t index, std::int64_t deadline_ms,
                             std::vector<finding>& out) {
  const bool is_timeout = timeout_of(records_.at(states_[index].head)) == deadline_ms;
  end_session(index, is_timeout ? session_end::timeout : session_end::limit, deadline_ms, out);
}

judged_window cut_sessions::window_of(const window_record& session, std::int64_t now_ms) {
  return {&session,
          {window_kind::session, from_unix_ms(session.first_ms), from_unix_ms(session.last_ms)},
          now_ms};
}

void cut_sessions::clear_met(std::uint32_t index, std::int64_t now_ms, std::vector<finding>& out) {
  window_state& state = states_[index];
  const instant now = from_unix_ms(now_ms);
  const judged_window window{&records_.at(nothing_), {window_kind::session, now, now}, now_ms};
  for (std::uint64_t left = state.met; left != 0; left &= left - 1) {
    const rule& one = judge_.rule_at(static_cast<std::uint32_t>(std::countr_zero(left)));
    report_cleared(state, index, one, window, closing_cause(now_ms, "closed by an event"), out);
  }
}

void cut_sessions::judge_early(std::uint32_t index, std::int64_t now_ms,
                               const arriving_event& arriving, std::vector<finding>& out) {
  window_state& state = states_[index];
  const judged_window window = window_of(records_.at(state.head), now_ms);
  for (std::uint64_t left = early_mask_ & ~state.met; left != 0; left &= left - 1) {
    const rule& one = judge_.rule_at(static_cast<std::uint32_t>(std::countr_zero(left)));
    if (may_judge(one) && holds(one, window, state))
      report_holding(state, index, one, window, &arriving, closing_cause(now_ms, "condition met"),
                     out);
  }
}

void cut_sessions::end_session(std::uint32_t index, session_end how, std::int64_t now_ms,
                               std::vector<finding>& out) {
  window_state& state = states_[index];
  const judged_window window = window_of(records_.at(state.head), now_ms);
  const bool closed = how == session_end::close;
  const judged_cause holding_cause =
      closing_cause(now_ms, closed                        ? "session closed"
                            : how == session_end::timeout ? "session timed out"
                                                          : "session limit reached");
  const judged_cause cleared_cause =
      closing_cause(now_ms, closed ? "closed by an event" : "session ended");
  for (std::uint32_t bit = 0; bit < unit_->rules.size(); ++bit) {
    const rule& one = judge_.rule_at(bit);
    const session_ends& ends = one.spec.fire_on;
    const bool fires = closed                        ? ends.close
                       : how == session_end::timeout ? ends.timeout
                                                     : ends.limit;
    const bool met = (state.met & mask_of(one)) != 0;
    // A limit that nobody asked for only cuts; other ends may still end what has fired.
    if (!fires && (!met || how == session_end::limit)) continue;
    const bool judged = fires || !closed;
    if (judged && !may_judge(one)) continue;
    if (judged && holds(one, window, state)) {
      if (fires) report_holding(state, index, one, window, nullptr, holding_cause, out);
    } else if (met) {
      report_cleared(state, index, one, window, cleared_cause, out);
    }
  }
  // The next session may begin within the same millisecond; these ids are not its own.
  forget_ids(state, window.record->first_ms, window.record->last_ms);
  records_.drop(state.head);
  state.head = no_index;
}

void cut_sessions::forget(window_state& state) {
  if (state.head != no_index) records_.drop(state.head);
  state.head = no_index;
  forget_waiting(state);
}

void cut_sessions::save_contents(const window_state& state, state_writer& to) const {
  to.put(static_cast<std::uint8_t>(state.head != no_index));
  if (state.head != no_index) records_.save(records_.at(state.head), to);
  save_waiting(state, to);
}

void cut_sessions::load_contents(std::uint32_t index, state_reader& from) {
  window_state& state = states_[index];
  if (from.take<std::uint8_t>() != 0) {
    state.head = records_.take();
    records_.load(records_.at(state.head), from);
  }
  load_waiting(state, from);
}

}  // namespace tocsin
