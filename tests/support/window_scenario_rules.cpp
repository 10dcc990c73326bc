// SPDX-License-Identifier: Apache-2.0
// Random rules for window scenarios: every kind of window, every aggregate.
#include <algorithm>

#include <fmt/format.h>

#include "support/window_scenario.hpp"

namespace tocsin::testing {
namespace {

/// Baselines are multiples of this many steps, so that windows of one to four steps may share one.
constexpr long long harmonic_steps = 12;

placed_text at_line(std::string text) {
  return {std::move(text), 1, 1};
}

/// A selected value, and whether every order of summation gives the very same text.
struct selection {
  const char* name;
  const char* formula;
  bool exact = false;
};

/// Quantiles are named q_..., lengths until a limit t_...: they are compared with tolerance.
const std::vector<selection>& all_selections() {
  static const std::vector<selection> all{
      {"share", "sum(value) / count()"},
      {"tenths", "sum(value * 0.1)"},
      {"deviation", "stddev(value)"},
      {"deviation_pop", "stddev_pop(value)"},
      {"spread", "variance(value)"},
      {"spread_pop", "variance_pop(value)"},
      {"hosts", "distinct(resource_name)", true},
      {"envs", "distinct(labels.env)", true},
      {"signs", "distinct(value > 0)", true},
      {"q_middle", "quantile(value, 0.5)"},
      {"q_high", "quantile(value, 0.9)"},
      {"q_least", "quantile(value, 0)"},
      {"q_most", "quantile(labels.load, 1)"},
      {"opening", "first(value)", true},
      {"newest", "last(value)", true},
      {"first_host", "first(resource_name)", true},
      {"last_env", "last(labels.env)", true},
      {"last_sign", "last(value > 0)", true},
      {"moved", "delta(value)", true},
      {"speed", "rate(value)"},
      {"tilt", "slope(value)"},
      {"ahead", "predict(value, 20ms)"},
      {"t_full", "time_to(value, 12)"},
      {"smooth", "ewma(value, 30ms)"},
      {"popular", "top(resource_name, 2)", true},
      {"popular_envs", "top(labels.env, 3)", true},
      {"several", "collect(item, 1)", true},
      {"values", "collect(value, 3)", true},
      {"all_labels", "merge_labels()", true},
      {"some", "any(value > 5)", true},
      {"each", "all(value > 0)", true},
  };
  return all;
}

const std::vector<std::string>& plain_conditions() {
  static const std::vector<std::string> all{"failures >= 1",    "failures >= 2",
                                            "failures >= 3",    "count() >= 4",
                                            "total > 5",        "mean >= 3",
                                            "least < 0",        "most > 6",
                                            "failures <= 2",    "failures >= 2 && most > 3",
                                            "total < 4",        "mean > 2 || failures >= 5",
                                            "big >= 1",         "failures == 1",
                                            "event_count >= 3", "max_severity == 'critical'",
                                            "duration >= 15ms", "count_if(item == 'x') >= 2"};
  return all;
}

/// No value of whole numbers at whole milliseconds lies so near a bound here that rounding could
/// tell on which side.
const std::vector<std::string>& further_conditions() {
  static const std::vector<std::string> all{"stddev(value) > 1.234567",
                                            "variance_pop(value) < 3.333337",
                                            "distinct(resource_name) >= 3",
                                            "distinct(labels.env) == 1",
                                            "quantile(value, 0.5) > 3.5",
                                            "first(value) < last(value)",
                                            "delta(value) > 2.5",
                                            "rate(value) > 61.70707",
                                            "slope(value) > 17.1234567",
                                            "slope(value) < -3.1234567",
                                            "predict(value, 10ms) > 6.5432123",
                                            "ewma(value, 30ms) > 3.4567891",
                                            "any(value > 7)",
                                            "all(value > 0)",
                                            "any(value > 7) && distinct(item) >= 2"};
  return all;
}

enum class window_taste { plain, trailing, session, cut_session, absence, sequence, days };

window_taste choose_window(chooser& choose, const scenario_taste& taste) {
  std::vector<window_taste> liked;
  if (taste.fixed_and_sliding) liked.insert(liked.end(), 2, window_taste::plain);
  if (taste.trailing) liked.push_back(window_taste::trailing);
  if (taste.sessions) liked.push_back(window_taste::session);
  if (taste.cut_sessions) liked.push_back(window_taste::cut_session);
  if (taste.absence) liked.push_back(window_taste::absence);
  if (taste.sequences) liked.push_back(window_taste::sequence);
  if (taste.zones) liked.insert(liked.end(), 3, window_taste::days);
  return choose.of(liked);
}

void give_plain_window(chooser& choose, const scenario_taste& taste, duration step,
                       window_spec& window) {
  if (choose.one_in(3)) {
    window.kind = window_kind::fixed;
    window.size = window.every = step * choose.number(1, 3);
    if (choose.one_in(2)) window.offset = duration{choose.number(0, window.size.count() - 1)};
  } else {
    window.kind = window_kind::sliding;
    window.every = step;
    window.size = step * (taste.long_windows ? choose.number(20, 60) : choose.number(1, 6));
  }
}

void give_cuts(chooser& choose, const scenario_taste& taste, rule_spec& rule) {
  const bool close = choose.one_in(2);
  const bool max = choose.one_in(3);
  const bool max_events = choose.one_in(3) || (!close && !max);
  if (close)
    rule.close = at_line(choose.of<std::string>(
        {"value == 1", "item == 'y'", "value > 6", "has(value) && value < 0", "level == 'info'"}));
  if (max) rule.window.session_max = duration{choose.number(1, 90) * taste.stretch};
  if (max_events) rule.window.session_events_max = static_cast<std::uint64_t>(choose.number(1, 5));
  rule.fire_on.timeout = !choose.one_in(4);
  rule.fire_on.close = close && choose.one_in(2);
  rule.fire_on.limit = (max || max_events) && choose.one_in(2);
  if (!rule.fire_on.close && !rule.fire_on.limit) rule.fire_on.timeout = true;
}

void give_days(chooser& choose, window_spec& window) {
  window.kind = window_kind::fixed;
  window.size = window.every = std::chrono::hours{24} * choose.number(1, 3);
  window.time_zone = choose.of<std::string>({"Europe/Berlin", "America/New_York", "Asia/Kathmandu",
                                             "America/Sao_Paulo", "Australia/Lord_Howe", ""});
  if (choose.one_in(3)) window.offset = std::chrono::minutes{choose.number(1, 24 * 60 - 1)};
}

void give_steps(chooser& choose, const scenario_taste& taste, rule_spec& rule) {
  rule.window.kind = window_kind::sequence;
  const long long steps = choose.number(2, choose.one_in(3) ? 4 : 3);
  for (long long number = 1; number <= steps; ++number) {
    sequence_step_spec step;
    step.line = 1;
    step.where = at_line(
        choose.of<std::string>({"value > 2", "value <= 2", "item == 'x'", "true",
                                "has(value) && value > 4", "resource_id == 'r1'", "!has(value)"}));
    if (number > 1)
      step.within = duration{choose.of<long long>({1, 10, 20, 50, 100})} * taste.stretch;
    step.absent = number == steps && choose.one_in(2);
    rule.window.size += step.within;
    rule.then.push_back(step);
  }
  if (choose.one_in(3)) rule.where = {};
}

/// A window and what belongs to its kind.
void give_window(chooser& choose, const scenario_taste& taste, rule_spec& rule) {
  window_spec& window = rule.window;
  const duration step = duration{choose.of<long long>({10, 20, 30, 50})} * taste.stretch;
  switch (choose_window(choose, taste)) {
    case window_taste::plain:
      give_plain_window(choose, taste, step, window);
      break;
    case window_taste::trailing:
      window.kind = window_kind::sliding;
      window.trailing = true;
      window.every = duration{1};
      window.size = step * choose.number(1, 5) + duration{choose.number(0, 1)};
      break;
    case window_taste::session:
      window.kind = window_kind::session;
      window.size = step;
      break;
    case window_taste::cut_session:
      window.kind = window_kind::session;
      window.size = step;
      give_cuts(choose, taste, rule);
      break;
    case window_taste::absence:
      window.kind = window_kind::absence;
      window.size = step * choose.number(1, 6);
      break;
    case window_taste::sequence:
      give_steps(choose, taste, rule);
      break;
    case window_taste::days:
      give_days(choose, window);
      break;
  }
}

bool has_panes(const rule_spec& rule) {
  return rule.window.kind == window_kind::fixed || rule.window.kind == window_kind::sliding;
}

/// Keys that may come, and such that never do.
void give_expected(chooser& choose, rule_spec& rule) {
  if (rule.group_by.empty() || choose.one_in(2)) return;
  for (const char* last : {"x", "never"}) {
    auto& key = rule.expect.emplace_back();
    for (const placed_text& field : rule.group_by) {
      const char* words = last;
      if (field.text == "source_id") words = "a";
      if (field.text == "labels.env") words = "p";
      key.emplace_back(field.text, at_line(words));
    }
    // Without an item both would be the same key.
    if (key.back().first != "item" && key.front().first != "item") return;
  }
}

void give_values(chooser& choose, const scenario_taste& taste, rule_spec& rule) {
  rule.select = {{"failures", at_line("count()")}, {"total", at_line("sum(value)")},
                 {"mean", at_line("avg(value)")},  {"least", at_line("min(value)")},
                 {"most", at_line("max(value)")},  {"big", at_line("count_if(value >= 4)")}};
  std::vector<std::string> conditions = plain_conditions();
  std::string shown;
  if (taste.all_aggregates) {
    for (const selection& each : all_selections()) {
      if (!choose.one_in(4)) continue;
      rule.select.emplace_back(each.name, at_line(each.formula));
      if (each.exact) shown += fmt::format(" {}=${{{}}}", each.name, each.name);
    }
    const auto& further = further_conditions();
    conditions.insert(conditions.end(), further.begin(), further.end());
  } else if (choose.one_in(2)) {
    rule.select.emplace_back("share", at_line("sum(value) / count()"));
  }
  if (rule.baseline.length > duration{0} && !choose.one_in(4)) {
    rule.select.emplace_back("score", at_line("zscore(value)"));
    rule.select.emplace_back("outlier", at_line("mad_score(value)"));
    conditions.insert(conditions.end(), 4, "score > 0.87654321");
    conditions.insert(conditions.end(), 4, "outlier < -0.7654321");
    conditions.insert(conditions.end(), 2, "score > 0.1234567 && failures >= 2");
  }
  rule.having = at_line(choose.of(conditions));
  if (rule.window.kind == window_kind::absence)
    rule.having = at_line(choose.of<std::string>(
        {"", "", "idle > 15ms", "event_count >= 1", "failures == 1", "most > 2"}));
  if (rule.window.kind == window_kind::sequence && choose.one_in(2)) rule.having = {};
  rule.title = at_line(
      "${rule} ${source_id} ${item} ${resource_name} ${labels.env} ${failures} ${total} ${value} "
      "${event_count} ${duration} ${max_severity} ${window.size}" +
      shown);
}

void give_baseline(chooser& choose, rule_spec& rule) {
  if (!has_panes(rule) || rule.window.trailing) return;
  rule.baseline.length = rule.window.every * choose.of<long long>({1, 2, 5, harmonic_steps});
  rule.baseline.samples_min = static_cast<std::uint64_t>(choose.number(2, 5));
}

/// `to` counts the same windows as `from`: both get into one unit.
void share_windows(rule_spec& to, const rule_spec& from) {
  to.where = from.where;
  to.group_by = from.group_by;
  to.window = from.window;
  to.lateness = from.lateness;
  to.clock = from.clock;
  to.close = from.close;
  to.then = from.then;
  to.expect = from.expect;
  to.baseline = from.baseline;
}

/// Windows of other lengths whose panes are those of `from`.
void give_harmonic_window(chooser& choose, const window_spec& from, window_spec& window) {
  window = {};
  window.every = from.every * choose.number(1, 3);
  window.size = window.every * choose.number(1, 6);
  window.kind = window_kind::sliding;
  if (choose.one_in(3)) {
    window.kind = window_kind::fixed;
    window.size = window.every = from.every * choose.number(1, 4);
    window.offset = from.every * choose.number(0, window.size / from.every - 1);
  }
}

/// Makes `rule` one that shares with `other`: equal windows, or windows over the same panes.
void share(chooser& choose, const scenario_taste& taste, rule_spec& rule, rule_spec& other) {
  const bool plain = has_panes(other) && !other.window.trailing && other.window.time_zone.empty();
  const bool harmonic = plain && choose.one_in(2);
  if (harmonic) {
    other.window.offset = duration{0};
    if (other.baseline.length > duration{0})
      other.baseline.length = other.window.every * harmonic_steps;
  }
  share_windows(rule, other);
  if (harmonic) give_harmonic_window(choose, other.window, rule.window);
  rule.fire_on = {};
  if (rule.window.kind == window_kind::session) {
    const bool bounded =
        rule.window.session_max > duration{0} || rule.window.session_events_max > 0;
    rule.fire_on.close = !rule.close.text.empty() && choose.one_in(2);
    rule.fire_on.limit = bounded && choose.one_in(2);
    rule.fire_on.timeout = !choose.one_in(3) || (!rule.fire_on.close && !rule.fire_on.limit);
  }
  if (rule.window.kind == window_kind::absence || rule.window.kind == window_kind::sequence)
    rule.fire = fire_mode::automatic;
  give_values(choose, taste, rule);
}

}  // namespace

scenario_taste scenario_taste::everything() {
  scenario_taste taste;
  taste.trailing = taste.cut_sessions = taste.absence = taste.sequences = true;
  taste.baselines = taste.all_aggregates = true;
  return taste;
}

scenario_taste scenario_taste::days(std::uint64_t seed) {
  scenario_taste taste;
  taste.sessions = false;
  taste.zones = taste.all_aggregates = true;
  // Ten minutes a millisecond: the log lasts weeks, windows some hours.
  taste.stretch = 600'000;
  static const std::vector<const char*> changes{
      "2026-03-27T00:00:00Z",  // Berlin springs forward on the 29th
      "2026-10-23T00:00:00Z",  // and back on the 25th; New York on November 1st
      "2026-03-06T00:00:00Z",  // New York springs forward on the 8th
      "1985-12-30T00:00:00Z",  // Kathmandu skips from +5:30 to +5:45 at its midnight
      "2018-11-02T00:00:00Z",  // Sao Paulo's November 4th has no midnight
      "2018-02-15T00:00:00Z",  // Sao Paulo's February 17th ends twice
      "1970-01-01T00:00:00Z"};
  taste.begin_ms = to_unix_ms(*parse_rfc3339(changes[seed % changes.size()]));
  return taste;
}

rule_spec make_rule(chooser& choose, const std::string& name, const scenario_taste& taste) {
  rule_spec rule;
  rule.file = "scenario";
  rule.line = 1;
  rule.name = at_line(name);
  rule.where = at_line(choose.of<std::string>({"true", "true", "true", "value > 0", "has(value)",
                                               "item == 'x'", "source_id == 'a' || value >= 5"}));
  static const std::vector<std::vector<std::string>> groups{
      {"source_id"}, {"source_id", "item"}, {"labels.env"}, {"item"}, {}, {"item", "labels.env"}};
  for (const std::string& field : choose.of(groups)) rule.group_by.push_back(at_line(field));
  rule.fire = choose.of<fire_mode>(
      {fire_mode::automatic, fire_mode::automatic, fire_mode::early, fire_mode::close});
  give_window(choose, taste, rule);
  rule.lateness = duration{choose.of<long long>({0, 0, 5, 10, 20, 50, 100})} * taste.stretch;
  if (choose.one_in(6)) rule.clock = rule_clock::arrival;
  if (taste.baselines && choose.one_in(2)) give_baseline(choose, rule);
  if (rule.window.kind == window_kind::absence) give_expected(choose, rule);
  if (rule.window.kind == window_kind::absence || rule.window.kind == window_kind::sequence)
    rule.fire = fire_mode::automatic;
  give_values(choose, taste, rule);
  rule.severity = at_line(choose.of<std::string>({"worst_level", "worst_level", "warning",
                                                  "event_count >= 3 ? 'critical' : 'warning'",
                                                  "most > 4 ? 'error' : 'nonsense'"}));
  if (taste.times_in_texts)
    rule.description = at_line(
        "${window.start} ${window.end} ${first_event_time} ${last_event_time} ${idle} "
        "${event_ids}");
  rule.labels.emplace_back("kind", at_line("${item}/${most}"));
  return rule;
}

scenario make_scenario(std::uint64_t seed, const scenario_taste& taste) {
  chooser choose{seed};
  scenario made;
  const long long rules = choose.number(1, static_cast<long long>(taste.rules_max));
  for (long long number = 1; number <= rules; ++number) {
    rule_spec rule = make_rule(choose, "rule-" + std::to_string(number), taste);
    if (!made.rules.empty() && choose.one_in(2)) {
      const long long other = choose.number(0, static_cast<long long>(made.rules.size()) - 1);
      share(choose, taste, rule, made.rules[static_cast<std::size_t>(other)]);
    }
    made.rules.push_back(std::move(rule));
  }
  made.log = make_log(choose, taste);
  return made;
}

}  // namespace tocsin::testing
