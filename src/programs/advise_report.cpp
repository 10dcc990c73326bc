// SPDX-License-Identifier: Apache-2.0
// Lays out statistics and trials, as tables and as JSON.
#include "programs/advise_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/json_line.hpp"
#include "programs/console.hpp"
#include "programs/daemon_api.hpp"

namespace tocsin {
namespace {

std::string_view to_text(rule_change::kind what) {
  switch (what) {
    case rule_change::kind::threshold:
      return "threshold";
    case rule_change::kind::window:
      return "window";
    case rule_change::kind::pending:
      return "for";
  }
  return "";
}

void write_length(json_line& to, std::string_view name, const std::optional<duration>& length) {
  to.key(name);
  length ? to.number(static_cast<double>(length->count())) : to.null();
}

void write_noise(json_line& to, const rule_noise& of) {
  to.begin_object().key("rule").text(of.rule).key("alerts").number(of.alerts);
  to.key("alerts_a_day").number(of.alerts_a_day).key("self_resolved").number(of.self_resolved);
  to.key("false_alarm_share").number(of.false_alarm_share);
  to.key("mean_time_to_resolve_ms").json(of.mean_time_to_resolve.json());
  to.key("median_time_to_resolve_ms").json(of.median_time_to_resolve.json()).end_object();
}

void write_change(json_line& to, const rule_change& change, const change_effect& effect,
                  bool proposed) {
  to.begin_object().key("kind").text(to_text(change.what)).key("field").text(change.field);
  to.key("before").text(change.before).key("after").text(change.after);
  to.key("alerts_before").count(effect.before).key("alerts_after").count(effect.after);
  to.key("noise_gone").count(effect.noise_gone).key("trouble_lost").count(effect.trouble_lost);
  to.key("appeared").count(effect.appeared);
  write_length(to, "delay_median_ms", effect.delay_median);
  write_length(to, "delay_max_ms", effect.delay_max);
  to.key("proposed").flag(proposed).end_object();
}

void write_trials(json_line& to, const rule_trials& of) {
  to.begin_object().key("rule").text(of.rule).key("alerts").count(of.alerts);
  to.key("noise").count(of.noise).key("trouble").count(of.trouble);
  write_length(to, "noise_max_ms", of.noise_max);
  to.key("obstacle").text(of.obstacle).key("changes").begin_list();
  for (std::size_t i = 0; i < of.changes.size(); ++i) {
    write_change(to, of.changes[i], of.effects[i], of.proposal == i);
  }
  to.end_list().end_object();
}

/// "having: failures >= 12".
std::string change_text(const rule_change& of) {
  return fmt::format("{}: {}", of.field, of.after);
}

std::string delay_cell(const change_effect& of) {
  if (!of.delay_median) return "-";
  return fmt::format("{}, at most {}", format_duration(*of.delay_median),
                     format_duration(*of.delay_max));
}

bool print_noise(const advice& of) {
  text_table table({"RULE", "ALERTS", "A DAY", "FALSE ALARMS", "MEAN", "MEDIAN"});
  for (const rule_noise& each : *of.noise) {
    table.add({each.rule, fmt::format("{:.0f}", each.alerts),
               fmt::format("{:.1f}", each.alerts_a_day),
               fmt::format("{:.0f} ({:.0f}%)", each.self_resolved, 100 * each.false_alarm_share),
               length_cell(each.mean_time_to_resolve), length_cell(each.median_time_to_resolve)});
  }
  if (table.size() > 0) return table.print(colour_on_stdout());
  say(fmt::format("no alerts in {} days", of.days));
  return true;
}

/// What is proposed, in words.
bool print_proposal(const rule_trials& of) {
  if (!of.proposal) {
    return print_line(
        "  no proposal: no change takes noise away without losing some of the trouble");
  }
  const rule_change& change = of.changes[*of.proposal];
  const change_effect& effect = of.effects[*of.proposal];
  return print_line(fmt::format("  proposal: {}  (now {})", change_text(change), change.before)) &&
         print_line(fmt::format("    {} -> {} alerts; {} of {} noisy ones gone, none of {} others "
                                "lost; these fire later by {}",
                                effect.before, effect.after, effect.noise_gone, of.noise,
                                of.trouble, delay_cell(effect)));
}

bool print_trials(const rule_trials& of, bool coloured) {
  bool taken = print_line("") && print_line(painted(of.rule, colour::bold, coloured));
  if (!of.obstacle.empty()) return taken && print_line("  no proposal: " + of.obstacle);
  taken = taken && print_line(fmt::format(
                       "  {} alerts: {} noisy ones (ended within {}, not acknowledged), {} others",
                       of.alerts, of.noise, format_duration(of.noise_max), of.trouble));
  taken = taken && print_proposal(of);
  text_table table({"", "TRIED", "ALERTS", "NOISE GONE", "OTHERS LOST", "NEW", "LATER BY"});
  for (std::size_t i = 0; i < of.changes.size(); ++i) {
    const change_effect& effect = of.effects[i];
    table.add({of.proposal == i ? "*" : "", change_text(of.changes[i]),
               fmt::format("{} -> {}", effect.before, effect.after),
               fmt::format("{} of {}", effect.noise_gone, of.noise),
               fmt::format("{} of {}", effect.trouble_lost, of.trouble),
               std::to_string(effect.appeared), delay_cell(effect)});
  }
  return taken && (table.size() == 0 || table.print(coloured));
}

}  // namespace

std::string advice_as_json(const advice& of) {
  json_line line;
  line.begin_object().key("days").count(of.days).key("statistics");
  if (of.noise) {
    line.begin_list();
    for (const rule_noise& each : *of.noise) write_noise(line, each);
    line.end_list();
  } else {
    line.null();
  }
  line.key("trials");
  if (of.trials) {
    line.begin_list();
    for (const rule_trials& each : *of.trials) write_trials(line, each);
    line.end_list();
  } else {
    line.null();
  }
  return line.end_object().line();
}

bool print_advice(const advice& of) {
  if (of.noise && !print_noise(of)) return false;
  if (!of.trials) return true;
  return std::all_of(of.trials->begin(), of.trials->end(), [](const rule_trials& each) {
    return print_trials(each, colour_on_stdout());
  });
}

}  // namespace tocsin
