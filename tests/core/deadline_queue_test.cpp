// SPDX-License-Identifier: Apache-2.0
// States come out by deadline, and of one deadline in the order they went in.
#include "core/deadline_queue.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace tocsin {
namespace {

std::vector<std::uint32_t> all_of(const deadline_bucket& bucket) {
  std::vector<std::uint32_t> states;
  for (const std::uint32_t one : bucket) states.push_back(one);
  EXPECT_EQ(states.size(), bucket.size());
  return states;
}

TEST(deadline_queue, equals_a_map_of_lists) {
  std::mt19937_64 random{9};
  deadline_queue queue;
  std::map<std::int64_t, std::vector<std::uint32_t>> twin;
  EXPECT_EQ(queue.first(), never_ms);
  for (std::uint32_t i = 0; i < 30'000; ++i) {
    // Some deadlines have thousands of states, some one.
    const auto deadline = static_cast<std::int64_t>(random() % 3 == 0 ? random() % 50 : 10);
    queue.add(deadline, i);
    twin[deadline].push_back(i);
    if (random() % 4000 != 0) continue;
    ASSERT_EQ(queue.first(), twin.begin()->first);
    ASSERT_EQ(all_of(queue.take_first()), twin.begin()->second);
    twin.erase(twin.begin());
  }
  while (!twin.empty()) {
    ASSERT_EQ(queue.first(), twin.begin()->first);
    ASSERT_EQ(all_of(queue.take_first()), twin.begin()->second);
    twin.erase(twin.begin());
  }
  EXPECT_EQ(queue.first(), never_ms);
}

TEST(deadline_queue, a_deadline_that_was_taken_can_be_waited_for_again) {
  deadline_queue queue;
  queue.add(5, 1);
  EXPECT_EQ(all_of(queue.take_first()), (std::vector<std::uint32_t>{1}));
  queue.add(5, 2);
  queue.add(5, 3);
  EXPECT_EQ(all_of(queue.take_first()), (std::vector<std::uint32_t>{2, 3}));
}

TEST(deadline_queue, buckets_at_the_edge_of_a_chunk_lose_nothing) {
  for (const std::uint32_t size : {1023U, 1024U, 1025U, 2048U, 2049U}) {
    deadline_queue queue;
    std::vector<std::uint32_t> wanted;
    for (std::uint32_t i = 0; i < size; ++i) {
      queue.add(7, i);
      wanted.push_back(i);
    }
    EXPECT_EQ(all_of(queue.take_first()), wanted);
  }
}

}  // namespace
}  // namespace tocsin
