// SPDX-License-Identifier: Apache-2.0
// Distinct counts: exact while few, within HyperLogLog's error beyond.
#include "core/distinct_counter.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

namespace tocsin {
namespace {

distinct_counter counter_of(int begin, int end) {
  distinct_counter made;
  for (int i = begin; i < end; ++i) made.add(fmt::format("host-{}", i));
  return made;
}

TEST(distinct_counter, is_exact_up_to_256_texts) {
  distinct_counter counter;
  EXPECT_EQ(counter.count(), 0U);
  for (int round = 0; round < 3; ++round)
    for (int i = 0; i < 256; ++i) counter.add(fmt::format("{}", i));
  EXPECT_EQ(counter.count(), 256U);
}

TEST(distinct_counter, an_empty_text_is_a_text) {
  distinct_counter counter;
  counter.add("");
  EXPECT_EQ(counter.count(), 1U);
}

TEST(distinct_counter, never_falls_while_texts_are_added) {
  distinct_counter counter;
  std::uint64_t before = 0;
  for (int i = 0; i < 20'000; ++i) {
    counter.add(fmt::format("user {}", i));
    EXPECT_GE(counter.count(), before) << i;
    before = counter.count();
  }
}

TEST(distinct_counter, is_within_four_standard_errors_at_any_size) {
  for (const int size : {300, 1'000, 4'000, 10'000, 20'000, 100'000}) {
    const double seen = static_cast<double>(counter_of(0, size).count());
    EXPECT_NEAR(seen, size, size * 4 * 1.04 / 64) << size;
  }
}

TEST(distinct_counter, has_the_standard_error_it_promises) {
  // The mean error over many disjoint sets shows a bias, the mean square the spread.
  double sum = 0;
  double squares = 0;
  constexpr int trials = 100;
  constexpr int size = 2'000;
  for (int i = 0; i < trials; ++i) {
    const double off = static_cast<double>(counter_of(i * size, (i + 1) * size).count()) / size - 1;
    sum += off;
    squares += off * off;
  }
  EXPECT_LT(std::abs(sum / trials), 0.006);
  EXPECT_LT(std::sqrt(squares / trials), 0.02);
}

TEST(distinct_counter, merged_parts_count_as_the_whole_in_either_order) {
  for (const auto& [first, second] :
       {std::pair{100, 120}, std::pair{200, 300}, std::pair{3'000, 3'100}, std::pair{50, 5'000}}) {
    const distinct_counter left = counter_of(0, first);
    const distinct_counter right = counter_of(first / 2, second);
    distinct_counter both = left;
    both.merge(right);
    distinct_counter turned = right;
    turned.merge(left);
    EXPECT_EQ(both.count(), counter_of(0, second).count());
    EXPECT_EQ(turned.count(), both.count());
  }
}

TEST(distinct_counter, is_saved_whole) {
  for (const int size : {0, 10, 256, 257, 5'000}) {
    distinct_counter kept = counter_of(0, size);
    std::string bytes;
    state_writer to{bytes};
    kept.save(to);
    state_reader from{bytes};
    distinct_counter loaded;
    loaded.load(from);
    EXPECT_FALSE(from.failed());
    EXPECT_TRUE(from.at_end());
    for (int i = size; i < size + 300; ++i) {
      kept.add(fmt::format("host-{}", i));
      loaded.add(fmt::format("host-{}", i));
      EXPECT_EQ(loaded.count(), kept.count());
    }
  }
}

TEST(distinct_counter, refuses_hashes_out_of_order) {
  std::string bytes;
  state_writer to{bytes};
  to.put(std::uint8_t{0});
  to.put(std::uint64_t{2});
  to.put(std::uint64_t{9});
  to.put(std::uint64_t{9});
  state_reader from{bytes};
  distinct_counter loaded;
  loaded.load(from);
  EXPECT_TRUE(from.failed());
}

}  // namespace
}  // namespace tocsin
