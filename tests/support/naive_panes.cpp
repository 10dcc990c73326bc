// SPDX-License-Identifier: Apache-2.0
// Implementation of the naive fixed and sliding windows.
#include "support/naive_panes.hpp"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <algorithm>
#include <stdexcept>

namespace tocsin::testing {

struct naive_grid::zone {
  absl::TimeZone rules;
  long long days = 1;

  /// The first instant of the nth stretch of days, counted from 1970-01-01.
  [[nodiscard]] instant start(long long number) const {
    const absl::CivilDay day = absl::CivilDay(1970, 1, 1) + number * days;
    const auto midnight = rules.At(absl::CivilSecond(day));
    const bool skipped = midnight.kind == absl::TimeZone::TimeInfo::SKIPPED;
    return from_unix_ms(absl::ToUnixMillis(skipped ? midnight.trans : midnight.pre));
  }
};

naive_grid::naive_grid(const window_spec& spec) : spec_(spec) {
  if (spec.time_zone.empty()) return;
  auto made = std::make_shared<zone>();
  if (!absl::LoadTimeZone(spec.time_zone, &made->rules))
    throw std::invalid_argument("no time zone '" + spec.time_zone + "'");
  made->days = spec.size / std::chrono::hours{24};
  zone_ = std::move(made);
}

instant naive_grid::first_end_after(instant time) const {
  if (!zone_) {
    const auto shifted = time.time_since_epoch() - spec_.offset;
    auto ends = shifted / spec_.every;
    if (ends * spec_.every > shifted) --ends;  // division cuts towards zero
    return instant{(ends + 1) * spec_.every + spec_.offset};
  }
  // No zone is off by more than a few days' worth of stretches: a guess before, then one by one.
  const auto guess = (time - spec_.offset).time_since_epoch() / spec_.size;
  long long number = guess - 3;
  while (zone_->start(number) + spec_.offset <= time) ++number;
  return zone_->start(number) + spec_.offset;
}

instant naive_grid::next(instant end) const {
  return first_end_after(end);
}

instant naive_grid::start_of(instant end) const {
  if (!zone_) return end - spec_.size;
  const auto guess = (end - spec_.offset).time_since_epoch() / spec_.size;
  long long number = guess + 3;
  while (zone_->start(number) + spec_.offset >= end) --number;
  return zone_->start(number) + spec_.offset;
}

instant naive_grid::last_end_with(instant time) const {
  if (zone_) return first_end_after(time);
  return first_end_after(time) + spec_.size - spec_.every;
}

naive_panes::naive_panes(const rule_set& rules, const rule& by)
    : naive_rule(rules, by), grid_(by.spec.window) {}

void naive_panes::forget(const naive_key& key) {
  touched_.erase(key.name);
}

bool naive_panes::take(naive_key& key, const naive_event& what, instant watermark) {
  if (watermark > grid_.first_end_after(what.time)) ++late_;
  if (watermark > grid_.last_end_with(what.time)) return false;
  key.events.push_back(what);
  touched_.insert(key.name);
  return true;
}

void naive_panes::judge_arrival(const naive_arrival& from, std::vector<finding>& out) {
  naive_key& key = keys_.at(key_of(from));
  if (!by_.early || key.met) return;
  const naive_event& newest = key.events.back();
  const instant watermark = from.what().arrived - lateness();
  instant open = grid_.first_end_after(newest.time);
  while (watermark > open) open = grid_.next(open);
  for (const instant end : ends_between(key, open, grid_.last_end_with(newest.time))) {
    naive_window in = window_ending(key, end, newest.time);
    in.speaker = &newest;
    if (!holds(key, in)) continue;
    report(finding::kind::met, key, from.what().arrived, from.position(), "condition met", in, out);
    return;
  }
}

void naive_panes::pass_time(instant watermark, std::vector<finding>& out) {
  for (auto& [name, key] : keys_) close_windows(key, watermark, out);
  watermark_ = watermark;
}

void naive_panes::close_windows(naive_key& key, instant watermark, std::vector<finding>& out) {
  // Keys come with events, and before each event time was passed: there is a watermark. Ends below
  // it were closed before.
  instant end = grid_.first_end_after(*watermark_ - duration{1});
  while (const auto next = next_end(key, end)) {
    if (!(watermark > *next)) return;
    close_window(key, *next, out);
    touched_.erase(key.name);
    end = grid_.next(*next);
  }
}

std::vector<instant> naive_panes::changes_by(instant time) const {
  const instant first = time + duration{1};
  return {first, first + spec().window.size};
}

std::set<instant> naive_panes::ends_between(const naive_key& key, instant from, instant to) const {
  std::set<instant> ends;
  if (from > to) return ends;
  ends.insert(from);
  if (spec().window.every > duration{1}) {
    for (instant end = from; end <= to; end = grid_.next(end)) ends.insert(end);
  } else {
    for (const naive_event& each : key.events)
      for (const instant change : changes_by(each.time))
        if (from <= change && change <= to) ends.insert(change);
  }
  return ends;
}

std::optional<instant> naive_panes::next_end(const naive_key& key, instant from) const {
  std::optional<instant> next;
  const auto consider = [&](instant end) {
    if (end >= from) next = std::min(next.value_or(end), end);
  };
  const bool every_end = spec().window.every > duration{1};
  for (const naive_event& each : key.events) {
    if (!every_end) {
      for (const instant change : changes_by(each.time)) consider(change);
    } else if (grid_.last_end_with(each.time) >= from) {
      consider(std::max(grid_.first_end_after(each.time), from));
    }
  }
  // An empty window is judged too while there is something to clear; and what came into the past
  // changes windows that differ from the one before by nothing else.
  if (every_end ? key.met : touched_.count(key.name) != 0) consider(from);
  return next;
}

naive_window naive_panes::window_ending(const naive_key& key, instant end,
                                        instant judged_at) const {
  naive_window in;
  in.bounds = {spec().window.kind, grid_.start_of(end), end};
  in.judged_at = judged_at;
  for (const naive_event& each : key.events) {
    if (in.bounds.start <= each.time && each.time < end) in.events.push_back(&each);
    if (in.bounds.start - spec().baseline.length <= each.time && each.time < in.bounds.start)
      in.baseline.push_back(&each);
  }
  std::sort(in.events.begin(), in.events.end(), comes_before);
  std::sort(in.baseline.begin(), in.baseline.end(), comes_before);
  if (!in.events.empty()) in.speaker = in.events.back();
  return in;
}

std::optional<naive_window> naive_panes::first_open_that_holds(const naive_key& key,
                                                               instant after) const {
  std::set<instant> ends;
  for (const naive_event& each : key.events)
    ends.merge(ends_between(key, std::max(grid_.first_end_after(each.time), grid_.next(after)),
                            grid_.last_end_with(each.time)));
  for (const instant end : ends) {
    naive_window open = window_ending(key, end, after);
    if (holds(key, open)) return open;
  }
  return std::nullopt;
}

void naive_panes::close_window(naive_key& key, instant end, std::vector<finding>& out) const {
  const naive_window closed = window_ending(key, end, end);
  const instant at = end + lateness();
  std::optional<naive_window> holding;
  if (holds(key, closed)) {
    holding = closed;
  } else if (by_.early && key.met) {
    holding = first_open_that_holds(key, end);
  }
  if (holding && (key.met || !by_.early)) report_holding(key, at, "window closed", *holding, out);
  if (!holding && key.met)
    report(finding::kind::cleared, key, at, no_position, "condition cleared", closed, out);
}

}  // namespace tocsin::testing
