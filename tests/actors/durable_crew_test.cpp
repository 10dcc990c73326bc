// SPDX-License-Identifier: Apache-2.0
// A crew with an event log and snapshots: what waits for what, what a full or broken log does, and
// what a start goes on from.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crash_world.hpp"
#include "deterministic_crew.hpp"
#include "support/event_builder.hpp"
#include "support/memory_event_log.hpp"
#include "support/rules.hpp"
#include "support/scripted_store.hpp"
#include "tocsin/label_matcher.hpp"
#include "traffic.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::alert_side;
using testing::burst_of;
using testing::deterministic_crew;
using testing::lasting_parts;
using testing::traffic_start;

class durable_crews : public ::testing::Test {
 protected:
  [[nodiscard]] alert_side lasting() const {
    alert_side all;
    all.log = parts.log;
    all.store = parts.store;
    all.snapshots = parts.snapshots;
    return all;
  }
  /// An event that raises an alert of its own; what becomes of it is in `answers`.
  burst nth_event(int n) {
    const instant at = traffic_start + n * 1s;
    burst one = burst_of({testing::event_builder{}
                              .source("agent")
                              .event_id("e" + std::to_string(n))
                              .resource("host-" + std::to_string(n))
                              .item("disk")
                              .time(at)
                              .json()},
                         {at});
    one.answer = [this](const burst_outcome& told) {
      answers.emplace_back(told.retry       ? "again"
                           : told.duplicate ? "duplicate"
                           : told.accepted  ? "accepted"
                                            : "rejected");
    };
    return one;
  }

  lasting_parts parts;
  std::vector<std::string> answers;
};

using texts = std::vector<std::string>;

TEST_F(durable_crews, answer_when_the_log_lasts_and_store_and_tell_only_behind_it) {
  for (std::uint32_t seed = 1; seed <= 30; ++seed) {
    parts = {};
    answers.clear();
    deterministic_crew crew(testing::every_event_fires(), 2, {}, {}, lasting());
    std::size_t told_at_commit = 0;
    parts.log->on_sync([&] {
      EXPECT_TRUE(answers.empty());
      EXPECT_EQ(parts.store->seq(), 0U);
      EXPECT_TRUE(crew.sink().transitions().empty());
    });
    parts.store->on_commit([&] {
      EXPECT_EQ(parts.log->unsynced(), 0U);
      told_at_commit = crew.sink().transitions().size();
    });
    crew.send(nth_event(1));
    crew.run_shuffled(seed);
    EXPECT_EQ(answers, texts{"accepted"});
    EXPECT_EQ(parts.store->seq(), 1U);
    EXPECT_EQ(told_at_commit, 0U);
    EXPECT_EQ(crew.sink().transitions().size(), 1U);
    parts.log->on_sync({});
    parts.store->on_commit({});
  }
}

TEST_F(durable_crews, sync_no_time_that_changes_nothing_and_time_that_changes_an_alert) {
  instant now = traffic_start;
  deterministic_crew crew(
      testing::every_event_fires(), 2, [&now] { return now; }, {}, lasting());
  crew.run();
  const auto pass = [&](int ticks) {
    for (int i = 0; i < ticks; ++i) {
      now += 200ms;
      crew.pass(200ms);
      crew.run();
    }
  };
  pass(100);
  EXPECT_EQ(parts.log->steps().size(), 100U);
  EXPECT_EQ(parts.log->syncs(), 0U);
  crew.send(nth_event(0));
  crew.run();
  EXPECT_EQ(parts.log->syncs(), 1U);
  // The window of a minute and its lateness pass by ticks alone.
  pass(400);
  ASSERT_EQ(parts.store->transitions().size(), 2U);
  EXPECT_EQ(parts.store->transitions()[1]->state, alert_state::resolved);
  EXPECT_LE(parts.log->syncs(), 6U) << "one for the alert, and one a snapshot and update";
}

