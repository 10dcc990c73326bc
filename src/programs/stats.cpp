// SPDX-License-Identifier: Apache-2.0
// tocsin stats: what the alerts of some days come to.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "io/http_client.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"
#include "programs/daemon_api.hpp"

namespace tocsin {
namespace {

struct stats_options {
  daemon_address daemon;
  std::size_t days = 0;
  std::string from, until;
  std::size_t rules = 10;
};

/// "12", or "12 (40%)" of a total.
std::string share_cell(const json_tree& part, const json_tree& whole) {
  const double of = whole.number().value_or(0);
  if (of <= 0) return part.text();
  return fmt::format("{} ({:.0f}%)", part.text(), 100 * part.number().value_or(0) / of);
}

bool print_totals(const json_tree& stats) {
  const json_tree total = stats.at("total");
  const auto line = [](std::string_view name, const std::string& value) {
    return print_line(fmt::format("{:<22}{}", name, value));
  };
  return print_line(
             fmt::format("{} - {}", time_cell(stats.at("from")), time_cell(stats.at("until")))) &&
         line("alerts", total.text()) && line("still active", stats.at("active").text()) &&
         line("resolved", stats.at("resolved").text()) &&
         line("closed", stats.at("closed").text()) &&
         line("acknowledged", share_cell(stats.at("acknowledged"), total)) &&
         line("mean to acknowledge", length_cell(stats.at("mean_time_to_acknowledge_ms"))) &&
         line("mean to resolve", length_cell(stats.at("mean_time_to_resolve_ms")));
}

bool print_rules(const json_tree& stats, std::size_t count) {
  text_table table({"RULE", "ALERTS", "ACKNOWLEDGED", "BY THEMSELVES", "MEAN TO ACK",
                    "MEAN TO RESOLVE", "MEDIAN TO RESOLVE"});
  for (const json_tree& each : stats.at("rules").items()) {
    if (table.size() == count) break;
    table.add({each.at("rule").text(), each.at("total").text(),
               share_cell(each.at("acknowledged"), each.at("total")),
               share_cell(each.at("self_resolved"), each.at("total")),
               length_cell(each.at("mean_time_to_acknowledge_ms")),
               length_cell(each.at("mean_time_to_resolve_ms")),
               length_cell(each.at("median_time_to_resolve_ms"))});
  }
  return table.size() == 0 || (print_line("") && table.print(colour_on_stdout()));
}

bool print_days(const json_tree& stats) {
  text_table table({"DAY", "CRITICAL", "ERROR", "WARNING", "INFO"});
  for (const json_tree& each : stats.at("days").items()) {
    constexpr std::size_t through_day = 10;
    table.add({time_cell(each.at("start")).substr(0, through_day), each.at("critical").text(),
               each.at("error").text(), each.at("warning").text(), each.at("info").text()});
  }
  return print_line("") && table.print(colour_on_stdout());
}

int run_stats(const stats_options& chosen) {
  std::vector<std::pair<std::string, std::string>> query;
  if (chosen.days > 0) query.emplace_back("days", std::to_string(chosen.days));
  if (!chosen.from.empty()) query.emplace_back("from", chosen.from);
  if (!chosen.until.empty()) query.emplace_back("until", chosen.until);
  const auto answer = ask_daemon(chosen.daemon, "GET", "stats?" + query_text(query));
  if (!answer.body) return answer.exit_code;
  if (chosen.daemon.json) return print_line(answer.body->json()) ? exit_ok : exit_check_failed;
  const bool printed = print_totals(*answer.body) && print_rules(*answer.body, chosen.rules) &&
                       print_days(*answer.body);
  return printed ? exit_ok : exit_check_failed;
}

}  // namespace

void add_stats(CLI::App& tocsin, int& exit_code) {
  auto* const command =
      tocsin.add_subcommand("stats", "Count alerts by rule and day, and how long they took");
  const auto chosen = std::make_shared<stats_options>();
  auto* const days =
      command->add_option("--days", chosen->days, "So many days of UTC, today the last; default 7");
  days->check(CLI::Range(1, 3660));
  command->add_option("--from", chosen->from, "Began to fire at or after: RFC 3339 or Unix ms")
      ->excludes(days);
  command->add_option("--until", chosen->until, "Began to fire before: RFC 3339 or Unix ms")
      ->excludes(days);
  command->add_option("--rules", chosen->rules, "So many of the noisiest rules")
      ->capture_default_str();
  add_daemon_options(*command, chosen->daemon);
  command->footer(
      "Examples:\n"
      "  tocsin stats --days 30\n"
      "  tocsin stats --from 2026-03-01T00:00:00Z --until 2026-04-01T00:00:00Z --json\n"
      "Incidents are left out. BY THEMSELVES: resolved, and nobody had acknowledged them.");
  command->callback([chosen, &exit_code] { exit_code = run_stats(*chosen); });
}

}  // namespace tocsin
