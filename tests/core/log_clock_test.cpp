// SPDX-License-Identifier: Apache-2.0
// The log's clock: monotone, steady, drawn slowly to the wall clock.
#include "tocsin/log_clock.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

const log_clock::steady boot{1000s};
const instant noon = from_unix_ms(1'772'366'400'000);

TEST(log_clock, it_starts_at_the_wall_clock) {
  log_clock clock{boot, noon};
  EXPECT_EQ(clock.stamp(boot, noon), noon);
}

TEST(log_clock, it_starts_no_earlier_than_the_last_stamp_in_the_log) {
  log_clock clock{boot, noon, noon + 10s};
  EXPECT_EQ(clock.stamp(boot, noon), noon + 10s);
}

TEST(log_clock, it_follows_the_wall_clock_while_both_clocks_agree) {
  log_clock clock{boot, noon};
  EXPECT_EQ(clock.stamp(boot + 1ms, noon + 1ms), noon + 1ms);
  EXPECT_EQ(clock.stamp(boot + 1h, noon + 1h), noon + 1h);
}

TEST(log_clock, a_wall_clock_set_forward_is_caught_up_with_at_double_speed) {
  log_clock clock{boot, noon};
  EXPECT_EQ(clock.stamp(boot + 10s, noon + 1h), noon + 20s);
  EXPECT_EQ(clock.stamp(boot + 1800s, noon + 1h + 1790s), noon + 3600s);
  EXPECT_EQ(clock.stamp(boot + 7200s, noon + 1h + 7190s), noon + 1h + 7190s);
}

TEST(log_clock, a_wall_clock_set_back_is_waited_for_at_half_speed) {
  log_clock clock{boot, noon};
  EXPECT_EQ(clock.stamp(boot + 10s, noon - 1h), noon + 5s);
  EXPECT_EQ(clock.stamp(boot + 110s, noon - 1h + 100s), noon + 55s);
  // 3,600 s behind at half a second a second: level again after 7,200 s.
  EXPECT_EQ(clock.stamp(boot + 8000s, noon - 1h + 7990s), noon + 4390s);
}

TEST(log_clock, half_speed_adds_up_exactly_over_many_short_steps) {
  log_clock clock{boot, noon};
  instant last;
  for (int i = 1; i <= 10'000; ++i) {
    last = clock.stamp(boot + std::chrono::microseconds{100 * i}, noon - 1h);
  }
  EXPECT_EQ(last, noon + 500ms);
}

TEST(log_clock, a_steady_time_from_before_changes_nothing) {
  log_clock clock{boot, noon};
  EXPECT_EQ(clock.stamp(boot + 10s, noon + 10s), noon + 10s);
  EXPECT_EQ(clock.stamp(boot + 5s, noon + 5s), noon + 10s);
  EXPECT_EQ(clock.stamp(boot + 11s, noon + 11s), noon + 11s);
}

TEST(log_clock, no_stamp_is_smaller_than_the_one_before_whatever_the_wall_clock_does) {
  log_clock clock{boot, noon};
  instant before = noon;
  for (int i = 1; i <= 1000; ++i) {
    const auto wall = noon + std::chrono::seconds{(i * 7919) % 5003 - 2500};
    const instant now = clock.stamp(boot + std::chrono::milliseconds{37 * i}, wall);
    ASSERT_GE(now, before);
    ASSERT_LE(now - before, 75ms);
    before = now;
  }
}

}  // namespace
}  // namespace tocsin
