// SPDX-License-Identifier: Apache-2.0
// tocsin replay: recorded events through rules, at the times they bear, as fast as the machine can.
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <vector>

#include "io/alert_codec.hpp"
#include "io/enrichment_file.hpp"
#include "io/event_file.hpp"
#include "io/recorded_events.hpp"
#include "io/settings_file.hpp"
#include "programs/alert_line.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"
#include "tocsin/pipeline.hpp"
#include "tocsin/rule_file.hpp"

namespace tocsin {
namespace {

struct replay_options {
  std::vector<std::string> rules;
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
};

/// Gathers messages into bursts of some hundred.
class burst_feed {
 public:
  explicit burst_feed(pipeline& to) : to_(to) {}

  /// False when the pipeline has failed.
  bool add(recorded_event event) {
    bytes_ += event.message.size();
    held_.push_back(std::move(event));
    return (held_.size() < messages_max && bytes_ < bytes_max) || flush();
  }
  bool flush() {
    if (held_.empty()) return true;
    const auto owner = std::make_shared<const std::vector<recorded_event>>(std::move(held_));
    held_.clear();
    bytes_ = 0;
    burst messages;
    for (const auto& each : *owner) {
      messages.messages.emplace_back(each.message);
      messages.arrivals.push_back(each.arrival);
    }
    messages.owner = owner;
    return to_.push(std::move(messages));
  }

 private:
  static constexpr std::size_t messages_max = 256;
  static constexpr std::size_t bytes_max = 256 * 1024;

  pipeline& to_;
  std::vector<recorded_event> held_;
  std::size_t bytes_ = 0;
};

/// Replays one file. False when the pipeline has failed.
bool replay_file(event_file& from, const std::string& name, recorded_events& reader,
                 burst_feed& feed, replay_totals& totals) {
  std::vector<recorded_event> events;
  std::vector<rejection> refused;
  for (;;) {
    const auto next = from.next();
    if (!next) {
      notice("error: " + next.failure().message);
      ++totals.unread_files;
      return true;
    }
    if (!*next) return true;
    events.clear();
    refused.clear();
    reader.read((*next)->bytes, events, refused);
    for (const auto& each : refused) {
      notice(fmt::format("{}: {} {}: rejected: {}: {}", name, from.counted_as(), (*next)->number,
                         each.code, each.message));
    }
    totals.rejected += refused.size();
    totals.events += events.size() + refused.size();
    for (auto& each : events) {
      if (!feed.add(std::move(each))) return false;
    }
  }
}

/// Long enough for every window, `for` and keep_firing_for to end, one after the other.
duration time_to_end_all(const rule_set& rules) {
  duration sum{};
  for (const auto& each : rules.rules()) {
    sum += each.spec.window.size + rules.units()[each.unit].lateness + each.spec.pending_for +
           each.spec.keep_firing_for;
  }
  return 2 * sum + std::chrono::seconds{1};
}

void print_summary(const replay_totals& totals, const pipeline_counts& counts,
                   std::chrono::steady_clock::duration took) {
  std::uint64_t late = 0;
  for (const auto& [rule, count] : counts.late_by_rule) late += count;
  const double seconds = std::max(std::chrono::duration<double>(took).count(), 1e-6);
  notice(fmt::format("{} events, {} rejected, {} late, {} transitions; {:.0f} events/s",
                     totals.events, totals.rejected + counts.events.rejected, late,
                     counts.transitions, static_cast<double>(totals.events) / seconds));
}

std::shared_ptr<const rule_set> load(const replay_options& chosen, pipeline_settings& into) {
  diagnostics found;
  if (!chosen.enrich.empty()) {
    const auto from = load_settings(chosen.enrich, found);
    into.limits = from.limits;
    into.enrich = load_enrichment(from.enrich, from.limits, found).steps;
  }
  auto specs = load_rules(chosen.rules, found);
  auto rules = rule_set::compile(std::move(specs), found);
  if (rules && rules->rules().empty()) {
    found.push_back(
        {diagnostic::grade::error, "", 0, 0, "--rules: seen no rule, wanted one or more"});
  }
  print_diagnostics(found);
  return has_errors(found) ? nullptr : rules;
}

int run_replay(const replay_options& chosen) {
  pipeline_settings wanted;
  const auto rules = load(chosen, wanted);
  if (!rules) return exit_check_failed;
  wanted.shards = chosen.shards;
  wanted.manual_clock = true;
  const bool coloured = colour_on_stdout();
  auto started = pipeline::start(wanted, rules, [&chosen, coloured](const alert& of) {
    print_line(chosen.json ? encode_alert_json(of) : alert_line(summarize(of), coloured));
  });
  if (!started) {
    notice("error: " + started.failure().message);
    return exit_usage;
  }
  auto& running = **started;
  const auto begun = std::chrono::steady_clock::now();
  recorded_events reader(wanted.limits);
  burst_feed feed(running);
  replay_totals totals;
  bool well = true;
  for (const auto& name : chosen.events) {
    auto file = event_file::open(name);
    if (!file) {
      notice("error: " + file.failure().message);
      ++totals.unread_files;
      continue;
    }
    well = well && replay_file(*file, name, reader, feed, totals);
  }
  well = well && feed.flush();
  if (!chosen.no_drain && totals.events > totals.rejected) {
    well = well && running.advance(reader.clock() + time_to_end_all(*rules));
  }
  well = running.drain() && well;
  running.stop();
  print_summary(totals, running.counts(), std::chrono::steady_clock::now() - begun);
  if (!well) {
    notice("error: the pipeline failed: " + running.failure().value_or("it stopped"));
    return exit_failure;
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    notice("error: the standard output took not everything");
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
  command->add_flag("--json", chosen->json, "Print each transition's alert map as a line of JSON");
  command->add_flag("--no-drain", chosen->no_drain,
                    "Stop at the last event: leave open what is open then");
  command->footer(
      "Examples:\n"
      "  tocsin replay --rules config/rules/*.yaml --events yesterday.jsonl\n"
      "  tocsin replay --rules new.yaml --events yesterday.jsonl --json | jq -r .title\n"
      "Each event arrives at its arrived_at (Unix ms or RFC 3339), else at its time; arrivals "
      "never\n"
      "run backwards. The output is the same for any number of shards. Rejected events are named "
      "on\n"
      "stderr and do not change the exit code.");
  command->callback([chosen, &exit_code] { exit_code = run_replay(*chosen); });
}

}  // namespace tocsin
