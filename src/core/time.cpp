// SPDX-License-Identifier: Apache-2.0
// Reading and writing durations and RFC 3339 date-times.
#include "tocsin/time.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

namespace tocsin {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

struct unit_of_time {
  std::string_view name;
  std::int64_t length_ms;
};
constexpr std::array<unit_of_time, 6> units{{{"w", 7 * 86'400'000LL},
                                             {"d", 86'400'000},
                                             {"h", 3'600'000},
                                             {"m", 60'000},
                                             {"s", 1000},
                                             {"ms", 1}}};
constexpr std::int64_t longest_ms = 10'000 * 86'400'000LL;

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// Takes characters off the front of a text.
class reader {
 public:
  explicit reader(std::string_view text) noexcept : rest_(text) {}

  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] bool at_digit() const noexcept { return !rest_.empty() && is_digit(rest_.front()); }
  char next() noexcept {
    if (rest_.empty()) return '\0';
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  bool take(char wanted) noexcept {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Exactly `digits` digits, giving at most `largest`; otherwise sets failed().
  int number(int digits, int smallest, int largest) noexcept {
    int value = 0;
    for (int i = 0; i < digits; ++i) {
      const char c = next();
      if (!is_digit(c)) failed_ = true;
      value = value * 10 + (is_digit(c) ? c - '0' : 0);
    }
    if (value < smallest || value > largest) failed_ = true;
    return value;
  }
  void demand(char wanted) noexcept {
    if (!take(wanted)) failed_ = true;
  }
  void fail() noexcept { failed_ = true; }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

duration fraction(reader& in) noexcept {
  if (!in.take('.')) return duration{0};
  if (!in.at_digit()) in.fail();
  int millis = 0;
  for (int weight = 100; in.at_digit(); weight /= 10) millis += weight * (in.next() - '0');
  return duration{millis};
}

minutes utc_offset(reader& in) noexcept {
  if (in.take('Z') || in.take('z')) return minutes{0};
  const bool east = in.take('+');
  if (!east) in.demand('-');
  const int hour = in.number(2, 0, 23);
  in.demand(':');
  const minutes offset = hours{hour} + minutes{in.number(2, 0, 59)};
  return east ? offset : -offset;
}

}  // namespace

std::optional<duration> parse_duration(std::string_view text) {
  if (text == "0") return duration{0};
  if (text.empty()) return std::nullopt;
  std::int64_t total_ms = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    std::int64_t count = 0;
    std::size_t digits = 0;
    for (; digits < text.size() && is_digit(text[digits]); ++digits) {
      count = count * 10 + (text[digits] - '0');
      if (count > longest_ms) return std::nullopt;
    }
    if (digits == 0) return std::nullopt;
    text.remove_prefix(digits);
    const std::string_view name = text.substr(
        0,
        static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_digit) - text.begin()));
    text.remove_prefix(name.size());
    while (next_unit < units.size() && units[next_unit].name != name) ++next_unit;
    if (next_unit == units.size()) return std::nullopt;
    const std::int64_t length_ms = units[next_unit++].length_ms;
    if (count > (longest_ms - total_ms) / length_ms) return std::nullopt;
    total_ms += count * length_ms;
  }
  return duration{total_ms};
}

std::string format_duration(duration length) {
  if (length.count() == 0) return "0s";
  std::string text = length.count() < 0 ? "-" : "";
  // Unsigned, since the smallest integer has no positive twin.
  std::uint64_t rest = static_cast<std::uint64_t>(length.count());
  if (length.count() < 0) rest = 0 - rest;
  for (const unit_of_time& unit : units) {
    const auto length_ms = static_cast<std::uint64_t>(unit.length_ms);
    // "8d" is easier to read than "1w1d": weeks stand alone or not at all.
    if (unit.name == "w" && rest % length_ms != 0) continue;
    if (rest >= length_ms) text += fmt::format("{}{}", rest / length_ms, unit.name);
    rest %= length_ms;
  }
  return text;
}

std::optional<instant> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;  // NOLINT: calendar arithmetic
  reader in{text};
  const int year_number = in.number(4, 0, 9999);
  in.demand('-');
  const int month_number = in.number(2, 1, 12);
  in.demand('-');
  const int day_number = in.number(2, 1, 31);
  if (!in.take('T')) in.demand('t');
  const int hour = in.number(2, 0, 23);
  in.demand(':');
  const int minute = in.number(2, 0, 59);
  in.demand(':');
  // 60 is a leap second, which Unix time counts as the first second of the next minute.
  const int second = in.number(2, 0, 60);
  const tocsin::duration millis = fraction(in);
  const minutes offset = utc_offset(in);
  const year_month_day date{year{year_number}, month{static_cast<unsigned>(month_number)},
                            day{static_cast<unsigned>(day_number)}};
  if (in.failed() || !in.at_end() || !date.ok()) return std::nullopt;
  const instant at =
      sys_days{date} + hours{hour} + minutes{minute} + seconds{second} + millis - offset;
  // Its offset may lead out of what can be written in UTC.
  return has_text(at) ? std::optional{at} : std::nullopt;
}

std::string format_rfc3339(instant at) {
  at = std::clamp(at, earliest_instant, latest_instant);
  const auto midnight = std::chrono::floor<days>(at);
  const std::chrono::year_month_day date{midnight};
  const std::chrono::hh_mm_ss<duration> clock{at - midnight};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace tocsin
