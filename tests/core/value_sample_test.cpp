// SPDX-License-Identifier: Apache-2.0
// Medians: exact over few numbers, of a uniform sample over many.
#include "core/value_sample.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace tocsin {
namespace {

TEST(value_sample, of_nothing_has_no_median) {
  EXPECT_FALSE(value_sample{}.spread().has_value());
}

TEST(value_sample, has_the_exact_medians_of_512_numbers) {
  value_sample sample;
  // 0 to 511 in some order: the middle two are 255 and 256, distances 0.5 to 255.5 twice each.
  for (std::uint64_t i = 0; i < 512; ++i) sample.add(i, static_cast<double>(i * 45 % 512));
  EXPECT_EQ(sample.count(), 512U);
  EXPECT_EQ(sample.spread()->middle, 255.5);
  EXPECT_EQ(sample.spread()->deviation, 128);
}

TEST(value_sample, keeps_a_fair_sample_of_many) {
  value_sample sample;
  std::mt19937_64 random{9};
  std::normal_distribution<double> spread{100, 10};
  for (std::uint64_t i = 0; i < 100'000; ++i) sample.add(i, spread(random));
  EXPECT_EQ(sample.count(), 100'000U);
  // Four standard errors of a median of 512, 1.2533 * 10 / sqrt(512) each; the deviation's is less.
  EXPECT_NEAR(sample.spread()->middle, 100, 4 * 0.554);
  EXPECT_NEAR(sample.spread()->deviation, 6.745, 4 * 0.554);
  EXPECT_LE(sample.heap_bytes(), 1024 * 16U);
}

TEST(value_sample, is_not_misled_by_numbers_that_drift_with_the_log) {
  value_sample sample;
  for (std::uint64_t i = 0; i < 100'000; ++i) sample.add(i, static_cast<double>(i));
  // A sampled median's rank has a standard error of 1 / (2 sqrt(512)), 2.2 % of all.
  EXPECT_NEAR(sample.spread()->middle, 50'000, 4 * 2'210);
}

TEST(value_sample, does_not_depend_on_how_and_in_which_order_it_came_together) {
  value_sample whole;
  std::vector<value_sample> parts(5);
  std::mt19937_64 random{2};
  for (std::uint64_t i = 0; i < 3'000; ++i) {
    const auto number = static_cast<double>(random() % 1'000);
    whole.add(i, number);
    parts[random() % 5].add(i, number);
  }
  for (int trial = 0; trial < 5; ++trial) {
    std::shuffle(parts.begin(), parts.end(), random);
    value_sample merged;
    for (const value_sample& part : parts) merged.merge(part);
    EXPECT_EQ(merged.count(), whole.count());
    EXPECT_EQ(merged.spread()->middle, whole.spread()->middle);
    EXPECT_EQ(merged.spread()->deviation, whole.spread()->deviation);
  }
}

TEST(value_sample, is_saved_whole) {
  for (const std::uint64_t size : {0U, 3U, 512U, 2'000U}) {
    value_sample kept;
    for (std::uint64_t i = 0; i < size; ++i) kept.add(i, static_cast<double>(i * i % 1'009));
    std::string bytes;
    state_writer to{bytes};
    kept.save(to);
    state_reader from{bytes};
    value_sample loaded;
    loaded.load(from);
    EXPECT_FALSE(from.failed());
    EXPECT_TRUE(from.at_end());
    for (std::uint64_t i = size; i < size + 1'000; ++i) {
      kept.add(i, static_cast<double>(i % 77));
      loaded.add(i, static_cast<double>(i % 77));
    }
    EXPECT_EQ(loaded.count(), kept.count());
    EXPECT_EQ(loaded.spread()->middle, kept.spread()->middle);
    EXPECT_EQ(loaded.spread()->deviation, kept.spread()->deviation);
  }
}

}  // namespace
}  // namespace tocsin
