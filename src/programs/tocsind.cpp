// SPDX-License-Identifier: Apache-2.0
// tocsind, the daemon: reads settings and rules, runs until a signal, drains, says what it counted.
#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>

#include "io/alert_policy_file.hpp"
#include "io/curve_access.hpp"
#include "io/enrichment_file.hpp"
#include "io/http_guard.hpp"
#include "io/settings_file.hpp"
#include "programs/console.hpp"
#include "programs/daemon.hpp"
#include "programs/stop_signal.hpp"
#include "tocsin/rule_file.hpp"

namespace tocsin {
namespace {

struct options {
  std::string config;
  bool check_only = false;
};

void open_log(const std::string& level) {
  auto log = spdlog::stderr_color_mt("tocsind");
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  log->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(log));
}

/// The compiled rules, or nothing when settings, rules or lookup tables are wrong: all findings are
/// printed.
std::shared_ptr<const rule_set> load(const std::string& file, settings& into,
                                     loaded_enrichment& enrich) {
  diagnostics found;
  into = load_settings(file, found);
  // What it reads is read again when HTTP starts; here its findings join the others.
  (void)load_http_guard(into.http, found);
  enrich = load_enrichment(into.enrich, into.limits, found);
  (void)load_curve_access(into.security, found);
  auto specs = load_rules(into.rules, found);
  auto rules = rule_set::compile(std::move(specs), found);
  if (rules) check_incident_names(*into.policy, *rules, file, found);
  print_diagnostics(found);
  return has_errors(found) ? nullptr : rules;
}

/// The books: what came in is accounted for, event by event.
void print_counts(const pipeline_counts& counts) {
  const auto& events = counts.events;
  print_line(
      fmt::format("received {} = accepted {} + duplicate {} + rejected {} + shed {}; "
                  "transitions {}",
                  events.received, events.accepted, events.duplicate, events.rejected, events.shed,
                  counts.transitions));
  std::string codes;
  for (const auto& [code, count] : counts.rejected_by_code) {
    codes += fmt::format("{}{} {}", codes.empty() ? "" : ", ", code, count);
  }
  if (!codes.empty()) print_line("rejected: " + codes);
  std::fflush(stdout);
}

/// Runs until a signal or a failure; returns the exit code.
int run(daemon& running, stop_signal& stop) {
  rejection_log rejections;
  store_log stored;
  data_log lasting;
  for (;;) {
    const auto why = stop.wait(std::chrono::seconds{1});
    const pipeline_counts counts = running.counts();
    rejections.look(counts, std::chrono::steady_clock::now());
    stored.look(counts.store);
    lasting.look(counts.log, counts.snapshots);
    if (const auto failure = running.failure()) {
      spdlog::critical("the pipeline failed: {}", *failure);
      return exit_failure;
    }
    if (why != stop_signal::reason::signalled) continue;
    if (stop.number() == SIGHUP) {
      spdlog::warn("SIGHUP: this version does not reload; stopping. Restart to load new rules");
    }
    spdlog::info("stopping: reading no more, draining what has arrived");
    return exit_ok;
  }
}

int serve(const settings& from, const std::shared_ptr<const rule_set>& rules,
          loaded_enrichment enrich) {
  open_log(from.log_level);
  stop_signal stop;
  log_settings(from, *rules);
  auto started =
      daemon::start(from, rules, std::move(enrich), [&stop](const std::string&) { stop.wake(); });
  if (!started) {
    spdlog::critical("{}", started.failure().message);
    return exit_failure;
  }
  auto& running = **started;
  spdlog::info("ready");
  ::sd_notify(0, "READY=1");
  int code = run(running, stop);
  ::sd_notify(0, "STOPPING=1");
  running.stop();
  if (const auto failure = running.failure(); failure && code == exit_ok) {
    spdlog::critical("the pipeline failed while it drained: {}", *failure);
    code = exit_failure;
  }
  print_counts(running.counts());
  return code;
}

int start(const options& chosen) {
  settings from;
  loaded_enrichment enrich;
  const auto rules = load(chosen.config, from, enrich);
  if (!rules) {
    say(fmt::format("{}: not started: see the errors above", chosen.config));
    return exit_bad_settings;
  }
  if (chosen.check_only) {
    say(fmt::format("{}: settings and {} rules are good", chosen.config, rules->rules().size()));
    return exit_ok;
  }
  return serve(from, rules, std::move(enrich));
}

}  // namespace
}  // namespace tocsin

int main(int argc, char** argv) {
  CLI::App app{"Takes events in, puts alerts out, by rules over windows of time.", "tocsind"};
  tocsin::options chosen;
  app.add_option("-c,--config", chosen.config, "The settings file, YAML")
      ->required()
      ->type_name("FILE");
  app.add_flag("--check", chosen.check_only,
               "Check settings and rules, then exit (0 good, 78 not)");
  app.set_version_flag("--version", "tocsind " TOCSIN_VERSION);
  app.footer(
      "Examples:\n"
      "  tocsind --config /etc/tocsin/tocsin.yaml\n"
      "  tocsind --config config/tocsin.yaml --check\n"
      "Signals: SIGTERM and SIGINT drain and stop. Exit codes: 0 stopped in order, 2 usage,\n"
      "70 failure, 78 bad settings or rules.");
  int code = tocsin::exit_ok;
  app.callback([&] { code = tocsin::start(chosen); });
  try {
    const int parsed = tocsin::parse_command_line(app, argc, argv);
    return parsed == tocsin::exit_ok ? code : parsed;
  } catch (const std::exception& failure) {
    tocsin::say(fmt::format("tocsind: {}", failure.what()));
    return tocsin::exit_failure;
  }
}
