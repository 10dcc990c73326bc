// SPDX-License-Identifier: Apache-2.0
// What a webhook is sent: Alertmanager's body, version 4.
#pragma once

#include <cstddef>
#include <string>

#include "tocsin/notice.hpp"

namespace tocsin {

/// The JSON of https://prometheus.io/docs/alerting/latest/configuration/#webhook_config: at most
/// `max_alerts` alerts (0: all), the others counted in truncatedAlerts. `external_url` is where
/// this daemon's API is.
[[nodiscard]] std::string webhook_body(const notice& of, std::size_t max_alerts,
                                       const std::string& external_url);

/// True when no alert of it is active: then receivers with send_resolved: false are not told.
[[nodiscard]] bool is_all_resolved(const notice& of);

}  // namespace tocsin
