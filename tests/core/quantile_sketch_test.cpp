// SPDX-License-Identifier: Apache-2.0
// Quantiles within 1 % of the exact ones, over numbers of all signs and sizes.
#include "core/quantile_sketch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

namespace tocsin {
namespace {

constexpr int many = 100'000;

std::vector<double> numbers_of(const std::function<double(std::mt19937_64&)>& one, int count) {
  std::mt19937_64 random{42};
  std::vector<double> made;
  for (int i = 0; i < count; ++i) made.push_back(one(random));
  return made;
}

quantile_sketch sketch_of(const std::vector<double>& numbers) {
  quantile_sketch made;
  for (const double number : numbers) made.add(number);
  return made;
}

void expect_within_bound(std::vector<double> numbers) {
  const quantile_sketch sketch = sketch_of(numbers);
  std::sort(numbers.begin(), numbers.end());
  for (const double q : {0.0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0}) {
    const double exact =
        numbers[static_cast<std::size_t>(q * static_cast<double>(numbers.size() - 1))];
    EXPECT_LE(std::abs(sketch.quantile(q).value() - exact), std::abs(exact) * 0.01 * (1 + 1e-9))
        << "q " << q << ", exact " << exact << ", seen " << *sketch.quantile(q);
  }
}

TEST(quantile_sketch, of_nothing_has_no_quantile) {
  EXPECT_FALSE(quantile_sketch{}.quantile(0.5).has_value());
}

TEST(quantile_sketch, of_one_number_is_that_number) {
  for (const double number : {0.0, -3.7, 1e-300, 1e300, std::numeric_limits<double>::max(),
                              std::numeric_limits<double>::denorm_min()})
    for (const double q : {0.0, 0.5, 1.0}) EXPECT_EQ(sketch_of({number}).quantile(q), number);
}

TEST(quantile_sketch, takes_the_rank_below) {
  const quantile_sketch sketch = sketch_of({4, 1, 3, 2});
  EXPECT_EQ(sketch.quantile(0), 1);
  EXPECT_NEAR(sketch.quantile(0.5).value(), 2, 0.02);
  EXPECT_NEAR(sketch.quantile(0.67).value(), 3, 0.03);
  EXPECT_EQ(sketch.quantile(1), 4);
}

TEST(quantile_sketch, is_within_one_percent_of_uniform_numbers) {
  std::uniform_real_distribution<double> spread{0, 1000};
  expect_within_bound(numbers_of([&](auto& random) { return spread(random); }, many));
}

TEST(quantile_sketch, is_within_one_percent_of_latencies_with_a_long_tail) {
  std::lognormal_distribution<double> spread{3, 2};
  expect_within_bound(numbers_of([&](auto& random) { return spread(random); }, many));
}

TEST(quantile_sketch, is_within_one_percent_of_numbers_of_both_signs) {
  std::normal_distribution<double> spread{0, 50};
  expect_within_bound(numbers_of([&](auto& random) { return std::trunc(spread(random)); }, many));
}

TEST(quantile_sketch, is_within_one_percent_over_seventeen_orders_of_magnitude) {
  std::uniform_real_distribution<double> power{-8, 9};
  expect_within_bound(
      numbers_of([&](auto& random) { return std::pow(10.0, power(random)); }, many));
}

TEST(quantile_sketch, beyond_its_buckets_only_what_is_nearest_to_zero_suffers) {
  std::uniform_real_distribution<double> power{-150, 150};
  std::vector<double> numbers =
      numbers_of([&](auto& random) { return std::pow(10.0, power(random)); }, many);
  const quantile_sketch sketch = sketch_of(numbers);
  EXPECT_LE(sketch.heap_bytes(), 2 * 4096 * 16U);
  std::sort(numbers.begin(), numbers.end());
  // 2,048 buckets of 2 % reach down from 1e150 by 17 orders of magnitude: the upper 5 %.
  for (const double q : {0.96, 0.99, 1.0}) {
    const double exact = numbers[static_cast<std::size_t>(q * (many - 1))];
    EXPECT_LE(std::abs(sketch.quantile(q).value() - exact), exact * 0.0101);
  }
  EXPECT_EQ(sketch.quantile(0), numbers.front());
}

TEST(quantile_sketch, merged_parts_are_the_whole_in_any_order) {
  std::uniform_real_distribution<double> power{-150, 150};
  std::bernoulli_distribution negative;
  const std::vector<double> numbers = numbers_of(
      [&](auto& random) { return std::pow(10.0, power(random)) * (negative(random) ? -1 : 1); },
      20'000);
  const quantile_sketch whole = sketch_of(numbers);
  std::vector<quantile_sketch> parts(7);
  for (std::size_t i = 0; i < numbers.size(); ++i) parts[i * i % 7].add(numbers[i]);
  std::mt19937_64 random{1};
  for (int trial = 0; trial < 5; ++trial) {
    std::shuffle(parts.begin(), parts.end(), random);
    quantile_sketch merged;
    for (const quantile_sketch& part : parts) merged.merge(part);
    for (int percent = 0; percent <= 100; ++percent)
      EXPECT_EQ(merged.quantile(percent / 100.0), whole.quantile(percent / 100.0)) << percent;
  }
}

TEST(quantile_sketch, is_saved_whole) {
  std::normal_distribution<double> spread{0, 50};
  quantile_sketch kept =
      sketch_of(numbers_of([&](auto& random) { return std::trunc(spread(random)); }, 1'000));
  std::string bytes;
  state_writer to{bytes};
  kept.save(to);
  state_reader from{bytes};
  quantile_sketch loaded;
  loaded.load(from);
  EXPECT_FALSE(from.failed());
  EXPECT_TRUE(from.at_end());
  kept.add(1e5);
  loaded.add(1e5);
  for (int percent = 0; percent <= 100; ++percent)
    EXPECT_EQ(loaded.quantile(percent / 100.0), kept.quantile(percent / 100.0)) << percent;
}

}  // namespace
}  // namespace tocsin
