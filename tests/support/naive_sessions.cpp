// SPDX-License-Identifier: Apache-2.0
// Implementation of the naive plain sessions.
#include "support/naive_sessions.hpp"

#include <algorithm>

namespace tocsin::testing {

std::vector<naive_window> naive_sessions::sessions(const naive_key& key) const {
  std::vector<const naive_event*> open;
  for (const naive_event& each : key.events)
    if (over_.count(each.position) == 0) open.push_back(&each);
  std::sort(open.begin(), open.end(), comes_before);
  std::vector<naive_window> found;
  for (const naive_event* each : open) {
    if (found.empty() || each->time > found.back().bounds.end + spec().window.size)
      found.push_back({{window_kind::session, each->time, each->time}, {}, {}, nullptr, {}});
    found.back().events.push_back(each);
    found.back().bounds.end = each->time;
    found.back().speaker = each;
  }
  return found;
}

bool naive_sessions::take(naive_key& key, const naive_event& what, instant watermark) {
  const duration gap = spec().window.size;
  const auto open = sessions(key);
  const bool joins = std::any_of(open.begin(), open.end(), [&](const naive_window& each) {
    return each.bounds.start - gap <= what.time && what.time <= each.bounds.end + gap;
  });
  if (!joins && watermark > what.time + gap) {
    ++late_;
    return false;
  }
  key.events.push_back(what);
  remember_id(key);
  return true;
}

void naive_sessions::remember_id(naive_key& key) const {
  const naive_event& newest = key.events.back();
  if (!newest.what->has(event_field::event_id)) return;
  std::size_t before = 0;
  for (const naive_window& each : sessions(key)) {
    if (std::find(each.events.begin(), each.events.end(), &newest) == each.events.end()) continue;
    for (const naive_event* other : each.events)
      before += other != &newest && other->what->has(event_field::event_id);
  }
  if (before < event_ids_max) key.ids->remember(newest.position);
}

void naive_sessions::judge_arrival(const naive_arrival& from, std::vector<finding>& out) {
  naive_key& key = keys_.at(key_of(from));
  if (!by_.early || key.met) return;
  const naive_event& newest = key.events.back();
  for (naive_window& each : sessions(key)) {
    if (newest.time < each.bounds.start || each.bounds.end < newest.time) continue;
    each.speaker = &newest;
    each.judged_at = newest.time;
    if (holds(key, each))
      report(finding::kind::met, key, from.what().arrived, from.position(), "condition met", each,
             out);
  }
}

void naive_sessions::pass_time(instant watermark, std::vector<finding>& out) {
  for (auto& [name, key] : keys_) {
    for (const naive_window& session : sessions(key)) {
      if (!(watermark > session.bounds.end + spec().window.size)) break;
      close_session(key, session, out);
      for (const naive_event* each : session.events) {
        over_.insert(each->position);
        std::erase(key.ids->remembered, each->position);
      }
    }
  }
}

void naive_sessions::close_session(naive_key& key, naive_window session,
                                   std::vector<finding>& out) const {
  session.judged_at = session.bounds.end + spec().window.size;
  const instant at = session.judged_at + lateness();
  if (holds(key, session)) {
    if (spec().fire_on.timeout) report_holding(key, at, "session timed out", session, out);
  } else if (key.met) {
    report(finding::kind::cleared, key, at, no_position, "session ended", session, out);
  }
}

}  // namespace tocsin::testing
