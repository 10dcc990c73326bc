// SPDX-License-Identifier: Apache-2.0
// Time intervals: the texts of their parts, and which instants they hold.
#include "tocsin/time_interval.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

instant at(std::string_view text) {
  const auto read = parse_rfc3339(text);
  EXPECT_TRUE(read) << text;
  return read.value_or(instant{});
}

std::string text(const result<calendar_range>& read) {
  if (!read) return fmt::format("{}: {}", read.failure().code, read.failure().message);
  return fmt::format("{}..{}", read->first, read->last);
}

std::string text(const result<minute_range>& read) {
  if (!read) return fmt::format("{}: {}", read.failure().code, read.failure().message);
  return fmt::format("{}..{}", read->start, read->end);
}

TEST(time_interval, times_of_day_are_read_in_minutes) {
  EXPECT_EQ(text(parse_minute_range("09:00", "17:30")), "540..1050");
  EXPECT_EQ(text(parse_minute_range("00:00", "24:00")), "0..1440");
  EXPECT_EQ(text(parse_minute_range("9:00", "17:00")),
            "bad_interval: '9:00' is not a time of day (00:00 to 24:00)");
  for (const char* wrong : {"24:01", "12:60", "", "12-30", "1a:00", "12:000", " 9:00"}) {
    EXPECT_EQ(parse_minute_range("00:00", wrong).failure().code, "bad_interval") << wrong;
  }
  EXPECT_EQ(text(parse_minute_range("22:00", "06:00")),
            "bad_interval: the times 22:00 to 06:00 end before they begin (what goes past midnight "
            "is two ranges: to 24:00, and from 00:00)");
  EXPECT_FALSE(parse_minute_range("10:00", "10:00"));
}

TEST(time_interval, weekdays_are_names_from_sunday_to_saturday) {
  EXPECT_EQ(text(parse_weekdays("monday:friday")), "1..5");
  EXPECT_EQ(text(parse_weekdays("Sunday:SATURDAY")), "0..6");
  EXPECT_EQ(text(parse_weekdays("saturday")), "6..6");
  EXPECT_EQ(text(parse_weekdays("mondey")),
            "bad_interval: 'mondey' is not a weekday (did you mean 'monday'?)");
  EXPECT_EQ(text(parse_weekdays("friday:monday")),
            "bad_interval: the range 'friday:monday' ends before it begins (a week runs from "
            "sunday to saturday)");
  for (const char* wrong : {"1", "monday:", ":", "", "monday:tuesday:friday"}) {
    EXPECT_FALSE(parse_weekdays(wrong)) << wrong;
  }
}

TEST(time_interval, days_of_a_month_count_from_either_end) {
  EXPECT_EQ(text(parse_days_of_month("1:5")), "1..5");
  EXPECT_EQ(text(parse_days_of_month("-3:-1")), "-3..-1");
  EXPECT_EQ(text(parse_days_of_month("-1")), "-1..-1");
  EXPECT_EQ(text(parse_days_of_month("28:-1")), "28..-1");
  EXPECT_EQ(text(parse_days_of_month("31:-1")), "31..-1");
  EXPECT_EQ(text(parse_days_of_month("-31:-31")), "-31..-31");
  EXPECT_EQ(text(parse_days_of_month("-3:5")),
            "bad_interval: the range '-3:5' begins counted from a month's end, so its end must be "
            "counted from there too");
  EXPECT_EQ(text(parse_days_of_month("31:-2")),
            "bad_interval: the range '31:-2' ends before it begins in every month");
  for (const char* wrong : {"0", "32", "-32", "5:1", "-1:-3", "1:0", "one", "1.5", "1:2:3"}) {
    EXPECT_EQ(parse_days_of_month(wrong).failure().code, "bad_interval") << wrong;
  }
}

TEST(time_interval, months_are_names_or_numbers) {
  EXPECT_EQ(text(parse_months("january:march")), "1..3");
  EXPECT_EQ(text(parse_months("May:8")), "5..8");
  EXPECT_EQ(text(parse_months("december")), "12..12");
  EXPECT_EQ(text(parse_months("januray")),
            "bad_interval: 'januray' is not a month (1 to 12, or its name) (did you mean "
            "'january'?)");
  for (const char* wrong : {"0", "13", "jan", "november:february", ""}) {
    EXPECT_EQ(parse_months(wrong).failure().code, "bad_interval") << wrong;
  }
}

TEST(time_interval, years_are_numbers_in_order) {
  EXPECT_EQ(text(parse_years("2026:2028")), "2026..2028");
  EXPECT_EQ(text(parse_years("2026")), "2026..2026");
  for (const char* wrong : {"2028:2026", "twenty", "", "-1", "20 26"}) {
    EXPECT_EQ(parse_years(wrong).failure().code, "bad_interval") << wrong;
  }
}

TEST(time_interval, zones_are_those_of_the_iana_tables) {
  for (const char* zone : {"Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5"}) {
    EXPECT_TRUE(is_time_zone(zone)) << zone;
  }
  for (const char* wrong : {"", "Europe/Atlantis", "/etc/localtime", "localtime", "Local",
                            "Fixed/UTC+01:00:00", "europe/berlin", "Europe/../Europe/Berlin"}) {
    EXPECT_FALSE(is_time_zone(wrong)) << wrong;
  }
}

TEST(time_interval, without_parts_it_holds_every_instant) {
  EXPECT_TRUE(contains(time_interval{}, instant{}));
  EXPECT_TRUE(contains(time_interval{}, at("2026-07-01T12:34:56.789Z")));
}

