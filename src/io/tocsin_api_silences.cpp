// SPDX-License-Identifier: Apache-2.0
// Silences: listed, made, edited, ended, and tried out.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "io/tocsin_api_intervals.hpp"
#include "io/tocsin_api_parts.hpp"
#include "io/tocsin_api_query.hpp"
#include "io/utf8.hpp"
#include "tocsin/alert_labels.hpp"
#include "tocsin/silence.hpp"

namespace tocsin::api {

namespace {

constexpr std::size_t shown_bytes_max = 100;
constexpr std::uint64_t preview_alerts = 100;
constexpr std::uint64_t preview_alerts_max = 10'000;

std::string_view scope_text(silence_scope scope) {
  return scope == silence_scope::alerts ? "alerts" : "events";
}

void write_silence(json_line& to, const silence& of, instant now) {
  to.begin_object().key("id").text(of.id);
  to.key("state").text(to_text(state_of(of, now)));
  to.key("in_force").flag(in_force(of, now));
  to.key("matchers").begin_list();
  for (const label_matcher& each : of.matchers) to.text(each.text());
  to.end_list();
  to.key("starts_at").time(of.starts_at).key("ends_at").time(of.ends_at);
  to.key("updated_at").time(of.updated_at);
  to.key("created_by").text(of.created_by).key("comment").text(of.comment);
  to.key("scope").text(scope_text(of.scope)).key("recurs");
  write_intervals(to, of.recurs);
  to.end_object();
}

http_response silence_answer(const silence& of, instant now) {
  json_line body;
  write_silence(body, of, now);
  return json_answer(body.line());
}

http_response list_silences(const alert_backend& backend, const http_request& request) {
  static const std::vector<std::string_view> words{"pending", "active", "expired"};
  constexpr silence_state states[] = {silence_state::pending, silence_state::active,
                                      silence_state::expired};
  query_request query{request};
  std::vector<silence_state> wanted;
  for (const std::size_t word : query.words("state", words)) wanted.push_back(states[word]);
  const auto force = query.flag("in_force");
  if (const auto wrong = query.failure()) return refusal(400, *wrong);
  std::vector<silence_ptr> all;
  instant now{};
  if (!backend.inspect([&](const alert_book& book) {
        all = book.silences().all();
        now = book.clock();
      })) {
    return unavailable();
  }
  json_line body;
  body.begin_list();
  for (const silence_ptr& each : all) {
    const auto state = state_of(*each, now);
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), state) == wanted.end()) continue;
    if (force && *force != in_force(*each, now)) continue;
    write_silence(body, *each, now);
  }
  return json_answer(body.end_list().line());
}

http_response show_silence(const alert_backend& backend, const http_request& request) {
  query_request query{request};
  if (const auto wrong = query.failure()) return refusal(400, *wrong);
  const std::string_view id = request.part("id");
  silence_ptr found;
  instant now{};
  if (!backend.inspect([&](const alert_book& book) {
        found = book.silences().find(id);
        now = book.clock();
      })) {
    return unavailable();
  }
  if (found) return silence_answer(*found, now);
  return refusal(error{"silence_not_found", fmt::format("there is no silence with the id '{}'",
                                                        printable(id, shown_bytes_max))});
}

/// ends_at, or duration after `begin`.
instant read_end(json_request& body, instant begin) {
  const auto ends_at = body.time("ends_at");
  const auto length = body.length("duration");
  if (ends_at && length) {
    body.refuse("duration", "duration: ends_at is there too, wanted one of both");
  } else if (!ends_at && !length) {
    body.refuse("ends_at", "ends_at is missing, wanted it or duration", "missing_field");
  }
  const instant end = length ? begin + *length : ends_at.value_or(begin);
  if (end <= begin) {
    const std::string_view field = length ? "duration" : "ends_at";
    body.refuse(field, fmt::format("{}: the end, {}, is not after the start and now, {}", field,
                                   format_rfc3339(end), format_rfc3339(begin)));
  }
  return end;
}

silence_scope read_scope(json_request& body) {
  const std::string seen = body.text("scope");
  if (!seen.empty() && seen != "alerts" && seen != "events") {
    body.refuse("scope", fmt::format("scope: wanted alerts or events, not '{}'",
                                     printable(seen, shown_bytes_max)));
  }
  return seen == "events" ? silence_scope::events : silence_scope::alerts;
}

label_matchers read_needed_matchers(json_request& body) {
  auto matchers = read_matchers(body);
  if (matchers.empty()) {
    body.refuse("matchers", "matchers is missing, wanted a list with at least one matcher",
                "missing_field");
  }
  return matchers;
}

