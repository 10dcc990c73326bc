// SPDX-License-Identifier: Apache-2.0
// tocsin explain: why an alert is there, what happened to it, and who is told.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/http_client.hpp"
#include "io/utf8.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"
#include "programs/daemon_api.hpp"

namespace tocsin {
namespace {

constexpr std::size_t text_bytes_max = 2000;

struct explain_options {
  daemon_address daemon;
  std::string alert;
};

/// "a, b" of a list of texts.
std::string joined(const std::vector<json_tree>& texts) {
  std::string all;
  for (const json_tree& each : texts) all += (all.empty() ? "" : ", ") + each.text();
  return all;
}

/// "a=b, c=d" of an object.
std::string pairs(const json_tree& object) {
  std::string all;
  for (const auto& [name, value] : object.entries()) {
    all += fmt::format("{}{}={}", all.empty() ? "" : ", ", name,
                       value.is_null() ? "NULL" : value.text());
  }
  return all;
}

/// The page, line by line; remembers whether stdout took all of it.
class explanation_page {
 public:
  explicit explanation_page(bool coloured) : coloured_(coloured) {}

  void title(std::string_view text) {
    line(painted(printable(text, text_bytes_max), colour::bold, coloured_));
  }
  /// Nothing when there is nothing to say.
  void field(std::string_view name, std::string_view text) {
    if (text.empty()) return;
    line(fmt::format("  {:<11} {}", name, printable(text, text_bytes_max)));
  }
  void line(std::string_view text) { taken_ = print_line(text) && taken_; }
  void table(const text_table& of) {
    if (of.size() > 0) taken_ = of.print(coloured_) && taken_;
  }
  [[nodiscard]] bool taken() const noexcept { return taken_; }

