// SPDX-License-Identifier: Apache-2.0
// Reads the parts of time intervals, and says whether an instant is in one.
#include "tocsin/time_interval.hpp"

#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace tocsin {
namespace {

constexpr std::array<std::string_view, 7> weekday_names{
    "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
constexpr std::array<std::string_view, 12> month_names{
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};
constexpr int longest_month = 31;
constexpr int minutes_of_day = 24 * 60;

error bad(std::string message) {
  return {"bad_interval", std::move(message)};
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::optional<int> whole_number(std::string_view text) {
  int number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <std::size_t Size>
std::optional<int> place_of(const std::array<std::string_view, Size>& names,
                            std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<int>(found - names.begin());
}

template <std::size_t Size>
std::string hint(const std::array<std::string_view, Size>& names, std::string_view seen) {
  const std::string near = nearest_word(seen, {names.begin(), names.end()});
  return near.empty() ? std::string{} : fmt::format(" (did you mean '{}'?)", near);
}

/// Reads "FIRST:LAST" or "ONE"; `member` reads an end of it.
template <class Member>
result<calendar_range> parse_range(std::string_view text, Member member) {
  const std::string written = lower(text);
  const std::string_view all = written;
  const std::size_t colon = all.find(':');
  const result<int> first = member(all.substr(0, colon));
  if (!first) return first.failure();
  if (colon == std::string_view::npos) return calendar_range{*first, *first};
  const result<int> last = member(all.substr(colon + 1));
  if (!last) return last.failure();
  return calendar_range{*first, *last};
}

result<calendar_range> in_order(result<calendar_range> read, std::string_view text,
                                std::string_view course) {
  if (!read || read->first <= read->last) return read;
  return bad(fmt::format("the range '{}' ends before it begins ({})", text, course));
}

/// Minutes since midnight.
std::optional<int> clock_time(std::string_view text) {
  if (text == "24:00") return minutes_of_day;
  constexpr std::size_t digits[] = {0, 1, 3, 4};
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const std::size_t at : digits) {
    if (text[at] < '0' || text[at] > '9') return std::nullopt;
  }
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  if (hour > 23 || minute > 59) return std::nullopt;
  return hour * 60 + minute;
}

/// An IANA name: neither a file, nor the machine's own zone, which differs from host to host.
bool is_zone_name(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '+' || c == '-' || c == '/';
  };
  return name.front() >= 'A' && name.front() <= 'Z' && std::all_of(name.begin(), name.end(), good);
}

/// "" is UTC.
std::optional<absl::TimeZone> zone_of(std::string_view name) {
  if (name.empty()) return absl::UTCTimeZone();
  absl::TimeZone zone;
  if (!is_zone_name(name) || !absl::LoadTimeZone({name.data(), name.size()}, &zone)) {
    return std::nullopt;
  }
  return zone;
}

bool has(const std::vector<calendar_range>& ranges, int wanted) {
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [&](calendar_range one) {
           return one.first <= wanted && wanted <= one.last;
         });
}

bool has_minute(const std::vector<minute_range>& ranges, int minute) {
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [&](minute_range one) {
           return one.start <= minute && minute < one.end;
         });
}

bool has_day(const std::vector<calendar_range>& ranges, absl::CivilSecond civil) {
  if (ranges.empty()) return true;
  const int length = (absl::CivilDay(absl::CivilMonth(civil) + 1) - 1).day();
  const auto from_the_first = [&](int day) { return day < 0 ? length + 1 + day : day; };
  return std::any_of(ranges.begin(), ranges.end(), [&](calendar_range one) {
    return from_the_first(one.first) <= civil.day() && civil.day() <= from_the_first(one.last);
  });
}

}  // namespace

result<minute_range> parse_minute_range(std::string_view start, std::string_view end) {
  const auto from = clock_time(start);
  const auto to = clock_time(end);
  for (const auto& [read, text] : {std::pair{from, start}, std::pair{to, end}}) {
    if (!read) return bad(fmt::format("'{}' is not a time of day (00:00 to 24:00)", text));
  }
  if (*from >= *to) {
    return bad(
        fmt::format("the times {} to {} end before they begin (what goes past midnight is "
                    "two ranges: to 24:00, and from 00:00)",
                    start, end));
  }
  return minute_range{*from, *to};
}

result<calendar_range> parse_weekdays(std::string_view text) {
  const auto member = [](std::string_view name) -> result<int> {
    if (const auto day = place_of(weekday_names, name)) return *day;
    return bad(fmt::format("'{}' is not a weekday{}", name, hint(weekday_names, name)));
  };
  return in_order(parse_range(text, member), text, "a week runs from sunday to saturday");
}

result<calendar_range> parse_days_of_month(std::string_view text) {
  const auto member = [](std::string_view written) -> result<int> {
    const auto day = whole_number(written);
    if (day && *day != 0 && std::abs(*day) <= longest_month) return *day;
    return bad(
        fmt::format("'{}' is not a day of a month (1 to 31, or -1 for the last to -31)", written));
  };
  auto read = parse_range(text, member);
  if (!read) return read;
  if (read->first < 0 && read->last > 0) {
    return bad(
        fmt::format("the range '{}' begins counted from a month's end, so its end must be "
                    "counted from there too",
                    text));
  }
  const int first = read->first < 0 ? longest_month + 1 + read->first : read->first;
  const int last = read->last < 0 ? longest_month + 1 + read->last : read->last;
  if (first <= last) return read;
  return bad(fmt::format("the range '{}' ends before it begins in every month", text));
}

result<calendar_range> parse_months(std::string_view text) {
  const auto member = [](std::string_view name) -> result<int> {
    if (const auto month = place_of(month_names, name)) return *month + 1;
    const auto number = whole_number(name);
    if (number && *number >= 1 && *number <= 12) return *number;
    return bad(
        fmt::format("'{}' is not a month (1 to 12, or its name){}", name, hint(month_names, name)));
  };
  return in_order(parse_range(text, member), text, "a year runs from january to december");
}

result<calendar_range> parse_years(std::string_view text) {
  const auto member = [](std::string_view written) -> result<int> {
    const auto year = whole_number(written);
    if (year && *year >= 0) return *year;
    return bad(fmt::format("'{}' is not a year (such as 2026)", written));
  };
  return in_order(parse_range(text, member), text, "the earlier year comes first");
}

bool is_time_zone(std::string_view name) {
  return !name.empty() && zone_of(name).has_value();
}

bool contains(const time_interval& interval, instant at) {
  const auto zone = zone_of(interval.location);
  if (!zone) return false;
  const absl::CivilSecond civil = absl::ToCivilSecond(absl::FromUnixMillis(to_unix_ms(at)), *zone);
  // absl's week begins on monday.
  const int weekday = (static_cast<int>(absl::GetWeekday(civil)) + 1) % 7;
  return has_minute(interval.times, civil.hour() * 60 + civil.minute()) &&
         has(interval.weekdays, weekday) && has_day(interval.days_of_month, civil) &&
         has(interval.months, civil.month()) && has(interval.years, static_cast<int>(civil.year()));
}

bool contains(const std::vector<time_interval>& any_of, instant at) {
  return std::any_of(any_of.begin(), any_of.end(),
                     [&](const time_interval& one) { return contains(one, at); });
}

instant next_minute(instant at) noexcept {
  return std::chrono::floor<std::chrono::minutes>(at) + std::chrono::minutes{1};
}

}  // namespace tocsin
