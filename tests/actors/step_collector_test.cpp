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

shard_findings part_of(std::uint64_t step, std::uint32_t shard, std::uint32_t shards,
                       std::size_t findings, completion held = nullptr) {
  shard_findings part{step, step - 1, shards,          from_unix_ms(static_cast<long long>(step)),
                      {},   nullptr,  std::move(held), nullptr};
  part.found.resize(findings);
  for (finding& each : part.found) each.position = step * 100 + shard;
  return part;
}

TEST(step_collector, a_step_is_complete_with_its_last_shard_and_has_all_findings) {
  step_collector steps;
  auto first = part_of(1, 2, 3, 1);
  auto second = part_of(1, 0, 3, 2);
  auto third = part_of(1, 1, 3, 0);
  steps.add(first);
  steps.add(second);
  EXPECT_FALSE(steps.next());
  steps.add(third);
  const auto complete = steps.next();
  ASSERT_TRUE(complete);
  EXPECT_EQ(complete->found.size(), 3U);
  EXPECT_EQ(complete->clock, from_unix_ms(1));
  EXPECT_EQ(steps.incomplete(), 0U);
}

TEST(step_collector, a_complete_step_waits_for_the_steps_before_it) {
  step_collector steps;
  auto later = part_of(3, 0, 1, 1);
  auto first = part_of(1, 0, 1, 1);
  auto half = part_of(2, 0, 2, 1);
  auto rest = part_of(2, 1, 2, 1);
  steps.add(later);
  EXPECT_FALSE(steps.next());
  steps.add(half);
  steps.add(first);
  EXPECT_EQ(steps.next()->clock, from_unix_ms(1));
  EXPECT_FALSE(steps.next()) << "step 2 lacks a part";
  steps.add(rest);
  EXPECT_EQ(steps.next()->clock, from_unix_ms(2));
  EXPECT_EQ(steps.next()->clock, from_unix_ms(3));
  EXPECT_FALSE(steps.next());
}

TEST(step_collector, steps_complete_in_order_however_far_a_shard_runs_ahead) {
  constexpr std::uint64_t last = 20;
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    std::mt19937 random(seed);
    // Which of four shards report each step: one at least.
    std::vector<std::vector<std::uint32_t>> reporters(last + 1);
    for (std::uint64_t step = 1; step <= last; ++step) {
      for (std::uint32_t shard = 0; shard < 4; ++shard)
        if (random() % 2 == 0) reporters[step].push_back(shard);
      if (reporters[step].empty()) reporters[step].push_back(0);
    }
    step_collector steps;
    std::vector<std::uint64_t> next(4, 1);
    std::uint64_t completed = 0;
    while (completed < last) {
      const auto shard = static_cast<std::uint32_t>(random() % 4);
      const std::uint64_t step = next[shard];
      if (step > last) continue;
      ++next[shard];
      const auto& all = reporters[step];
      if (std::find(all.begin(), all.end(), shard) == all.end()) continue;
      auto part = part_of(step, shard, static_cast<std::uint32_t>(all.size()), shard);
      steps.add(part);
      while (const auto complete = steps.next()) {
        ++completed;
        EXPECT_EQ(complete->clock, from_unix_ms(static_cast<long long>(completed)));
        std::size_t findings = 0;
        for (const std::uint32_t each : reporters[completed]) findings += each;
        ASSERT_EQ(complete->found.size(), findings) << "seed " << seed;
        for (const finding& each : complete->found) EXPECT_EQ(each.position / 100, completed);
      }
    }
    EXPECT_EQ(steps.incomplete(), 0U);
  }
}

TEST(step_collector, a_part_keeps_its_hold_and_the_step_adds_its_own) {
  step_collector steps;
  auto token = std::make_shared<const int>();
  auto first = part_of(1, 0, 2, 0, token);
  steps.add(first);
  EXPECT_EQ(token.use_count(), 3) << "here, in the part, in the partial step";
  auto second = part_of(1, 1, 2, 0, token);
  steps.add(second);
  { const auto complete = steps.next(); }
  EXPECT_EQ(token.use_count(), 3) << "here and in the two parts";
}

TEST(step_collector, an_operation_goes_with_its_step_whichever_part_brings_it) {
  for (const std::uint32_t bearer : {0U, 1U, 2U}) {
    step_collector steps;
    const auto asked = std::make_shared<const operation_in>();
    for (std::uint32_t shard = 0; shard < 3; ++shard) {
      auto part = part_of(1, shard, 3, 1);
      if (shard == bearer) part.asked = asked;
      steps.add(part);
    }
    auto next = part_of(2, 0, 1, 1);
    steps.add(next);
    EXPECT_EQ(steps.next()->asked, asked);
    EXPECT_EQ(steps.next()->asked, nullptr);
  }
}

TEST(step_collector, steps_begin_behind_any_number) {
  step_collector steps{41};
  auto later = part_of(43, 0, 1, 1);
  auto first = part_of(42, 0, 1, 1);
  steps.add(later);
  EXPECT_FALSE(steps.next());
  steps.add(first);
  EXPECT_EQ(steps.next()->number, 42U);
  EXPECT_EQ(steps.next()->number, 43U);
}

TEST(step_collector, a_number_that_no_step_has_is_passed_over_where_the_parts_say_so) {
  step_collector steps{10};
  auto behind_the_gap = part_of(20, 1, 2, 1);
  behind_the_gap.after = 12;
  auto rest = part_of(20, 0, 2, 1);
  rest.after = 12;
  auto before = part_of(12, 0, 1, 1);
  before.after = 10;
  steps.add(behind_the_gap);
  steps.add(rest);
  EXPECT_FALSE(steps.next()) << "step 12 may still come";
  steps.add(before);
  EXPECT_EQ(steps.next()->number, 12U);
  EXPECT_EQ(steps.next()->number, 20U);
}

}  // namespace
}  // namespace tocsin