/// An edit that says nothing of the start leaves it as it is. A new silence then begins at once:
/// the book makes its own clock, which may be a little behind the wall's, of a start before it.
instant default_start(const alert_backend& backend, const std::string& id) {
  silence_ptr known;
  if (!id.empty()) {
    static_cast<void>(
        backend.inspect([&](const alert_book& book) { known = book.silences().find(id); }));
  }
  return known ? known->starts_at : instant{};
}

/// With tokens `created_by` need not be there.
std::string read_creator(json_request& body, std::string_view caller) {
  return actor_of(caller,
                  caller.empty() ? body.needed_text("created_by") : body.text("created_by"));
}

silence read_silence(const alert_backend& backend, json_request& body, instant now,
                     std::string_view caller) {
  silence wanted;
  wanted.id = body.text("id");
  wanted.matchers = read_needed_matchers(body);
  const auto starts_at = body.time("starts_at");
  wanted.starts_at = starts_at ? *starts_at : default_start(backend, wanted.id);
  wanted.ends_at = read_end(body, std::max(wanted.starts_at, now));
  wanted.created_by = read_creator(body, caller);
  wanted.comment = body.needed_text("comment");
  wanted.scope = read_scope(body);
  wanted.recurs = read_intervals(body, "recurs");
  return wanted;
}

http_response put(alert_backend& backend, const http_request& request) {
  if (auto refused = refuse_body_type(request)) return std::move(*refused);
  query_request query{request};
  if (const auto wrong = query.failure()) return refusal(400, *wrong);
  json_request body{request.body};
  const instant now = backend.now();
  silence wanted = read_silence(backend, body, now, request.caller);
  if (const auto wrong = body.failure()) return refusal(400, *wrong);
  const auto done = backend.operate(put_silence{std::move(wanted)});
  if (!done) return refusal(done.failure());
  return silence_answer(*done->silence, now);
}

http_response expire(alert_backend& backend, const http_request& request) {
  query_request query{request};
  std::string by = query.text("by");
  if (const auto wrong = query.failure()) return refusal(400, *wrong);
  by = actor_of(request.caller, std::move(by));
  if (by.empty()) by = "api";
  const auto done = backend.operate(expire_silence{std::string{request.part("id")}, std::move(by)});
  if (!done) return refusal(done.failure());
  // Ended at the book's clock, which may be a little behind the wall's.
  return silence_answer(*done->silence, std::max(backend.now(), done->silence->ends_at));
}

/// Takes the body of POST silences too, so that what was typed can be tried before it is sent.
http_response preview(const alert_backend& backend, const http_request& request) {
  if (auto refused = refuse_body_type(request)) return std::move(*refused);
  query_request query{request};
  if (const auto wrong = query.failure()) return refusal(400, *wrong);
  json_request body{request.body};
  const label_matchers matchers = read_needed_matchers(body);
  const auto limit = body.count("limit", preview_alerts, 1, preview_alerts_max);
  static_cast<void>(body.text("id"));
  static_cast<void>(body.time("starts_at"));
  static_cast<void>(body.time("ends_at"));
  static_cast<void>(body.length("duration"));
  static_cast<void>(body.text("created_by"));
  static_cast<void>(body.text("comment"));
  static_cast<void>(read_scope(body));
  static_cast<void>(read_intervals(body, "recurs"));
  if (const auto wrong = body.failure()) return refusal(400, *wrong);
  const auto active = active_alerts(backend);
  if (!active) return unavailable();
  std::vector<transition> shown;
  std::uint64_t count = 0;
  for (const transition& each : *active) {
    if (!matches(matchers, *each)) continue;
    if (count++ < limit) shown.push_back(each);
  }
  json_line answer;
  answer.begin_object().key("count").count(count).key("alerts");
  write_alerts(answer, shown);
  return json_answer(answer.end_object().line());
}

}  // namespace

void add_silence_routes(std::vector<http_route>& to, alert_backend& backend) {
  to.push_back({"GET", api_path("/silences"), [&backend](const http_request& request) {
                  return list_silences(backend, request);
                }});
  to.push_back({"POST", api_path("/silences"),
                [&backend](const http_request& request) { return put(backend, request); }});
  to.push_back({"GET", api_path("/silences/{id}"), [&backend](const http_request& request) {
                  return show_silence(backend, request);
                }});
  to.push_back({"POST", api_path("/silences/preview"),
                [&backend](const http_request& request) { return preview(backend, request); }});
  to.push_back({"DELETE", api_path("/silences/{id}"),
                [&backend](const http_request& request) { return expire(backend, request); }});
}

}  // namespace tocsin::api
