// SPDX-License-Identifier: Apache-2.0
// The actors together on a deterministic scheduler: order of work, ticks, heartbeats, ends.
#include "actors/crew.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "caf/send.hpp"
#include "deterministic_crew.hpp"
#include "traffic.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::burst_of;
using testing::deterministic_crew;
using testing::event_message;
using testing::traffic_start;

std::string transitions_of(const testing::traffic& input, std::size_t shards, std::uint32_t seed) {
  deterministic_crew crew(testing::traffic_rules(), shards);
  for (burst& each : input.in_bursts(seed)) crew.send(std::move(each));
  crew.advance(input.end());
  crew.run_shuffled(seed);
  EXPECT_TRUE(crew.gate().wait_for_all());
  return crew.sink().json_lines();
}

TEST(crew, transitions_are_the_same_whatever_the_shards_the_bursts_and_the_order_of_work) {
  const auto input = testing::random_traffic(7, 600);
  const std::string expected = transitions_of(input, 1, 0);
  ASSERT_NE(expected.find("\"resolved\""), std::string::npos);
  for (std::uint32_t seed = 1; seed <= 30; ++seed) {
    for (const std::size_t shards : {1, 2, 5}) {
      ASSERT_EQ(transitions_of(input, shards, seed), expected)
          << "seed " << seed << ", " << shards << " shards";
    }
  }
}

TEST(crew, a_tick_comes_when_no_step_came_for_a_ticks_length) {
  instant now = traffic_start;
  deterministic_crew crew(testing::every_event_fires(), 2, [&now] { return now; });
  crew.run();
  crew.send(burst_of({event_message("a", now)}));
  crew.run();
  ASSERT_EQ(crew.sink().transitions().size(), 1U);
  // The window of a minute and its lateness of five seconds pass by ticks alone.
  for (int i = 0; i < 400 && crew.sink().transitions().size() < 2; ++i) {
    now += 200ms;
    crew.pass(200ms);
    crew.run();
  }
  ASSERT_EQ(crew.sink().transitions().size(), 2U);
  EXPECT_EQ(crew.sink().transitions()[1]->state, alert_state::resolved);
}

TEST(crew, ticks_do_not_pile_up_before_a_shard_that_is_busy) {
  instant now = traffic_start;
  deterministic_crew crew(testing::every_event_fires(), 1, [&now] { return now; });
  crew.run();
  for (int i = 0; i < 10; ++i) {
    now += 200ms;
    crew.pass(200ms);
    crew.run_ingest();
  }
  EXPECT_EQ(crew.ingest_counts().steps, 1U) << "the shard has not run yet";
  crew.run();
  now += 200ms;
  crew.pass(200ms);
  crew.run_ingest();
  EXPECT_EQ(crew.ingest_counts().steps, 2U);
}

TEST(crew, the_sinks_hear_a_heartbeat_every_time_it_is_due) {
  deterministic_crew crew(testing::every_event_fires(), 1, {}, 1s);
  crew.run();
  crew.pass(999ms);
  crew.run();
  EXPECT_EQ(crew.sink().heartbeats(), 0U);
  for (int i = 0; i < 3; ++i) {
    crew.pass(1s);
    crew.run();
  }
  EXPECT_EQ(crew.sink().heartbeats(), 3U);
}

TEST(crew, dismissed_it_ends_when_all_that_was_sent_before_has_reached_the_sinks) {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    deterministic_crew crew(testing::every_event_fires(), 3);
    for (int i = 0; i < 20; ++i) {
      crew.send(
          burst_of({event_message("host-" + std::to_string(i), traffic_start)}, {traffic_start}));
    }
    dismiss(crew.actors());
    crew.run_shuffled(seed);
    ASSERT_EQ(crew.sink().transitions().size(), 20U) << "seed " << seed;
    EXPECT_FALSE(crew.gate().failure());
    await_end(crew.system(), crew.actors());
  }
}

TEST(crew, a_shard_that_fails_ends_all_names_itself_and_gives_back_every_credit) {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    deterministic_crew crew(testing::every_event_fires(), 3);
    crew.send(burst_of({event_message("a", traffic_start)}, {traffic_start}));
    crew.run();
    // A step cut for one shard only: the second has no slice.
    auto step = std::make_shared<log_step>();
    step->number = 2;
    step->clock = traffic_start;
    step->batch = std::make_shared<event_batch>();
    step->slices.resize(1);
    std::weak_ptr<const void> credit;
    {
      const auto held = crew.gate().enter();
      credit = held;
      caf::anon_send(crew.actors().shards[1], logged_step{step, 1, 1, nullptr, held});
    }
    crew.send(burst_of({event_message("b", traffic_start)}, {traffic_start}));
    crew.run_shuffled(seed);
    ASSERT_TRUE(crew.gate().failure());
    EXPECT_EQ(crew.gate().failure()->rfind("window aggregator 1: ", 0), 0U)
        << *crew.gate().failure();
    EXPECT_FALSE(crew.gate().enter());
    EXPECT_TRUE(credit.expired());
    await_end(crew.system(), crew.actors());
  }
}

TEST(crew, an_actor_that_is_ended_from_outside_is_a_failure) {
  deterministic_crew crew(testing::every_event_fires(), 2);
  caf::anon_send_exit(crew.actors().alerts, caf::exit_reason::kill);
  crew.run();
  ASSERT_TRUE(crew.gate().failure());
  EXPECT_EQ(crew.gate().failure()->rfind("alert manager: ended with ", 0), 0U)
      << *crew.gate().failure();
  await_end(crew.system(), crew.actors());
}

}  // namespace
}  // namespace tocsin
