// SPDX-License-Identifier: Apache-2.0
// Status and receivers, and how answers and refusals look.
#include "io/alertmanager_api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "io/alertmanager_api_formats.hpp"
#include "io/alertmanager_api_parts.hpp"

namespace tocsin {

namespace alertmanager {

namespace {

/// The policy of notifying as the book has it now; null when nobody answers.
std::shared_ptr<const notify_policy> notify_of(const alert_backend& backend) {
  std::shared_ptr<const notify_policy> found;
  if (!backend.inspect([&](const alert_book& book) { found = book.policy().notify; })) return {};
  return found;
}

http_response status_of(const alert_backend& backend) {
  const auto notify = notify_of(backend);
  if (!notify) return unavailable();
  std::string body = R"({"cluster":{"peers":[],"status":"disabled"},"config":{"original":)";
  append_text(body, notify->original);
  body += R"(},"uptime":)";
  append_text(body, format_rfc3339(backend.started_at()));
  body +=
      R"(,"versionInfo":{"branch":"","buildDate":"","buildUser":"","goVersion":"","revision":"","version":)";
  append_text(body, backend.version());
  return payload(body + "}}");
}

http_response receivers_of(const alert_backend& backend) {
  const auto notify = notify_of(backend);
  if (!notify) return unavailable();
  std::string body = "[";
  for (const notify_receiver& each : notify->receivers) {
    if (body.size() > 1) body += ',';
    body += R"({"name":)";
    append_text(body, each.name);
    body += '}';
  }
  return payload(body + "]");
}

}  // namespace

void add_general_routes(std::vector<http_route>& to, alert_backend& backend) {
  to.push_back(
      {"GET", "/api/v2/status", [&backend](const http_request&) { return status_of(backend); }});
  to.push_back({"GET", "/api/v2/receivers",
                [&backend](const http_request&) { return receivers_of(backend); }});
}

http_response payload(std::string body) {
  return {200, "application/json", std::move(body) + "\n", {}};
}

http_response bare(unsigned status) {
  return {status, "", "", {}};
}

http_response refusal(unsigned status, std::string_view why) {
  std::string body;
  append_text(body, why);
  return {status, "application/json", body + "\n", {}};
}

http_response refusal(unsigned status, int code, std::string_view message) {
  std::string body = fmt::format(R"({{"code":{},"message":)", code);
  append_text(body, message);
  return {status, "application/json", body + "}", {}};
}

http_response failed(const error& why) {
  return refusal(why.code == "unavailable" ? 503 : 500, why.message);
}

http_response unavailable() {
  return failed({"unavailable", "the pipeline does not answer"});
}

std::optional<http_response> refuse_media_type(const http_request& request) {
  if (request.body.empty()) return std::nullopt;
  std::string type = request.content_type.substr(0, request.content_type.find(';'));
  type.erase(0, type.find_first_not_of(" \t"));
  type.erase(type.find_last_not_of(" \t") + 1);
  std::transform(type.begin(), type.end(), type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (type == "application/json") return std::nullopt;
  if (type.empty()) type = "application/octet-stream";
  return refusal(415, 415,
                 fmt::format("unsupported media type {}, only [application/json] are allowed",
                             go_quoted(type)));
}

result<label_matchers> filters_of(const http_request& request) {
  label_matchers all;
  for (const std::string& each : request.values("filter")) {
    auto read = parse_filter(each);
    if (!read) return read.failure();
    all.push_back(*std::move(read));
  }
  return all;
}

}  // namespace alertmanager

std::vector<http_route> alertmanager_routes(alert_backend& backend) {
  std::vector<http_route> routes;
  alertmanager::add_general_routes(routes, backend);
  alertmanager::add_alert_routes(routes, backend);
  alertmanager::add_silence_routes(routes, backend);
  return routes;
}

}  // namespace tocsin
