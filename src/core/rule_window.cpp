// SPDX-License-Identifier: Apache-2.0
// A window's lengths: defaults and what they must be.
#include "core/rule_window.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/rule_views.hpp"
#include "tocsin/time_interval.hpp"

namespace tocsin {
namespace {

constexpr duration day = std::chrono::hours{24};
constexpr duration default_every_min = std::chrono::seconds{1};
/// A sliding window's slices, all of which a judgement may have to read.
constexpr std::int64_t slices_max = 10'000;

/// The step nearest below `wanted` (or above, when there is none) that divides `size`.
duration nearest_step(duration size, duration wanted) {
  const std::int64_t whole = size.count();
  const std::int64_t least = (whole + slices_max - 1) / slices_max;
  std::int64_t below = 0;
  std::int64_t above = whole;
  const auto offer = [&](std::int64_t step) {
    if (step < least) return;
    if (step <= wanted.count()) below = std::max(below, step);
    if (step > wanted.count()) above = std::min(above, step);
  };
  for (std::int64_t i = 1; i * i <= whole; ++i) {
    if (whole % i != 0) continue;
    offer(i);
    offer(whole / i);
  }
  return duration{below != 0 ? below : above};
}

/// Not all there are: those that are likely to be misspelt.
const std::vector<std::string>& zone_names() {
  static const std::vector<std::string> names{
      "UTC",
      "Africa/Cairo",
      "Africa/Johannesburg",
      "Africa/Lagos",
      "Africa/Nairobi",
      "America/Bogota",
      "America/Chicago",
      "America/Denver",
      "America/Los_Angeles",
      "America/Mexico_City",
      "America/New_York",
      "America/Sao_Paulo",
      "America/Toronto",
      "Asia/Dubai",
      "Asia/Hong_Kong",
      "Asia/Jakarta",
      "Asia/Karachi",
      "Asia/Kolkata",
      "Asia/Seoul",
      "Asia/Shanghai",
      "Asia/Singapore",
      "Asia/Tokyo",
      "Australia/Melbourne",
      "Australia/Sydney",
      "Europe/Amsterdam",
      "Europe/Athens",
      "Europe/Berlin",
      "Europe/Dublin",
      "Europe/Istanbul",
      "Europe/Kyiv",
      "Europe/Lisbon",
      "Europe/London",
      "Europe/Madrid",
      "Europe/Moscow",
      "Europe/Paris",
      "Europe/Prague",
      "Europe/Rome",
      "Europe/Stockholm",
      "Europe/Vienna",
      "Europe/Warsaw",
      "Europe/Zurich",
      "Pacific/Auckland",
  };
  return names;
}

std::string settle_zone(window_spec& window) {
  if (window.time_zone.empty()) return "";
  if (window.kind == window_kind::fixed && window.time_zone == "UTC") {
    window.time_zone.clear();
    return "";
  }
  if (window.kind != window_kind::fixed || window.size % day != duration{0}) {
    return fmt::format("window.timezone goes with fixed windows of whole days, this is {} {}",
                       to_text(window.kind), format_duration(window.size));
  }
  if (is_time_zone(window.time_zone)) return "";
  const std::string near = nearest_word(window.time_zone, zone_names());
  return fmt::format("window.timezone: unknown time zone '{}' ({})", window.time_zone,
                     near.empty() ? "wanted an IANA name such as Europe/Berlin"
                                  : fmt::format("did you mean '{}'?", near));
}

std::string settle_fixed(window_spec& window) {
  window.every = window.size;
  if (window.offset >= window.size) {
    return fmt::format("window.offset {} must be shorter than window.fixed {}",
                       format_duration(window.offset), format_duration(window.size));
  }
  return settle_zone(window);
}

std::string settle_sliding(window_spec& window) {
  if (window.offset != duration{0}) return "window.offset goes with fixed windows";
  if (!window.time_zone.empty()) return settle_zone(window);
  if (window.trailing) {
    window.every = time_resolution;
    return "";
  }
  const bool given = window.every != duration{0};
  const duration every =
      given ? window.every : std::max(duration{window.size / 10}, default_every_min);
  const auto hint = [&] {
    return fmt::format("try every: {}", format_duration(nearest_step(window.size, every)));
  };
  if (given && every > window.size) {
    return fmt::format("window.every {} is longer than window.sliding {} ({})",
                       format_duration(every), format_duration(window.size), hint());
  }
  if (window.size % every != duration{0} ||
      (!given && window.size % duration{10} != duration{0} && every > default_every_min)) {
    return given ? fmt::format("window.every {} does not divide window.sliding {} ({})",
                               format_duration(every), format_duration(window.size), hint())
                 : fmt::format(
                       "window.sliding {} needs window.every: a tenth of it, at least 1s, "
                       "does not divide it ({})",
                       format_duration(window.size), hint());
  }
  if (window.size / every > slices_max) {
    return fmt::format("window.every {} cuts window.sliding {} into {} slices, at most {} ({})",
                       format_duration(every), format_duration(window.size), window.size / every,
                       slices_max, hint());
  }
  window.every = every;
  return "";
}

/// What is wrong with the window, or "".
std::string settle_lengths(window_spec& window) {
  if (window.size <= duration{0}) return "the window has no length (try window: {sliding: 5m})";
  if (window.size > rule_length_max) return "the window is longer than 10000d";
  if (window.offset < duration{0}) return "window.offset is negative";
  switch (window.kind) {
    case window_kind::sliding:
      return settle_sliding(window);
    case window_kind::fixed:
      return settle_fixed(window);
    case window_kind::session:
      if (window.session_max < duration{0} || window.session_max > rule_length_max) {
        return "window.max must be between 1ms and 10000d";
      }
      return "";
    case window_kind::absence:
    case window_kind::sequence:
      return "";
  }
  return "";
}

void check_session(const rule_spec& spec, rule_findings& findings) {
  const window_spec& window = spec.window;
  const bool bounded = window.session_max != duration{0} || window.session_events_max != 0;
  if (window.kind != window_kind::session) {
    if (bounded) findings.report("window", "max and max_events go with session windows");
    if (!spec.close.text.empty()) {
      findings.report(spec.close, "window.close", "goes with session windows");
    }
    if (spec.fire_on != session_ends{}) findings.report("fire_on", "goes with session windows");
    return;
  }
  const session_ends& on = spec.fire_on;
  if (!on.timeout && !on.close && !on.limit && spec.fire != fire_mode::early) {
    findings.report("fire_on", "is empty (name at least one of timeout, close, limit, early)");
  }
  if (on.close && spec.close.text.empty()) {
    findings.report("fire_on", "has 'close', but the window has no 'close' condition");
  }
  if (on.limit && !bounded) {
    findings.report("fire_on", "has 'limit', but the window has neither 'max' nor 'max_events'");
  }
}

void check_step(const rule_spec& spec, std::size_t index, rule_findings& findings) {
  const sequence_step_spec& step = spec.then[index];
  placed_text at = step.where;
  // The step as a whole is meant, not the text of its condition.
  at.line = step.line != 0 ? step.line : at.line;
  at.column = 0;
  if (index == 0 && step.within != duration{0}) {
    findings.report(at, "then", "the first step has no 'within': nothing comes before it");
  }
  if (index != 0 && step.within <= duration{0}) {
    findings.report(at, "then",
                    fmt::format("step {} has no 'within' (how long after the step before it may "
                                "come, such as within: 2m)",
                                index + 1));
  }
  if (step.absent && (index == 0 || index + 1 != spec.then.size())) {
    findings.report(at, "then", "'not' may only be the last step, behind another one");
  }
}

/// Gives the sequence its size: how long it can take at most.
void settle_sequence(rule_spec& spec, rule_findings& findings) {
  constexpr std::size_t steps_min = 2;
  constexpr std::size_t steps_max = 16;
  window_spec& window = spec.window;
  window = {};
  window.kind = window_kind::sequence;
  if (spec.then.size() < steps_min || spec.then.size() > steps_max) {
    findings.report("then", fmt::format("a sequence has {} to {} steps, this has {}", steps_min,
                                        steps_max, spec.then.size()));
  }
  for (std::size_t i = 0; i < spec.then.size(); ++i) {
    check_step(spec, i, findings);
    if (spec.then[i].within > rule_length_max) {
      findings.report("then", "a step's 'within' is longer than 10000d");
      return;
    }
    window.size += spec.then[i].within;
  }
  if (window.size > rule_length_max) findings.report("then", "all steps take longer than 10000d");
}

void settle_baseline(rule_spec& spec, rule_findings& findings) {
  constexpr std::uint64_t samples_default = 10;
  constexpr std::uint64_t samples_least = 2;
  baseline_spec& baseline = spec.baseline;
  if (baseline == baseline_spec{}) return;
  const window_spec& window = spec.window;
  if (window.kind != window_kind::fixed && window.kind != window_kind::sliding) {
    return findings.report(
        "baseline",
        fmt::format("goes with fixed and sliding windows, this is {}", to_text(window.kind)));
  }
  if (window.trailing) {
    return findings.report("baseline",
                           "does not go with 'every: event' (write a step, such as every: 1m)");
  }
  if (baseline.samples_min == 0) baseline.samples_min = samples_default;
  if (baseline.samples_min < samples_least) {
    findings.report("baseline", "min_samples must be at least 2");
  }
  if (baseline.length <= duration{0} || baseline.length > rule_length_max) {
    return findings.report("baseline", "length must be between 1ms and 10000d");
  }
  if (window.every <= duration{0}) return;
  if (baseline.length % window.every != duration{0}) {
    return findings.report(
        "baseline",
        fmt::format("length {} is no multiple of the window's step {} (try length: {})",
                    format_duration(baseline.length), format_duration(window.every),
                    format_duration((baseline.length / window.every + 1) * window.every)));
  }
  const duration pane = pane_of({window});
  if (baseline.length / pane > baseline_panes_max) {
    findings.report(
        "baseline",
        fmt::format("length {} is {} slices of {}, at most {}", format_duration(baseline.length),
                    baseline.length / pane, format_duration(pane), baseline_panes_max));
  }
}

void settle_limits(rule_spec& spec, rule_findings& findings) {
  constexpr std::uint64_t events_default = 10'000;
  constexpr std::uint64_t events_most = 100'000;
  std::uint64_t& events = spec.limits.events;
  if (!spec.window.trailing) {
    if (events != 0) findings.report("limits", "events goes with 'every: event' only");
    return;
  }
  if (events == 0) events = events_default;
  if (events > events_most) {
    findings.report("limits",
                    fmt::format("events: {} is too many (at most {})", events, events_most));
  }
}

}  // namespace

void settle_window(rule_spec& spec, rule_findings& findings) {
  if (!spec.then.empty()) settle_sequence(spec, findings);
  if (spec.window.kind == window_kind::sequence && spec.then.empty()) {
    findings.report("window", "a sequence needs 'then' and its steps");
  }
  if (spec.window.kind != window_kind::sequence) {
    if (const std::string wrong = settle_lengths(spec.window); !wrong.empty()) {
      findings.report("window", wrong);
    }
  }
  if (spec.window.trailing && spec.window.kind != window_kind::sliding) {
    findings.report("window", "'every: event' goes with sliding windows");
  }
  if (!spec.expect.empty() && spec.window.kind != window_kind::absence) {
    findings.report("expect", "goes with absence (window: {absent: 5m})");
  }
  check_session(spec, findings);
  settle_baseline(spec, findings);
  settle_limits(spec, findings);
}

}  // namespace tocsin
