// SPDX-License-Identifier: Apache-2.0
// tocsin ack, unack, close, note, assign: what operators do to alerts.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/json_line.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"
#include "programs/daemon_api.hpp"

namespace tocsin {
namespace {

struct operate_options {
  daemon_address daemon;
  std::vector<std::string> which;  ///< alert ids, or matchers
  std::string by = operator_name();
  std::string note;
  std::string length;  ///< of an acknowledge: "for"
  std::string to;
  bool replace = false;
  bool nobody = false;
};

bool is_alert_id(std::string_view text) {
  constexpr std::size_t digits = 32;
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// {"ids": [...]} or {"matchers": [...]}, with what else the command says. Nothing when ids and
/// matchers are mixed.
std::optional<std::string> body_of(const operate_options& chosen) {
  const auto ids = std::count_if(chosen.which.begin(), chosen.which.end(), is_alert_id);
  if (ids != 0 && static_cast<std::size_t>(ids) != chosen.which.size()) return std::nullopt;
  json_line body;
  body.begin_object().key(ids != 0 ? "ids" : "matchers").begin_list();
  for (const std::string& each : chosen.which) body.text(each);
  body.end_list().key("by").text(chosen.by);
  if (!chosen.note.empty()) body.key("note").text(chosen.note);
  if (!chosen.length.empty()) body.key("for").text(chosen.length);
  if (chosen.replace) body.key("replace").flag(true);
  if (!chosen.to.empty() || chosen.nobody) body.key("to").text(chosen.to);
  return body.end_object().line();
}

int run_operation(const operate_options& chosen, std::string_view endpoint, std::string_view done) {
  const auto body = body_of(chosen);
  if (!body) {
    say("error: wanted alert ids (32 hexadecimal digits) or matchers (name=\"value\"), not both");
    return exit_usage;
  }
  const auto answer = ask_daemon(chosen.daemon, "POST", endpoint, *body);
  if (!answer.body) return answer.exit_code;
  const auto refused = answer.body->at("refused").items();
  if (chosen.daemon.json) {
    (void)print_line(answer.body->json());
  } else {
    const auto count = answer.body->at("changed").text();
    say(fmt::format("{} {} {}", count, count == "1" ? "alert" : "alerts", done));
    for (const json_tree& each : refused) {
      say(fmt::format("error: {}: {}", each.at("alert_id").text(), each.at("message").text()));
    }
  }
  return refused.empty() ? exit_ok : exit_check_failed;
}

std::shared_ptr<operate_options> add_operation(CLI::App& tocsin, int& exit_code,
                                               const std::string& name, std::string_view endpoint,
                                               std::string_view done, std::string about) {
  auto* const command = tocsin.add_subcommand(name, std::move(about));
  auto chosen = std::make_shared<operate_options>();
  command->add_option("alert", chosen->which, "Alert ids, or matchers that choose active alerts")
      ->required();
  command->add_option("--by", chosen->by, "Who does it")->capture_default_str();
  command->add_option("--note", chosen->note, "What others should know");
  add_daemon_options(*command, chosen->daemon);
  command->callback(
      [chosen, &exit_code, endpoint, done] { exit_code = run_operation(*chosen, endpoint, done); });
  return chosen;
}

}  // namespace

void add_operations(CLI::App& tocsin, int& exit_code) {
  const auto ack = add_operation(tocsin, exit_code, "ack", "acknowledge", "acknowledged",
                                 "Say that somebody looks after alerts");
  auto* const ack_command = tocsin.get_subcommand("ack");
  ack_command->add_option("--for", ack->length, "Lift it after so long: 30m, 2h");
  ack_command->add_flag("--replace", ack->replace, "Take over what others have acknowledged");
  ack_command->footer(
      "Examples:\n"
      "  tocsin ack 3f2a...  --note 'disk ordered'\n"
      "  tocsin ack 'alertname=\"disk-full\"' --for 2h\n"
      "Exit codes: 0 done, 1 refused for some alert (stderr says why), 3 daemon unreachable.");
  (void)add_operation(tocsin, exit_code, "unack", "unacknowledge", "unacknowledged",
                      "Take an acknowledge back");
  (void)add_operation(tocsin, exit_code, "close", "close", "closed", "End alerts by hand");
  (void)add_operation(tocsin, exit_code, "note", "notes", "noted", "Write a note on alerts");
  tocsin.get_subcommand("note")->get_option("--note")->required();
  const auto assign = add_operation(tocsin, exit_code, "assign", "assign", "assigned",
                                    "Say who is to look after alerts");
  auto* const assign_command = tocsin.get_subcommand("assign");
  auto* const to = assign_command->add_option("--to", assign->to, "Who");
  assign_command->add_flag("--nobody", assign->nobody, "Nobody any more")->excludes(to);
}

}  // namespace tocsin
