// SPDX-License-Identifier: Apache-2.0
// tocsin incidents, tocsin rules: what there is beside single alerts.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "programs/commands.hpp"
#include "programs/console.hpp"
#include "programs/daemon_api.hpp"

namespace tocsin {
namespace {

int run_incidents(const daemon_address& daemon, bool with_members) {
  const auto answer = ask_daemon(daemon, "GET", "incidents");
  if (!answer.body) return answer.exit_code;
  if (daemon.json) return print_line(answer.body->json()) ? exit_ok : exit_check_failed;
  text_table table({"ALERT", "STATE", "SEVERITY", "SINCE", "INCIDENT", "TITLE", "MEMBERS"});
  for (const json_tree& each : answer.body->items()) {
    const json_tree incident = each.at("incident");
    const auto members = each.at("members").items();
    table.add({incident.at("alert_id").text(), incident.at("state").text(),
               incident.at("severity").text(), time_cell(incident.at("started_at")),
               incident.at("rule").text(), incident.at("title").text(),
               fmt::format("{} active, {} ended", members.size(),
                           each.at("ended_members").items().size())});
    if (!with_members) continue;
    for (const json_tree& member : members) {
      table.add({"  " + member.at("alert_id").text(), member.at("state").text(),
                 member.at("severity").text(), time_cell(member.at("started_at")),
                 member.at("rule").text(), member.at("title").text(), ""});
    }
  }
  if (table.size() == 0) {
    say("no open incidents");
    return exit_ok;
  }
  return table.print(colour_on_stdout()) ? exit_ok : exit_check_failed;
}

std::string window_cell(const json_tree& window) {
  const std::string every = window.at("every").text();
  auto text = fmt::format("{} {}", window.at("kind").text(), window.at("size").text());
  if (window.at("kind").text() == "sliding") text += " every " + every;
  return text;
}

int run_rules(const daemon_address& daemon) {
  const auto answer = ask_daemon(daemon, "GET", "rules");
  if (!answer.body) return answer.exit_code;
  if (daemon.json) return print_line(answer.body->json()) ? exit_ok : exit_check_failed;
  text_table table(
      {"RULE", "WINDOW", "FOR", "SEVERITY", "PENDING", "FIRING", "ACK", "PLACE", "CONDITION"});
  for (const json_tree& each : answer.body->items()) {
    const json_tree active = each.at("active");
    table.add({each.at("name").text(), window_cell(each.at("window")), each.at("for").text(),
               each.at("severity").text(), active.at("pending").text(), active.at("firing").text(),
               active.at("acknowledged").text(),
               fmt::format("{}:{}", each.at("file").text(), each.at("line").text()),
               each.at("condition").text()});
  }
  if (table.size() == 0) {
    say("no rules");
    return exit_ok;
  }
  return table.print(colour_on_stdout()) ? exit_ok : exit_check_failed;
}

}  // namespace

void add_overview(CLI::App& tocsin, int& exit_code) {
  auto* const incidents = tocsin.add_subcommand("incidents", "List the open incidents");
  const auto where = std::make_shared<daemon_address>();
  const auto members = std::make_shared<bool>(false);
  incidents->add_flag("--members", *members, "Also their active alerts, below each");
  add_daemon_options(*incidents, *where);
  incidents->footer(
      "Examples:\n"
      "  tocsin incidents --members\n"
      "  tocsin incidents --json | jq -r '.[].members[].alert_id'\n"
      "An incident is an alert too: ack, note and explain take its id.");
  incidents->callback(
      [where, members, &exit_code] { exit_code = run_incidents(*where, *members); });

  auto* const rules =
      tocsin.add_subcommand("rules", "List the daemon's rules and how many alerts each has");
  const auto daemon = std::make_shared<daemon_address>();
  add_daemon_options(*rules, *daemon);
  rules->footer(
      "Examples:\n"
      "  tocsin rules\n"
      "  tocsin rules --json | jq -r '.[] | select(.early | not) | .name'");
  rules->callback([daemon, &exit_code] { exit_code = run_rules(*daemon); });
}

}  // namespace tocsin
