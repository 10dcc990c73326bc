// SPDX-License-Identifier: Apache-2.0
// Frequent texts: exact while few are different, never too small a count beyond.
#include "core/frequent_values.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace tocsin {
namespace {

/// Texts whose frequency falls with their number (Zipf-like), over many different ones.
std::vector<std::string> skewed_texts(int count) {
  std::mt19937_64 random{11};
  std::uniform_real_distribution<double> spread{0, 10};
  std::vector<std::string> made;
  for (int i = 0; i < count; ++i)
    made.push_back(fmt::format("host number {}", static_cast<int>(std::exp(spread(random)))));
  return made;
}

/// The counts in "a (3), b (1)".
std::map<std::string, int> counts_in(const std::string& shown) {
  std::map<std::string, int> counts;
  for (std::size_t at = 0; at < shown.size();) {
    const std::size_t open = shown.find(" (", at);
    const std::size_t close = shown.find(')', open);
    counts[shown.substr(at, open - at)] = std::stoi(shown.substr(open + 2, close - open - 2));
    at = close + 3;
  }
  return counts;
}

TEST(frequent_values, of_nothing_says_nothing) {
  EXPECT_EQ(frequent_values{}.top(3), "");
}

TEST(frequent_values, counts_256_texts_exactly) {
  frequent_values values;
  for (int i = 0; i < 256; ++i)
    for (int times = 0; times <= i; ++times) values.add(fmt::format("{}", i));
  EXPECT_EQ(values.top(3), "255 (256), 254 (255), 253 (254)");
  EXPECT_EQ(counts_in(values.top(256)).at("0"), 1);
}

TEST(frequent_values, a_257th_text_takes_the_place_and_count_of_the_rarest) {
  frequent_values values;
  for (int i = 0; i < 256; ++i)
    for (int times = 0; times < (i == 77 ? 2 : 3); ++times) values.add(fmt::format("{}", i));
  values.add("new");
  const auto counts = counts_in(values.top(256));
  EXPECT_EQ(counts.size(), 256U);
  EXPECT_EQ(counts.at("new"), 3);
  EXPECT_FALSE(counts.contains("77"));
}

TEST(frequent_values, tells_long_texts_apart_by_their_first_128_bytes) {
  frequent_values values;
  const std::string begin(127, 'x');
  // Byte 128 would be the first half of a character: it is left out whole.
  values.add(begin + "\xc3\xa4 one");
  values.add(begin + "\xc3\xa4 two");
  EXPECT_EQ(values.top(9), begin + " (2)");
}

class skewed : public ::testing::Test {
 protected:
  void expect_bounds(const frequent_values& values) {
    const int excess_max = static_cast<int>(texts_.size() / frequent_values::kept_max);
    const auto counts = counts_in(values.top(frequent_values::kept_max));
    for (const auto& [text, count] : counts) {
      EXPECT_GE(count, exact_.at(text)) << text;
      EXPECT_LE(count, exact_.at(text) + excess_max) << text;
    }
    for (const auto& [text, count] : exact_)
      EXPECT_TRUE(count <= excess_max || counts.contains(text)) << text << " " << count;
  }

  const std::vector<std::string> texts_ = skewed_texts(100'000);
  const std::map<std::string, int> exact_ = [this] {
    std::map<std::string, int> counts;
    for (const std::string& text : texts_) ++counts[text];
    return counts;
  }();
};

TEST_F(skewed, counts_are_off_by_at_most_a_256th_of_all) {
  frequent_values values;
  for (const std::string& text : texts_) values.add(text);
  expect_bounds(values);
  EXPECT_LE(values.heap_bytes(), 32'000U);
}

TEST_F(skewed, merged_counts_are_off_by_at_most_a_256th_of_all) {
  std::vector<frequent_values> parts(9);
  for (std::size_t i = 0; i < texts_.size(); ++i) parts[i * 9 / texts_.size()].add(texts_[i]);
  frequent_values merged;
  for (const std::size_t next : {4U, 0U, 8U, 1U, 7U, 3U, 2U, 6U, 5U}) merged.merge(parts[next]);
  expect_bounds(merged);
}

TEST(frequent_values, is_saved_whole) {
  for (const int size : {0, 5, 256, 300, 20'000}) {
    const std::vector<std::string> texts = skewed_texts(size);
    frequent_values kept;
    for (const std::string& text : texts) kept.add(text);
    std::string bytes;
    state_writer to{bytes};
    kept.save(to);
    state_reader from{bytes};
    frequent_values loaded;
    loaded.load(from);
    EXPECT_FALSE(from.failed());
    EXPECT_TRUE(from.at_end());
    EXPECT_EQ(loaded.top(256), kept.top(256));
    for (int i = 0; i < 500; ++i) {
      kept.add(fmt::format("more {}", i % 300));
      loaded.add(fmt::format("more {}", i % 300));
    }
    EXPECT_EQ(loaded.top(256), kept.top(256));
  }
}

}  // namespace
}  // namespace tocsin