TEST_F(durable_crews, a_full_log_fills_the_door_and_loses_nothing) {
  alert_side all = lasting();
  all.room = 1;
  constexpr int room = burst_gate::answered_share;
  deterministic_crew crew(testing::every_event_fires(), 2, {}, {}, all);
  parts.log->fill(true);
  for (int n = 1; n <= room; ++n) ASSERT_TRUE(crew.try_send(nth_event(n)));
  crew.run();
  EXPECT_EQ(answers, texts(room, "again"));
  answers.clear();
  EXPECT_FALSE(crew.try_send(nth_event(room + 1))) << "there is no room until the log takes them";
  EXPECT_EQ(parts.store->seq(), 0U);
  EXPECT_TRUE(crew.sink().transitions().empty()) << "nothing is told that the log could lose";
  crew.pass(1s);
  crew.run();
  EXPECT_FALSE(crew.try_send(nth_event(room + 1)));
  EXPECT_TRUE(crew.log_counts().full);
  EXPECT_EQ(crew.log_counts().waiting, burst_gate::answered_share);
  parts.log->fill(false);
  crew.pass(1s);
  crew.run();
  EXPECT_EQ(parts.store->seq(), burst_gate::answered_share);
  EXPECT_FALSE(crew.log_counts().full);
  for (const int n : {1, room, room + 1}) {
    ASSERT_TRUE(crew.try_send(nth_event(n)));
    crew.run();
  }
  EXPECT_EQ(answers, (texts{"duplicate", "duplicate", "accepted"}));
  EXPECT_EQ(parts.store->seq(), burst_gate::answered_share + 1);
  EXPECT_TRUE(crew.gate().wait_for_all());
}

TEST_F(durable_crews, who_asks_for_an_operation_hears_that_the_log_is_full_and_it_is_done_later) {
  deterministic_crew crew(testing::every_event_fires(), 2, {}, {}, lasting());
  crew.send(nth_event(1));
  crew.run();
  parts.log->fill(true);
  acknowledge_alerts wanted;
  wanted.which.matchers.push_back(
      *label_matcher::make("alertname", matcher_operator::equal, "each"));
  wanted.by = "ann";
  const auto answer = crew.operate(wanted);
  crew.run();
  ASSERT_TRUE(*answer);
  ASSERT_FALSE(**answer);
  EXPECT_EQ((*answer)->failure().code, "store_failed");
  EXPECT_EQ(parts.store->seq(), 1U);
  parts.log->fill(false);
  crew.pass(1s);
  crew.run();
  ASSERT_EQ(parts.store->transitions().size(), 2U);
  EXPECT_EQ(parts.store->transitions()[1]->state, alert_state::acknowledged);
}

TEST_F(durable_crews, a_broken_log_ends_all_and_answers_nobody) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    parts = {};
    answers.clear();
    deterministic_crew crew(testing::every_event_fires(), 2, {}, {}, lasting());
    parts.log->break_down();
    crew.send(nth_event(1));
    crew.run_shuffled(seed);
    ASSERT_TRUE(crew.gate().failure());
    EXPECT_EQ(crew.gate().failure()->rfind("log writer: ", 0), 0U) << *crew.gate().failure();
    EXPECT_TRUE(answers.empty());
    EXPECT_EQ(parts.store->seq(), 0U);
    EXPECT_TRUE(crew.sink().transitions().empty());
    await_end(crew.system(), crew.actors());
  }
}

TEST_F(durable_crews, dismissed_they_end_when_all_is_in_the_log_and_in_the_store) {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    parts = {};
    answers.clear();
    deterministic_crew crew(testing::every_event_fires(), 3, {}, {}, lasting());
    for (int n = 0; n < 20; ++n) crew.send(nth_event(n));
    crew.advance(traffic_start + 20s);
    dismiss(crew.actors());
    crew.run_shuffled(seed);
    EXPECT_FALSE(crew.gate().failure());
    EXPECT_EQ(answers.size(), 20U);
    EXPECT_EQ(parts.log->unsynced(), 0U);
    EXPECT_EQ(parts.log->last_step(), 21U);
    ASSERT_EQ(parts.store->seq(), 20U) << "seed " << seed;
    EXPECT_EQ(crew.sink().transitions().size(), 20U);
    await_end(crew.system(), crew.actors());
  }
}

TEST_F(durable_crews, dismissed_with_a_full_log_they_say_what_is_not_kept) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    parts = {};
    deterministic_crew crew(testing::every_event_fires(), 2, {}, {}, lasting());
    parts.log->fill(true);
    crew.send(nth_event(1));
    dismiss(crew.actors());
    crew.run_shuffled(seed);
    ASSERT_TRUE(crew.gate().failure());
    EXPECT_NE(crew.gate().failure()->find("1 steps could not be kept"), std::string::npos)
        << *crew.gate().failure();
    EXPECT_EQ(parts.store->seq(), 0U);
    await_end(crew.system(), crew.actors());
  }
}

