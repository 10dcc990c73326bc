// SPDX-License-Identifier: Apache-2.0
// The pipeline's door: room, return of credits, waiting for all, failure.
#include "actors/burst_gate.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <string>
#include <vector>

namespace tocsin {
namespace {

TEST(burst_gate, as_many_enter_as_there_is_room_and_the_next_when_one_has_left) {
  const auto gate = burst_gate::open(2);
  auto first = gate->try_enter();
  const auto second = gate->try_enter();
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(gate->try_enter());
  first.reset();
  EXPECT_TRUE(gate->try_enter());
}

TEST(burst_gate, nobody_enters_while_as_many_events_as_allowed_are_inside) {
  const auto gate = burst_gate::open(10, 100);
  int announced = 0;
  gate->on_room([&] { ++announced; });
  auto small = gate->try_enter(99);
  auto large = gate->try_enter(1'000);
  EXPECT_TRUE(small && large) << "one more may come in while there is room at all";
  EXPECT_FALSE(gate->try_enter(1));
  small.reset();
  EXPECT_EQ(announced, 0) << "there is none yet";
  EXPECT_FALSE(gate->try_enter(1));
  large.reset();
  EXPECT_EQ(announced, 1);
  EXPECT_TRUE(gate->try_enter(1));
}

TEST(burst_gate, a_burst_leaves_when_the_last_copy_of_its_credit_is_gone) {
  const auto gate = burst_gate::open(1);
  auto credit = gate->try_enter();
  auto copy = credit;
  credit.reset();
  EXPECT_FALSE(gate->try_enter());
  copy.reset();
  EXPECT_TRUE(gate->try_enter());
}

TEST(burst_gate, one_who_waits_to_enter_gets_the_place_that_becomes_free) {
  const auto gate = burst_gate::open(1);
  auto inside = gate->enter();
  auto waiting = std::async(std::launch::async, [&] { return gate->enter(); });
  inside.reset();
  EXPECT_TRUE(waiting.get());
}

TEST(burst_gate, shutting_sends_those_who_wait_away) {
  const auto gate = burst_gate::open(1);
  const auto inside = gate->enter();
  auto waiting = std::async(std::launch::async, [&] { return gate->enter(); });
  gate->shut();
  EXPECT_FALSE(waiting.get());
  EXPECT_FALSE(gate->enter());
  EXPECT_FALSE(gate->try_enter());
  EXPECT_FALSE(gate->failure());
}

TEST(burst_gate, waiting_for_all_waits_for_an_older_burst_though_a_younger_one_has_left) {
  const auto gate = burst_gate::open(2);
  auto older = gate->enter();
  std::atomic<bool> older_leaves = false;
  std::promise<void> begins;
  auto all = std::async(std::launch::async, [&] {
    begins.set_value();
    return gate->wait_for_all() && older_leaves;
  });
  begins.get_future().wait();
  gate->enter().reset();
  older_leaves = true;
  older.reset();
  EXPECT_TRUE(all.get());
}

TEST(burst_gate, waiting_for_all_is_over_at_once_when_nobody_is_inside) {
  const auto gate = burst_gate::open(1);
  EXPECT_TRUE(gate->wait_for_all());
  gate->enter().reset();
  EXPECT_TRUE(gate->wait_for_all());
}

TEST(burst_gate, room_is_announced_once_after_refusals) {
  const auto gate = burst_gate::open(1);
  int calls = 0;
  gate->on_room([&] { ++calls; });
  gate->enter().reset();
  EXPECT_EQ(calls, 0) << "nobody was refused";
  auto inside = gate->enter();
  EXPECT_FALSE(gate->try_enter());
  EXPECT_FALSE(gate->try_enter());
  inside.reset();
  EXPECT_EQ(calls, 1);
  gate->enter().reset();
  EXPECT_EQ(calls, 1);
}

TEST(burst_gate, the_one_who_hears_of_room_may_enter_at_once) {
  const auto gate = burst_gate::open(1);
  burst_gate::credit taken;
  gate->on_room([&] { taken = gate->try_enter(); });
  auto inside = gate->enter();
  EXPECT_FALSE(gate->try_enter());
  inside.reset();
  EXPECT_TRUE(taken);
}

TEST(burst_gate, a_failure_keeps_its_first_cause_and_tells_it_once) {
  const auto gate = burst_gate::open(1);
  std::vector<std::string> told;
  gate->on_failure([&](const std::string& cause) { told.push_back(cause); });
  const auto inside = gate->enter();
  gate->fail("notifier: broken pipe");
  gate->fail("ingest: gone too");
  EXPECT_EQ(gate->failure(), "notifier: broken pipe");
  EXPECT_EQ(told, std::vector<std::string>{"notifier: broken pipe"});
  EXPECT_FALSE(gate->enter());
  EXPECT_FALSE(gate->wait_for_all()) << "though a burst is still inside";
}

TEST(burst_gate, one_who_asks_after_the_failure_is_told_at_once) {
  const auto gate = burst_gate::open(1);
  gate->fail("ingest: out of memory");
  std::string told;
  gate->on_failure([&](const std::string& cause) { told = cause; });
  EXPECT_EQ(told, "ingest: out of memory");
}

TEST(burst_gate, an_exception_from_the_one_who_hears_of_room_is_a_failure) {
  const auto gate = burst_gate::open(1);
  gate->on_room([] { throw std::runtime_error("no such socket"); });
  auto inside = gate->enter();
  EXPECT_FALSE(gate->try_enter());
  inside.reset();
  EXPECT_EQ(gate->failure(), "on_room: no such socket");
}

TEST(burst_gate, bursts_with_an_answer_have_room_of_their_own) {
  const auto gate = burst_gate::open(2, 100);
  using lane = burst_gate::lane;
  std::size_t announced = 0;
  gate->on_room([&] { ++announced; });
  auto pushed = gate->try_enter(100);
  EXPECT_FALSE(gate->try_enter(1)) << "full of pushed events";
  std::vector<burst_gate::credit> answered;
  for (std::size_t i = 0; i < 2 * burst_gate::answered_share; ++i) {
    answered.push_back(gate->try_enter(1, lane::answered));
    EXPECT_TRUE(answered.back()) << i;
  }
  EXPECT_FALSE(gate->try_enter(1, lane::answered));
  answered.pop_back();
  EXPECT_EQ(announced, 0U) << "it is no room for pushed ones";
  EXPECT_TRUE(gate->try_enter(1, lane::answered));
  pushed = nullptr;
  EXPECT_EQ(announced, 1U);
  answered.clear();
  EXPECT_TRUE(gate->wait_for_all());
}

TEST(burst_gate, its_fill_is_what_is_inside_beside_one_burst_that_was_pushed) {
  const auto gate = burst_gate::open(4, 1000);
  EXPECT_EQ(gate->fill(), 0);
  const auto answered = gate->enter(100, burst_gate::lane::answered);
  auto first = gate->enter(600);
  EXPECT_EQ(gate->fill(), 0) << "alone it presses nobody";
  auto second = gate->enter(200);
  EXPECT_EQ(gate->fill(), 0.4) << "by events: half of 800 of 1,000";
  first.reset();
  EXPECT_EQ(gate->fill(), 0);
  auto third = gate->enter(1);
  auto fourth = gate->enter(1);
  EXPECT_EQ(gate->fill(), 0.5) << "by bursts: 2 of 4";
}

}  // namespace
}  // namespace tocsin
