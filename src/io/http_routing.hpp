// SPDX-License-Identifier: Apache-2.0
// Which route of an HTTP server a request takes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/http_server.hpp"

namespace tocsin {

/// `text` with each %XX replaced by its byte; nothing when a '%' begins no such thing.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

struct route_choice {
  const http_route* route = nullptr;  ///< null: `refused` is the answer
  std::vector<std::pair<std::string, std::string>> captured;
  http_response refused;  ///< 404; 405 with Allow; 400 when a captured part is not decodable
};

/// Of the routes whose path and method fit, the one with the fewest captured parts; of several with
/// as many the first. `route` points into `routes`.
[[nodiscard]] route_choice choose_route(const std::vector<http_route>& routes,
                                        std::string_view method, std::string_view path);

}  // namespace tocsin
