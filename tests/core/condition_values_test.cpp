// SPDX-License-Identifier: Apache-2.0
// Conditions with the numbers that met them.
#include "tocsin/condition_values.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace tocsin {
namespace {

alert with_condition(std::string condition) {
  alert made;
  made.rule = "disk-full";
  made.condition = std::move(condition);
  made.proof.event_count = 7;
  made.proof.first_event_time = from_unix_ms(1'772'445'600'000);
  made.proof.last_event_time = from_unix_ms(1'772'445'690'000);
  made.proof.window = {window_kind::fixed, from_unix_ms(1'772'445'600'000),
                       from_unix_ms(1'772'445'900'000)};
  made.proof.values = {{"fail", 5}, {"failures", 2.5}, {"rate", -1}};
  return made;
}

TEST(condition_with_values, puts_values_in_the_place_of_whole_names_alone) {
  const auto shown = [](std::string condition) {
    return condition_with_values(with_condition(std::move(condition)));
  };
  EXPECT_EQ(shown("fail >= 3 && failures < 4 && failures_2 > 1"),
            "5 >= 3 && 2.5 < 4 && failures_2 > 1");
  EXPECT_EQ(shown("event_count >= 3 && duration > 1m"), "7 >= 3 && 1m30s > 1m");
  EXPECT_EQ(shown("rule == \"fail\" || rate < 0"), "\"disk-full\" == \"fail\" || -1 < 0");
  EXPECT_EQ(shown("labels.fail == 'x' && labels[\"fail\"] != \"fail\""),
            "labels.fail == 'x' && labels[\"fail\"] != \"fail\"");
  EXPECT_EQ(shown("max(fail) > fail && (fail + 1) * 2 > 3"), "max(fail) > 5 && (5 + 1) * 2 > 3");
  EXPECT_EQ(shown("count_if(value > fail && (fail < 2)) > fail"),
            "count_if(value > fail && (fail < 2)) > 5");
  EXPECT_EQ(shown("has(fail) && size(rule) > 2"), "has(fail) && size(\"disk-full\") > 2");
  EXPECT_EQ(shown("rule.startsWith(\"fail\") && fail in [fail, 1]"),
            "\"disk-full\".startsWith(\"fail\") && 5 in [5, 1]");
  EXPECT_EQ(shown("window.end > first_event_time && window.size > 1m"),
            "\"2026-03-02T10:05:00.000Z\" > \"2026-03-02T10:00:00.000Z\" && window.size > 1m");
  EXPECT_EQ(shown("max_severity == \"error\" && idle > 5m"),
            "max_severity == \"error\" && idle > 5m");
}

TEST(condition_with_values, leaves_what_is_no_expression) {
  auto incident = with_condition("at least 3 fail alerts within 10m");
  incident.origin = alert_origin::incident;
  EXPECT_EQ(condition_with_values(incident), "at least 3 fail alerts within 10m");
  EXPECT_EQ(condition_with_values(with_condition("")), "");
  EXPECT_EQ(condition_with_values(with_condition("fail = 3")), "fail = 3");
}

}  // namespace
}  // namespace tocsin
