// SPDX-License-Identifier: Apache-2.0
// Alertmanager's HTTP API v2, so that what is made for Alertmanager works with tocsin.
#pragma once

#include <vector>

#include "io/alert_backend.hpp"
#include "io/http_server.hpp"

namespace tocsin {

/// Every path of Alertmanager 0.25's API under /api/v2, with its status codes, JSON and words for
/// errors. `backend` must outlive the routes. What is tocsin's own:
///
/// - Alerts of rules and of incidents are there with those that were posted, while they fire or are
///   acknowledged; pending ones are not. They end resolve_timeout from now; their title and
///   description are the annotations `summary` and `description` unless they have such. Alerts that
///   are muted are active, as with Alertmanager.
/// - An edit keeps a silence's scope and recurrence, of which this API knows nothing.
/// - 503 when the pipeline does not answer.
[[nodiscard]] std::vector<http_route> alertmanager_routes(alert_backend& backend);

}  // namespace tocsin
