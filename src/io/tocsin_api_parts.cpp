// SPDX-License-Identifier: Apache-2.0
// Answers, refusals and fields that several of the routes share.
#include "io/tocsin_api_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "io/alert_codec.hpp"
#include "io/utf8.hpp"

namespace tocsin::api {

namespace {

constexpr std::size_t shown_bytes_max = 100;
constexpr std::size_t operator_bytes_max = 256;

/// Actors of transitions that nobody made by hand (docs/stream.md): statistics tell them apart.
constexpr std::array<std::string_view, 4> actors_reserved{"rule", "event", "checker", "api"};

unsigned status_of(std::string_view code) {
  constexpr std::array<std::pair<std::string_view, unsigned>, 8> statuses{{
      {"not_found", 404},
      {"silence_not_found", 404},
      {"already_acknowledged", 409},
      {"illegal_transition", 409},
      {"silence_expired", 409},
      {"store_failed", 500},
      {"unavailable", 503},
      {"busy", 503},
  }};
  const auto* const found = std::find_if(statuses.begin(), statuses.end(),
                                         [&](const auto& each) { return each.first == code; });
  return found == statuses.end() ? 400 : found->second;
}

}  // namespace

std::string api_path(std::string_view rest) {
  return fmt::format("/api/tocsin/v1{}", rest);
}

http_response json_answer(std::string body) {
  return {200, "application/json", std::move(body), {}};
}

http_response refusal(unsigned status, const field_error& wrong) {
  json_line body;
  body.begin_object().key("code").text(wrong.code).key("message").text(wrong.message);
  if (!wrong.field.empty()) body.key("field").text(wrong.field);
  body.end_object();
  return {status, "application/json", body.line(), {}};
}

http_response refusal(const error& wrong) {
  return refusal(status_of(wrong.code), {wrong.code, wrong.message, {}});
}

http_response unavailable() {
  return refusal(error{"unavailable", "the pipeline does not answer: it has ended or is too busy"});
}

std::optional<http_response> refuse_body_type(const http_request& request) {
  std::string_view type = request.content_type;
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  if (type == "application/json") return std::nullopt;
  return refusal(415, {"unsupported_media_type",
                       fmt::format("the Content-Type is '{}', wanted application/json",
                                   printable(request.content_type, shown_bytes_max)),
                       {}});
}

result<fingerprint> requested_alert(const http_request& request) {
  const std::string_view seen = request.part("alert_id");
  if (const auto id = parse_fingerprint(seen)) return *id;
  return error{"bad_field",
               fmt::format("alert_id: '{}' is not an alert's id, wanted 32 hexadecimal digits",
                           printable(seen, shown_bytes_max))};
}

std::optional<std::vector<transition>> active_alerts(const alert_backend& backend) {
  std::vector<transition> active;
  if (!backend.inspect([&](const alert_book& book) { active = book.active(); })) {
    return std::nullopt;
  }
  return active;
}

void write_alerts(json_line& to, const std::vector<transition>& alerts) {
  to.begin_list();
  for (const transition& each : alerts) to.json(encode_alert_json(*each));
  to.end_list();
}

void write_texts(json_line& to, const std::vector<std::string>& texts) {
  to.begin_list();
  for (const std::string& each : texts) to.text(each);
  to.end_list();
}

void write_labels(json_line& to, const std::vector<std::pair<std::string, std::string>>& labels) {
  to.begin_object();
  for (const auto& [name, value] : labels) to.key(name).text(value);
  to.end_object();
}

label_matchers read_matchers(json_request& body) {
  label_matchers all;
  for (const std::string& each : body.texts("matchers")) {
    auto read = parse_label_matcher(each);
    if (!read) {
      const std::string place = fmt::format("matchers[{}]", all.size());
      body.refuse(place,
                  fmt::format("{}: '{}': {}", place, printable(each, shown_bytes_max),
                              read.failure().message),
                  "bad_matcher");
      return {};
    }
    all.push_back(std::move(*read));
  }
  return all;
}

std::string read_operator(json_request& body, std::string_view name) {
  std::string who = body.needed_text(name);
  if (std::find(actors_reserved.begin(), actors_reserved.end(), who) != actors_reserved.end()) {
    body.refuse(name,
                fmt::format("{}: '{}' stands for a part of tocsin, wanted who asks", name, who));
  }
  const bool control = std::any_of(who.begin(), who.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < ' '; });
  if (control || who.size() > operator_bytes_max) {
    body.refuse(name, fmt::format("{}: '{}' is not one line of at most {} bytes", name,
                                  printable(who, shown_bytes_max), operator_bytes_max));
  }
  return who;
}

std::string read_actor(json_request& body, std::string_view name, std::string_view caller) {
  const bool told = !caller.empty() && body.text(name).empty();
  return actor_of(caller, told ? std::string{} : read_operator(body, name));
}

}  // namespace tocsin::api
