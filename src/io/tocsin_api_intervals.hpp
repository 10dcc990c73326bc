// SPDX-License-Identifier: Apache-2.0
// Time intervals in JSON, in the form that Alertmanager gives them.
#pragma once

#include <string_view>
#include <vector>

#include "io/json_line.hpp"
#include "io/json_request.hpp"
#include "tocsin/time_interval.hpp"

namespace tocsin::api {

/// Reads the list `name` of {times: [{start_time, end_time}], weekdays, days_of_month, months,
/// years, location}; what is wrong is refused in `body`.
[[nodiscard]] std::vector<time_interval> read_intervals(json_request& body, std::string_view name);

/// The same form, parts that are empty left out.
void write_intervals(json_line& to, const std::vector<time_interval>& intervals);

}  // namespace tocsin::api
