// SPDX-License-Identifier: Apache-2.0
// Each part of an interval, to and from its texts.
#include "io/tocsin_api_intervals.hpp"

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "io/utf8.hpp"

namespace tocsin::api {

namespace {

constexpr std::size_t shown_bytes_max = 100;
constexpr std::array<std::string_view, 7> weekday_names{
    "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
constexpr std::array<std::string_view, 12> month_names{
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};

std::vector<minute_range> read_times(json_request& body) {
  std::vector<minute_range> all;
  body.each("times", [&all](json_request& part) {
    const std::string start = part.needed_text("start_time");
    const std::string end = part.needed_text("end_time");
    if (start.empty() || end.empty()) return;
    const auto range = parse_minute_range(start, end);
    if (range) {
      all.push_back(*range);
    } else {
      part.refuse("start_time", range.failure().message);
    }
  });
  return all;
}

using range_reader = result<calendar_range> (*)(std::string_view);

std::vector<calendar_range> read_ranges(json_request& body, std::string_view name,
                                        range_reader read) {
  std::vector<calendar_range> all;
  for (const std::string& each : body.texts(name)) {
    const auto range = read(each);
    if (!range) {
      body.refuse(fmt::format("{}[{}]", name, all.size()), range.failure().message);
      return {};
    }
    all.push_back(*range);
  }
  return all;
}

std::string plain_number(int number) {
  return std::to_string(number);
}
std::string weekday_name(int day) {
  return std::string{weekday_names.at(static_cast<std::size_t>(day))};
}
std::string month_name(int month) {
  return std::string{month_names.at(static_cast<std::size_t>(month - 1))};
}

void write_ranges(json_line& to, std::string_view name, const std::vector<calendar_range>& ranges,
                  std::string (*text_of)(int)) {
  if (ranges.empty()) return;
  to.key(name).begin_list();
  for (const auto& [first, last] : ranges) {
    to.text(first == last ? text_of(first) : text_of(first) + ":" + text_of(last));
  }
  to.end_list();
}

std::string minute_text(int minute) {
  constexpr int minutes_an_hour = 60;
  return fmt::format("{:02}:{:02}", minute / minutes_an_hour, minute % minutes_an_hour);
}

}  // namespace

std::vector<time_interval> read_intervals(json_request& body, std::string_view name) {
  std::vector<time_interval> all;
  body.each(name, [&all](json_request& part) {
    time_interval made;
    made.times = read_times(part);
    made.weekdays = read_ranges(part, "weekdays", parse_weekdays);
    made.days_of_month = read_ranges(part, "days_of_month", parse_days_of_month);
    made.months = read_ranges(part, "months", parse_months);
    made.years = read_ranges(part, "years", parse_years);
    made.location = part.text("location");
    if (!made.location.empty() && !is_time_zone(made.location)) {
      part.refuse("location", fmt::format("'{}' is not a time zone that this system knows (try "
                                          "Europe/Berlin)",
                                          printable(made.location, shown_bytes_max)));
    }
    all.push_back(std::move(made));
  });
  return all;
}

void write_intervals(json_line& to, const std::vector<time_interval>& intervals) {
  to.begin_list();
  for (const time_interval& each : intervals) {
    to.begin_object();
    if (!each.times.empty()) {
      to.key("times").begin_list();
      for (const auto& [start, end] : each.times) {
        to.begin_object().key("start_time").text(minute_text(start));
        to.key("end_time").text(minute_text(end)).end_object();
      }
      to.end_list();
    }
    write_ranges(to, "weekdays", each.weekdays, weekday_name);
    write_ranges(to, "days_of_month", each.days_of_month, plain_number);
    write_ranges(to, "months", each.months, month_name);
    write_ranges(to, "years", each.years, plain_number);
    if (!each.location.empty()) to.key("location").text(each.location);
    to.end_object();
  }
  to.end_list();
}

}  // namespace tocsin::api
