// SPDX-License-Identifier: Apache-2.0
// What a token lets its bearer do over HTTP, and what each route asks for.
#pragma once

#include <optional>
#include <string_view>

namespace tocsin {

enum class http_role {
  view,     ///< "viewer": reads everything
  operate,  ///< "operator": reads everything and does everything
  send,     ///< "sender": posts alerts to Alertmanager's API, and nothing else
};

[[nodiscard]] std::string_view to_text(http_role role) noexcept;
[[nodiscard]] std::optional<http_role> parse_http_role(std::string_view word) noexcept;

/// What a route asks for.
enum class http_need {
  nothing,  ///< no token
  view,     ///< viewer or operator
  send,     ///< sender or operator
  operate,  ///< operator
};

/// Of a method ("GET" stands for HEAD, too) at a route's path. A route that nobody thought of here
/// needs a viewer when it is a GET and an operator otherwise.
[[nodiscard]] http_need need_of(std::string_view method, std::string_view route) noexcept;
[[nodiscard]] bool meets(http_role role, http_need need) noexcept;
/// The roles that meet it: "viewer or operator"; "none" for nothing.
[[nodiscard]] std::string_view roles_text(http_need need) noexcept;

}  // namespace tocsin
