// SPDX-License-Identifier: Apache-2.0
// tocsin check: are settings and rules good, and what do the rules compile to?
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <vector>

#include "io/alert_policy_file.hpp"
#include "io/enrichment_file.hpp"
#include "io/event_decoder.hpp"
#include "io/settings_file.hpp"
#include "programs/check_report.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"
#include "programs/enrich_report.hpp"
#include "tocsin/rule_file.hpp"

namespace tocsin {
namespace {

struct check_options {
  std::string config;
  std::vector<std::string> files;
  std::string event;
  bool json = false;
};

/// Reads the event to try into `into`. False when it is refused: the reason is printed.
bool read_event(const std::string& text, const event_limits& limits, event_batch& into) {
  std::vector<rejection> refused;
  event_decoder decoder(limits);
  const auto now = std::chrono::floor<duration>(std::chrono::system_clock::now());
  decoder.decode(text, now, into, refused);
  if (refused.empty() && into.events.size() == 1) return true;
  if (refused.empty()) {
    say(fmt::format("--event: error: seen {} events, wanted one", into.events.size()));
  } else {
    say(fmt::format("--event: error: {}: {}", refused[0].code, refused[0].message));
  }
  return false;
}

int run_check(const check_options& chosen) {
  if (chosen.config.empty() == chosen.files.empty()) {
    say("error: wanted either --config FILE or rule files");
    return exit_usage;
  }
  diagnostics found;
  settings from;
  from.rules = chosen.files;
  if (!chosen.config.empty()) from = load_settings(chosen.config, found);
  const auto enrich = load_enrichment(from.enrich, from.limits, found);
  auto specs = load_rules(from.rules, found);
  const bool nothing_read = specs.empty() && !chosen.files.empty() && !has_errors(found);
  const auto rules = rule_set::compile(std::move(specs), found);
  if (rules) check_incident_names(*from.policy, *rules, chosen.config, found);
  if (nothing_read) {
    found.push_back({diagnostic::grade::error, "", 0, 0,
                     fmt::format("seen no rule in \"{}\", wanted rule files", chosen.files[0])});
  }
  event_batch tried;
  if (!chosen.event.empty() && !read_event(chosen.event, from.limits, tried)) {
    return exit_check_failed;
  }
  const bool has_event = !chosen.event.empty();
  const auto trials = try_enrichment(enrich.steps, tried);
  const bool good = rules && !has_errors(found);
  if (chosen.json) {
    print_line(report_as_json(found, rules.get(), has_event ? &tried : nullptr, trials));
    return good ? exit_ok : exit_check_failed;
  }
  print_diagnostics(found);
  if (!trials.empty()) print_line(describe_enrichment(trials));
  if (rules) {
    for (const auto& each : rules->rules()) {
      print_line(describe_rule(
          *rules, each, has_event ? std::optional(try_rule(*rules, each, tried)) : std::nullopt));
    }
  }
  if (!good) return exit_check_failed;
  say(fmt::format("{} rules in {} units are good", rules->rules().size(), rules->units().size()));
  return exit_ok;
}

}  // namespace

void add_check(CLI::App& tocsin, int& exit_code) {
  auto* const command =
      tocsin.add_subcommand("check", "Check settings and rules, show what rules compile to");
  const auto chosen = std::make_shared<check_options>();
  command->add_option("files", chosen->files, "Rule files or globs");
  command->add_option("-c,--config", chosen->config, "A settings file, with the rules it names")
      ->type_name("FILE");
  command
      ->add_option("--event", chosen->event,
                   "Try this event on the settings' enrichment and on each rule")
      ->type_name("JSON");
  command->add_flag("--json", chosen->json, "One line of JSON");
  command->footer(
      "Examples:\n"
      "  tocsin check config/rules/*.yaml\n"
      "  tocsin check --config /etc/tocsin/tocsin.yaml\n"
      "  tocsin check rules.yaml --event '{\"item\": \"cpu\", \"resource_id\": \"host1\", "
      "\"value\": "
      "93}'\n"
      "Exit codes: 0 good (warnings allowed), 1 errors, 2 usage.");
  command->callback([chosen, &exit_code] { exit_code = run_check(*chosen); });
}

}  // namespace tocsin
