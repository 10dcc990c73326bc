// SPDX-License-Identifier: Apache-2.0
// What is beyond a quota: shed where it was pushed, sent again later where it is answered.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "actors/step_maker.hpp"
#include "traffic.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::burst_of;
using testing::traffic_start;

step_maker_setup setup_of(ingest_quotas quotas) {
  step_maker_setup made;
  made.rules = testing::every_event_fires();
  made.logged = true;
  made.quotas = std::move(quotas);
  return made;
}

std::string one(const std::string& source, const std::string& id, const std::string& resource = "r",
                const std::string& level = "info") {
  return R"({"source_id": ")" + source + R"(", "event_id": ")" + id + R"(", "resource_id": ")" +
         resource + R"(", "level": ")" + level + "\"}";
}

std::shared_ptr<const burst> pushed(const std::string& message) {
  return std::make_shared<const burst>(burst_of({message}));
}

std::shared_ptr<const burst> acked(const std::string& message) {
  burst made = burst_of({message});
  made.answer = [](const burst_outcome&) {};
  return std::make_shared<const burst>(std::move(made));
}

ingest_quotas two_a_second() {
  ingest_quotas made;
  made.every.events_per_second = 2;
  made.burst = 1s;
  return made;
}

TEST(step_maker_quota, pushed_events_beyond_the_rate_are_shed_and_counted_by_source) {
  step_maker maker(setup_of(two_a_second()));
  const made_step made = maker.of_burst(pushed("[" + one("a", "1") + "," + one("a", "2") + "," +
                                               one("a", "3") + "," + one("b", "1") + "]"),
                                        traffic_start);
  ASSERT_TRUE(made.step);
  EXPECT_EQ(made.step->batch->events.size(), 3U);
  EXPECT_EQ(made.step->slices[0].events.size(), 3U);
  const auto report = maker.report();
  EXPECT_EQ(report.events, (ingest_counts{4, 3, 0, 0, 1}));
  EXPECT_EQ(report.by_source.at("a"), (ingest_counts{3, 2, 0, 0, 1}));
  EXPECT_EQ(report.by_source.at("b"), (ingest_counts{1, 1, 0, 0, 0}));
  EXPECT_EQ(maker.next_position(), 4U);
}

TEST(step_maker_quota, a_request_beyond_the_rate_is_not_taken_at_all_and_fits_later) {
  step_maker maker(setup_of(two_a_second()));
  const auto two = acked("[" + one("a", "1") + "," + one("a", "2") + ",7]");
  const auto next = acked("[" + one("a", "3") + "," + one("a", "4") + ",7]");
  EXPECT_EQ(maker.of_burst(two, traffic_start).outcomes.at(0).accepted, 2U);
  const made_step later = maker.of_burst(next, traffic_start + 200ms);
  EXPECT_TRUE(later.outcomes.at(0).retry);
  EXPECT_EQ(later.outcomes.at(0).retry_after, 800ms);
  EXPECT_FALSE(later.step);
  EXPECT_FALSE(later.entry);
  EXPECT_EQ(maker.report().events, (ingest_counts{3, 2, 0, 1, 0})) << "it was not received";
  const made_step again = maker.of_burst(next, traffic_start + 1s);
  EXPECT_FALSE(again.outcomes.at(0).retry);
  EXPECT_EQ(again.outcomes.at(0).accepted, 2U) << "none of it was remembered before";
  EXPECT_EQ(again.outcomes.at(0).rejected.size(), 1U);
}

TEST(step_maker_quota, events_of_a_source_that_is_switched_off_are_rejected_on_both_ways) {
  ingest_quotas quotas;
  quotas.by_source["off"].disabled = true;
  step_maker maker(setup_of(quotas));
  const std::string both = "[" + one("off", "1") + "," + one("on", "1") + "]";
  EXPECT_EQ(maker.of_burst(pushed(both), traffic_start).step->batch->events.size(), 1U);
  const made_step made = maker.of_burst(acked(both), traffic_start);
  EXPECT_EQ(made.outcomes.at(0).accepted, 1U);
  ASSERT_EQ(made.outcomes.at(0).rejected.size(), 1U);
  EXPECT_EQ(made.outcomes.at(0).rejected[0].index, 0U);
  EXPECT_EQ(made.outcomes.at(0).rejected[0].code, "source_disabled");
  EXPECT_EQ(made.outcomes.at(0).rejected[0].message,
            "source_id: seen \"off\", which an operator has switched off");
  EXPECT_EQ(maker.report().by_source.at("off"), (ingest_counts{2, 0, 0, 2, 0}));
  EXPECT_EQ(maker.report().rejected_by_code.at("source_disabled"), 2U);
}

TEST(step_maker_quota, keys_beyond_the_bound_are_rejected_and_known_ones_and_duplicates_go_on) {
  ingest_quotas quotas;
  quotas.every.keys = 1;
  step_maker maker(setup_of(quotas));
  EXPECT_EQ(maker.of_burst(acked(one("a", "1", "r")), traffic_start).outcomes.at(0).accepted, 1U);
  const made_step made = maker.of_burst(
      acked("[" + one("a", "2", "s") + "," + one("a", "3", "r") + "," + one("a", "1", "r") + "]"),
      traffic_start);
  EXPECT_EQ(made.outcomes.at(0).accepted, 1U);
  EXPECT_EQ(made.outcomes.at(0).duplicate, 1U);
  ASSERT_EQ(made.outcomes.at(0).rejected.size(), 1U);
  EXPECT_EQ(made.outcomes.at(0).rejected[0].code, "too_many_keys");
  EXPECT_FALSE(maker.of_burst(pushed(one("a", "4", "s")), traffic_start).step);
  EXPECT_EQ(maker.of_burst(acked(one("a", "2", "s")), traffic_start + 1h).outcomes.at(0).accepted,
            1U)
      << "what was rejected is not remembered";
}

TEST(step_maker_quota, under_pressure_what_is_pushed_is_shed_by_severity_where_that_is_wanted) {
  ingest_quotas quotas;
  quotas.shed = true;
  step_maker maker(setup_of(quotas));
  const std::string all = "[" + one("a", "1", "r", "info") + "," + one("a", "2", "r", "warning") +
                          "," + one("a", "3", "r", "error") + "," + one("a", "4", "r", "critical") +
                          "]";
  EXPECT_EQ(maker.of_burst(pushed(all), traffic_start, 0.5).step->batch->events.size(), 4U);
  EXPECT_EQ(maker.of_burst(pushed(all), traffic_start, 0.6).step->batch->events.size(), 3U);
  EXPECT_EQ(maker.of_burst(pushed(all), traffic_start, 0.8).step->batch->events.size(), 2U);
  const made_step made = maker.of_burst(pushed(all), traffic_start, 1);
  ASSERT_EQ(made.step->batch->events.size(), 1U);
  EXPECT_EQ(made.step->batch->events[0].level, severity::critical);
  EXPECT_EQ(maker.of_burst(acked(all), traffic_start, 1).outcomes.at(0).accepted, 4U)
      << "what is answered is never shed";
  EXPECT_EQ(maker.report().events, (ingest_counts{20, 14, 0, 0, 6}));
  quotas.shed = false;
  step_maker other(setup_of(quotas));
  EXPECT_EQ(other.of_burst(pushed(all), traffic_start, 1).step->batch->events.size(), 4U);
}

}  // namespace
}  // namespace tocsin
