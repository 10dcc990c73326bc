// SPDX-License-Identifier: Apache-2.0
// The server's own choice of routes, called at once.
#include "support/route_caller.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "io/http_routing.hpp"

namespace tocsin::testing {

called_route route_caller::call(std::string method, std::string_view target, std::string body,
                                std::string content_type, std::string caller) const {
  http_request request;
  request.method = std::move(method);
  const auto question = std::min(target.find('?'), target.size());
  request.path = target.substr(0, question);
  request.query = target.substr(std::min(question + 1, target.size()));
  request.body = std::move(body);
  request.content_type = request.body.empty() ? "" : std::move(content_type);
  request.caller = std::move(caller);
  auto choice = choose_route(routes_, request.method, request.path);
  if (!choice.route) return {"", std::move(choice.refused)};
  request.captured = std::move(choice.captured);
  return {choice.route->path, choice.route->answer(request)};
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", byte);
    }
  }
  return encoded;
}

}  // namespace tocsin::testing
