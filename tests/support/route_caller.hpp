// SPDX-License-Identifier: Apache-2.0
// Asks a table of HTTP routes as the server does, without a socket.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/http_server.hpp"

namespace tocsin::testing {

/// A request's answer, and which route gave it.
struct called_route {
  std::string path;  ///< the route's: "/alerts/{alert_id}"; "" when none was found
  http_response response;
};

class route_caller {
 public:
  explicit route_caller(std::vector<http_route> routes) : routes_(std::move(routes)) {}

  /// `target` is a path and what follows it: "/alerts?limit=1". `caller`: whose token came with it.
  [[nodiscard]] called_route call(std::string method, std::string_view target,
                                  std::string body = {},
                                  std::string content_type = "application/json",
                                  std::string caller = {}) const;
  [[nodiscard]] const std::vector<http_route>& routes() const noexcept { return routes_; }

 private:
  std::vector<http_route> routes_;
};

/// `text` as it stands in a query.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace tocsin::testing
