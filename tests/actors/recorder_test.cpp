// SPDX-License-Identifier: Apache-2.0
// Storing in a running crew: before the sinks see it or beside, failing and working again, to the
// end, and what is done beside it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "caf/send.hpp"
#include "deterministic_crew.hpp"
#include "support/scripted_store.hpp"
#include "traffic.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::burst_of;
using testing::deterministic_crew;
using testing::event_message;
using testing::scripted_store;
using testing::traffic_start;

burst one_event(const std::string& resource, instant when) {
  return burst_of({event_message(resource, when)}, {when});
}

burst nth_event(int n) {
  return one_event("host-" + std::to_string(n), traffic_start + duration{n});
}

testing::alert_side stored_in(std::shared_ptr<scripted_store> store) {
  testing::alert_side alerts;
  alerts.store = std::move(store);
  return alerts;
}

/// Counts what comes before it is stored.
class suspicious_sink final : public transition_sink {
 public:
  explicit suspicious_sink(std::shared_ptr<const scripted_store> store)
      : store_(std::move(store)) {}
  void publish(std::span<const transition> transitions) override {
    for (const transition& each : transitions) {
      if (each->seq > store_->seq()) ++early_;
      if (each->seq != ++seen_) ++out_of_order_;
    }
  }
  void notify(std::span<const notice_ptr> notices) override {
    for (const notice_ptr& each : notices) {
      const auto waiting = store_->waiting_notices();
      if (std::find(waiting.begin(), waiting.end(), each->id) == waiting.end()) ++early_;
      ++notices_;
    }
  }
  [[nodiscard]] std::size_t early() const noexcept { return early_; }
  [[nodiscard]] std::size_t out_of_order() const noexcept { return out_of_order_; }
  [[nodiscard]] std::uint64_t seen() const noexcept { return seen_; }
  [[nodiscard]] std::size_t notices() const noexcept { return notices_; }

 private:
  std::shared_ptr<const scripted_store> store_;
  std::size_t early_ = 0;
  std::size_t out_of_order_ = 0;
  std::size_t notices_ = 0;
  std::uint64_t seen_ = 0;
};

/// Everything is told to "ops" at once.
std::shared_ptr<const alert_policy> tells_ops() {
  auto notify = std::make_shared<notify_policy>();
  notify->routed = true;
  notify->root.key = "{}";
  notify->root.receiver = "ops";
  notify->root.group_wait = 0s;
  notify->receivers = {{"ops", {webhook_target{}}}};  // nobody is told through no webhook
  auto policy = std::make_shared<alert_policy>();
  policy->notify = std::move(notify);
  return policy;
}

/// Lets an alert fire and its group be told of; the notices that wait then.
std::vector<std::string> tell_of_one(deterministic_crew& crew, const scripted_store& store) {
  crew.send(nth_event(1));
  crew.advance(traffic_start + 10s);
  crew.run();
  return store.waiting_notices();
}

TEST(recorder, sinks_see_only_what_a_durable_store_holds_and_in_order) {
  const auto input = testing::random_traffic(5, 300);
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    const auto store = std::make_shared<scripted_store>();
    const auto sink = std::make_shared<suspicious_sink>(store);
    auto alerts = stored_in(store);
    alerts.policy = tells_ops();
    alerts.more_sinks = {sink};
    deterministic_crew crew(testing::traffic_rules(), 3, {}, {}, alerts);
    for (burst& each : input.in_bursts(seed)) crew.send(std::move(each));
    crew.advance(input.end());
    crew.run_shuffled(seed);
    ASSERT_GT(sink->seen(), 10U);
    EXPECT_GT(sink->notices(), 0U);
    EXPECT_EQ(sink->early(), 0U) << "seed " << seed;
    EXPECT_EQ(sink->out_of_order(), 0U) << "seed " << seed;
    EXPECT_EQ(crew.sink().json_lines(), store->json_lines());
  }
}

TEST(recorder, a_durable_store_holds_the_sinks_up_until_it_has_committed) {
  const auto store = std::make_shared<scripted_store>();
  deterministic_crew crew(testing::every_event_fires(), 2, {}, {}, stored_in(store));
  crew.send(nth_event(1));
  crew.run_all_but_the_recorder();
  EXPECT_TRUE(crew.sink().transitions().empty());
  crew.run();
  EXPECT_EQ(crew.sink().transitions().size(), 1U);
}

