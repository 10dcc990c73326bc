// SPDX-License-Identifier: Apache-2.0
// A pipeline with an event log and snapshots, on real threads: stopped and started anew it goes on.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crash_world.hpp"
#include "support/recording_sink.hpp"
#include "tocsin/pipeline.hpp"
#include "traffic.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::burst_of;
using testing::lasting_parts;
using testing::recording_sink;

const std::vector<std::shared_ptr<transition_sink>> nobody;

pipeline_settings lasting(const lasting_parts& parts, std::size_t shards = 2) {
  pipeline_settings settings;
  settings.shards = shards;
  settings.manual_clock = true;
  settings.log = parts.log;
  settings.store = parts.store;
  settings.snapshots = parts.snapshots;
  settings.snapshot_every = 20s;
  return settings;
}

std::unique_ptr<pipeline> begun(const pipeline_settings& settings,
                                std::shared_ptr<const rule_set> rules,
                                std::vector<std::shared_ptr<transition_sink>> to) {
  return std::move(pipeline::start(settings, std::move(rules), std::move(to))).value();
}

/// Pushes messages [begin, end), each as a request that is answered; gives how many were accepted.
std::uint64_t push_part(pipeline& running, const testing::traffic& input, std::size_t begin,
                        std::size_t end) {
  std::atomic<std::uint64_t> accepted = 0;
  for (std::size_t i = begin; i < end; ++i) {
    burst one = burst_of({input.messages[i]}, {input.arrivals[i]});
    one.answer = [&](const burst_outcome& told) { accepted += told.accepted; };
    EXPECT_TRUE(running.push(std::move(one)));
  }
  EXPECT_TRUE(running.drain());
  return accepted;
}

TEST(durable_pipeline, stopped_and_started_anew_it_goes_on_as_if_it_had_not_been) {
  const auto input = testing::random_traffic(5, 900);
  const auto calm = std::make_shared<recording_sink>();
  const lasting_parts whole;
  auto running = begun(lasting(whole), testing::traffic_rules(), {calm});
  const std::uint64_t accepted = push_part(*running, input, 0, 900);
  ASSERT_TRUE(running->advance(input.end()));
  running->stop();

  const auto sink = std::make_shared<recording_sink>();
  const lasting_parts parts;
  std::uint64_t in_parts = 0;
  for (std::size_t part = 0; part < 3; ++part) {
    // What was answered before is sent again, and is known.
    const std::size_t again = part == 0 ? 0 : 50;
    running = begun(lasting(parts), testing::traffic_rules(), {sink});
    EXPECT_TRUE(running->recovered().windows_kept);
    EXPECT_EQ(running->recovered().snapshot_step > 0, part > 0);
    EXPECT_EQ(running->counts().recovery_steps, running->recovered().steps);
    in_parts += push_part(*running, input, part * 300 - again, part * 300 + 300);
    if (part == 2) {
      ASSERT_TRUE(running->advance(input.end()));
    }
    running->stop();
    EXPECT_FALSE(running->failure());
    EXPECT_EQ(running->counts().log.waiting, 0U);
    EXPECT_GT(running->counts().log.syncs, 0U);
  }
  EXPECT_EQ(in_parts, accepted);
  EXPECT_EQ(sink->json_lines(), calm->json_lines());
  EXPECT_EQ(parts.store->json_lines(), whole.store->json_lines());
}

TEST(durable_pipeline, with_the_wall_clock_time_goes_on_behind_the_log) {
  const lasting_parts parts;
  pipeline_settings settings = lasting(parts);
  settings.manual_clock = false;
  settings.tick = 1ms;
  for (int start = 0; start < 3; ++start) {
    const std::uint64_t before = parts.log->last_step();
    auto running = begun(settings, testing::every_event_fires(), nobody);
    ASSERT_TRUE(running->push(
        testing::event_message("host-" + std::to_string(start), testing::traffic_start)));
    ASSERT_TRUE(running->drain());
    running->stop();
    EXPECT_FALSE(running->failure());
    EXPECT_GT(parts.log->last_step(), before);
  }
}

TEST(durable_pipeline, a_log_that_cannot_be_read_is_no_start) {
  const lasting_parts parts;
  const auto input = testing::random_traffic(5, 20);
  auto running = begun(lasting(parts), testing::traffic_rules(), nobody);
  (void)push_part(*running, input, 0, 20);
  running->stop();
  parts.log->damage(3);
  const auto refused = pipeline::start(lasting(parts), testing::traffic_rules(), nobody);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().code, "log_damaged");
}

TEST(durable_pipeline, a_broken_log_is_a_failure_and_a_full_one_at_the_end_too) {
  const lasting_parts parts;
  auto running = begun(lasting(parts), testing::every_event_fires(), nobody);
  parts.log->break_down();
  (void)running->push(
      burst_of({testing::event_message("a", testing::traffic_start)}, {testing::traffic_start}));
  EXPECT_FALSE(running->drain());
  EXPECT_EQ(running->failure()->rfind("log writer: ", 0), 0U);

  const lasting_parts full;
  running = begun(lasting(full), testing::every_event_fires(), nobody);
  full.log->fill(true);
  (void)running->push(
      burst_of({testing::event_message("a", testing::traffic_start)}, {testing::traffic_start}));
  running->stop();
  ASSERT_TRUE(running->failure());
  EXPECT_NE(running->failure()->find("could not be kept"), std::string::npos);
}

TEST(durable_pipeline, without_a_log_answers_come_at_once_and_duplicates_are_known) {
  pipeline_settings settings;
  settings.manual_clock = true;
  auto running = begun(settings, testing::traffic_rules(), nobody);
  const auto input = testing::random_traffic(5, 50);
  const std::uint64_t accepted = push_part(*running, input, 0, 50);
  EXPECT_GT(accepted, 40U);
  EXPECT_EQ(push_part(*running, input, 0, 50), 0U);
}

TEST(durable_pipeline, settings_that_do_not_fit_are_errors) {
  const lasting_parts parts;
  const auto refusal = [&](auto change) {
    pipeline_settings settings = lasting(parts);
    change(settings);
    const auto wrong = settings.validate();
    return wrong ? wrong->message : std::string{};
  };
  EXPECT_EQ(refusal([](auto&) {}), "");
  EXPECT_EQ(refusal([](auto& s) { s.snapshots = nullptr; }),
            "log and snapshots: one of them is missing (both or none)");
  EXPECT_EQ(refusal([](auto& s) { s.store = nullptr; }), "log: a durable store is wanted with it");
  EXPECT_EQ(refusal([](auto& s) { s.store = std::make_shared<testing::scripted_store>(false); }),
            "log: a durable store is wanted with it");
  EXPECT_EQ(refusal([](auto& s) { s.snapshot_every = 999ms; }),
            "snapshot_every: 999ms is out of range (1s to 1d)");
  EXPECT_EQ(refusal([](auto& s) { s.dedup.entries = 999; }),
            "dedup.entries: 999 is out of range (1000 to 100000000)");
  EXPECT_NE(refusal([](auto& s) { s.dedup.horizon = 169h; }), "");
  EXPECT_NE(refusal([](auto& s) { s.log_horizon = -1ms; }), "");
}

}  // namespace
}  // namespace tocsin