TEST(time_interval, times_hold_their_start_and_not_their_end) {
  time_interval work;
  work.times = {*parse_minute_range("09:00", "12:00"), *parse_minute_range("13:00", "24:00")};
  EXPECT_FALSE(contains(work, at("2026-03-02T08:59:59.999Z")));
  EXPECT_TRUE(contains(work, at("2026-03-02T09:00:00Z")));
  EXPECT_TRUE(contains(work, at("2026-03-02T11:59:59.999Z")));
  EXPECT_FALSE(contains(work, at("2026-03-02T12:00:00Z")));
  EXPECT_TRUE(contains(work, at("2026-03-02T23:59:59.999Z")));
  EXPECT_FALSE(contains(work, at("2026-03-03T00:00:00Z")));
}

TEST(time_interval, every_part_that_is_given_must_hold_the_instant) {
  time_interval some;
  some.weekdays = {*parse_weekdays("monday:friday")};
  some.months = {*parse_months("march")};
  some.years = {*parse_years("2026")};
  EXPECT_TRUE(contains(some, at("2026-03-02T00:00:00Z")));
  EXPECT_FALSE(contains(some, at("2026-03-01T23:59:00Z")));  // a sunday
  EXPECT_TRUE(contains(some, at("2026-03-06T23:59:00Z")));
  EXPECT_FALSE(contains(some, at("2026-03-07T00:00:00Z")));  // a saturday
  EXPECT_FALSE(contains(some, at("2026-04-01T00:00:00Z")));
  EXPECT_FALSE(contains(some, at("2027-03-01T00:00:00Z")));
}

TEST(time_interval, negative_days_follow_the_length_of_the_month) {
  time_interval ends;
  ends.days_of_month = {*parse_days_of_month("-3:-1")};
  EXPECT_FALSE(contains(ends, at("2026-02-25T12:00:00Z")));
  EXPECT_TRUE(contains(ends, at("2026-02-26T12:00:00Z")));
  EXPECT_TRUE(contains(ends, at("2026-02-28T12:00:00Z")));
  EXPECT_FALSE(contains(ends, at("2028-02-26T12:00:00Z")));
  EXPECT_TRUE(contains(ends, at("2028-02-29T12:00:00Z")));
  EXPECT_FALSE(contains(ends, at("2026-12-28T12:00:00Z")));
  EXPECT_TRUE(contains(ends, at("2026-12-31T12:00:00Z")));

  time_interval most;
  most.days_of_month = {*parse_days_of_month("-31:-28"), *parse_days_of_month("30:31")};
  EXPECT_TRUE(contains(most, at("2026-02-01T12:00:00Z")));
  EXPECT_FALSE(contains(most, at("2026-02-02T12:00:00Z")));
  EXPECT_FALSE(contains(most, at("2026-02-28T12:00:00Z")));
  EXPECT_TRUE(contains(most, at("2026-01-04T12:00:00Z")));
  EXPECT_TRUE(contains(most, at("2026-04-30T12:00:00Z")));
}

TEST(time_interval, a_month_with_a_change_of_clocks_has_all_its_days) {
  time_interval last;
  last.days_of_month = {*parse_days_of_month("-1")};
  last.location = "Europe/Berlin";
  EXPECT_FALSE(contains(last, at("2026-03-30T12:00:00Z")));
  EXPECT_TRUE(contains(last, at("2026-03-31T12:00:00Z")));
}

TEST(time_interval, a_location_moves_all_parts_to_its_wall_clock) {
  time_interval morning;
  morning.times = {*parse_minute_range("08:00", "09:00")};
  morning.weekdays = {*parse_weekdays("monday")};
  morning.location = "Asia/Tokyo";
  EXPECT_FALSE(contains(morning, at("2026-03-01T22:59:00Z")));
  EXPECT_TRUE(contains(morning, at("2026-03-01T23:00:00Z")));  // still sunday in UTC
  EXPECT_FALSE(contains(morning, at("2026-03-02T00:00:00Z")));
}

TEST(time_interval, hours_that_clocks_skip_hold_nothing_and_repeated_ones_twice) {
  time_interval night;
  night.times = {*parse_minute_range("02:00", "03:00")};
  night.location = "Europe/Berlin";
  const auto minutes_on = [&](std::string_view day) {
    int count = 0;
    for (int i = -180; i < 24 * 60; ++i) {
      count += contains(night, at(day) + std::chrono::minutes{i}) ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(minutes_on("2026-03-28T00:00:00Z"), 60);
  EXPECT_EQ(minutes_on("2026-03-29T00:00:00Z"), 0);
  EXPECT_EQ(minutes_on("2026-10-25T00:00:00Z"), 120);
}

TEST(time_interval, an_unknown_zone_holds_nothing) {
  time_interval nowhere;
  nowhere.location = "Europe/Atlantis";
  EXPECT_FALSE(contains(nowhere, at("2026-03-01T12:00:00Z")));
}

TEST(time_interval, of_several_one_must_hold_and_of_none_nothing_does) {
  time_interval march;
  march.months = {*parse_months("march")};
  time_interval may;
  may.months = {*parse_months("may")};
  EXPECT_TRUE(contains(std::vector{march, may}, at("2026-05-01T00:00:00Z")));
  EXPECT_FALSE(contains(std::vector{march, may}, at("2026-04-01T00:00:00Z")));
  EXPECT_FALSE(contains(std::vector<time_interval>{}, at("2026-04-01T00:00:00Z")));
}

TEST(time_interval, the_next_minute_is_always_later) {
  EXPECT_EQ(next_minute(at("2026-04-01T00:00:00Z")), at("2026-04-01T00:01:00Z"));
  EXPECT_EQ(next_minute(at("2026-04-01T00:00:59.999Z")), at("2026-04-01T00:01:00Z"));
  EXPECT_EQ(next_minute(from_unix_ms(-1)), from_unix_ms(0));
}

}  // namespace
}  // namespace tocsin