TEST(recorder, a_store_in_memory_holds_nobody_up) {
  const auto store = std::make_shared<scripted_store>(false);
  deterministic_crew crew(testing::every_event_fires(), 2, {}, {}, stored_in(store));
  crew.send(nth_event(1));
  crew.run_all_but_the_recorder();
  EXPECT_EQ(crew.sink().transitions().size(), 1U);
  EXPECT_EQ(store->seq(), 0U);
  crew.run();
  EXPECT_EQ(crew.sink().transitions().size(), 1U) << "told once";
  EXPECT_EQ(store->seq(), 1U);
}

TEST(recorder, what_has_come_meanwhile_goes_into_one_transaction) {
  const auto store = std::make_shared<scripted_store>();
  deterministic_crew crew(testing::every_event_fires(), 2, {}, {}, stored_in(store));
  for (int i = 0; i < 50; ++i) crew.send(nth_event(i));
  crew.run_all_but_the_recorder();
  crew.run();
  EXPECT_EQ(store->commits(), std::vector<std::size_t>{50});
  EXPECT_EQ(store->seq(), 50U);
}

TEST(recorder, a_burst_is_under_way_until_it_is_stored) {
  for (const bool durable : {true, false}) {
    const auto store = std::make_shared<scripted_store>(durable);
    deterministic_crew crew(testing::every_event_fires(), 2, {}, {}, stored_in(store));
    bool left_early = false;
    const auto credit = std::make_shared<std::weak_ptr<const void>>();
    store->on_commit([&, credit] { left_early = credit->expired(); });
    {
      const auto held = crew.gate().enter();
      *credit = held;
      caf::anon_send(crew.actors().ingest,
                     burst_in{std::make_shared<const burst>(nth_event(1)), held});
    }
    crew.run();
    EXPECT_FALSE(left_early) << "durable: " << durable;
    EXPECT_TRUE(credit->expired());
    store->on_commit({});
  }
}

TEST(recorder, alerts_go_out_though_the_store_fails_and_are_stored_once_when_it_works_again) {
  for (const bool durable : {true, false}) {
    for (std::uint32_t seed = 1; seed <= 10; ++seed) {
      const auto store = std::make_shared<scripted_store>(durable);
      deterministic_crew crew(testing::every_event_fires(), 3, {}, {}, stored_in(store));
      for (int i = 0; i < 5; ++i) crew.send(nth_event(i));
      crew.run_shuffled(seed);
      store->fail(true);
      for (int i = 5; i < 10; ++i) crew.send(nth_event(i));
      crew.run_shuffled(seed);
      EXPECT_EQ(store->seq(), 5U);
      EXPECT_EQ(crew.recorder_counts().waiting, 5U);
      crew.pass(1s);
      crew.run();
      EXPECT_EQ(crew.sink().transitions().size(), 10U) << "with the next try at the latest";
      EXPECT_EQ(store->seq(), 5U) << "tried again, in vain";
      EXPECT_GE(store->failed_commits(), 2U);
      store->fail(false);
      crew.pass(1s);
      crew.run();
      EXPECT_EQ(store->seq(), 10U) << "without anything new";
      for (int i = 10; i < 12; ++i) crew.send(nth_event(i));
      crew.run_shuffled(seed);
      EXPECT_EQ(store->json_lines(), crew.sink().json_lines());
      EXPECT_EQ(crew.sink().transitions().size(), 12U);
      const auto counts = crew.recorder_counts();
      EXPECT_EQ(counts.waiting, 0U);
      EXPECT_EQ(counts.commits, store->commits().size());
      EXPECT_GE(counts.failures, store->failed_commits());
      EXPECT_FALSE(crew.gate().failure());
    }
  }
}

TEST(recorder, a_store_that_fails_is_tried_again_once_a_second_however_much_comes) {
  const auto store = std::make_shared<scripted_store>();
  deterministic_crew crew(testing::every_event_fires(), 1, {}, {}, stored_in(store));
  store->fail(true);
  for (int i = 0; i < 20; ++i) {
    crew.send(nth_event(i));
    crew.run();
  }
  EXPECT_EQ(crew.sink().transitions().size(), 1U) << "others wait for the next try";
  EXPECT_EQ(store->failed_commits(), 1U);
  crew.pass(1s);
  crew.run();
  EXPECT_EQ(store->failed_commits(), 2U);
  EXPECT_EQ(crew.sink().transitions().size(), 20U);
}

