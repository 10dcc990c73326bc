// SPDX-License-Identifier: Apache-2.0
// What never reaches a window: times of clocks that run ahead, values that are no numbers.
#include <gtest/gtest.h>

#include <limits>

#include "support/event_builder.hpp"
#include "support/reference_decoder.hpp"

namespace tocsin::testing {
namespace {

constexpr instant arrived = from_unix_ms(1'770'000'000'000);
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

event_builder event_at(instant when) {
  return event_builder{}.source("agent").time(when).value(1);
}

std::vector<std::string> codes_of(std::string_view message) {
  std::vector<std::string> codes;
  for (const rejection& each : decode(message, {}, arrived).refused) codes.emplace_back(each.code);
  return codes;
}

using codes = std::vector<std::string>;

TEST(event_corner_cases, an_agent_an_hour_ahead_is_refused_in_every_encoding) {
  const event_builder ahead = event_at(arrived + std::chrono::hours{1});
  EXPECT_EQ(codes_of(ahead.map()), codes{"time_in_future"});
  EXPECT_EQ(codes_of(ahead.json()), codes{"time_in_future"});
  EXPECT_EQ(codes_of(batch_of({ahead.positional()})), codes{"time_in_future"});
}

TEST(event_corner_cases, an_agent_an_hour_ahead_takes_no_other_event_of_its_batch_with_it) {
  const auto decoded =
      decode(batch_of({event_at(arrived).map(), event_at(arrived + std::chrono::hours{1}).map(),
                       event_at(arrived - duration{1}).positional()}),
             {}, arrived);
  ASSERT_EQ(decoded.batch.events.size(), 2u);
  EXPECT_EQ(decoded.batch.events[1].time, arrived - duration{1});
  ASSERT_EQ(decoded.refused.size(), 1u);
  EXPECT_EQ(decoded.refused[0].index, 1u);
}

TEST(event_corner_cases, an_agent_an_hour_behind_is_taken_for_the_windows_to_judge) {
  const auto decoded = decode(event_at(arrived - std::chrono::hours{1}).map(), {}, arrived);
  EXPECT_TRUE(decoded.refused.empty());
  ASSERT_EQ(decoded.batch.events.size(), 1u);
  EXPECT_EQ(decoded.batch.events[0].time, arrived - std::chrono::hours{1});
}

TEST(event_corner_cases, a_value_that_is_nan_or_infinite_is_refused_in_msgpack) {
  for (const double value : {nan, infinity, -infinity}) {
    const event_builder made = event_builder{}.value(value);
    EXPECT_EQ(codes_of(made.map()), codes{"bad_value"}) << value;
    EXPECT_EQ(codes_of(batch_of({made.positional()})), codes{"bad_value"}) << value;
    EXPECT_EQ(codes_of(event_builder{}.label("load", value).map()), codes{"bad_value"}) << value;
  }
}

TEST(event_corner_cases, a_value_that_is_nan_or_infinite_is_refused_in_json) {
  for (const char* value : {"NaN", "Infinity", "-Infinity", "1e999", "-1e999"}) {
    for (const std::string& message : {std::string{"{\"value\": "} + value + "}",
                                       std::string{"{\"labels\": {\"load\": "} + value + "}}"}) {
      const auto decoded = decode(message, {}, arrived);
      EXPECT_TRUE(decoded.batch.events.empty()) << message;
      EXPECT_EQ(decoded.refused.size(), 1u) << message;
    }
  }
  EXPECT_EQ(codes_of("{\"value\": \"NaN\"}"), codes{"bad_type"}) << "a text is no number";
}

}  // namespace
}  // namespace tocsin::testing
