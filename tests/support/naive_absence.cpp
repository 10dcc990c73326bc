// SPDX-License-Identifier: Apache-2.0
// Implementation of naive silence.
#include "support/naive_absence.hpp"

#include <algorithm>

namespace tocsin::testing {

void naive_absence::begin(instant clock) {
  const auto& fields = rules_.groups()[rules_.units()[by_.unit].group].fields;
  for (const auto& expected : spec().expect) {
    key_values name(fields.size());
    for (const auto& [field, text] : expected)
      for (std::size_t i = 0; i < fields.size(); ++i)
        if (fields[i].name == field) name[i] = text.text;
    keys_[name].name = name;
    silences_[name] = {clock, nullptr, clock, no_position, false};
  }
}

void naive_absence::forget(const naive_key& key) {
  silences_.erase(key.name);
}

naive_window naive_absence::window_of(const silence& of, instant end) const {
  naive_window in;
  in.bounds = {window_kind::absence, of.since, end};
  in.judged_at = end;
  if (of.heard != nullptr) in.events = {of.heard};
  in.speaker = of.heard;
  return in;
}

bool naive_absence::take(naive_key& key, const naive_event& what, instant) {
  key.events.push_back(what);
  return true;
}

void naive_absence::judge_arrival(const naive_arrival& from, std::vector<finding>& out) {
  naive_key& key = keys_.at(key_of(from));
  const naive_event& what = key.events.back();
  const auto place = silences_.find(key.name);
  if (place != silences_.end() && what.time < place->second.since) return;
  const bool newer = place == silences_.end() || what.time > place->second.since;
  if (newer && key.met)
    report(finding::kind::cleared, key, from.what().arrived, from.position(), "heard again",
           window_of(place->second, place->second.since + spec().window.size), out);
  key.ids->remembered.clear();
  if (what.what->has(event_field::event_id)) key.ids->remember(what.position);
  silences_[key.name] = {what.time, &what, newer ? what.what->arrived : place->second.known,
                         newer ? what.position : place->second.position,
                         !newer && place->second.judged};
}

void naive_absence::pass_time(instant watermark, std::vector<finding>& out) {
  for (auto& [name, key] : keys_) {
    silence& of = silences_.at(name);
    const instant deadline = of.since + spec().window.size;
    if (of.judged || !(watermark > deadline)) continue;
    of.judged = true;
    const naive_window in = window_of(of, deadline);
    if (key.met || !holds(key, in)) continue;
    const bool known_late = deadline + lateness() < of.known;
    report(finding::kind::met, key, known_late ? of.known : deadline + lateness(),
           known_late ? of.position : no_position, "silent", in, out);
    // Who never spoke has no first event: its waiting began instead.
    evidence& proof = out.back().proof;
    if (in.events.empty()) proof.first_event_time = proof.last_event_time = of.since;
  }
}

}  // namespace tocsin::testing
