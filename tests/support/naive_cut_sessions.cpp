// SPDX-License-Identifier: Apache-2.0
// Implementation of the naive cut sessions.
#include "support/naive_cut_sessions.hpp"

#include <algorithm>

namespace tocsin::testing {

naive_cut_sessions::naive_cut_sessions(const rule_set& rules, const rule& by)
    : naive_turns(rules, by) {
  if (!by.spec.close.text.empty()) close_ = condition(by.spec.close.text);
}

bool naive_cut_sessions::closes(const event_batch& batch, const event& what) const {
  return close_ && close_->holds(event_scope{batch, what});
}

bool naive_cut_sessions::concerns(const naive_arrival& from) const {
  return meets_where(*from.batch, from.what()) || closes(*from.batch, from.what());
}

void naive_cut_sessions::forget_turns(const key_values& name) {
  open_.erase(name);
}

naive_window naive_cut_sessions::open_session(const naive_key& key, instant judged_at) const {
  naive_window in;
  in.bounds = {window_kind::session, judged_at, judged_at};
  in.judged_at = judged_at;
  const auto place = open_.find(key.name);
  if (place == open_.end()) return in;
  in.events = place->second;
  in.bounds = {window_kind::session, in.events.front()->time, in.events.back()->time};
  in.speaker = in.events.back();
  return in;
}

std::optional<instant> naive_cut_sessions::next_timer(const naive_key& key) const {
  const auto place = open_.find(key.name);
  if (place == open_.end()) return std::nullopt;
  const auto& events = place->second;
  const instant timeout = events.back()->time + spec().window.size;
  if (spec().window.session_max == duration{0}) return timeout;
  return std::min(timeout, events.front()->time + spec().window.session_max);
}

void naive_cut_sessions::run_timer(naive_key& key, std::vector<finding>& out) {
  const instant deadline = *next_timer(key);
  const instant last = open_.at(key.name).back()->time;
  end(key, deadline == last + spec().window.size ? ending::timeout : ending::limit, deadline, out);
}

void naive_cut_sessions::enter(naive_key& key, const naive_event& what) {
  auto& events = open_[key.name];
  std::size_t with_id = 0;
  for (const naive_event* each : events) with_id += each->what->has(event_field::event_id);
  if (with_id < event_ids_max && what.what->has(event_field::event_id))
    key.ids->remember(what.position);
  events.push_back(&what);
}

void naive_cut_sessions::turn(naive_key& key, const naive_event& what, std::vector<finding>& out) {
  const instant at = what.time + lateness();
  const bool closing = closes(*what.batch, *what.what);
  const bool open = open_.count(key.name) != 0;
  if (!meets_where(*what.batch, *what.what)) {
    if (open) {
      enter(key, what);
      end(key, ending::close, what.time, out);
    } else if (key.met) {
      report(finding::kind::cleared, key, at, no_position, "closed by an event",
             open_session(key, what.time), out);
    }
    return;
  }
  enter(key, what);
  if (by_.early && !key.met) {
    const naive_window session = open_session(key, what.time);
    if (holds(key, session))
      report(finding::kind::met, key, at, no_position, "condition met", session, out);
  }
  const auto most = spec().window.session_events_max;
  if (closing) {
    end(key, ending::close, what.time, out);
  } else if (most > 0 && open_.at(key.name).size() == most) {
    end(key, ending::limit, what.time, out);
  }
}

void naive_cut_sessions::end(naive_key& key, ending by, instant time, std::vector<finding>& out) {
  const naive_window session = open_session(key, time);
  const instant at = time + lateness();
  const session_ends& on = spec().fire_on;
  const bool fires = by == ending::timeout ? on.timeout : by == ending::close ? on.close : on.limit;
  const std::string_view ended = by == ending::close ? "closed by an event" : "session ended";
  const auto clear = [&] {
    if (key.met) report(finding::kind::cleared, key, at, no_position, ended, session, out);
  };
  if (fires) {
    const std::string_view cause = by == ending::timeout ? "session timed out"
                                   : by == ending::close ? "session closed"
                                                         : "session limit reached";
    if (holds(key, session)) {
      report_holding(key, at, cause, session, out);
    } else {
      clear();
    }
  } else if (by == ending::close || (by == ending::timeout && !holds(key, session))) {
    clear();
  }
  for (const naive_event* each : session.events) std::erase(key.ids->remembered, each->position);
  open_.erase(key.name);
}

}  // namespace tocsin::testing
