// SPDX-License-Identifier: Apache-2.0
// GET incidents, rules and groups: what there is beside single alerts.
#include <map>
#include <utility>

#include "io/alert_codec.hpp"
#include "io/tocsin_api_parts.hpp"
#include "io/tocsin_api_query.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin::api {

namespace {

/// An open incident and those of its members that are active.
struct open_incident {
  transition incident;
  std::vector<transition> members;
  std::vector<fingerprint> ended;
};

std::vector<open_incident> open_incidents(const alert_book& book) {
  std::vector<open_incident> all;
  book.for_each_active([&](const transition& each) {
    if (each->origin != alert_origin::incident) return true;
    open_incident& found = all.emplace_back();
    found.incident = each;
    for (const fingerprint& id : book.incidents().members_of(each->print)) {
      if (auto member = book.find(id)) {
        found.members.push_back(std::move(member));
      } else {
        found.ended.push_back(id);
      }
    }
    return true;
  });
  return all;
}

http_response list_incidents(const alert_backend& backend, const http_request& request) {
  query_request query{request};
  if (const auto wrong = query.failure()) return refusal(400, *wrong);
  std::vector<open_incident> all;
  if (!backend.inspect([&](const alert_book& book) { all = open_incidents(book); })) {
    return unavailable();
  }
  json_line body;
  body.begin_list();
  for (const open_incident& each : all) {
    body.begin_object().key("incident").json(encode_alert_json(*each.incident)).key("members");
    write_alerts(body, each.members);
    body.key("ended_members").begin_list();
    for (const fingerprint& id : each.ended) body.text(to_text(id));
    body.end_list().end_object();
  }
  return json_answer(body.end_list().line());
}

/// How many alerts of a rule are in each of the active states.
struct active_counts {
  std::uint64_t pending = 0;
  std::uint64_t firing = 0;
  std::uint64_t acknowledged = 0;
};
using counts_by_rule = std::map<std::string, active_counts, std::less<>>;

counts_by_rule count_by_rule(const std::vector<transition>& active) {
  counts_by_rule counts;
  for (const transition& each : active) {
    if (each->origin != alert_origin::rule) continue;
    active_counts& of = counts[each->rule];
    if (each->state == alert_state::pending) ++of.pending;
    if (each->state == alert_state::firing) ++of.firing;
    if (each->state == alert_state::acknowledged) ++of.acknowledged;
  }
  return counts;
}

void write_window(json_line& to, const window_spec& window) {
  to.begin_object().key("kind").text(to_text(window.kind));
  to.key("size").text(format_duration(window.size));
  to.key("every").text(window.trailing ? "event" : format_duration(window.every));
  to.key("time_zone").text(window.time_zone).end_object();
}

void write_rule(json_line& to, const rule& of, const active_counts& counts) {
  to.begin_object().key("name").text(of.name).key("revision").text(of.revision);
  to.key("file").text(of.spec.file).key("line").count(static_cast<std::uint64_t>(of.spec.line));
  to.key("where").text(of.spec.where.text);
  to.key("group_by").begin_list();
  for (const placed_text& field : of.spec.group_by) to.text(field.text);
  to.end_list().key("window");
  write_window(to, of.spec.window);
  to.key("condition").text(of.condition);
  to.key("severity").text(of.worst_level ? "worst_level" : of.spec.severity.text);
  to.key("title").text(of.spec.title.text);
  to.key("for").text(format_duration(of.spec.pending_for));
  to.key("keep_firing_for").text(format_duration(of.spec.keep_firing_for));
  to.key("close_after").text(format_duration(of.spec.close_after));
  to.key("lateness").text(format_duration(of.spec.lateness.value_or(duration{0})));
  to.key("early").flag(of.early).key("early_reason").text(of.early_reason);
  to.key("active").begin_object().key("pending").count(counts.pending);
  to.key("firing").count(counts.firing);
  to.key("acknowledged").count(counts.acknowledged).end_object().end_object();
}

http_response list_rules(const alert_backend& backend, const http_request& request) {
  query_request query{request};
  if (const auto wrong = query.failure()) return refusal(400, *wrong);
  const auto active = active_alerts(backend);
  if (!active) return unavailable();
  const counts_by_rule counts = count_by_rule(*active);
  json_line body;
  body.begin_list();
  for (const rule& each : backend.rules().rules()) {
    const auto found = counts.find(each.name);
    write_rule(body, each, found == counts.end() ? active_counts{} : found->second);
  }
  return json_answer(body.end_list().line());
}

http_response list_groups(const alert_backend& backend, const http_request& request) {
  query_request query{request};
  const std::string receiver = query.text("receiver");
  if (const auto wrong = query.failure()) return refusal(400, *wrong);
  std::vector<group_view> all;
  if (!backend.inspect([&](const alert_book& book) { all = book.groups().groups(); })) {
    return unavailable();
  }
  json_line body;
  body.begin_list();
  for (const group_view& each : all) {
    if (!receiver.empty() && each.receiver != receiver) continue;
    body.begin_object().key("key").text(each.key).key("receiver").text(each.receiver);
    body.key("labels");
    write_labels(body, each.labels);
    body.key("alerts");
    write_alerts(body, each.alerts);
    body.end_object();
  }
  return json_answer(body.end_list().line());
}

}  // namespace

void add_overview_routes(std::vector<http_route>& to, alert_backend& backend) {
  to.push_back({"GET", api_path("/incidents"), [&backend](const http_request& request) {
                  return list_incidents(backend, request);
                }});
  to.push_back({"GET", api_path("/rules"),
                [&backend](const http_request& request) { return list_rules(backend, request); }});
  to.push_back({"GET", api_path("/groups"),
                [&backend](const http_request& request) { return list_groups(backend, request); }});
}

}  // namespace tocsin::api
