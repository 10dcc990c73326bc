// SPDX-License-Identifier: Apache-2.0
// Findings of several shards become steps again, in the log's order.
#include "actors/step_collector.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

namespace tocsin {
namespace {

shard_findings part_of(std::uint64_t step, std::uint32_t shard, std::size_t findings,
                       completion held = nullptr) {
  shard_findings part{step, shard, from_unix_ms(static_cast<long long>(step)), {}, std::move(held)};
  part.found.resize(findings);
  for (finding& each : part.found) each.position = step * 100 + shard;
  return part;
}

TEST(step_collector, a_step_is_complete_with_its_last_shard_and_has_all_findings) {
  step_collector steps(3);
  auto first = part_of(1, 2, 1);
  auto second = part_of(1, 0, 2);
  auto third = part_of(1, 1, 0);
  EXPECT_FALSE(steps.take(first));
  EXPECT_FALSE(steps.take(second));
  const auto complete = steps.take(third);
  ASSERT_TRUE(complete);
  EXPECT_EQ(complete->found.size(), 3U);
  EXPECT_EQ(complete->clock, from_unix_ms(1));
  EXPECT_EQ(steps.incomplete(), 0U);
}

TEST(step_collector, steps_complete_in_order_however_far_a_shard_runs_ahead) {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    std::mt19937 random(seed);
    step_collector steps(4);
    std::vector<std::uint64_t> next(4, 1);
    std::uint64_t completed = 0;
    while (completed < 20) {
      const auto shard = static_cast<std::uint32_t>(random() % 4);
      if (next[shard] > 20) continue;
      auto part = part_of(next[shard]++, shard, shard);
      const auto complete = steps.take(part);
      EXPECT_EQ(complete.has_value(), *std::min_element(next.begin(), next.end()) > completed + 1)
          << "seed " << seed;
      if (!complete) continue;
      ++completed;
      EXPECT_EQ(complete->clock, from_unix_ms(static_cast<long long>(completed)));
      ASSERT_EQ(complete->found.size(), 0U + 1U + 2U + 3U);
      for (const finding& each : complete->found) EXPECT_EQ(each.position / 100, completed);
    }
  }
}

TEST(step_collector, a_part_keeps_its_hold_and_the_step_adds_its_own) {
  step_collector steps(2);
  auto token = std::make_shared<const int>();
  auto first = part_of(1, 0, 0, token);
  EXPECT_FALSE(steps.take(first));
  EXPECT_EQ(token.use_count(), 3) << "here, in the part, in the partial step";
  auto second = part_of(1, 1, 0, token);
  { const auto complete = steps.take(second); }
  EXPECT_EQ(token.use_count(), 3) << "here and in the two parts";
}

}  // namespace
}  // namespace tocsin
