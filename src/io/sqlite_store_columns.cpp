// SPDX-License-Identifier: Apache-2.0
// The forms of single values in the alert store.
#include "io/sqlite_store_columns.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace tocsin {
namespace {

using nlohmann::json;

template <class Range, class First, class Last>
json pairs_of(const std::vector<Range>& ranges, First first, Last last) {
  json all = json::array();
  for (const Range& each : ranges) all.push_back({each.*first, each.*last});
  return all;
}

template <class Range, class First, class Last>
std::vector<Range> ranges_of(const json& interval, const char* field, First first, Last last) {
  std::vector<Range> all;
  for (const json& pair : interval.at(field)) {
    Range made;
    made.*first = pair.at(0).get<int>();
    made.*last = pair.at(1).get<int>();
    all.push_back(made);
  }
  return all;
}

json calendar_of(const std::vector<calendar_range>& ranges) {
  return pairs_of(ranges, &calendar_range::first, &calendar_range::last);
}

std::vector<calendar_range> calendar_from(const json& interval, const char* field) {
  return ranges_of<calendar_range>(interval, field, &calendar_range::first, &calendar_range::last);
}

}  // namespace

std::string fingerprint_bytes(const fingerprint& print) {
  std::string bytes(16, '\0');
  for (unsigned i = 0; i < 8; ++i) {
    bytes[i] = static_cast<char>(print.high >> (56U - 8U * i));
    bytes[8 + i] = static_cast<char>(print.low >> (56U - 8U * i));
  }
  return bytes;
}

fingerprint fingerprint_from_bytes(std::string_view bytes) noexcept {
  fingerprint print;
  if (bytes.size() != 16) return print;
  for (unsigned i = 0; i < 8; ++i) {
    print.high = print.high << 8U | static_cast<unsigned char>(bytes[i]);
    print.low = print.low << 8U | static_cast<unsigned char>(bytes[8 + i]);
  }
  return print;
}

bool is_operator(std::string_view actor) noexcept {
  return !actor.empty() && actor != "rule" && actor != "event" && actor != "checker" &&
         actor != "api";
}

instant end_of(const alert& ended) noexcept {
  if (ended.state == alert_state::closed) return ended.closed_at.value_or(ended.at);
  return ended.resolved_at.value_or(ended.at);
}

std::string matchers_text(const label_matchers& all) {
  std::string text = "{";
  for (const label_matcher& each : all) {
    if (text.size() > 1) text += ',';
    text += each.text();
  }
  return text + '}';
}

std::string recurs_text(const std::vector<time_interval>& recurs) {
  json all = json::array();
  for (const time_interval& each : recurs) {
    all.push_back({{"times", pairs_of(each.times, &minute_range::start, &minute_range::end)},
                   {"weekdays", calendar_of(each.weekdays)},
                   {"days_of_month", calendar_of(each.days_of_month)},
                   {"months", calendar_of(each.months)},
                   {"years", calendar_of(each.years)},
                   {"location", each.location}});
  }
  // A location that is no UTF-8 is no zone either: it must not throw here.
  return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

result<std::vector<time_interval>> parse_recurs(std::string_view text) {
  try {
    std::vector<time_interval> all;
    for (const json& each : json::parse(text)) {
      time_interval made;
      made.times = ranges_of<minute_range>(each, "times", &minute_range::start, &minute_range::end);
      made.weekdays = calendar_from(each, "weekdays");
      made.days_of_month = calendar_from(each, "days_of_month");
      made.months = calendar_from(each, "months");
      made.years = calendar_from(each, "years");
      made.location = each.at("location").get<std::string>();
      all.push_back(std::move(made));
    }
    return all;
  } catch (const json::exception& refused) {
    return error{"malformed", fmt::format("recurrence of a silence: {}", refused.what())};
  }
}

std::string_view scope_text(silence_scope scope) noexcept {
  return scope == silence_scope::events ? "events" : "alerts";
}

}  // namespace tocsin
