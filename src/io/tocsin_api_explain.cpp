// SPDX-License-Identifier: Apache-2.0
// GET alerts/{alert_id}/explain: why an alert is there, what happened to it, and who is told.
#include <algorithm>
#include <cmath>
#include <utility>

#include "io/alert_codec.hpp"
#include "io/tocsin_api_parts.hpp"
#include "io/tocsin_api_query.hpp"
#include "tocsin/alert_labels.hpp"
#include "tocsin/condition_values.hpp"
#include "tocsin/notify_policy.hpp"

namespace tocsin::api {

namespace {

/// What only the book knows, taken out of it in one look.
struct surroundings {
  transition active;                                           ///< null: it has ended
  std::vector<std::pair<std::string, silence_ptr>> silences;   ///< null: forgotten
  std::vector<std::pair<fingerprint, transition>> inhibitors;  ///< null: ended
  transition incident;
  std::vector<transition> members;
  std::shared_ptr<const notify_policy> notify;
  std::vector<std::string> receivers;
  instant clock{};
};

surroundings look_around(const alert_book& book, const alert& stored) {
  surroundings seen;
  seen.active = book.find(stored.alert_id);
  const alert& now = seen.active ? *seen.active : stored;
  for (const std::string& id : now.shields.silenced_by) {
    seen.silences.emplace_back(id, book.silences().find(id));
  }
  for (const std::string& id : now.shields.inhibited_by) {
    const auto print = parse_fingerprint(id).value_or(fingerprint{});
    seen.inhibitors.emplace_back(print, book.find(print));
  }
  if (now.incident_id) seen.incident = book.find(*now.incident_id);
  if (now.origin == alert_origin::incident) {
    for (const fingerprint& id : book.incidents().members_of(now.print)) {
      if (auto member = book.find(id)) seen.members.push_back(std::move(member));
    }
  }
  seen.notify = book.policy().notify;
  if (seen.notify->routed) seen.receivers = book.groups().receivers_of(now);
  seen.clock = book.clock();
  return seen;
}

void write_evidence(json_line& to, const evidence& proof) {
  to.key("values").begin_object();
  for (const auto& [name, number] : proof.values) {
    to.key(name);
    std::isfinite(number) ? to.number(number) : to.null();
  }
  to.end_object();
  to.key("events").begin_object().key("count").count(proof.event_count);
  to.key("ids");
  write_texts(to, proof.event_ids);
  to.key("truncated").flag(proof.event_ids_truncated);
  to.key("first").time(proof.first_event_time);
  to.key("last").time(proof.last_event_time).end_object();
  to.key("window").begin_object().key("kind").text(to_text(proof.window.kind));
  to.key("start").time(proof.window.start);
  to.key("end").time(proof.window.end).end_object();
}

void write_shields(json_line& to, const alert_shields& shields) {
  to.key("silenced_by");
  write_texts(to, shields.silenced_by);
  to.key("inhibited_by");
  write_texts(to, shields.inhibited_by);
  to.key("muted_by");
  write_texts(to, shields.muted_by);
}

void write_transitions(json_line& to, const std::vector<transition>& all) {
  to.begin_list();
  for (const transition& each : all) {
    to.begin_object().key("seq").count(each->seq);
    to.key("number").count(each->number);
    to.key("at").time(each->at);
    to.key("state").text(to_text(each->state));
    to.key("previous_state").text(to_text(each->previous_state));
    to.key("cause").text(each->cause);
    to.key("actor").text(each->actor);
    to.key("note").text(each->note);
    to.key("severity").text(to_text(each->severity));
    to.key("event_count").count(each->proof.event_count);
    to.key("assignee");
    each->assignee.empty() ? to.null() : to.text(each->assignee);
    write_shields(to, each->shields);
    to.key("flapping").flag(each->flapping).key("incident_id");
    each->incident_id ? to.text(to_text(*each->incident_id)) : to.null();
    to.end_object();
  }
  to.end_list();
}

/// The shields that hold now, with what is known of each.
void write_shield_details(json_line& to, const surroundings& seen, const alert& now) {
  to.begin_object().key("silenced_by").begin_list();
  for (const auto& [id, silence] : seen.silences) {
    to.begin_object().key("id").text(id);
    to.key("created_by").text(silence ? silence->created_by : "");
    to.key("comment").text(silence ? silence->comment : "");
    to.key("ends_at");
    silence ? to.time(silence->ends_at) : to.null();
    to.end_object();
  }
  to.end_list().key("inhibited_by").begin_list();
  for (const auto& [id, alert] : seen.inhibitors) {
    to.begin_object().key("alert_id").text(to_text(id));
    to.key("rule").text(alert ? alert->rule : "");
    to.key("title").text(alert && alert->texts ? alert->texts->title : "").end_object();
  }
  to.end_list().key("muted_by");
  write_texts(to, now.shields.muted_by);
  to.end_object();
}

void write_route(json_line& to, const surroundings& seen, const notify_route& route,
                 const std::vector<std::pair<std::string, std::string>>& labels) {
  std::vector<std::pair<std::string, std::string>> grouped;
  for (const auto& label : labels) {
    const auto& by = route.group_by;
    if (route.group_by_all || std::find(by.begin(), by.end(), label.first) != by.end()) {
      grouped.push_back(label);
    }
  }
  to.begin_object().key("route").text(route.key);
  to.key("receiver").text(route.receiver);
  to.key("group_labels");
  write_labels(to, grouped);
  to.key("group_wait").text(format_duration(route.group_wait));
  to.key("group_interval").text(format_duration(route.group_interval));
  to.key("repeat_interval").text(format_duration(route.repeat_interval));
  to.key("muted_by");
  write_texts(to, muting(*seen.notify, route, seen.clock));
  to.end_object();
}

void write_routes(json_line& to, const surroundings& seen, const alert& now) {
  to.begin_list();
  if (seen.notify->routed) {
    const auto labels = alert_labels(now);
    for (const notify_route* route : routes_of(seen.notify->root, now)) {
      write_route(to, seen, *route, labels);
    }
  }
  to.end_list();
}

std::string explanation(const surroundings& seen, const alert_history& history) {
  const alert& now = seen.active ? *seen.active : *history.now;
  json_line body;
  body.begin_object().key("alert").json(encode_alert_json(now));
  body.key("condition").text(now.condition);
  body.key("condition_with_values").text(condition_with_values(now));
  write_evidence(body, now.proof);
  body.key("transitions");
  write_transitions(body, history.transitions);
  body.key("shields");
  write_shield_details(body, seen, now);
  body.key("incident");
  seen.incident ? body.json(encode_alert_json(*seen.incident)) : body.null();
  body.key("members");
  write_alerts(body, seen.members);
  body.key("routes");
  write_routes(body, seen, now);
  body.key("receivers");
  write_texts(body, seen.receivers);
  return body.end_object().line();
}

http_response explain(const alert_backend& backend, const http_request& request) {
  query_request query{request};
  if (const auto wrong = query.failure()) return refusal(400, *wrong);
  const auto id = requested_alert(request);
  if (!id) return refusal(400, {"bad_field", id.failure().message, "alert_id"});
  const auto history = backend.store().explain(*id);
  if (!history) return refusal(history.failure());
  surroundings seen;
  if (!backend.inspect([&](const alert_book& book) { seen = look_around(book, *history->now); })) {
    return unavailable();
  }
  return json_answer(explanation(seen, *history));
}

}  // namespace

void add_explain_route(std::vector<http_route>& to, alert_backend& backend) {
  to.push_back({"GET", api_path("/alerts/{alert_id}/explain"),
                [&backend](const http_request& request) { return explain(backend, request); }});
}

}  // namespace tocsin::api
