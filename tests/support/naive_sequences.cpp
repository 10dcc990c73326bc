// SPDX-License-Identifier: Apache-2.0
// Implementation of the naive sequences.
#include "support/naive_sequences.hpp"

#include <algorithm>

namespace tocsin::testing {

naive_sequences::naive_sequences(const rule_set& rules, const rule& by) : naive_turns(rules, by) {
  for (const sequence_step_spec& each : by.spec.then) steps_.push_back(condition(each.where.text));
  ends_absent_ = by.spec.then.back().absent;
  positive_ = steps_.size() - ends_absent_;
}

bool naive_sequences::meets_step(std::size_t number, const event_batch& batch,
                                 const event& what) const {
  return meets_where(batch, what) && steps_[number - 1].holds(event_scope{batch, what});
}

bool naive_sequences::concerns(const naive_arrival& from) const {
  for (std::size_t number = 1; number <= steps_.size(); ++number)
    if (meets_step(number, *from.batch, from.what())) return true;
  return false;
}

void naive_sequences::forget_turns(const key_values& name) {
  progress_.erase(name);
}

naive_window naive_sequences::window_of(const chain& events, instant judged_at) {
  naive_window in;
  in.bounds = {window_kind::sequence, judged_at, judged_at};
  in.judged_at = judged_at;
  if (events.empty()) return in;
  in.bounds = {window_kind::sequence, events.front()->time, events.back()->time};
  in.events = events;
  in.speaker = events.back();
  return in;
}

std::optional<instant> naive_sequences::wait_end(const progress& of) const {
  const auto open = of.partial.find(positive_);
  if (!ends_absent_ || open == of.partial.end()) return std::nullopt;
  return open->second.back()->time + spec().then.back().within;
}

std::optional<instant> naive_sequences::next_timer(const naive_key& key) const {
  const auto place = progress_.find(key.name);
  if (place == progress_.end()) return std::nullopt;
  const auto wait = wait_end(place->second);
  const auto over = place->second.over;
  if (!wait || !over) return wait ? wait : over;
  return std::min(*wait, *over);
}

void naive_sequences::run_timer(naive_key& key, std::vector<finding>& out) {
  progress& of = progress_.at(key.name);
  const instant deadline = *next_timer(key);
  if (wait_end(of) == deadline) {
    const chain events = of.partial.at(positive_);
    of.partial.erase(positive_);
    match(key, events, deadline, "did not follow", out);
    return;
  }
  of.over.reset();
  if (key.met)
    report(finding::kind::cleared, key, deadline + lateness(), no_position, "sequence over",
           window_of({}, deadline), out);
}

void naive_sequences::match(naive_key& key, const chain& events, instant time,
                            std::string_view cause, std::vector<finding>& out) {
  const naive_window in = window_of(events, time);
  // The memory of ids is the match's own: no other event's id is listed.
  key.ids->remembered.clear();
  for (const naive_event* each : events)
    if (each->what->has(event_field::event_id)) key.ids->remember(each->position);
  if (!holds(key, in)) return;
  report_holding(key, time + lateness(), cause, in, out);
  duration size{};
  for (const sequence_step_spec& each : spec().then) size += each.within;
  progress_[key.name].over = time + size;
}

void naive_sequences::came_after_all(naive_key& key, instant time, std::vector<finding>& out) {
  progress& of = progress_[key.name];
  of.partial.erase(positive_);
  of.over.reset();
  if (key.met)
    report(finding::kind::cleared, key, time + lateness(), no_position, "came after all",
           window_of({}, time), out);
}

void naive_sequences::turn(naive_key& key, const naive_event& what, std::vector<finding>& out) {
  if (ends_absent_ && meets_step(steps_.size(), *what.batch, *what.what))
    came_after_all(key, what.time, out);
  auto& partial = progress_[key.name].partial;
  for (std::size_t number = positive_; number >= 1; --number) {
    if (!meets_step(number, *what.batch, *what.what)) continue;
    chain events;
    if (number > 1) {
      const auto before = partial.find(number - 1);
      if (before == partial.end()) continue;
      if (what.time - before->second.back()->time > spec().then[number - 1].within) continue;
      events = before->second;
    }
    events.push_back(&what);
    if (!ends_absent_ && number == positive_) {
      match(key, events, what.time, "sequence complete", out);
    } else if (!ends_absent_ || number < positive_ || partial.count(number) == 0) {
      // A wait for what must not come is not replaced: the oldest open one counts.
      partial[number] = events;
    }
  }
}

}  // namespace tocsin::testing
