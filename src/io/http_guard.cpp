// SPDX-License-Identifier: Apache-2.0
// Compares names and tokens.
#include "io/http_guard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "io/http_address.hpp"
#include "io/http_tls.hpp"

namespace tocsin {
namespace {

std::string in_lower_case(std::string_view text) {
  std::string made{text};
  std::transform(made.begin(), made.end(), made.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return made;
}

/// The token in "Bearer TOKEN" (RFC 6750, section 2.1; the word in any case); "" when it is
/// anything else.
std::string_view bearer_token_in(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer ";
  if (authorization.size() <= scheme.size()) return {};
  if (in_lower_case(authorization.substr(0, scheme.size())) != scheme) return {};
  authorization.remove_prefix(
      std::min(authorization.find_first_not_of(' ', scheme.size()), authorization.size()));
  return authorization;
}

}  // namespace

http_guard load_http_guard(const http_settings& from, diagnostics& found) {
  http_guard guard;
  guard.hosts = from.hosts;
  if (!from.tokens.empty()) guard.tokens = token_book::load(from.tokens, found);
  if (from.has_tls()) guard.tls = tls_identity::load(from.cert_file, from.key_file, found);
  return guard;
}

http_gate::http_gate(const http_guard& guard, std::string_view listen)
    : tokens_(guard.tokens), hosts_{"localhost", "127.0.0.1", "[::1]"} {
  for (const std::string& each : guard.hosts) hosts_.push_back(in_lower_case(each));
  if (const auto parts = split_address(listen)) hosts_.push_back(in_lower_case(parts->host));
}

bool http_gate::knows_host(std::string_view header, std::string_view local) const {
  const auto parts = split_address(header);
  if (!parts) return false;
  const std::string host = in_lower_case(parts->host);
  return host == local || std::find(hosts_.begin(), hosts_.end(), host) != hosts_.end();
}

http_gate::admission http_gate::admit(std::string_view authorization,
                                      std::optional<http_need> need) const {
  if (!tokens_ || need == http_need::nothing) return {};
  const auto token = bearer_token_in(authorization);
  if (token.empty()) {
    return {"", http_refusal::unauthorized,
            authorization.empty() ? "a token is needed: send Authorization: Bearer TOKEN"
                                  : "the Authorization header is not Bearer TOKEN"};
  }
  auto bearer = tokens_->bearer_of(token);
  if (!bearer) return {"", http_refusal::unauthorized, "this token is not known, or is no more"};
  if (need && !meets(bearer->role, *need)) {
    auto message = fmt::format("the token of {} has the role {}, wanted {}", bearer->name,
                               to_text(bearer->role), roles_text(*need));
    return {std::move(bearer->name), http_refusal::forbidden, std::move(message)};
  }
  return {std::move(bearer->name), std::nullopt, ""};
}

}  // namespace tocsin
