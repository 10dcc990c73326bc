// SPDX-License-Identifier: Apache-2.0
// Instants and durations as tocsin uses them: whole milliseconds, and their texts.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin {

/// A length of time, in milliseconds.
using duration = std::chrono::milliseconds;
/// A point in time: Unix milliseconds, UTC.
using instant = std::chrono::sys_time<duration>;

[[nodiscard]] constexpr instant from_unix_ms(long long unix_ms) noexcept {
  return instant{duration{unix_ms}};
}
[[nodiscard]] constexpr long long to_unix_ms(instant at) noexcept {
  return at.time_since_epoch().count();
}

/// The times that have a text: RFC 3339 knows the years 0000 to 9999. Any two differ by less than a
/// duration can hold.
inline constexpr instant earliest_instant = from_unix_ms(-62'167'219'200'000);
inline constexpr instant latest_instant = from_unix_ms(253'402'300'799'999);

[[nodiscard]] constexpr bool has_text(instant at) noexcept {
  return earliest_instant <= at && at <= latest_instant;
}

/// Reads "250ms", "5s", "1h30m", "7d", "2w" (units ms s m h d w, largest first, each once, whole
/// numbers; "0" is allowed alone). Nothing for anything else, or beyond 10,000 days. Negative
/// durations do not exist.
[[nodiscard]] std::optional<duration> parse_duration(std::string_view text);

/// The shortest text that parse_duration reads back: 300 s -> "5m", 5,400 s -> "1h30m", 0 -> "0s".
[[nodiscard]] std::string format_duration(duration length);

/// Reads an RFC 3339 date-time ("2026-03-01T10:00:00.250Z", with any offset); digits past
/// milliseconds are cut. Nothing outside of the years 0000 to 9999 of UTC.
[[nodiscard]] std::optional<instant> parse_rfc3339(std::string_view text);

/// RFC 3339 in UTC with milliseconds: "2026-03-01T10:00:00.250Z".
[[nodiscard]] std::string format_rfc3339(instant at);

}  // namespace tocsin
