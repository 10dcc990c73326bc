// SPDX-License-Identifier: Apache-2.0
// What operators do to alerts, one at a time and in bulk: acknowledge, unacknowledge, close, notes,
// assign.
#include <fmt/format.h>

#include <array>
#include <set>
#include <utility>

#include "io/alert_codec.hpp"
#include "io/tocsin_api_parts.hpp"
#include "io/tocsin_api_query.hpp"
#include "io/utf8.hpp"

namespace tocsin::api {

namespace {

constexpr std::size_t note_bytes_max = 16 * 1024;
/// Room for 400,000 ids.
constexpr std::uint64_t bulk_body_bytes = 16 * 1024 * 1024;
constexpr std::size_t shown_bytes_max = 100;

/// What an operation is read with beside its body.
struct asking {
  instant now;
  std::string_view caller;  ///< http_request::caller
};

/// Who asks and what they write.
struct asked_by {
  std::string by;
  std::string note;
};

asked_by read_asker(json_request& body, std::string_view caller) {
  asked_by asker{read_actor(body, "by", caller), body.text("note")};
  if (asker.note.size() > note_bytes_max) {
    body.refuse("note", fmt::format("note: {} bytes are too many, wanted at most {}",
                                    asker.note.size(), note_bytes_max));
  }
  return asker;
}

/// `until`, or `for` from now on.
std::optional<instant> read_until(json_request& body, instant now) {
  const auto until = body.time("until");
  const auto length = body.length("for");
  if (until && length) {
    body.refuse("for", "for: until is there too, wanted one of both");
    return std::nullopt;
  }
  if (length && *length == duration{0}) body.refuse("for", "for: wanted longer than 0s");
  if (until && *until <= now) {
    body.refuse("until", fmt::format("until: {} is over, wanted a time after {}",
                                     format_rfc3339(*until), format_rfc3339(now)));
  }
  if (length) return now + *length;
  return until;
}

operation read_acknowledge(json_request& body, alert_selector which, asking how) {
  auto [by, note] = read_asker(body, how.caller);
  const auto until = read_until(body, how.now);
  return acknowledge_alerts{std::move(which), std::move(by), std::move(note), until,
                            body.flag("replace")};
}

operation read_unacknowledge(json_request& body, alert_selector which, asking how) {
  auto [by, note] = read_asker(body, how.caller);
  return unacknowledge_alerts{std::move(which), std::move(by), std::move(note)};
}

operation read_close(json_request& body, alert_selector which, asking how) {
  auto [by, note] = read_asker(body, how.caller);
  return close_alerts{std::move(which), std::move(by), std::move(note)};
}

operation read_note(json_request& body, alert_selector which, asking how) {
  auto [by, note] = read_asker(body, how.caller);
  static_cast<void>(body.needed_text("note"));
  return note_on_alerts{std::move(which), std::move(by), std::move(note)};
}

operation read_assign(json_request& body, alert_selector which, asking how) {
  auto [by, note] = read_asker(body, how.caller);
  std::string to;
  if (!body.has("to")) {
    body.refuse("to", "to is missing, wanted a text: a name, or \"\" for nobody", "missing_field");
  } else if (!body.text("to").empty()) {
    to = read_operator(body, "to");
  }
  return assign_alerts{std::move(which), std::move(by), std::move(note), std::move(to)};
}

/// One thing that can be done, under its name in paths.
struct verb {
  std::string_view path;
  operation (*read)(json_request& body, alert_selector which, asking how);
};
constexpr std::array<verb, 5> verbs{{{"acknowledge", read_acknowledge},
                                     {"unacknowledge", read_unacknowledge},
                                     {"close", read_close},
                                     {"notes", read_note},
                                     {"assign", read_assign}}};

http_response operate_on_one(alert_backend& backend, const verb& what,
                             const http_request& request) {
  if (auto refused = refuse_body_type(request)) return std::move(*refused);
  query_request query{request};
  if (const auto wrong = query.failure()) return refusal(400, *wrong);
  const auto id = requested_alert(request);
  if (!id) return refusal(400, {"bad_field", id.failure().message, "alert_id"});
  json_request body{request.body};
  operation wanted = what.read(body, {{*id}, {}}, {backend.now(), request.caller});
  if (const auto wrong = body.failure()) return refusal(400, *wrong);
  const auto done = backend.operate(std::move(wanted));
  if (!done) return refusal(done.failure());
  if (done->alerts.empty()) {
    return refusal(error{"not_found", fmt::format("no active alert has the id {}", to_text(*id))});
  }
  const operation_outcome& outcome = done->alerts.front();
  if (outcome.refused) return refusal(*outcome.refused);
  return json_answer(encode_alert_json(*outcome.now));
}

/// `ids` or `matchers`. An id that stands there twice counts once.
alert_selector read_selector(json_request& body) {
  alert_selector which;
  const bool by_ids = body.has("ids");
  which.matchers = read_matchers(body);
  std::set<fingerprint> seen;
  std::size_t index = 0;
  for (const std::string& each : body.texts("ids")) {
    const auto id = parse_fingerprint(each);
    const std::string place = fmt::format("ids[{}]", index++);
    if (!id) {
      body.refuse(place, fmt::format("{}: '{}' is not an alert's id, wanted 32 hexadecimal digits",
                                     place, printable(each, shown_bytes_max)));
      break;
    }
    if (seen.insert(*id).second) which.ids.push_back(*id);
  }
  if (by_ids && body.has("matchers")) {
    body.refuse("ids", "ids: matchers are there too, wanted one of both");
  }
  if (which.ids.empty() && which.matchers.empty()) {
    body.refuse(by_ids ? "ids" : "matchers",
                "no alert is chosen, wanted ids or matchers, and at least one of them",
                "nothing_chosen");
  }
  return which;
}

std::string bulk_answer(const operation_result& done, bool verbose) {
  std::vector<transition> changed;
  json_line refused;
  refused.begin_list();
  for (const operation_outcome& each : done.alerts) {
    if (!each.refused) {
      changed.push_back(each.now);
      continue;
    }
    refused.begin_object().key("alert_id").text(to_text(each.alert_id));
    refused.key("code").text(each.refused->code);
    refused.key("message").text(each.refused->message).end_object();
  }
  refused.end_list();
  json_line body;
  body.begin_object().key("changed").count(changed.size());
  body.key("refused").json(refused.line());
  if (verbose) {
    body.key("alerts");
    write_alerts(body, changed);
  }
  return body.end_object().line();
}

http_response operate_on_many(alert_backend& backend, const verb& what,
                              const http_request& request) {
  if (auto refused = refuse_body_type(request)) return std::move(*refused);
  query_request query{request};
  const bool verbose = query.flag("verbose").value_or(false);
  if (const auto wrong = query.failure()) return refusal(400, *wrong);
  json_request body{request.body};
  operation wanted = what.read(body, read_selector(body), {backend.now(), request.caller});
  if (const auto wrong = body.failure()) return refusal(400, *wrong);
  const auto done = backend.operate(std::move(wanted));
  if (!done) return refusal(done.failure());
  return json_answer(bulk_answer(*done, verbose));
}

}  // namespace

void add_operation_routes(std::vector<http_route>& to, alert_backend& backend) {
  for (const verb& what : verbs) {
    to.push_back({"POST", api_path(fmt::format("/alerts/{{alert_id}}/{}", what.path)),
                  [&backend, &what](const http_request& request) {
                    return operate_on_one(backend, what, request);
                  }});
    to.push_back({"POST", api_path(fmt::format("/{}", what.path)),
                  [&backend, &what](const http_request& request) {
                    return operate_on_many(backend, what, request);
                  },
                  bulk_body_bytes});
  }
}

}  // namespace tocsin::api
