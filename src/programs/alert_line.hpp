// SPDX-License-Identifier: Apache-2.0
// One alert transition as one line for people.
#pragma once

#include <string>

#include "io/alert_summary.hpp"

namespace tocsin {

/// "2026-03-01T10:00:00.250Z  firing    critical  http-500  host1: 3 errors  (3 events, host1;
/// condition met; silenced)". Of what an operator did also who: "acknowledged by ann: known".
/// Control characters are made visible, so that no event can drive the terminal.
[[nodiscard]] std::string alert_line(const alert_summary& of, bool coloured);

}  // namespace tocsin