TEST(recorder, all_is_stored_before_it_ends) {
  for (const bool durable : {true, false}) {
    for (std::uint32_t seed = 1; seed <= 30; ++seed) {
      const auto store = std::make_shared<scripted_store>(durable);
      deterministic_crew crew(testing::every_event_fires(), 3, {}, {}, stored_in(store));
      for (int i = 0; i < 20; ++i) crew.send(nth_event(i));
      dismiss(crew.actors());
      crew.run_shuffled(seed);
      ASSERT_EQ(store->seq(), 20U) << "seed " << seed;
      ASSERT_EQ(crew.sink().json_lines(), store->json_lines()) << "seed " << seed;
      EXPECT_FALSE(crew.gate().failure());
      await_end(crew.system(), crew.actors());
    }
  }
}

TEST(recorder, what_the_store_refused_is_tried_once_more_at_the_end) {
  const auto store = std::make_shared<scripted_store>();
  deterministic_crew crew(testing::every_event_fires(), 1, {}, {}, stored_in(store));
  store->fail(true);
  crew.send(nth_event(1));
  crew.run();
  store->fail(false);
  dismiss(crew.actors());
  crew.run();
  EXPECT_EQ(store->seq(), 1U);
  EXPECT_FALSE(crew.gate().failure());
}

TEST(recorder, what_could_not_be_stored_by_the_end_is_a_failure_and_was_told_all_the_same) {
  const auto store = std::make_shared<scripted_store>();
  deterministic_crew crew(testing::every_event_fires(), 1, {}, {}, stored_in(store));
  store->fail(true);
  crew.send(nth_event(1));
  dismiss(crew.actors());
  crew.run();
  ASSERT_TRUE(crew.gate().failure());
  EXPECT_EQ(*crew.gate().failure(), "recorder: 1 changes could not be stored before the end");
  EXPECT_EQ(crew.sink().transitions().size(), 1U);
  await_end(crew.system(), crew.actors());
}

TEST(recorder, tries_to_deliver_are_entered_and_counted) {
  const auto store = std::make_shared<scripted_store>();
  auto alerts = stored_in(store);
  alerts.policy = tells_ops();
  deterministic_crew crew(testing::every_event_fires(), 1, {}, {}, alerts);
  const auto waiting = tell_of_one(crew, *store);
  ASSERT_EQ(waiting.size(), 1U);
  crew.settle({waiting[0], false, false, "connection refused"});
  crew.run();
  EXPECT_EQ(store->waiting_notices(), waiting);
  crew.settle({waiting[0], true, false, ""});
  crew.run();
  EXPECT_TRUE(store->waiting_notices().empty());
  auto counts = crew.recorder_counts();
  EXPECT_EQ(counts.notices_retried, 1U);
  EXPECT_EQ(counts.notices_delivered, 1U);
  EXPECT_EQ(counts.notices_failed, 0U);
  EXPECT_EQ(counts.failures, 0U);
  crew.settle({"no such notice", false, true, "404"});
  crew.run();
  counts = crew.recorder_counts();
  EXPECT_EQ(counts.notices_failed, 1U);
  EXPECT_EQ(counts.failures, 1U) << "the store did not know it";
  EXPECT_EQ(counts.bytes, 4096U);
}

TEST(recorder, tries_that_ended_meanwhile_are_entered_together) {
  const auto store = std::make_shared<scripted_store>();
  auto alerts = stored_in(store);
  alerts.policy = tells_ops();
  deterministic_crew crew(testing::every_event_fires(), 1, {}, {}, alerts);
  const auto waiting = tell_of_one(crew, *store);
  ASSERT_EQ(waiting.size(), 1U);
  crew.settle({waiting[0], false, false, "connection refused"});
  crew.settle({waiting[0], false, false, "connection reset"});
  crew.settle({waiting[0], true, false, ""});
  crew.run();
  EXPECT_EQ(store->settlings(), std::vector<std::size_t>{3});
  EXPECT_TRUE(store->waiting_notices().empty());
}

