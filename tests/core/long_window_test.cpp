// SPDX-License-Identifier: Apache-2.0
// Windows of so many panes that they are folded: what leaves them leaves nothing behind.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/engine_driver.hpp"
#include "support/rules.hpp"

namespace tocsin::testing {
namespace {

constexpr long long start_ms = 1'772'323'200'000;
constexpr long long minute_ms = 60'000;

window_event event_at(long long minute, double value) {
  window_event event;
  event.source = "a";
  event.arrived_ms = event.time_ms = start_ms + minute * minute_ms;
  event.value = value;
  return event;
}

double value_of(const finding& of, const std::string& name) {
  for (const auto& [each, number] : of.proof.values)
    if (each == name) return number;
  ADD_FAILURE() << "no value " << name;
  return 0;
}

engine_driver engine_of(const std::string& fire) {
  return {rules_from_yaml("rules: [{name: n, where: true, group_by: [source_id], window: "
                          "{sliding: 20m, every: 1m}, lateness: 0s, fire: " +
                          fire +
                          ", having: 'count() >= 1', select: {total: sum(value), least: "
                          "min(value), spread: stddev(value)}}]"),
          1};
}

TEST(long_window, a_large_value_that_leaves_takes_nothing_of_the_small_ones_along) {
  for (const std::string fire : {"close", "early"}) {
    engine_driver engine = engine_of(fire);
    for (long long minute = 0; minute < 60; ++minute) {
      // Each twentieth value is so large that 3 more or less does not change it.
      const auto at_event = engine.take(event_at(minute, minute % 20 == 5 ? 1e17 : 3));
      const auto at_close = engine.tick(start_ms + (minute + 1) * minute_ms + 1);
      const auto& found = at_close.empty() ? at_event : at_close;
      ASSERT_EQ(found.size(), 1u) << fire << ", minute " << minute;
      const long long events = std::min(minute + 1, 20LL);
      const bool has_large = minute >= 5;
      EXPECT_EQ(value_of(found[0], "total"), has_large
                                                 ? 1e17 + 3.0 * static_cast<double>(events - 1)
                                                 : 3.0 * static_cast<double>(events))
          << fire << ", minute " << minute;
      EXPECT_EQ(value_of(found[0], "least"), 3) << fire << ", minute " << minute;
    }
  }
}

TEST(long_window, after_a_large_value_has_left_the_sum_is_that_of_what_stayed) {
  for (const std::string fire : {"close", "early"}) {
    engine_driver engine = engine_of(fire);
    for (long long minute = 0; minute < 60; ++minute) {
      const auto at_event = engine.take(event_at(minute, minute == 5 ? 1e17 : 3));
      const auto at_close = engine.tick(start_ms + (minute + 1) * minute_ms + 1);
      const auto& found = at_close.empty() ? at_event : at_close;
      ASSERT_EQ(found.size(), 1u) << fire << ", minute " << minute;
      if (minute < 25) continue;
      EXPECT_EQ(value_of(found[0], "total"), 60) << fire << ", minute " << minute;
      EXPECT_EQ(value_of(found[0], "spread"), 0) << fire << ", minute " << minute;
    }
  }
}

/// Whether a second event of that minute comes nine minutes late.
bool is_joined_late(long long minute) {
  return minute > 0 && minute < 41 && minute % 7 == 4;
}

TEST(long_window, an_event_for_an_old_pane_is_in_all_windows_that_are_open_still) {
  for (const std::string fire : {"close", "early"}) {
    engine_driver engine = engine_of(fire);
    std::size_t told = 0;
    const auto compare = [&](const std::vector<finding>& found) {
      for (const finding& each : found) {
        if (each.what == finding::kind::cleared) continue;
        const long long end = (to_unix_ms(each.proof.window.end) - start_ms) / minute_ms;
        double wanted = 0;
        for (long long at = std::max(0LL, end - 20); at < std::min(50LL, end); ++at)
          wanted += is_joined_late(at) && end >= at + 9 ? 101 : 1;
        EXPECT_EQ(value_of(each, "total"), wanted)
            << fire << ", the window that ends in minute " << end;
        ++told;
      }
    };
    for (long long minute = 0; minute < 50; ++minute) {
      compare(engine.take(event_at(minute, 1)));
      if (!is_joined_late(minute - 9)) continue;
      // Its pane is merged already in what is kept of the windows before.
      window_event late = event_at(minute - 9, 100);
      late.arrived_ms = start_ms + minute * minute_ms;
      compare(engine.take(late));
    }
    compare(engine.tick(start_ms + 100 * minute_ms));
    // The window behind each of the six late events has news that came before them only.
    EXPECT_EQ(told, 44u) << fire;
  }
}

}  // namespace
}  // namespace tocsin::testing
