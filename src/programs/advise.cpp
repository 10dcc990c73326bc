// SPDX-License-Identifier: Apache-2.0
// tocsin advise: which rules make noise, and what changes of them would have done.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/enrichment_file.hpp"
#include "io/http_client.hpp"
#include "io/settings_file.hpp"
#include "programs/advise_report.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"
#include "programs/daemon_api.hpp"
#include "tocsin/rule_file.hpp"

namespace tocsin {
namespace {

struct advise_options {
  daemon_address daemon;
  std::string rule;
  std::size_t days = 30;
  std::vector<std::string> events;
  std::string config;
  std::vector<std::string> rules;
  std::string noise;
  bool offline = false;
};

/// What is replayed, and the rules it goes through.
struct replay_inputs {
  recording events;
  std::vector<rule_spec> rules;
  trial_options options;
};

/// 0 when the options fit together; else the exit code, its reason said.
int check_options(const advise_options& chosen) {
  const bool has_rules = !chosen.config.empty() || !chosen.rules.empty();
  std::string wrong;
  if (chosen.events.empty() && chosen.offline) wrong = "--offline needs --events";
  if (chosen.events.empty() && has_rules) wrong = "--config and --rules need --events";
  if (!chosen.events.empty() && !has_rules) wrong = "--events needs --config or --rules";
  if (std::count(chosen.events.begin(), chosen.events.end(), "-") > 0) {
    wrong = "--events: the standard input cannot be read twice, wanted files";
  }
  if (!chosen.noise.empty() && !parse_duration(chosen.noise)) {
    wrong = fmt::format("--noise: '{}' is not a duration (try 5m)", chosen.noise);
  }
  if (wrong.empty()) return exit_ok;
  say("error: " + wrong);
  return exit_usage;
}

/// False when there is an error; all are said.
bool load_inputs(const advise_options& chosen, replay_inputs& into) {
  diagnostics found;
  std::vector<std::string> globs = chosen.rules;
  if (!chosen.config.empty()) {
    const auto from = load_settings(chosen.config, found);
    if (globs.empty()) globs = from.rules;
    into.events.limits = from.limits;
    into.events.enrich = load_enrichment(from.enrich, from.limits, found).steps;
  }
  into.events.files = chosen.events;
  auto specs = load_rules(globs, found);
  const bool compile = rule_set::compile(specs, found) != nullptr;
  print_diagnostics(found);
  if (!compile || has_errors(found)) return false;
  for (rule_spec& each : specs) {
    if (chosen.rule.empty() || each.name.text == chosen.rule) into.rules.push_back(std::move(each));
  }
  if (into.rules.empty()) {
    say(chosen.rule.empty() ? "error: there are no rules"
                            : fmt::format("error: there is no rule '{}'", chosen.rule));
    return false;
  }
  if (!chosen.noise.empty()) into.options.noise_max = parse_duration(chosen.noise);
  return true;
}

/// Statistics by rule, noisiest first. Nothing: said why; `exit_code` is set.
std::optional<std::vector<rule_noise>> ask_noise(const advise_options& chosen, int& exit_code) {
  const auto answer = ask_daemon(chosen.daemon, "GET", fmt::format("stats?days={}", chosen.days));
  if (!answer.body) {
    exit_code = answer.exit_code;
    return std::nullopt;
  }
  std::vector<rule_noise> all;
  for (const json_tree& each : answer.body->at("rules").items()) {
    if (!chosen.rule.empty() && each.at("rule").text() != chosen.rule) continue;
    rule_noise noise;
    noise.rule = each.at("rule").text();
    noise.alerts = each.at("total").number().value_or(0);
    noise.alerts_a_day = noise.alerts / static_cast<double>(chosen.days);
    noise.self_resolved = each.at("self_resolved").number().value_or(0);
    noise.false_alarm_share = noise.alerts > 0 ? noise.self_resolved / noise.alerts : 0;
    noise.mean_time_to_resolve = each.at("mean_time_to_resolve_ms");
    noise.median_time_to_resolve = each.at("median_time_to_resolve_ms");
    all.push_back(std::move(noise));
  }
  std::stable_sort(all.begin(), all.end(), [](const rule_noise& one, const rule_noise& other) {
    return one.self_resolved > other.self_resolved;
  });
  return all;
}

instant time_of(const json_tree& at) {
  return from_unix_ms(static_cast<long long>(at.number().value_or(0)));
}

/// Adds the alerts of a rule that somebody acknowledged, of all time. False: said why.
bool ask_acknowledged(const advise_options& chosen, const std::string& rule,
                      std::vector<acknowledged_alert>& into, int& exit_code) {
  std::string after;
  do {
    const auto answer =
        ask_daemon(chosen.daemon, "GET",
                   "history?" + query_text({{"rule", rule}, {"limit", "10000"}, {"after", after}}));
    if (!answer.body) {
      exit_code = answer.exit_code;
      return false;
    }
    for (const json_tree& each : answer.body->at("alerts").items()) {
      if (each.at("acknowledged_at").is_null()) continue;
      acknowledged_alert known;
      known.print = parse_fingerprint(each.at("fingerprint").text()).value_or(fingerprint{});
      known.from = time_of(each.at("started_at"));
      const json_tree resolved = each.at("resolved_at");
      const json_tree end = resolved.is_null() ? each.at("closed_at") : resolved;
      if (!end.is_null()) known.until = time_of(end);
      into.push_back(known);
    }
    after = answer.body->at("next").text();
  } while (!after.empty());
  return true;
}

int run_advise(const advise_options& chosen) {
  if (const int wrong = check_options(chosen); wrong != exit_ok) return wrong;
  const bool replays = !chosen.events.empty();
  replay_inputs inputs;
  if (replays && !load_inputs(chosen, inputs)) return exit_check_failed;
  advice found;
  found.days = chosen.days;
  int exit_code = exit_ok;
  if (!chosen.offline) {
    found.noise = ask_noise(chosen, exit_code);
    if (!found.noise) return exit_code;
    for (const rule_spec& each : inputs.rules) {
      if (!ask_acknowledged(chosen, each.name.text, inputs.options.acknowledged, exit_code)) {
        return exit_code;
      }
    }
  }
  if (replays) {
    auto trials = try_changes(inputs.events, inputs.rules, inputs.options);
    if (!trials) {
      say("error: " + trials.failure().message);
      return trials.failure().code == "pipeline_failed" ? exit_failure : exit_check_failed;
    }
    found.trials = *std::move(trials);
  }
  const bool printed = chosen.daemon.json ? print_line(advice_as_json(found)) : print_advice(found);
  return printed ? exit_ok : exit_check_failed;
}

}  // namespace

void add_advise(CLI::App& tocsin, int& exit_code) {
  auto* const command = tocsin.add_subcommand(
      "advise", "Show which rules make noise, and try changes on recorded events");
  const auto chosen = std::make_shared<advise_options>();
  command->add_option("--rule", chosen->rule, "Only this rule");
  command->add_option("--days", chosen->days, "Statistics of so many days")
      ->check(CLI::Range(1, 3660))
      ->capture_default_str();
  command->add_option("-e,--events", chosen->events, "Recorded events to try changes on")
      ->type_name("FILE...");
  auto* const config = command->add_option("--config", chosen->config,
                                           "A settings file: its rules, enrich steps and limits");
  config->type_name("FILE");
  command->add_option("-r,--rules", chosen->rules, "Rule files or globs instead of the settings'")
      ->type_name("FILE...");
  command->add_option("--noise", chosen->noise,
                      "What ended by itself within this is noise; default: the median of a rule");
  command->add_flag("--offline", chosen->offline,
                    "Do not ask the daemon: no statistics, and what was acknowledged is not known");
  add_daemon_options(*command, chosen->daemon);
  command->footer(
      "Examples:\n"
      "  tocsin advise --days 7\n"
      "  tocsin advise --rule cpu-busy --config tocsin.yaml --events last-week.jsonl\n"
      "  tocsin advise --offline --rules rules.yaml --events last-week.jsonl --noise 2m --json\n"
      "It proposes; it changes no rule. docs/advising.md says how it thinks.");
  command->callback([chosen, &exit_code] { exit_code = run_advise(*chosen); });
}

}  // namespace tocsin
