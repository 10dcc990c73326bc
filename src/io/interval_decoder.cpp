// SPDX-License-Identifier: Apache-2.0
// Decodes time intervals and cuts nights at midnight.
#include "io/interval_decoder.hpp"

#include <algorithm>

#include "io/policy_fields.hpp"

namespace tocsin {
namespace {

constexpr std::string_view day_begins = "00:00";
constexpr std::string_view day_ends = "24:00";

using range_parser = result<calendar_range> (*)(std::string_view);

void take_ranges(const yaml_fields& fields, std::string_view name, range_parser parse,
                 std::vector<calendar_range>& into) {
  for (const yaml_node* item : take_list(fields, name)) {
    auto read = parse(item->text);
    if (read) {
      into.push_back(*read);
    } else {
      fields.decode().error(*item, fmt::format("'{}': {}", name, read.failure().message));
    }
  }
}

/// The times of one interval on the day they begin and on the day after.
struct day_times {
  std::vector<minute_range> same_day;
  std::vector<minute_range> next_day;
};

/// True when it was a night and was taken.
bool take_night(const placed_text& start, const placed_text& end, day_times& into) {
  const auto evening = parse_minute_range(start.text, day_ends);
  const bool to_midnight = end.text == day_begins;
  if (!evening) return false;
  if (to_midnight) {
    into.same_day.push_back(*evening);
    return true;
  }
  const auto morning = parse_minute_range(day_begins, end.text);
  if (!morning || morning->end >= evening->start) return false;
  into.same_day.push_back(*evening);
  into.next_day.push_back(*morning);
  return true;
}

void take_times(const yaml_fields& fields, midnight crossing, day_times& into) {
  const yaml_entry* const entry = fields.entry("times");
  if (entry == nullptr) return;
  yaml_decoder& decode = fields.decode();
  if (!decode.check(*entry, yaml_node::kind::list, "'times'")) return;
  for (const yaml_node& item : entry->value.items) {
    if (!decode.check_map(item, "an entry of 'times'", {"start_time", "end_time"})) continue;
    const yaml_fields range(item, decode);
    placed_text start;
    placed_text end;
    range.required_text("start_time", "a time of day such as 09:00", start);
    range.required_text("end_time", "a time of day such as 17:00", end);
    if (start.line == 0 || end.line == 0) continue;
    if (crossing == midnight::is_crossed && take_night(start, end, into)) continue;
    const auto read = parse_minute_range(start.text, end.text);
    if (read) {
      into.same_day.push_back(*read);
    } else {
      decode.error(item, fmt::format("'times': {}", read.failure().message));
    }
  }
}

/// The weekdays after these.
std::vector<calendar_range> next_days(const std::vector<calendar_range>& days) {
  constexpr int saturday = 6;
  constexpr int sunday = 0;
  std::vector<calendar_range> shifted;
  for (const calendar_range& range : days) {
    if (range.first < saturday) {
      shifted.push_back({range.first + 1, std::min(range.last + 1, saturday)});
    }
    if (range.last == saturday) shifted.push_back({sunday, sunday});
  }
  return shifted;
}

}  // namespace

void decode_interval(const yaml_node& node, midnight crossing, yaml_decoder& decode,
                     std::vector<time_interval>& into) {
  if (!decode.check_map(node, "a time interval",
                        {"times", "weekdays", "days_of_month", "months", "years", "location"})) {
    return;
  }
  const std::size_t before = decode.errors();
  const yaml_fields fields(node, decode);
  time_interval made;
  day_times times;
  take_times(fields, crossing, times);
  take_ranges(fields, "weekdays", parse_weekdays, made.weekdays);
  take_ranges(fields, "days_of_month", parse_days_of_month, made.days_of_month);
  take_ranges(fields, "months", parse_months, made.months);
  take_ranges(fields, "years", parse_years, made.years);
  placed_text location;
  fields.text("location", location);
  made.location = location.text;
  if (location.line != 0 && !is_time_zone(location.text)) {
    decode.error(fields.entry("location")->value,
                 fmt::format("'location': \"{}\" is not a time zone (try Europe/Berlin or UTC)",
                             location.text));
  }
  if (!times.next_day.empty() &&
      !(made.days_of_month.empty() && made.months.empty() && made.years.empty())) {
    decode.error(fields.entry("times")->value,
                 "'times': a range that crosses midnight goes with weekdays only, not with "
                 "days_of_month, months or years (write the evening to 24:00 and the morning from "
                 "00:00 as two intervals, each with its own days)");
  }
  if (decode.errors() != before) return;
  time_interval morning = made;
  made.times = std::move(times.same_day);
  into.push_back(std::move(made));
  if (times.next_day.empty()) return;
  morning.times = std::move(times.next_day);
  morning.weekdays = next_days(morning.weekdays);
  into.push_back(std::move(morning));
}

}  // namespace tocsin
