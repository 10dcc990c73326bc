// SPDX-License-Identifier: Apache-2.0
// All routes of tocsin's own HTTP interface.
#include "io/tocsin_api.hpp"

#include "io/tocsin_api_parts.hpp"

namespace tocsin {

std::vector<http_route> tocsin_routes(alert_backend& backend) {
  std::vector<http_route> routes;
  api::add_alert_routes(routes, backend);
  api::add_operation_routes(routes, backend);
  api::add_explain_route(routes, backend);
  api::add_history_routes(routes, backend);
  api::add_silence_routes(routes, backend);
  api::add_overview_routes(routes, backend);
  return routes;
}

}  // namespace tocsin
