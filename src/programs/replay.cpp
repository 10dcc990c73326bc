// SPDX-License-Identifier: Apache-2.0
// tocsin replay: recorded events through rules, at the times they bear, as fast as the machine can.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

#include "io/alert_codec.hpp"
#include "io/enrichment_file.hpp"
#include "io/event_file.hpp"
#include "io/recorded_events.hpp"
#include "io/settings_file.hpp"
#include "programs/alert_line.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"
#include "programs/progress_line.hpp"
#include "programs/recording.hpp"
#include "programs/replay_report.hpp"
#include "tocsin/alert_comparison.hpp"
#include "tocsin/pipeline.hpp"
#include "tocsin/rule_file.hpp"

namespace tocsin {
namespace {

struct replay_options {
  std::vector<std::string> rules;
  std::vector<std::string> against;
  std::vector<std::string> events;
  std::string enrich;
  std::size_t shards = 0;
  bool json = false;
  bool no_drain = false;
};

struct replay_totals {
  std::uint64_t events = 0;  ///< accepted or rejected
  std::uint64_t rejected = 0;
  std::uint64_t unread_files = 0;
  std::uint64_t bytes = 0;  ///< of the files before the one at hand
};

/// The pipelines that judge one recording: one, or two side by side.
class judges {
 public:
  /// Errors: a pipeline that does not start.
  std::optional<error> add(const pipeline_settings& wanted, std::shared_ptr<const rule_set> rules,
                           std::function<void(const alert&)> on_transition) {
    auto started = pipeline::start(wanted, std::move(rules), std::move(on_transition));
    if (!started) return started.failure();
    all_.push_back(std::move(*started));
    return std::nullopt;
  }

  /// These are false when a pipeline has failed.
  bool push(const std::shared_ptr<const event_batch>& events) {
    return each([&](pipeline& one) {
      burst messages;
      messages.decoded = events;
      return one.push(std::move(messages));
    });
  }
  bool advance(instant clock) {
    return each([clock](pipeline& one) { return one.advance(clock); });
  }
  bool drain_and_stop() {
    return each([](pipeline& one) {
      const bool drained = one.drain();
      one.stop();
      return drained;
    });
  }

  [[nodiscard]] pipeline_counts counts() const { return all_.front()->counts(); }
  [[nodiscard]] std::string failure() const {
    for (const auto& one : all_) {
      if (const auto why = one->failure()) return *why;
    }
    return "it stopped";
  }

 private:
  template <class Call>
  bool each(const Call& call) {
    bool well = true;
    for (const auto& one : all_) well = call(*one) && well;
    return well;
  }

  std::vector<std::unique_ptr<pipeline>> all_;
};

/// Replays one file. False when a pipeline has failed.
bool replay_file(event_file& from, recorded_events& reader, judges& to, progress_line& progress,
                 replay_totals& totals) {
  for (;;) {
    const auto piece = reader.read(from);
    for (const auto& each : piece.refused) {
      progress.aside([&] {
        say(fmt::format("{}: {} {}: rejected: {}: {}", from.name(), from.counted_as(), each.message,
                        each.why.code, each.why.message));
      });
    }
    totals.rejected += piece.refused.size();
    totals.events += piece.refused.size() + (piece.events ? piece.events->events.size() : 0);
    if (piece.events && !to.push(piece.events)) return false;
    progress.update(totals.events, totals.bytes + from.bytes_taken());
    if (piece.failure) {
      progress.aside([&] { say("error: " + piece.failure->message); });
      ++totals.unread_files;
    }
    if (!piece.ended) continue;
    totals.bytes += from.bytes_taken();
    return true;
  }
}

/// Replays all files. False when a pipeline has failed.
bool replay_files(const std::vector<std::string>& names, recorded_events& reader, judges& to,
                  progress_line& progress, replay_totals& totals) {
  for (const auto& name : names) {
    auto file = event_file::open(name);
    if (!file) {
      progress.aside([&] { say("error: " + file.failure().message); });
      ++totals.unread_files;
    } else if (!replay_file(*file, reader, to, progress, totals)) {
      return false;
    }
  }
  return true;
}

/// Of all files together, when all are regular ones.
std::optional<std::uint64_t> bytes_of(const std::vector<std::string>& names) {
  std::uint64_t sum = 0;
  for (const auto& name : names) {
    // Asked by name: opening a pipe here would take it away from its writer.
    std::error_code failed;
    const auto bytes = std::filesystem::is_regular_file(name, failed)
                           ? std::filesystem::file_size(name, failed)
                           : 0;
    if (failed || bytes == 0) return std::nullopt;
    sum += bytes;
  }
  return sum;
}

void print_summary(const replay_totals& totals, const pipeline_counts& counts,
                   std::chrono::steady_clock::duration took) {
  std::uint64_t late = 0;
  for (const auto& [rule, totals_of] : counts.by_rule) late += totals_of.late;
  const double seconds = std::max(std::chrono::duration<double>(took).count(), 1e-6);
  say(fmt::format("{} events, {} rejected, {} late, {} transitions; {:.0f} events/s", totals.events,
                  totals.rejected + counts.events.rejected, late, counts.transitions,
                  static_cast<double>(totals.events) / seconds));
}

/// Null when there is an error; all are printed.
std::shared_ptr<const rule_set> load(const std::vector<std::string>& globs,
                                     std::string_view option) {
  diagnostics found;
  auto specs = load_rules(globs, found);
  auto rules = rule_set::compile(std::move(specs), found);
  if (rules && rules->rules().empty()) {
    found.push_back({diagnostic::grade::error, "", 0, 0,
                     fmt::format("{}: seen no rule, wanted one or more", option)});
  }
  print_diagnostics(found);
  return has_errors(found) ? nullptr : rules;
}

/// Takes limits and enrich steps from the settings file, if one is given. False when there is an
/// error; all are printed.
bool load_enrichment(const replay_options& chosen, event_limits& limits,
                     std::shared_ptr<const enrichment>& steps) {
  if (chosen.enrich.empty()) return true;
  diagnostics found;
  const auto from = load_settings(chosen.enrich, found);
  limits = from.limits;
  steps = tocsin::load_enrichment(from.enrich, from.limits, found).steps;
  print_diagnostics(found);
  return !has_errors(found);
}

std::vector<std::string> names_of(const rule_set& rules) {
  std::vector<std::string> names;
  for (const auto& each : rules.rules()) names.push_back(each.name);
  return names;
}

/// The rules to replay; `old` only with --against.
struct replayed_rules {
  std::shared_ptr<const rule_set> fresh;
  std::shared_ptr<const rule_set> old;

