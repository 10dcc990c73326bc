// SPDX-License-Identifier: Apache-2.0
// Texts of durations and instants.
#include "tocsin/time.hpp"

#include <gtest/gtest.h>

#include <random>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

TEST(time, durations_are_read_in_all_units) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("5s"), 5s);
  EXPECT_EQ(parse_duration("1h30m"), 90min);
  EXPECT_EQ(parse_duration("7d"), 168h);
  EXPECT_EQ(parse_duration("2w"), 336h);
  EXPECT_EQ(parse_duration("1w1d1h1m1s1ms"), 193h + 1min + 1s + 1ms);
  EXPECT_EQ(parse_duration("0"), 0ms);
  EXPECT_EQ(parse_duration("0s"), 0ms);
  EXPECT_EQ(parse_duration("10000d"), 240000h);
}

TEST(time, what_is_no_duration_is_refused) {
  for (const char* text : {"",
                           "5",
                           "s",
                           "-5s",
                           "+5s",
                           "5 s",
                           " 5s",
                           "5s ",
                           "1.5h",
                           "5x",
                           "5S",
                           "30m1h",
                           "1m1m",
                           "1s500",
                           "00",
                           "10000d1ms",
                           "10001d",
                           "1429w",
                           "99999999999999999999s",
                           "5sm",
                           "ms"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(time, durations_are_written_in_their_largest_units) {
  EXPECT_EQ(format_duration(300s), "5m");
  EXPECT_EQ(format_duration(5400s), "1h30m");
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(1500ms), "1s500ms");
  EXPECT_EQ(format_duration(24h), "1d");
  EXPECT_EQ(format_duration(14 * 24h), "2w");
  EXPECT_EQ(format_duration(8 * 24h), "8d");
  EXPECT_EQ(format_duration(-90s), "-1m30s");
  EXPECT_EQ(format_duration(duration::min()), "-106751991167d7h12m55s808ms");
}

TEST(time, written_durations_read_back) {
  std::mt19937_64 random{7};
  for (int i = 0; i < 2000; ++i) {
    const duration length{static_cast<std::int64_t>(random() % 864'000'000'001) >> (i % 40)};
    EXPECT_EQ(parse_duration(format_duration(length)), length) << length.count();
  }
}

TEST(time, instants_are_read_with_any_offset_and_fraction) {
  const instant ten = from_unix_ms(1772359200000);
  EXPECT_EQ(parse_rfc3339("2026-03-01T10:00:00Z"), ten);
  EXPECT_EQ(parse_rfc3339("2026-03-01t10:00:00.25z"), ten + 250ms);
  EXPECT_EQ(parse_rfc3339("2026-03-01T10:00:00.2509999Z"), ten + 250ms);
  EXPECT_EQ(parse_rfc3339("2026-03-01T15:30:00+05:30"), ten);
  EXPECT_EQ(parse_rfc3339("2026-02-28T23:00:00-11:00"), ten);
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z"), from_unix_ms(0));
  EXPECT_EQ(parse_rfc3339("1969-12-31T23:59:59.999Z"), from_unix_ms(-1));
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z"), parse_rfc3339("2017-01-01T00:00:00Z"));
  EXPECT_TRUE(parse_rfc3339("2024-02-29T00:00:00Z"));
}

TEST(time, what_is_no_instant_is_refused) {
  for (const char* text :
       {"", "2026-03-01", "2026-03-01T10:00:00", "2026-03-01 10:00:00Z", "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-03-01T24:00:00Z",
        "2026-03-01T10:60:00Z", "2026-03-01T10:00:61Z", "2026-03-01T10:00:00.Z",
        "2026-03-01T10:00:00+5:30", "2026-03-01T10:00:00+24:00", "2026-03-01T10:00:00Zx",
        "26-03-01T10:00:00Z", "2026-3-1T10:00:00Z", "-026-03-01T10:00:00Z"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

TEST(time, what_an_offset_leads_beyond_the_year_9999_is_no_time) {
  EXPECT_TRUE(parse_rfc3339("9999-12-31T23:59:59.999Z"));
  EXPECT_TRUE(parse_rfc3339("9999-12-31T23:59:59+00:01"));
  EXPECT_FALSE(parse_rfc3339("9999-12-31T23:59:59-00:01"));
  EXPECT_TRUE(parse_rfc3339("0000-01-01T00:00:00Z"));
  EXPECT_FALSE(parse_rfc3339("0000-01-01T00:00:00+00:01"));
}

TEST(time, instants_are_written_in_utc_with_milliseconds) {
  EXPECT_EQ(format_rfc3339(from_unix_ms(1772359200250)), "2026-03-01T10:00:00.250Z");
  EXPECT_EQ(format_rfc3339(from_unix_ms(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(format_rfc3339(instant::min()), "0000-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339(instant::max()), "9999-12-31T23:59:59.999Z");
}

TEST(time, written_instants_read_back) {
  std::mt19937_64 random{11};
  for (int i = 0; i < 2000; ++i) {
    const instant at = from_unix_ms(static_cast<std::int64_t>(random() % 315'569'519'999'999) -
                                    62'167'219'200'000);
    EXPECT_EQ(parse_rfc3339(format_rfc3339(at)), at);
  }
}

}  // namespace
}  // namespace tocsin