TEST(recorder, a_try_that_the_store_does_not_know_keeps_no_other_from_being_entered) {
  const auto store = std::make_shared<scripted_store>();
  auto alerts = stored_in(store);
  alerts.policy = tells_ops();
  deterministic_crew crew(testing::every_event_fires(), 1, {}, {}, alerts);
  const auto waiting = tell_of_one(crew, *store);
  ASSERT_EQ(waiting.size(), 1U);
  crew.settle({"no such notice", true, false, ""});
  crew.settle({waiting[0], true, false, ""});
  crew.run();
  EXPECT_TRUE(store->waiting_notices().empty());
  EXPECT_EQ(crew.recorder_counts().failures, 1U);
}

TEST(recorder, tries_that_ended_are_entered_before_it_ends) {
  const auto store = std::make_shared<scripted_store>();
  auto alerts = stored_in(store);
  alerts.policy = tells_ops();
  deterministic_crew crew(testing::every_event_fires(), 1, {}, {}, alerts);
  crew.send(nth_event(1));
  crew.advance(traffic_start + 10s);
  crew.run();
  ASSERT_EQ(store->waiting_notices().size(), 1U);
  crew.settle({store->waiting_notices()[0], true, false, ""});
  dismiss(crew.actors());
  crew.run();
  EXPECT_TRUE(store->waiting_notices().empty());
}

TEST(recorder, a_notice_is_stored_before_its_delivery_is_entered) {
  const auto store = std::make_shared<scripted_store>(false);
  auto alerts = stored_in(store);
  alerts.policy = tells_ops();
  deterministic_crew crew(testing::every_event_fires(), 1, {}, {}, alerts);
  std::string id;
  crew.send(nth_event(1));
  crew.advance(traffic_start + 10s);
  crew.run();
  ASSERT_EQ(store->waiting_notices().size(), 1U);
  id = store->waiting_notices()[0];
  store->fail(true);
  crew.send(nth_event(2));
  crew.run();
  store->fail(false);
  crew.settle({id, true, false, ""});
  crew.run();
  EXPECT_EQ(store->seq(), 2U) << "what waits is stored first";
  EXPECT_TRUE(store->waiting_notices().empty());
}

TEST(recorder, in_a_quiet_second_the_store_is_tidied_up_as_long_as_there_is_more) {
  const auto store = std::make_shared<scripted_store>();
  auto alerts = stored_in(store);
  alerts.retention = 2h;
  deterministic_crew crew(testing::every_event_fires(), 1, {}, {}, alerts);
  crew.send(nth_event(0));
  crew.run();
  crew.pass(1s);  // something was stored in it
  crew.run();
  EXPECT_TRUE(store->maintained().empty());
  store->maintain_goes_on(2);
  crew.pass(1s);
  crew.run();
  EXPECT_EQ(store->maintained(), std::vector<instant>(3, traffic_start - 2h));
  crew.pass(1s);
  crew.run();
  EXPECT_EQ(store->maintained().size(), 4U);
}

TEST(recorder, a_store_that_is_never_quiet_is_tidied_up_once_a_minute) {
  const auto store = std::make_shared<scripted_store>();
  deterministic_crew crew(testing::every_event_fires(), 1, {}, {}, stored_in(store));
  for (int second = 1; second < 60; ++second) {
    crew.send(nth_event(second));
    crew.run();
    crew.pass(1s);
    crew.run();
  }
  EXPECT_TRUE(store->maintained().empty());
  crew.send(nth_event(60));
  crew.run();
  crew.pass(1s);
  crew.run();
  EXPECT_EQ(store->maintained().size(), 1U);
}

TEST(recorder, tidying_up_that_fails_is_counted_and_comes_again) {
  const auto store = std::make_shared<scripted_store>();
  deterministic_crew crew(testing::every_event_fires(), 1, {}, {}, stored_in(store));
  store->fail(true);
  crew.run();
  crew.pass(1s);
  EXPECT_EQ(crew.recorder_counts().failures, 1U);
  store->fail(false);
  crew.pass(1s);
  crew.run();
  EXPECT_EQ(store->maintained().size(), 1U);
}

}  // namespace
}  // namespace tocsin
