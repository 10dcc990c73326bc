// SPDX-License-Identifier: Apache-2.0
// tocsin log verify, repair, export: looks at the event log of a data folder and mends it.
#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "io/event_json.hpp"
#include "io/file_system.hpp"
#include "io/json_line.hpp"
#include "io/segment_log.hpp"
#include "io/sqlite_store_claim.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"
#include "tocsin/log_entry.hpp"

namespace tocsin {
namespace {

struct log_options {
  std::string folder;
  std::string from, until;
  bool json = false;
  bool yes = false;
};

int say_error(const error& failure, int exit_code) {
  say("error: " + failure.message);
  return exit_code;
}

bool print_findings_json(const log_findings& found) {
  json_line line;
  line.begin_object().key("ok").flag(found.damage.empty());
  line.key("segments").count(found.segments).key("records").count(found.records);
  line.key("bytes").count(found.bytes).key("first_step").count(found.first_step);
  line.key("last_step").count(found.last_step).key("gaps").count(found.gaps);
  line.key("torn_bytes").count(found.torn_bytes).key("damage").begin_list();
  for (const std::string& each : found.damage) line.text(each);
  line.end_list().end_object();
  return print_line(line.line());
}

bool print_findings(const log_findings& found) {
  bool well = print_line(fmt::format("segments    {}", found.segments)) &&
              print_line(fmt::format("bytes       {}", found.bytes)) &&
              print_line(fmt::format("records     {}", found.records)) &&
              print_line(fmt::format("steps       {} to {}", found.first_step, found.last_step)) &&
              print_line(fmt::format("gaps        {}", found.gaps)) &&
              print_line(fmt::format("torn bytes  {}", found.torn_bytes)) &&
              print_line(fmt::format("damage      {}", found.damage.size()));
  for (const std::string& each : found.damage) well = well && print_line("  " + each);
  return well;
}

int run_verify(const log_options& chosen) {
  const auto found = verify_segment_log(*files_of(chosen.folder));
  if (!found) return say_error(found.failure(), exit_usage);
  const bool printed = chosen.json ? print_findings_json(*found) : print_findings(*found);
  return printed && found->damage.empty() ? exit_ok : exit_check_failed;
}

int run_repair(const log_options& chosen) {
  const auto files = files_of(chosen.folder);
  const auto found = verify_segment_log(*files);
  if (!found) return say_error(found.failure(), exit_usage);
  if (found->damage.empty()) {
    say("nothing is damaged");
    return exit_ok;
  }
  if (!chosen.yes) {
    for (const std::string& each : found->damage) print_line(each);
    say(
        fmt::format("these would become gaps, and their bytes go to {}; the steps in them would be "
                    "lost: add --yes to do it",
                    files->shown("log/quarantine")));
    return exit_check_failed;
  }
  const auto claim = file_claim::take(files->shown("alerts.lock"));
  if (!claim) return say_error(claim.failure(), exit_check_failed);
  const auto done = repair_segment_log(*files);
  if (!done) return say_error(done.failure(), exit_check_failed);
  for (const std::string& each : *done) print_line(each);
  return exit_ok;
}

/// Nothing for another text.
std::optional<instant> instant_of(const std::string& text) {
  long long unix_ms = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, unix_ms);
  if (read.ec == std::errc{} && read.ptr == end && unix_ms >= 0) return from_unix_ms(unix_ms);
  return parse_rfc3339(text);
}

/// What `export` has gone through.
struct export_count {
  std::uint64_t records = 0;
  std::uint64_t events = 0;
  bool stdout_closed = false;
};

/// Nothing when all went well.
std::optional<error> export_events(log_reader& reader, instant from, instant until,
                                   export_count& count) {
  for (;;) {
    const auto record = reader.next();
    if (!record) return record.failure();
    if (!*record) return std::nullopt;
    ++count.records;
    // A step's clock is that of its last event; one that begins before `until` may end behind it.
    if ((*record)->clock < from) continue;
    const auto entry = decode_log_entry((*record)->bytes, reader.owner());
    if (!entry) {
      return error{entry.failure().code,
                   fmt::format("step {}: {}", (*record)->step, entry.failure().message)};
    }
    if (!entry->batch) continue;
    for (const event& each : entry->batch->events) {
      if (each.arrived < from) continue;
      if (each.arrived >= until) return std::nullopt;
      ++count.events;
      if (print_line(event_json(each, entry->batch->labels_of(each)))) continue;
      count.stdout_closed = true;
      return std::nullopt;
    }
  }
}

int run_export(const log_options& chosen) {
  const auto from = chosen.from.empty() ? instant{} : instant_of(chosen.from);
  const auto until = chosen.until.empty() ? instant::max() : instant_of(chosen.until);
  for (const auto& [read, text, option] :
       {std::tuple{from, chosen.from, "--from"}, std::tuple{until, chosen.until, "--until"}}) {
    if (read) continue;
    say(fmt::format("error: {}: seen \"{}\", wanted RFC 3339 or Unix ms", option, text));
    return exit_usage;
  }
  const auto files = files_of(chosen.folder);
  auto reader = read_segment_log(*files);
  if (!reader) {
    const bool is_damaged = reader.failure().code == "log_damaged";
    return say_error(reader.failure(), is_damaged ? exit_check_failed : exit_usage);
  }
  export_count count;
  const auto failed = export_events(**reader, *from, *until, count);
  say(fmt::format("{} events of {} records", count.events, count.records));
  if (failed) return say_error(*failed, exit_check_failed);
  return count.stdout_closed ? exit_check_failed : exit_ok;
}

void add_folder(CLI::App& command, log_options& into) {
  command
      .add_option("folder", into.folder, "The data folder: what `data` of the daemon's settings is")
      ->required()
      ->type_name("DIR");
}

}  // namespace

void add_event_log(CLI::App& tocsin, int& exit_code) {
  auto* const log =
      tocsin.add_subcommand("log", "Verify, repair, export the event log of a folder");
  log->require_subcommand(1);
  const auto chosen = std::make_shared<log_options>();

  auto* const verify = log->add_subcommand("verify", "Read all of it and tell what is damaged");
  add_folder(*verify, *chosen);
  verify->add_flag("--json", chosen->json, "Print it as a line of JSON");
  verify->footer("Example:\n  tocsin log verify /var/lib/tocsin");
  verify->callback([chosen, &exit_code] { exit_code = run_verify(*chosen); });

  auto* const repair = log->add_subcommand("repair", "Set aside what cannot be read");
  add_folder(*repair, *chosen);
  repair->add_flag("--yes", chosen->yes, "Do it; without it only what would be done is told");
  repair->footer("Example:\n  tocsin log repair /var/lib/tocsin --yes");
  repair->callback([chosen, &exit_code] { exit_code = run_repair(*chosen); });

  auto* const exported = log->add_subcommand("export", "Print its events, one a line of JSON");
  add_folder(*exported, *chosen);
  exported->add_option("--from", chosen->from, "Arrived at or after: RFC 3339 or Unix ms");
  exported->add_option("--until", chosen->until, "Arrived before: RFC 3339 or Unix ms");
  exported->footer(
      "Examples:\n"
      "  tocsin log export /var/lib/tocsin --from 2026-03-01T00:00:00Z > march.jsonl\n"
      "  tocsin replay --rules new.yaml --events march.jsonl");
  exported->callback([chosen, &exit_code] { exit_code = run_export(*chosen); });
}

}  // namespace tocsin
