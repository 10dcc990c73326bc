// SPDX-License-Identifier: Apache-2.0
// The bodies that Prometheus posts to Alertmanager's API: lists of alerts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/operation.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// Why a body cannot be read, as Alertmanager's server (go-openapi) tells it:
/// {"code": `code`, "message": `message`} with `status`.
struct body_refusal {
  unsigned status = 400;
  int code = 400;
  std::string message;
};

/// What a body holds. Alerts are not yet looked at one by one: see refuse_posted().
struct posted_body {
  std::optional<body_refusal> refused;  ///< then `alerts` means nothing
  std::vector<posted_alert> alerts;     ///< labels without empty values, by name
};

/// Reads a JSON list of alerts as Alertmanager does: unknown keys are skipped, keys are known in
/// any case, null is as good as nothing, of a label that comes twice the last counts, what follows
/// the list is not looked at. One alert that cannot be read refuses them all.
[[nodiscard]] posted_body read_posted_alerts(std::string_view body);

/// Why Alertmanager does not take this alert, in its words; nothing when it does. `ends_by_default`
/// is when an alert without an end ends.
[[nodiscard]] std::optional<std::string> refuse_posted(const posted_alert& posted,
                                                       instant ends_by_default);

}  // namespace tocsin