TEST_F(durable_crews, a_log_that_is_full_when_the_door_is_shut_ends_the_wait) {
  deterministic_crew crew(testing::every_event_fires(), 2, {}, {}, lasting());
  parts.log->fill(true);
  crew.send(nth_event(1));
  crew.run();
  EXPECT_FALSE(crew.gate().failure());
  crew.gate().shut();
  crew.pass(1s);
  crew.run();
  EXPECT_FALSE(crew.gate().wait_for_all());
  EXPECT_TRUE(crew.gate().failure());
}

TEST_F(durable_crews,
       a_snapshot_waits_until_the_store_has_all_of_it_and_the_log_forgets_behind_two) {
  deterministic_crew crew(testing::every_event_fires(), 2, {}, {}, lasting());
  parts.store->fail(true);
  for (int n = 0; n <= 15; ++n) crew.send(nth_event(n));
  crew.run();
  EXPECT_EQ(parts.snapshots->puts(), 0U);
  parts.store->fail(false);
  crew.pass(1s);
  crew.run();
  ASSERT_EQ(parts.snapshots->puts(), 1U);
  EXPECT_EQ(parts.snapshots->steps(), std::vector<std::uint64_t>{11});
  EXPECT_TRUE(parts.log->trims().empty()) << "with one snapshot, all of the log is needed";
  for (int n = 16; n <= 25; ++n) {
    crew.send(nth_event(n));
    crew.run();
  }
  ASSERT_EQ(parts.snapshots->puts(), 2U);
  ASSERT_EQ(parts.log->trims().size(), 1U);
  EXPECT_EQ(parts.log->trims()[0].needed, 12U);
  EXPECT_EQ(parts.log->first_step(), 12U);
  EXPECT_EQ(crew.snapshots_counts().kept, 2U);
  EXPECT_GT(crew.snapshots_counts().bytes, 0U);
}

TEST_F(durable_crews, a_snapshot_that_cannot_be_kept_is_counted_and_the_next_one_is_tried) {
  deterministic_crew crew(testing::every_event_fires(), 1, {}, {}, lasting());
  parts.snapshots->fail(true);
  for (int n = 0; n <= 12; ++n) crew.send(nth_event(n));
  crew.run();
  EXPECT_EQ(crew.snapshots_counts().failures, 1U);
  parts.snapshots->fail(false);
  for (int n = 13; n <= 25; ++n) crew.send(nth_event(n));
  crew.run();
  EXPECT_EQ(crew.snapshots_counts().kept, 1U);
  EXPECT_EQ(crew.snapshots_counts().failures, 1U);
}

/// Runs some of a stream's messages, and ends in order.
recovery run_part(const lasting_parts& parts, const testing::traffic& input, std::size_t begin,
                  std::size_t end, std::size_t shards, duration log_horizon = 24h) {
  alert_side all;
  all.log = parts.log;
  all.store = parts.store;
  all.snapshots = parts.snapshots;
  all.log_horizon = log_horizon;
  deterministic_crew crew(testing::traffic_rules(), shards, {}, {}, all);
  EXPECT_FALSE(crew.not_recovered());
  for (std::size_t i = begin; i < end; ++i) {
    burst one = burst_of({input.messages[i]}, {input.arrivals[i]});
    one.answer = [](const burst_outcome& told) { EXPECT_FALSE(told.retry); };
    crew.send(std::move(one));
    crew.run();
  }
  if (end == input.messages.size()) crew.advance(input.end());
  crew.run();
  return crew.recovered();
}

class restarts : public ::testing::Test {
 protected:
  void SetUp() override { (void)run_part(calm, input, 0, input.messages.size(), 2); }

  testing::traffic input = testing::random_traffic(11, 300);
  lasting_parts calm;
  lasting_parts parts;
};

TEST_F(restarts, go_on_from_the_newest_snapshot) {
  (void)run_part(parts, input, 0, 170, 2);
  const auto newest = parts.snapshots->steps().at(0);
  const recovery done = run_part(parts, input, 170, 300, 2);
  EXPECT_EQ(done.snapshot_step, newest);
  EXPECT_EQ(done.steps, parts.log->last_step() > 0 ? done.steps : 0U);
  EXPECT_GT(done.steps, 0U);
  EXPECT_TRUE(done.windows_kept);
  EXPECT_TRUE(done.remarks.empty());
  EXPECT_EQ(parts.store->json_lines(), calm.store->json_lines());
}