 private:
  bool coloured_;
  bool taken_ = true;
};

std::string state_text(const json_tree& alert) {
  std::string text = alert.at("state").text();
  if (!alert.at("acknowledged_by").is_null()) {
    text += fmt::format("{} by {} at {}", text == "acknowledged" ? "" : ", acknowledged",
                        alert.at("acknowledged_by").text(), time_cell(alert.at("acknowledged_at")));
    if (!alert.at("acknowledged_until").is_null()) {
      text += " until " + time_cell(alert.at("acknowledged_until"));
    }
  }
  if (alert.at("flapping").is_true()) text += ", flapping";
  return text;
}

void print_what(explanation_page& page, const json_tree& alert) {
  page.title(alert.at("title").text());
  page.field("alert", alert.at("alert_id").text());
  page.field(
      "rule",
      alert.at("revision").text().empty()
          ? fmt::format("{} ({})", alert.at("rule").text(), alert.at("origin").text())
          : fmt::format("{}, revision {}", alert.at("rule").text(), alert.at("revision").text()));
  page.field("state", state_text(alert));
  page.field("severity", alert.at("severity").text());
  page.field("lasts",
             fmt::format("since {}, {}", time_cell(alert.at("started_at")), lasted_cell(alert)));
  page.field("assigned to", alert.at("assignee").text());
  page.field("group", pairs(alert.at("group")));
  page.field("labels", pairs(alert.at("labels")));
  page.field("annotations", pairs(alert.at("annotations")));
  page.field("description", alert.at("description").text());
}

void print_why(explanation_page& page, const json_tree& body) {
  page.line("");
  page.title("Why");
  page.field("condition", body.at("condition").text());
  page.field("numbers", body.at("condition_with_values").text());
  page.field("values", pairs(body.at("values")));
  const json_tree window = body.at("window");
  page.field("window", fmt::format("{}, {} - {}", window.at("kind").text(),
                                   time_cell(window.at("start")), time_cell(window.at("end"))));
  const json_tree events = body.at("events");
  page.field("events", fmt::format("{}, {} - {}", events.at("count").text(),
                                   time_cell(events.at("first")), time_cell(events.at("last"))));
  page.field("event ids", joined(events.at("ids").items()) +
                              (events.at("truncated").is_true() ? ", and others" : ""));
}

void print_shields(explanation_page& page, const json_tree& shields) {
  for (const json_tree& each : shields.at("silenced_by").items()) {
    page.field("silenced by", fmt::format("{} ({}: {}; until {})", each.at("id").text(),
                                          each.at("created_by").text(), each.at("comment").text(),
                                          time_cell(each.at("ends_at"))));
  }
  for (const json_tree& each : shields.at("inhibited_by").items()) {
    page.field("inhibited by", fmt::format("{} ({}: {})", each.at("alert_id").text(),
                                           each.at("rule").text(), each.at("title").text()));
  }
  page.field("muted by", joined(shields.at("muted_by").items()));
}

void print_who(explanation_page& page, const json_tree& body) {
  page.line("");
  page.title("Who is told");
  print_shields(page, body.at("shields"));
  const json_tree incident = body.at("incident");
  if (!incident.is_null()) {
    page.field("incident", fmt::format("{} ({}: {})", incident.at("alert_id").text(),
                                       incident.at("rule").text(), incident.at("title").text()));
  }
  for (const json_tree& each : body.at("members").items()) {
    page.field("member", fmt::format("{} ({}: {})", each.at("alert_id").text(),
                                     each.at("rule").text(), each.at("title").text()));
  }
  const std::string receivers = joined(body.at("receivers").items());
  page.field("receivers", receivers.empty() ? "none" : receivers);
  for (const json_tree& each : body.at("routes").items()) {
    page.field("route",
               fmt::format("{} to {}, group {{{}}}, wait {}, interval {}, repeat {}",
                           each.at("route").text(), each.at("receiver").text(),
                           pairs(each.at("group_labels")), each.at("group_wait").text(),
                           each.at("group_interval").text(), each.at("repeat_interval").text()));
    const std::string muted = joined(each.at("muted_by").items());
    page.field("", muted.empty() ? "" : "muted by " + muted);
  }
}

void print_transitions(explanation_page& page, const json_tree& body) {
  page.line("");
  page.title("What happened");
  text_table table({"TIME", "STATE", "SEVERITY", "EVENTS", "ACTOR", "CAUSE", "NOTE"});
  for (const json_tree& each : body.at("transitions").items()) {
    table.add({time_cell(each.at("at")), each.at("state").text(), each.at("severity").text(),
               each.at("event_count").text(), each.at("actor").text(), each.at("cause").text(),
               each.at("note").text()});
  }
  page.table(table);
}

int run_explain(const explain_options& chosen) {
  const auto answer =
      ask_daemon(chosen.daemon, "GET", fmt::format("alerts/{}/explain", path_part(chosen.alert)));
  if (!answer.body) return answer.exit_code;
  if (chosen.daemon.json) return print_line(answer.body->json()) ? exit_ok : exit_check_failed;
  explanation_page page(colour_on_stdout());
  print_what(page, answer.body->at("alert"));
  print_why(page, *answer.body);
  print_who(page, *answer.body);
  print_transitions(page, *answer.body);
  return page.taken() ? exit_ok : exit_check_failed;
}

}  // namespace

void add_explain(CLI::App& tocsin, int& exit_code) {
  auto* const command = tocsin.add_subcommand(
      "explain", "Show why an alert is there, what happened to it, and who is told");
  const auto chosen = std::make_shared<explain_options>();
  command->add_option("alert", chosen->alert, "The alert's id, of the present or the past")
      ->required();
  add_daemon_options(*command, chosen->daemon);
  command->footer(
      "Examples:\n"
      "  tocsin explain 3f2a...\n"
      "  tocsin explain 3f2a... --json | jq .transitions\n"
      "Exit codes: 0 shown, 1 there is no such alert, 3 daemon unreachable.");
  command->callback([chosen, &exit_code] { exit_code = run_explain(*chosen); });
}

}  // namespace tocsin
