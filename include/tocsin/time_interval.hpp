// SPDX-License-Identifier: Apache-2.0
// Alertmanager's time intervals: which minutes of which days, in a time zone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// Both ends belong to it. Days of a month may be negative: -1 is the last one.
struct calendar_range {
  int first = 0;
  int last = 0;
  friend bool operator==(const calendar_range&, const calendar_range&) = default;
};

/// Minutes since midnight, [start, end); 24:00 is 1,440.
struct minute_range {
  int start = 0;
  int end = 0;
  friend bool operator==(const minute_range&, const minute_range&) = default;
};

/// An instant is in it when each part that is not empty has it. All parts empty: every instant.
struct time_interval {
  std::vector<minute_range> times;
  std::vector<calendar_range> weekdays;       ///< 0 Sunday to 6 Saturday
  std::vector<calendar_range> days_of_month;  ///< 1 to 31, -31 to -1
  std::vector<calendar_range> months;         ///< 1 to 12
  std::vector<calendar_range> years;
  std::string location;  ///< IANA zone; "" is UTC
  friend bool operator==(const time_interval&, const time_interval&) = default;
};

/// Under one name several intervals; an instant is in it when it is in one of them.
struct named_time_interval {
  std::string name;
  std::vector<time_interval> intervals;
};

/// The texts of Alertmanager's fields: "09:00" to "17:00", "monday:friday", "1:5" or "-3:-1",
/// "january:march" or "1:3", "2026:2028"; a single value is a range of one, names in any case.
/// Ranges that hold nothing are refused: no range goes past midnight, saturday or december. Errors:
/// bad_interval.
[[nodiscard]] result<minute_range> parse_minute_range(std::string_view start, std::string_view end);
[[nodiscard]] result<calendar_range> parse_weekdays(std::string_view text);
[[nodiscard]] result<calendar_range> parse_days_of_month(std::string_view text);
[[nodiscard]] result<calendar_range> parse_months(std::string_view text);
[[nodiscard]] result<calendar_range> parse_years(std::string_view text);
/// True when the system's tables know the zone. Neither a file's path nor the machine's own zone is
/// one, and "" is not.
[[nodiscard]] bool is_time_zone(std::string_view name);

/// By the zone's wall clock: an hour that it skips is in nothing, one that it repeats is twice in
/// what holds it. A zone that is none holds nothing.
[[nodiscard]] bool contains(const time_interval& interval, instant at);
[[nodiscard]] bool contains(const std::vector<time_interval>& any_of, instant at);
/// When an instant's containment can next change: the first full minute after `at`.
[[nodiscard]] instant next_minute(instant at) noexcept;

}  // namespace tocsin