TEST_F(restarts, go_on_from_the_snapshot_before_when_the_newest_cannot_be_read) {
  (void)run_part(parts, input, 0, 170, 2);
  const auto snapshots = parts.snapshots->steps();
  ASSERT_EQ(snapshots.size(), 2U);
  parts.snapshots->damage(snapshots[0]);
  const recovery done = run_part(parts, input, 170, 300, 2);
  EXPECT_EQ(done.snapshot_step, snapshots[1]);
  EXPECT_TRUE(done.windows_kept);
  ASSERT_EQ(done.remarks.size(), 1U);
  EXPECT_NE(done.remarks[0].find("is not used"), std::string::npos);
  EXPECT_EQ(parts.store->json_lines(), calm.store->json_lines());
}

TEST_F(restarts, go_through_the_whole_log_with_another_number_of_shards) {
  (void)run_part(parts, input, 0, 170, 2);
  const recovery done = run_part(parts, input, 170, 300, 3);
  EXPECT_EQ(done.snapshot_step, 0U);
  EXPECT_TRUE(done.windows_kept);
  EXPECT_EQ(done.remarks.size(), 2U);
  EXPECT_EQ(parts.store->json_lines(), calm.store->json_lines());
}

TEST_F(restarts, say_so_when_windows_cannot_be_as_they_were) {
  (void)run_part(parts, input, 0, 170, 2, 0ms);
  ASSERT_GT(parts.log->first_step(), 1U);
  const recovery done = run_part(parts, input, 170, 300, 3);
  EXPECT_FALSE(done.windows_kept);
  EXPECT_EQ(done.remarks.size(), 3U);
  EXPECT_GT(parts.store->seq(), 0U);
}

TEST_F(restarts, of_a_store_without_its_log_begin_with_empty_windows) {
  (void)run_part(parts, input, 0, 170, 2);
  const std::uint64_t step = parts.store->load()->step;
  ASSERT_GT(step, 0U);
  parts.log = std::make_shared<testing::memory_event_log>();
  parts.snapshots = std::make_shared<testing::memory_snapshots>();
  const recovery done = run_part(parts, input, 170, 300, 2);
  EXPECT_FALSE(done.windows_kept);
  EXPECT_EQ(done.remarks.size(), 1U);
  EXPECT_GT(parts.log->first_step(), step) << "numbers are never used twice";
}

TEST_F(restarts, go_over_a_step_that_was_taken_out_of_the_log) {
  (void)run_part(parts, input, 0, 20, 2);
  parts.log->lose(7);
  const recovery done = run_part(parts, input, 20, 300, 3);
  EXPECT_GT(done.steps, 0U);
  EXPECT_GT(parts.store->load()->step, 100U);
}

TEST_F(durable_crews, a_rule_that_is_new_at_a_restart_finds_what_the_log_holds) {
  const auto rules_with = [](const std::string& more) {
    return testing::rules_from_yaml(
        "rules: [{name: each, where: 'true', group_by: [resource_id], window: {fixed: 1h}}" + more +
        "]");
  };
  const std::string pair =
      ", {name: five, where: 'true', group_by: [source_id], window: {fixed: 1h}, having: 'count() "
      ">= 5'}";
  {
    deterministic_crew crew(rules_with(""), 2, {}, {}, lasting());
    for (int n = 0; n < 6; ++n) crew.send(nth_event(n));
    crew.run();
    ASSERT_EQ(parts.store->seq(), 6U);
  }
  for (int start = 0; start < 2; ++start) {
    deterministic_crew crew(rules_with(pair), 2, {}, {}, lasting());
    crew.advance(traffic_start + 7s);
    crew.run();
    ASSERT_EQ(parts.store->seq(), 7U) << "once, however often it starts";
    EXPECT_EQ(parts.store->transitions().back()->rule, "five");
    EXPECT_FALSE(crew.gate().failure());
  }
}

TEST_F(restarts, name_a_step_that_cannot_be_read) {
  (void)run_part(parts, input, 0, 20, 2);
  parts.log->damage(7);
  alert_side all;
  all.log = parts.log;
  all.store = parts.store;
  all.snapshots = parts.snapshots;
  deterministic_crew crew(testing::traffic_rules(), 3, {}, {}, all);
  ASSERT_TRUE(crew.not_recovered());
  EXPECT_EQ(crew.not_recovered()->code, "log_damaged");
}

}  // namespace
}  // namespace tocsin
