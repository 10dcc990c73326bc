// SPDX-License-Identifier: Apache-2.0
// Whatever the moment at which the power fails: what was answered is there and counts once, and
// alerts go on as if nothing had happened.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "crash_world.hpp"

namespace tocsin {
namespace {

using testing::crash_world;
using testing::random_traffic;

/// Alert ids by their first transition: each alert begins once.
void expect_alerts_begin_once(const std::vector<transition>& all) {
  std::set<std::string> begun;
  std::uint64_t seq = 0;
  for (const transition& each : all) {
    ASSERT_EQ(each->seq, ++seq);
    if (each->number == 1) {
      ASSERT_TRUE(begun.insert(to_text(each->alert_id)).second);
    }
  }
}

void expect_the_same_as_without_crashes(crash_world::settings how, std::size_t seeds) {
  std::size_t crashes = 0, snapshots = 0, steps = 0;
  std::uint64_t duplicates = 0;
  for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
    const auto input = random_traffic(seed, 250);
    crash_world calm{input, {.seed = seed, .shards = how.shards}};
    calm.run();
    ASSERT_GT(calm.parts().store->seq(), 0U);
    ASSERT_FALSE(calm.silences().empty());
    how.seed = seed;
    crash_world rough{input, how};
    rough.run();
    ASSERT_EQ(rough.parts().store->json_lines(), calm.parts().store->json_lines())
        << "seed " << seed << ", " << rough.crashes() << " crashes";
    ASSERT_EQ(rough.silences(), calm.silences()) << "seed " << seed;
    expect_alerts_begin_once(rough.parts().store->transitions());
    crashes += rough.crashes();
    snapshots += rough.snapshots_used();
    steps += rough.steps_gone_through();
    duplicates += rough.duplicates();
  }
  // What it is about has happened.
  EXPECT_GT(crashes, seeds);
  EXPECT_GT(steps, seeds);
  EXPECT_GT(duplicates, 0U);
  if (!how.changes_shards) {
    EXPECT_GT(snapshots, seeds / 2);
  }
}

TEST(crashes, change_nothing_about_alerts_and_lose_nothing_that_was_answered) {
  expect_the_same_as_without_crashes({.crash_in = 400}, 40);
}

TEST(crashes, change_nothing_while_log_and_snapshots_fail_at_times) {
  expect_the_same_as_without_crashes({.crash_in = 400, .fails_at_times = true}, 20);
}

TEST(crashes, change_nothing_when_each_start_has_other_shards_and_goes_by_the_log) {
  expect_the_same_as_without_crashes({.crash_in = 800, .changes_shards = true}, 10);
}

}  // namespace
}  // namespace tocsin
