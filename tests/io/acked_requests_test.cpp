// SPDX-License-Identifier: Apache-2.0
// Which requests are due when: the sender's half of the acked protocol, with the clock turned by
// hand.
#include "io/acked_requests.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using moment = acked_requests::moment;

acked_reply reply(acked_status status, duration retry_after = {}) {
  acked_reply made;
  made.status = status;
  made.retry_after = retry_after;
  return made;
}

acked_requests::limits bounds() {
  return {3, 5s, 60s};
}

/// Sends all that is due; their numbers.
std::vector<std::uint64_t> send_all(acked_requests& from, moment now) {
  std::vector<std::uint64_t> numbers;
  std::uint64_t number = 0;
  while (from.next_due(now, number) != nullptr) {
    from.sent(number, now);
    numbers.push_back(number);
  }
  return numbers;
}

using numbers = std::vector<std::uint64_t>;
const moment begin = moment{} + 1h;

TEST(acked_requests, there_is_room_for_a_window_and_an_answer_makes_more) {
  acked_requests under_way{bounds()};
  for (const char* each : {"a", "b", "c"}) {
    ASSERT_TRUE(under_way.room());
    under_way.add(each, 10);
  }
  EXPECT_FALSE(under_way.room());
  EXPECT_EQ(under_way.events(), 30U);
  EXPECT_EQ(send_all(under_way, begin), (numbers{1, 2, 3}));
  const auto ended = under_way.answered(2, reply(acked_status::ok), begin);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->message, "b");
  EXPECT_TRUE(under_way.room());
  EXPECT_EQ(under_way.events(), 20U);
  EXPECT_EQ(under_way.add("d", 1), 4U);
}

TEST(acked_requests, a_request_without_an_answer_is_due_again_as_it_was) {
  acked_requests under_way{bounds()};
  under_way.add("a", 1);
  EXPECT_EQ(send_all(under_way, begin), numbers{1});
  EXPECT_EQ(under_way.next_moment(), begin + 5s);
  EXPECT_EQ(send_all(under_way, begin + 5s - 1ns), numbers{});
  std::uint64_t number = 0;
  const auto* const due = under_way.next_due(begin + 5s, number);
  ASSERT_NE(due, nullptr);
  EXPECT_EQ(number, 1U);
  EXPECT_EQ(due->message, "a");
  under_way.sent(number, begin + 5s);
  EXPECT_EQ(under_way.resent(), 1U);
}

TEST(acked_requests, while_the_daemon_asks_to_wait_nothing_overtakes) {
  acked_requests under_way{bounds()};
  under_way.add("a", 1);
  EXPECT_EQ(send_all(under_way, begin), numbers{1});
  EXPECT_FALSE(under_way.answered(1, reply(acked_status::retry, 100ms), begin));
  under_way.add("b", 1);
  EXPECT_EQ(under_way.next_moment(), begin + 100ms);
  EXPECT_EQ(send_all(under_way, begin + 99ms), numbers{});
  EXPECT_EQ(send_all(under_way, begin + 100ms), (numbers{1, 2}));
}

TEST(acked_requests, a_wait_is_at_least_a_millisecond_and_at_most_the_bound) {
  acked_requests under_way{bounds()};
  under_way.add("a", 1);
  send_all(under_way, begin);
  under_way.answered(1, reply(acked_status::retry), begin);
  EXPECT_EQ(under_way.next_moment(), begin + 1ms);
  send_all(under_way, begin + 1ms);
  under_way.answered(1, reply(acked_status::retry, 24h), begin + 1ms);
  EXPECT_EQ(under_way.next_moment(), begin + 1ms + 60s);
}

TEST(acked_requests, over_a_new_connection_all_goes_again_in_order) {
  acked_requests under_way{bounds()};
  for (const char* each : {"a", "b", "c"}) under_way.add(each, 1);
  send_all(under_way, begin);
  under_way.answered(2, reply(acked_status::ok), begin);
  under_way.answered(1, reply(acked_status::retry, 10s), begin);
  under_way.reconnected();
  EXPECT_EQ(send_all(under_way, begin), (numbers{1, 3}));
}

TEST(acked_requests, the_second_answer_to_one_request_ends_nothing) {
  acked_requests under_way{bounds()};
  under_way.add("a", 7);
  send_all(under_way, begin);
  EXPECT_TRUE(under_way.answered(1, reply(acked_status::reject), begin));
  EXPECT_FALSE(under_way.answered(1, reply(acked_status::ok), begin));
  EXPECT_FALSE(under_way.answered(99, reply(acked_status::ok), begin));
  EXPECT_TRUE(under_way.idle());
  EXPECT_EQ(under_way.events(), 0U);
  EXPECT_EQ(under_way.next_moment(), std::nullopt);
}

/// A daemon that loses requests and answers, answers late, twice, and asks to wait: in the end
/// every request has reached it, each always with the same bytes under the same number.
TEST(acked_requests, whatever_gets_lost_every_request_arrives_under_its_number) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random{seed};
    acked_requests under_way{bounds()};
    std::set<std::uint64_t> arrived, ended;
    std::vector<std::uint64_t> answers;  // under way to the sender
    moment now = begin;
    constexpr std::uint64_t wanted = 40;
    std::uint64_t added = 0;
    for (int step = 0; ended.size() < wanted; ++step) {
      ASSERT_LT(step, 100'000) << ended.size() << " ended";
      if (added < wanted && under_way.room()) {
        const auto number = under_way.add("message " + std::to_string(added + 1), 1);
        ASSERT_EQ(number, ++added);
      }
      std::uint64_t number = 0;
      while (const auto* due = under_way.next_due(now, number)) {
        ASSERT_EQ(due->message, "message " + std::to_string(number));
        under_way.sent(number, now);
        if (random() % 3 == 0) continue;  // lost on its way
        arrived.insert(number);
        for (unsigned copies = random() % 3; copies > 0; --copies) answers.push_back(number);
      }
      if (!answers.empty() && random() % 2 == 0) {
        std::swap(answers[random() % answers.size()], answers.back());
        const auto chosen = answers.back();
        answers.pop_back();
        const bool wait = random() % 4 == 0;
        const auto with =
            wait ? reply(acked_status::retry, duration{random() % 100}) : reply(acked_status::ok);
        if (under_way.answered(chosen, with, now)) ended.insert(chosen);
      }
      if (random() % 50 == 0) under_way.reconnected();
      now += std::chrono::milliseconds{random() % 2000};
    }
    EXPECT_EQ(arrived.size(), wanted);
    EXPECT_TRUE(under_way.idle());
  }
}

}  // namespace
}  // namespace tocsin
