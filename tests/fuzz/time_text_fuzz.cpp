// SPDX-License-Identifier: Apache-2.0
// Any text as a duration, an instant, or a part of a time interval.
#include "fuzz/claim.hpp"
#include "io/json_request.hpp"
#include "tocsin/time.hpp"
#include "tocsin/time_interval.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;

constexpr duration longest = std::chrono::days{10'000};

void try_times(std::string_view text) {
  if (const auto length = parse_duration(text)) {
    claim(*length >= duration::zero() && *length <= longest, "a length has its bounds", text);
    claim(parse_duration(format_duration(*length)) == length, "a length is read back", text);
  }
  if (const auto at = parse_rfc3339(text)) {
    claim(parse_rfc3339(format_rfc3339(*at)) == at, "an instant is read back", format_rfc3339(*at));
    claim(parse_request_time(text).has_value(), "requests write RFC 3339", text);
  }
  if (const auto at = parse_request_time(text)) {
    claim(parse_rfc3339(format_rfc3339(*at)) == at, "a request's time is read back",
          format_rfc3339(*at));
  }
}

void try_range(const result<calendar_range>& read, int least, int most, std::string_view text) {
  if (!read) {
    claim(read.failure().code == "bad_interval" && !read.failure().message.empty(),
          "a refusal says why");
    return;
  }
  claim(read->first >= least && read->last <= most, "a range has its bounds", text);
}

void try_intervals(std::string_view text) {
  const auto comma = std::min(text.find(','), text.size());
  const std::string_view rest = text.substr(std::min(comma + 1, text.size()));
  if (const auto minutes = parse_minute_range(text.substr(0, comma), rest)) {
    claim(0 <= minutes->start && minutes->start < minutes->end && minutes->end <= 1440,
          "minutes are of a day", text);
  }
  const auto weekdays = parse_weekdays(text);
  const auto days = parse_days_of_month(text);
  const auto months = parse_months(text);
  const auto years = parse_years(text);
  try_range(weekdays, 0, 6, text);
  try_range(days, -31, 31, text);
  try_range(months, 1, 12, text);
  time_interval whole;
  if (weekdays) whole.weekdays = {*weekdays};
  if (days) whole.days_of_month = {*days};
  if (months) whole.months = {*months};
  if (years) whole.years = {*years};
  (void)contains(whole, from_unix_ms(1'770'000'000'000));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text = fuzzing::input_of(bytes, size);
  try_times(text);
  try_intervals(text);
  return 0;
}
