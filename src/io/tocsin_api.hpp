// SPDX-License-Identifier: Apache-2.0
// tocsin's own HTTP interface: what is served under /api/tocsin/v1 (docs/http.md).
#pragma once

#include <vector>

#include "io/alert_backend.hpp"
#include "io/http_server.hpp"

namespace tocsin {

/// `backend` must outlive the routes. Safe for any number of threads.
[[nodiscard]] std::vector<http_route> tocsin_routes(alert_backend& backend);

}  // namespace tocsin