  [[nodiscard]] duration time_to_end() const {
    return std::max(time_to_end_all(*fresh), old ? time_to_end_all(*old) : duration{});
  }
};

/// Starts the pipelines: transitions are printed, or go into the timelines when two are compared.
std::optional<error> start(const replay_options& chosen, const replayed_rules& rules,
                           progress_line& progress, alert_timeline& fresh, alert_timeline& old,
                           judges& into) {
  pipeline_settings wanted;
  wanted.shards = chosen.shards;
  wanted.manual_clock = true;
  if (!rules.old) {
    return into.add(wanted, rules.fresh,
                    [&chosen, &progress, coloured = colour_on_stdout()](const alert& of) {
                      const auto line =
                          chosen.json ? encode_alert_json(of) : alert_line(summarize(of), coloured);
                      progress.aside([&] { print_line(line); });
                    });
  }
  auto failed = into.add(wanted, rules.fresh, [&fresh](const alert& of) { fresh.add(of); });
  if (failed) return failed;
  return into.add(wanted, rules.old, [&old](const alert& of) { old.add(of); });
}

int run_replay(const replay_options& chosen) {
  replayed_rules rules;
  rules.fresh = load(chosen.rules, "--rules");
  if (!chosen.against.empty()) rules.old = load(chosen.against, "--against");
  if (!rules.fresh || (!chosen.against.empty() && !rules.old)) return exit_check_failed;
  event_limits limits;
  std::shared_ptr<const enrichment> enrich;
  if (!load_enrichment(chosen, limits, enrich)) return exit_check_failed;
  alert_timeline fresh;
  alert_timeline old;
  progress_line progress(bytes_of(chosen.events));
  judges running;
  if (const auto failed = start(chosen, rules, progress, fresh, old, running)) {
    say("error: " + failed->message);
    return exit_usage;
  }
  const auto begun = std::chrono::steady_clock::now();
  recorded_events reader(limits, std::move(enrich));
  replay_totals totals;
  bool well = replay_files(chosen.events, reader, running, progress, totals);
  if (!chosen.no_drain && totals.events > totals.rejected) {
    well = well && running.advance(reader.clock() + rules.time_to_end());
  }
  well = running.drain_and_stop() && well;
  progress.clear();
  if (rules.old) {
    const auto comparison =
        compare_alerts(old.alerts(), fresh.alerts(), names_of(*rules.old), names_of(*rules.fresh));
    const auto text = chosen.json ? comparison_as_json(comparison) + "\n"
                                  : describe_comparison(comparison, colour_on_stdout());
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
  print_summary(totals, running.counts(), std::chrono::steady_clock::now() - begun);
  if (!well) {
    say("error: the pipeline failed: " + running.failure());
    return exit_failure;
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    say("error: the standard output took not everything");
    return exit_check_failed;
  }
  return totals.unread_files == 0 ? exit_ok : exit_check_failed;
}

}  // namespace

void add_replay(CLI::App& tocsin, int& exit_code) {
  auto* const command =
      tocsin.add_subcommand("replay", "Run recorded events through rules and print the alerts");
  const auto chosen = std::make_shared<replay_options>();
  command->add_option("-r,--rules", chosen->rules, "Rule files or globs")
      ->required()
      ->type_name("FILE...");
  command
      ->add_option("--against", chosen->against,
                   "Rule files or globs to compare with: which alerts appear, vanish, move, change")
      ->type_name("FILE...");
  command->add_option("-e,--events", chosen->events, "Event files, \"-\" for the standard input")
      ->required()
      ->type_name("FILE...");
  command
      ->add_option("--enrich", chosen->enrich,
                   "A settings file: its enrich steps and limits hold for the events")
      ->type_name("FILE");
  command->add_option("--shards", chosen->shards, "Window aggregators; 0: one a core")
      ->capture_default_str()
      ->check(CLI::Range(0, 256));
  command->add_flag("--json", chosen->json,
                    "Print each transition's alert map as a line of JSON; with --against one line "
                    "in all");
  command->add_flag("--no-drain", chosen->no_drain,
                    "Stop at the last event: leave open what is open then");
  command->footer(
      "Examples:\n"
      "  tocsin replay --rules config/rules/*.yaml --events yesterday.jsonl\n"
      "  tocsin replay --rules new.yaml --events yesterday.jsonl --json | jq -r .title\n"
      "  tocsin replay --rules new.yaml --against old.yaml --events yesterday.jsonl\n"
      "Each event arrives at its arrived_at (Unix ms or RFC 3339), else at its time; arrivals "
      "never\n"
      "run backwards. The output is the same for any number of shards. Rejected events are named "
      "on\n"
      "stderr and do not change the exit code.");
  command->callback([chosen, &exit_code] { exit_code = run_replay(*chosen); });
}

}  // namespace tocsin
