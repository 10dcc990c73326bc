// SPDX-License-Identifier: Apache-2.0
// tocsin history: alerts of the past and present, newest first, page by page.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "io/http_client.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"
#include "programs/daemon_api.hpp"
#include "tocsin/time.hpp"

namespace tocsin {
namespace {

struct history_options {
  daemon_address daemon;
  std::vector<std::string> matchers;
  std::string rule, severity, text, from, until, after;
  std::vector<std::string> states;
  std::size_t limit = 100;
  bool unacknowledged = false;
};

std::string query_of(const history_options& chosen) {
  std::vector<std::pair<std::string, std::string>> query;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) query.emplace_back(name, value);
  };
  for (const std::string& each : chosen.matchers) add("filter", each);
  for (const std::string& each : chosen.states) add("state", each);
  add("rule", chosen.rule);
  add("severity", chosen.severity);
  add("text", chosen.text);
  add("from", chosen.from);
  add("until", chosen.until);
  add("after", chosen.after);
  if (chosen.unacknowledged) add("unacknowledged", "true");
  add("limit", std::to_string(chosen.limit));
  return query_text(query);
}

/// Who has or had it; the one who acknowledged it before the assignee.
std::string owner_of(const json_tree& alert) {
  const auto by = alert.at("acknowledged_by");
  return by.is_null() ? alert.at("assignee").text() : by.text();
}

int run_history(const history_options& chosen) {
  const auto answer = ask_daemon(chosen.daemon, "GET", "history?" + query_of(chosen));
  if (!answer.body) return answer.exit_code;
  const std::string next = answer.body->at("next").text();
  const auto tell_next = [&] {
    if (!next.empty()) say(fmt::format("there are older ones: add --after '{}'", next));
  };
  if (chosen.daemon.json) {
    if (!print_line(answer.body->json())) return exit_check_failed;
    tell_next();
    return exit_ok;
  }
  text_table table({"ALERT", "STARTED", "LASTED", "STATE", "SEVERITY", "RULE", "TITLE", "WHO"});
  for (const json_tree& each : answer.body->at("alerts").items()) {
    table.add({each.at("alert_id").text(), time_cell(each.at("started_at")), lasted_cell(each),
               each.at("state").text(), each.at("severity").text(), each.at("rule").text(),
               each.at("title").text(), owner_of(each)});
  }
  if (table.size() == 0) {
    say("no such alerts");
    return exit_ok;
  }
  if (!table.print(colour_on_stdout())) return exit_check_failed;
  tell_next();
  return exit_ok;
}

}  // namespace

void add_history(CLI::App& tocsin, int& exit_code) {
  auto* const command =
      tocsin.add_subcommand("history", "List alerts of the past and present, newest first");
  const auto chosen = std::make_shared<history_options>();
  command->add_option("matcher", chosen->matchers, "Only alerts that all of these accept");
  command->add_option("--rule", chosen->rule, "Only of this rule");
  command->add_option("--severity", chosen->severity, "Only of this severity")
      ->check(CLI::IsMember({"critical", "error", "warning", "info"}));
  command->add_option("--state", chosen->states, "Only in these states, as they stand now")
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"pending", "firing", "acknowledged", "resolved", "closed"}));
  command->add_option("--text", chosen->text,
                      "Words that must all be in title, description, labels, resource or notes");
  command->add_option("--from", chosen->from, "Started at or after: RFC 3339 or Unix ms");
  command->add_option("--until", chosen->until, "Started before: RFC 3339 or Unix ms");
  command->add_flag("--unacknowledged", chosen->unacknowledged,
                    "Only those that nobody ever acknowledged");
  command->add_option("-n,--limit", chosen->limit, "At most so many")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_option("--after", chosen->after, "The next page: what the page before said");
  add_daemon_options(*command, chosen->daemon);
  command->footer(
      "Examples:\n"
      "  tocsin history --rule disk-full --from 2026-03-01T00:00:00Z\n"
      "  tocsin history 'resource_id=~\"db.*\"' --state resolved --unacknowledged\n"
      "  tocsin history --text 'replaced controller' --json | jq -r '.alerts[].alert_id'");
  command->callback([chosen, &exit_code] { exit_code = run_history(*chosen); });
}

}  // namespace tocsin
