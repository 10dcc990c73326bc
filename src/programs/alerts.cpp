// SPDX-License-Identifier: Apache-2.0
// tocsin alerts: the active alerts as a table.
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

struct alerts_options {
  daemon_address daemon;
  std::vector<std::string> matchers;
  std::vector<std::string> states;
  std::size_t limit = 0;
};

/// "silenced, flapping" and the like; "" when there is nothing to say.
std::string flags_of(const json_tree& alert) {
  std::string flags;
  const auto add = [&](std::string_view word) {
    flags += fmt::format("{}{}", flags.empty() ? "" : ", ", word);
  };
  if (!alert.at("silenced_by").items().empty()) add("silenced");
  if (!alert.at("inhibited_by").items().empty()) add("inhibited");
  if (!alert.at("muted_by").items().empty()) add("muted");
  if (alert.at("flapping").is_true()) add("flapping");
  if (!alert.at("incident_id").is_null()) add("in an incident");
  return flags;
}

int run_alerts(const alerts_options& chosen) {
  std::vector<std::pair<std::string, std::string>> query;
  for (const std::string& each : chosen.matchers) query.emplace_back("filter", each);
  for (const std::string& each : chosen.states) query.emplace_back("state", each);
  if (chosen.limit > 0) query.emplace_back("limit", std::to_string(chosen.limit));
  const auto answer = ask_daemon(chosen.daemon, "GET", "alerts?" + query_text(query));
  if (!answer.body) return answer.exit_code;
  if (chosen.daemon.json) return print_line(answer.body->json()) ? exit_ok : exit_check_failed;
  text_table table({"ALERT", "STATE", "SEVERITY", "SINCE", "RULE", "TITLE", "WHO", "FLAGS"});
  for (const json_tree& each : answer.body->items()) {
    const auto owner = each.at("acknowledged_by").is_null() ? each.at("assignee").text()
                                                            : each.at("acknowledged_by").text();
    table.add({each.at("alert_id").text(), each.at("state").text(), each.at("severity").text(),
               time_cell(each.at("started_at")), each.at("rule").text(), each.at("title").text(),
               owner, flags_of(each)});
  }
  if (table.size() == 0) {
    say("no active alerts");
    return exit_ok;
  }
  return table.print(colour_on_stdout()) ? exit_ok : exit_check_failed;
}

}  // namespace

void add_alerts(CLI::App& tocsin, int& exit_code) {
  auto* const command = tocsin.add_subcommand("alerts", "List the active alerts");
  const auto chosen = std::make_shared<alerts_options>();
  command->add_option("matcher", chosen->matchers, "Only alerts that all of these accept");
  command->add_option("--state", chosen->states, "Only these states")
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"pending", "firing", "acknowledged"}));
  command->add_option("-n,--limit", chosen->limit, "At most so many");
  add_daemon_options(*command, chosen->daemon);
  command->footer(
      "Examples:\n"
      "  tocsin alerts\n"
      "  tocsin alerts 'severity=\"critical\"' 'resource_id=~\"web.*\"'\n"
      "  tocsin alerts --state firing --json | jq -r .[].alert_id");
  command->callback([chosen, &exit_code] { exit_code = run_alerts(*chosen); });
}

}  // namespace tocsin
