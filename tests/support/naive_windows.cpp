// SPDX-License-Identifier: Apache-2.0
// Implementation of the naive window engine.
#include "support/naive_windows.hpp"

#include <algorithm>

#include "support/naive_scope.hpp"

namespace tocsin::testing {
namespace {

using taken = naive_windows::taken;
using window = naive_windows::window;

std::uint64_t newest_position(const window& in) {
  std::uint64_t newest = 0;
  for (const taken* each : in.events) newest = std::max(newest, each->position);
  return newest;
}

void sort_by_time(std::vector<const taken*>& events) {
  std::sort(events.begin(), events.end(), [](const taken* left, const taken* right) {
    return std::pair{left->time, left->position} < std::pair{right->time, right->position};
  });
}

/// The first window end after `time`: the end of its pane.
instant first_end_after(const window_spec& spec, instant time) {
  const auto shifted = time.time_since_epoch() - spec.offset;
  auto ends = shifted / spec.every;
  if (ends * spec.every > shifted) --ends;  // division cuts towards zero, panes are floors
  return instant{(ends + 1) * spec.every + spec.offset};
}

instant last_end_with(const window_spec& spec, instant time) {
  return first_end_after(spec, time) + spec.size - spec.every;
}

}  // namespace

naive_windows::naive_windows(std::shared_ptr<const rule_set> rules)
    : rules_(std::move(rules)),
      keys_(rules_->units().size()),
      watermarks_(rules_->units().size()),
      late_(rules_->units().size()) {}

bool naive_windows::any_met() const noexcept {
  for (const auto& unit_keys : keys_)
    for (const auto& [name, key] : unit_keys)
      for (const standing& each : key.standings)
        if (each.met) return true;
  return false;
}

std::vector<finding> naive_windows::step(instant clock,
                                         const std::shared_ptr<const event_batch>& batch) {
  out_.clear();
  for (const unit& of : rules_->units()) {
    for (std::uint32_t i = 0; batch && i < batch->events.size(); ++i) {
      const event& what = batch->events[i];
      pass_time(of, what.arrived - of.lateness);
      if (what.action != event_action::firing) {
        recover(of, batch, i);
      } else if (of.where.holds(event_scope{*batch, what})) {
        take(of, batch, i);
      }
    }
    pass_time(of, clock - of.lateness);
  }
  std::stable_sort(out_.begin(), out_.end());
  return out_;
}

void naive_windows::pass_time(const unit& of, instant watermark) {
  auto& now = watermarks_[of.index];
  for (auto& [name, key] : keys_[of.index]) {
    if (of.window.kind == window_kind::session) {
      close_sessions(of, key, watermark);
    } else {
      close_windows(of, key, *now, watermark);
    }
  }
  now = watermark;
}

naive_windows::key_values naive_windows::key_of(const unit& of, const event_batch& batch,
                                                const event& what) const {
  key_values name;
  const event_scope names{batch, what};
  for (const group_field& each : rules_->groups()[of.group].fields) {
    const value part =
        each.field ? names.get(static_cast<std::uint32_t>(*each.field)) : names.label(each.label);
    name.push_back(part.is_missing() ? std::nullopt : std::optional{part.to_text()});
  }
  return name;
}

void naive_windows::take(const unit& of, const std::shared_ptr<const event_batch>& batch,
                         std::uint32_t index) {
  const event& what = batch->events[index];
  const std::uint64_t position = batch->first_position + index;
  const instant time = of.clock == rule_clock::event ? what.time : what.arrived;
  const instant watermark = what.arrived - of.lateness;
  const bool session = of.window.kind == window_kind::session;

  history& key = keys_[of.index][key_of(of, *batch, what)];
  key.name = key_of(of, *batch, what);
  key.standings.resize(of.rules.size());
  if (session) {
    const auto open = sessions(of, key);
    const bool joins = std::any_of(open.begin(), open.end(), [&](const window& each) {
      return each.bounds.start - of.window.size <= time && time <= each.bounds.end + of.window.size;
    });
    if (!joins && watermark > time + of.window.size) {
      ++late_[of.index];
      return;
    }
  } else {
    if (watermark > first_end_after(of.window, time)) ++late_[of.index];
    if (watermark > last_end_with(of.window, time)) return;
  }
  ++updates_;
  key.events.push_back({batch, &what, time, position, false});
  remember_id(of, key);

  std::vector<window> holding;  // all open windows with the event in them, by their ends
  if (session) {
    for (window& each : sessions(of, key))
      if (each.bounds.start <= time && time <= each.bounds.end) holding.push_back(std::move(each));
  } else {
    for (instant end = first_end_after(of.window, time); end <= last_end_with(of.window, time);
         end += of.window.every)
      if (!(watermark > end)) holding.push_back(window_ending(of, key, end));
  }
  for (const std::uint32_t number : of.rules) {
    const rule& by = rules_->rules()[number];
    if (!by.early || key.standings[by.bit].met) continue;
    for (window& each : holding) {
      each.speaker = &key.events.back();
      if (!holds(by, key, each)) continue;
      report(finding::kind::met, by, key, what.arrived, position, "condition met", each);
      break;
    }
  }
}

void naive_windows::recover(const unit& of, const std::shared_ptr<const event_batch>& batch,
                            std::uint32_t index) {
  const event& what = batch->events[index];
  const auto found_key = keys_[of.index].find(key_of(of, *batch, what));
  if (found_key == keys_[of.index].end()) return;
  const history& key = found_key->second;
  const bool resolved = what.action == event_action::resolved;
  for (const std::uint32_t number : of.rules) {
    const rule& by = rules_->rules()[number];
    if (!key.standings[by.bit].met) continue;
    finding& found = out_.emplace_back();
    found.what = resolved ? finding::kind::recovered : finding::kind::dismissed;
    found.rule = by.index;
    found.print = print_of(by, key);
    found.at = what.arrived;
    found.position = batch->first_position + index;
    found.cause = resolved ? "resolved by an event" : "closed by an event";
  }
  keys_[of.index].erase(found_key);
}

fingerprint naive_windows::print_of(const rule& by, const history& key) const {
  const auto& fields = rules_->groups()[rules_->units()[by.unit].group].fields;
  std::vector<key_part> parts;
  for (std::size_t i = 0; i < fields.size(); ++i)
    parts.push_back(
        {fields[i].name, key.name[i] ? std::string_view{*key.name[i]} : std::string_view{}});
  return fingerprint_of(by.name, parts);
}

naive_windows::window naive_windows::window_ending(const unit& of, const history& key,
                                                   instant end) const {
  window in;
  in.bounds = {of.window.kind, end - of.window.size, end};
  for (const taken& each : key.events)
    if (in.bounds.start <= each.time && each.time < end) in.events.push_back(&each);
  sort_by_time(in.events);
  if (!in.events.empty()) in.speaker = in.events.back();
  return in;
}

std::optional<instant> naive_windows::next_end(const unit& of, const history& key,
                                               instant from) const {
  std::optional<instant> next;
  const auto consider = [&](instant end) { next = std::min(next.value_or(end), end); };
  for (const taken& each : key.events)
    if (last_end_with(of.window, each.time) >= from)
      consider(std::max(first_end_after(of.window, each.time), from));
  for (const standing& each : key.standings)
    if (each.met)
      consider(from);  // an empty window is judged too while there is something to clear
  return next;
}

void naive_windows::close_windows(const unit& of, history& key, instant from, instant watermark) {
  // The first end that was not closed before: ends below `from` were.
  instant end = first_end_after(of.window, from - duration{1});
  while (const auto next = next_end(of, key, end)) {
    if (!(watermark > *next)) return;
    close_window(of, key, *next);
    end = *next + of.window.every;
  }
}

std::optional<naive_windows::window> naive_windows::first_open_that_holds(const rule& by,
                                                                          const unit& of,
                                                                          const history& key,
                                                                          instant after) const {
  std::optional<window> first;
  for (const taken& each : key.events) {
    for (instant end = first_end_after(of.window, each.time);
         end <= last_end_with(of.window, each.time); end += of.window.every) {
      if (end <= after || (first && end >= first->bounds.end)) continue;
      if (window open = window_ending(of, key, end); holds(by, key, open)) first = open;
    }
  }
  return first;
}

void naive_windows::close_window(const unit& of, history& key, instant end) {
  const window closed = window_ending(of, key, end);
  const instant at = end + of.lateness;
  for (const std::uint32_t number : of.rules) {
    const rule& by = rules_->rules()[number];
    const bool met = key.standings[by.bit].met;
    std::optional<window> holding;
    if (holds(by, key, closed)) {
      holding = closed;
    } else if (by.early && met) {
      holding = first_open_that_holds(by, of, key, end);
    }
    if (holding && (met || !by.early)) report_holding(by, key, at, "window closed", *holding);
    if (!holding && met)
      report(finding::kind::cleared, by, key, at, no_position, "condition cleared", closed);
  }
}

std::vector<naive_windows::window> naive_windows::sessions(const unit& of,
                                                           const history& key) const {
  std::vector<const taken*> open;
  for (const taken& each : key.events)
    if (!each.over) open.push_back(&each);
  sort_by_time(open);
  std::vector<window> found;
  for (const taken* each : open) {
    if (found.empty() || each->time > found.back().bounds.end + of.window.size)
      found.push_back({{of.window.kind, each->time, each->time}, {}, nullptr});
    found.back().events.push_back(each);
    found.back().bounds.end = each->time;
    found.back().speaker = each;
  }
  return found;
}

void naive_windows::close_sessions(const unit& of, history& key, instant watermark) {
  for (const window& session : sessions(of, key)) {
    if (!(watermark > session.bounds.end + of.window.size)) return;
    close_session(of, key, session);
    for (const taken* each : session.events) {
      key.events[static_cast<std::size_t>(each - key.events.data())].over = true;
      std::erase(key.remembered, each->position);
    }
  }
}

void naive_windows::close_session(const unit& of, history& key, const window& session) {
  const instant at = session.bounds.end + of.window.size + of.lateness;
  for (const std::uint32_t number : of.rules) {
    const rule& by = rules_->rules()[number];
    const bool met = key.standings[by.bit].met;
    if (holds(by, key, session)) {
      report_holding(by, key, at, "session timed out", session);
    } else if (met) {
      report(finding::kind::cleared, by, key, at, no_position, "session ended", session);
    }
  }
}

void naive_windows::remember_id(const unit& of, history& key) const {
  const taken& newest = key.events.back();
  if (!newest.what->has(event_field::event_id)) return;
  const auto together = [&](const taken& other) {
    return first_end_after(of.window, other.time) == first_end_after(of.window, newest.time);
  };
  std::size_t before = 0;
  if (of.window.kind == window_kind::session) {
    for (const window& each : sessions(of, key)) {
      if (std::find(each.events.begin(), each.events.end(), &newest) == each.events.end()) continue;
      for (const taken* other : each.events) before += other->what->has(event_field::event_id);
      --before;
    }
  } else {
    for (const taken& other : key.events)
      before += &other != &newest && other.what->has(event_field::event_id) && together(other);
  }
  if (before >= event_ids_max) return;
  key.remembered.push_back(newest.position);
  if (key.remembered.size() > event_ids_max) key.remembered.erase(key.remembered.begin());
}

bool naive_windows::holds(const rule& by, const history& key, const window& in) const {
  return !in.events.empty() && by.having.holds(naive_scope{*rules_, by, key, in});
}

void naive_windows::report_holding(const rule& by, history& key, instant at, std::string_view cause,
                                   const window& in) {
  const standing& now = key.standings[by.bit];
  if (!now.met) {
    report(finding::kind::met, by, key, at, no_position, cause, in);
  } else if (newest_position(in) > now.newest) {
    report(finding::kind::updated, by, key, at, no_position, cause, in);
  }
}

void naive_windows::report(finding::kind kind, const rule& by, history& key, instant at,
                           std::uint64_t position, std::string_view cause, const window& in) {
  standing& now = key.standings[by.bit];
  const naive_scope names{*rules_, by, key, in};
  finding found;
  found.what = kind;
  found.rule = by.index;
  found.print = print_of(by, key);
  found.at = at;
  found.position = position;
  found.cause = cause;
  found.severity = names.level();
  found.proof = names.proof();
  if (kind == finding::kind::met) found.texts = names.texts();
  now.met = kind == finding::kind::met || kind == finding::kind::updated;
  if (now.met) now.newest = newest_position(in);
  out_.push_back(std::move(found));
}

}  // namespace tocsin::testing
