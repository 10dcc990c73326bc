// SPDX-License-Identifier: Apache-2.0
// The listening thread over real sockets: order, refusal, stopping, bounds.
#include "io/push_listener.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "io/event_sender.hpp"
#include "support/burst_recorder.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t message_bytes = 1024 * 1024;
constexpr duration patience = 20s;

class push_listener_test : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = push_listener::start("tcp://127.0.0.1:*", message_bytes,
                                        [this](burst& messages) { return seen.take(messages); });
    ASSERT_TRUE(started) << started.failure().message;
    listener = std::move(*started);
    auto connected = event_sender::connect(listener->endpoint(), patience);
    ASSERT_TRUE(connected) << connected.failure().message;
    sender = std::move(*connected);
  }
  void send_numbers(int from, int until) {
    for (int i = from; i < until; ++i) ASSERT_TRUE(sender->send(std::to_string(i), patience));
  }
  static std::vector<std::string> numbers(int until) {
    std::vector<std::string> all;
    for (int i = 0; i < until; ++i) all.push_back(std::to_string(i));
    return all;
  }

  testing::burst_recorder seen;
  std::unique_ptr<push_listener> listener;
  std::unique_ptr<event_sender> sender;
};

TEST_F(push_listener_test, messages_arrive_whole_and_in_order) {
  send_numbers(0, 5000);
  const std::string large(message_bytes, 'x');
  ASSERT_TRUE(sender->send(large, patience));
  ASSERT_TRUE(seen.wait_for_messages(5001));
  auto messages = seen.messages();
  EXPECT_EQ(messages.back(), large);
  messages.pop_back();
  EXPECT_EQ(messages, numbers(5000));
}

TEST_F(push_listener_test, a_burst_is_bounded_in_messages) {
  seen.set_full(true);
  send_numbers(0, 1000);
  seen.set_full(false);
  listener->room();
  ASSERT_TRUE(seen.wait_for_messages(1000));
  const auto sizes = seen.burst_sizes();
  EXPECT_LE(*std::max_element(sizes.begin(), sizes.end()), 256u);
  EXPECT_GE(*std::min_element(sizes.begin(), sizes.end()), 1u);
}

TEST_F(push_listener_test, a_refused_burst_is_kept_and_offered_again_when_there_is_room) {
  seen.set_full(true);
  send_numbers(0, 1);
  ASSERT_TRUE(seen.wait_for_offers(1));
  send_numbers(1, 300);
  EXPECT_TRUE(seen.messages().empty());
  listener->room();  // there is none yet: it is refused once more
  ASSERT_TRUE(seen.wait_for_offers(2));
  EXPECT_EQ(seen.offers(), 2u);
  seen.set_full(false);
  listener->room();
  ASSERT_TRUE(seen.wait_for_messages(300));
  EXPECT_EQ(seen.messages(), numbers(300));
}

TEST_F(push_listener_test, stop_hands_over_what_had_arrived) {
  send_numbers(0, 3000);
  ASSERT_TRUE(sender->close(patience));
  listener->stop();
  EXPECT_EQ(seen.messages(), numbers(3000));
  EXPECT_EQ(listener->abandoned(), 0u);
}

TEST_F(push_listener_test, stop_waits_for_room_before_it_gives_up_a_burst) {
  seen.set_full(true);
  send_numbers(0, 100);
  ASSERT_TRUE(sender->close(patience));
  ASSERT_TRUE(seen.wait_for_offers(1));
  std::thread stopping{[&] { listener->stop(); }};
  EXPECT_TRUE(seen.wait_for_offers(2)) << "stopping offers the burst again";
  seen.set_full(false);
  listener->room();
  stopping.join();
  EXPECT_EQ(seen.messages(), numbers(100));
}

TEST_F(push_listener_test, stop_counts_what_a_receiver_refuses_to_the_end) {
  seen.set_full(true);
  send_numbers(0, 1);
  ASSERT_TRUE(seen.wait_for_offers(1));
  listener->stop();
  EXPECT_EQ(listener->abandoned(), 1u);
  EXPECT_TRUE(seen.messages().empty());
}

TEST_F(push_listener_test, stopping_twice_is_the_same_as_once) {
  listener->stop();
  listener->stop();
  EXPECT_TRUE(seen.messages().empty());
}

TEST_F(push_listener_test, a_message_over_twice_the_bound_is_kept_out_and_others_come_in) {
  ASSERT_TRUE(sender->send(std::string(2 * message_bytes + 1, 'x'), patience));
  auto other = event_sender::connect(listener->endpoint(), patience);
  ASSERT_TRUE(other) << other.failure().message;
  ASSERT_TRUE((*other)->send("fine", patience));
  ASSERT_TRUE(seen.wait_for_messages(1));
  EXPECT_EQ(seen.messages(), std::vector<std::string>{"fine"});
}

TEST_F(push_listener_test, binding_where_somebody_listens_names_endpoint_and_reason) {
  const auto second =
      push_listener::start(listener->endpoint(), message_bytes, [](burst&) { return true; });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.failure().code, "bind_failed");
  EXPECT_NE(second.failure().message.find(listener->endpoint()), std::string::npos);
}

}  // namespace
}  // namespace tocsin
