// SPDX-License-Identifier: Apache-2.0
// tocsin silence: add, list, expire, preview.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "io/http_client.hpp"
#include "io/json_line.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"
#include "programs/daemon_api.hpp"

namespace tocsin {
namespace {

struct silence_options {
  daemon_address daemon;
  std::vector<std::string> matchers;
  std::vector<std::string> ids;
  std::vector<std::string> states;
  std::string edit;  ///< the id of the silence to change
  std::string start, end, length;
  std::string by = operator_name();
  std::string comment;
  std::string scope = "alerts";
  std::vector<std::string> times, weekdays;
  std::string time_zone;
};

void write_matchers(json_line& body, const std::vector<std::string>& matchers) {
  body.key("matchers").begin_list();
  for (const std::string& each : matchers) body.text(each);
  body.end_list();
}

/// "22:00-06:00": one that crosses midnight is two ranges.
std::optional<std::vector<std::pair<std::string, std::string>>> minute_ranges(
    const std::string& text) {
  const auto dash = text.find('-');
  if (dash == std::string::npos) return std::nullopt;
  const std::string start = text.substr(0, dash);
  const std::string end = text.substr(dash + 1);
  if (start < end) return {{{start, end}}};
  return {{{start, "24:00"}, {"00:00", end}}};
}

/// The one interval that --times, --weekdays and --time-zone describe. False when a text is wrong.
bool write_recurrence(json_line& body, const silence_options& chosen) {
  if (chosen.times.empty() && chosen.weekdays.empty()) return true;
  body.key("recurs").begin_list().begin_object();
  if (!chosen.times.empty()) {
    body.key("times").begin_list();
    for (const std::string& each : chosen.times) {
      const auto ranges = minute_ranges(each);
      if (!ranges) {
        say(fmt::format("error: --times: '{}' is not HH:MM-HH:MM", each));
        return false;
      }
      for (const auto& [start, end] : *ranges) {
        if (start == end) continue;
        body.begin_object().key("start_time").text(start).key("end_time").text(end).end_object();
      }
    }
    body.end_list();
  }
  if (!chosen.weekdays.empty()) {
    body.key("weekdays").begin_list();
    for (const std::string& each : chosen.weekdays) body.text(each);
    body.end_list();
  }
  if (!chosen.time_zone.empty()) body.key("location").text(chosen.time_zone);
  body.end_object().end_list();
  return true;
}

int run_add(const silence_options& chosen) {
  json_line body;
  body.begin_object();
  write_matchers(body, chosen.matchers);
  if (!chosen.edit.empty()) body.key("id").text(chosen.edit);
  if (!chosen.start.empty()) body.key("starts_at").text(chosen.start);
  if (!chosen.end.empty()) {
    body.key("ends_at").text(chosen.end);
  } else {
    body.key("duration").text(chosen.length.empty() ? "1h" : chosen.length);
  }
  body.key("created_by").text(chosen.by).key("comment").text(chosen.comment);
  body.key("scope").text(chosen.scope);
  if (!write_recurrence(body, chosen)) return exit_usage;
  const auto answer = ask_daemon(chosen.daemon, "POST", "silences", body.end_object().line());
  if (!answer.body) return answer.exit_code;
  return print_line(chosen.daemon.json ? answer.body->json() : answer.body->at("id").text())
             ? exit_ok
             : exit_check_failed;
}

std::string matchers_cell(const json_tree& silence) {
  std::string cell;
  for (const json_tree& each : silence.at("matchers").items()) {
    cell += (cell.empty() ? "" : " ") + each.text();
  }
  return cell;
}

int run_list(const silence_options& chosen) {
  std::vector<std::pair<std::string, std::string>> query;
  for (const std::string& each : chosen.states) query.emplace_back("state", each);
  if (chosen.states.empty()) query = {{"state", "active"}, {"state", "pending"}};
  const auto answer = ask_daemon(chosen.daemon, "GET", "silences?" + query_text(query));
  if (!answer.body) return answer.exit_code;
  if (chosen.daemon.json) return print_line(answer.body->json()) ? exit_ok : exit_check_failed;
  text_table table({"SILENCE", "STATE", "ENDS", "BY", "MATCHERS", "COMMENT"});
  for (const json_tree& each : answer.body->items()) {
    std::string state = each.at("state").text();
    if (state == "active" && !each.at("in_force").is_true()) state += " (not now)";
    if (each.at("scope").text() == "events") state += ", events";
    table.add({each.at("id").text(), state, time_cell(each.at("ends_at")),
               each.at("created_by").text(), matchers_cell(each), each.at("comment").text()});
  }
  if (table.size() == 0) {
    say("no such silences");
    return exit_ok;
  }
  return table.print(colour_on_stdout()) ? exit_ok : exit_check_failed;
}

int run_expire(const silence_options& chosen) {
  int code = exit_ok;
  for (const std::string& id : chosen.ids) {
    const auto answer = ask_daemon(chosen.daemon, "DELETE", "silences/" + path_part(id));
    if (!answer.body) code = answer.exit_code;
    if (code == exit_unreachable) return code;
  }
  return code;
}

int run_preview(const silence_options& chosen) {
  json_line body;
  body.begin_object();
  write_matchers(body, chosen.matchers);
  const auto answer =
      ask_daemon(chosen.daemon, "POST", "silences/preview", body.end_object().line());
  if (!answer.body) return answer.exit_code;
  if (chosen.daemon.json) return print_line(answer.body->json()) ? exit_ok : exit_check_failed;
  text_table table({"ALERT", "STATE", "SEVERITY", "RULE", "TITLE"});
  for (const json_tree& each : answer.body->at("alerts").items()) {
    table.add({each.at("alert_id").text(), each.at("state").text(), each.at("severity").text(),
               each.at("rule").text(), each.at("title").text()});
  }
  say(fmt::format("{} active alerts match", answer.body->at("count").text()));
  if (table.size() == 0) return exit_ok;
  return table.print(colour_on_stdout()) ? exit_ok : exit_check_failed;
}

void add_matchers(CLI::App& command, silence_options& into) {
  command.add_option("matcher", into.matchers, "name=\"value\", with = != =~ !~; all must accept")
      ->required();
}

void add_add(CLI::App& silence, const std::shared_ptr<silence_options>& chosen, int& exit_code) {
  auto* const add = silence.add_subcommand("add", "Make a silence; prints its id");
  add_matchers(*add, *chosen);
  add->add_option("-c,--comment", chosen->comment, "Why")->required();
  add->add_option("--by", chosen->by, "Who")->capture_default_str();
  auto* const length = add->add_option("-d,--duration", chosen->length, "How long; default 1h");
  add->add_option("--start", chosen->start, "When it begins (RFC 3339); default now");
  add->add_option("--end", chosen->end, "When it ends (RFC 3339)")->excludes(length);
  add->add_option("--edit", chosen->edit, "Change the silence with this id");
  add->add_option("--scope", chosen->scope,
                  "alerts: they do not notify. events: rules do not see them")
      ->check(CLI::IsMember({"alerts", "events"}))
      ->capture_default_str();
  add->add_option("--times", chosen->times, "Only at these times of the day: 22:00-06:00");
  add->add_option("--weekdays", chosen->weekdays, "Only on these days: monday:friday");
  add->add_option("--time-zone", chosen->time_zone, "Of --times and --weekdays; default UTC");
  add_daemon_options(*add, chosen->daemon);
  add->footer(
      "Examples:\n"
      "  tocsin silence add 'resource_id=\"db1\"' -d 2h -c 'disk is being replaced'\n"
      "  tocsin silence add 'alertname=\"backup-slow\"' -d 90d --times 01:00-04:00 -c 'nightly "
      "backup'\n"
      "  tocsin silence add 'labels.env=\"test\"' --scope events -d 1d -c 'load test'");
  add->callback([chosen, &exit_code] { exit_code = run_add(*chosen); });
}

}  // namespace

void add_silence(CLI::App& tocsin, int& exit_code) {
  auto* const silence = tocsin.add_subcommand("silence", "Keep alerts from notifying");
  silence->require_subcommand(1);
  const auto chosen = std::make_shared<silence_options>();
  add_add(*silence, chosen, exit_code);

  auto* const list = silence->add_subcommand(
      "list", "List silences; without --state those that are active or pending");
  list->add_option("--state", chosen->states, "Only these states")
      ->check(CLI::IsMember({"pending", "active", "expired"}));
  add_daemon_options(*list, chosen->daemon);
  list->callback([chosen, &exit_code] { exit_code = run_list(*chosen); });

  auto* const expire = silence->add_subcommand("expire", "End silences now");
  expire->add_option("id", chosen->ids, "Ids of silences")->required();
  add_daemon_options(*expire, chosen->daemon);
  expire->callback([chosen, &exit_code] { exit_code = run_expire(*chosen); });

  auto* const preview =
      silence->add_subcommand("preview", "Show which active alerts matchers accept");
  add_matchers(*preview, *chosen);
  add_daemon_options(*preview, chosen->daemon);
  preview->callback([chosen, &exit_code] { exit_code = run_preview(*chosen); });
}

}  // namespace tocsin
