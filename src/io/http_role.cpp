// SPDX-License-Identifier: Apache-2.0
// The table of roles.
#include "io/http_role.hpp"

namespace tocsin {

std::string_view to_text(http_role role) noexcept {
  switch (role) {
    case http_role::view:
      return "viewer";
    case http_role::operate:
      return "operator";
    case http_role::send:
      break;
  }
  return "sender";
}

std::optional<http_role> parse_http_role(std::string_view word) noexcept {
  for (const auto role : {http_role::view, http_role::operate, http_role::send}) {
    if (word == to_text(role)) return role;
  }
  return std::nullopt;
}

http_need need_of(std::string_view method, std::string_view route) noexcept {
  if (method == "GET") {
    // Probes have no secrets, and learn nothing but that the daemon is there.
    return route == "/-/healthy" || route == "/-/ready" ? http_need::nothing : http_need::view;
  }
  if (method == "POST" && route == "/api/v2/alerts") return http_need::send;
  return http_need::operate;
}

bool meets(http_role role, http_need need) noexcept {
  switch (need) {
    case http_need::nothing:
      return true;
    case http_need::view:
      return role == http_role::view || role == http_role::operate;
    case http_need::send:
      return role == http_role::send || role == http_role::operate;
    case http_need::operate:
      break;
  }
  return role == http_role::operate;
}

std::string_view roles_text(http_need need) noexcept {
  switch (need) {
    case http_need::nothing:
      return "none";
    case http_need::view:
      return "viewer or operator";
    case http_need::send:
      return "sender or operator";
    case http_need::operate:
      break;
  }
  return "operator";
}

}  // namespace tocsin
