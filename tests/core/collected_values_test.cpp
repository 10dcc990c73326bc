// SPDX-License-Identifier: Apache-2.0
// The first different texts, whatever the order in which events came.
#include "core/collected_values.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace tocsin {
namespace {

TEST(collected_values, lists_texts_by_their_first_event) {
  collected_values values{3};
  EXPECT_EQ(values.text(), "");
  values.add(30, 1, "c");
  values.add(10, 2, "b");
  values.add(10, 3, "a");
  EXPECT_EQ(values.text(), "b, a, c");
  values.add(5, 4, "c");
  EXPECT_EQ(values.text(), "c, b, a");
}

TEST(collected_values, says_when_there_were_more) {
  collected_values values{2};
  values.add(10, 1, "a");
  values.add(20, 2, "b");
  values.add(30, 3, "a");
  EXPECT_EQ(values.text(), "a, b");
  values.add(30, 4, "c");
  EXPECT_EQ(values.text(), "a, b, ...");
  values.add(15, 5, "d");
  EXPECT_EQ(values.text(), "a, d, ...");
}

TEST(collected_values, an_empty_text_has_its_place) {
  collected_values values{3};
  values.add(1, 1, "");
  values.add(2, 2, "b");
  EXPECT_EQ(values.text(), ", b");
}

TEST(collected_values, cuts_long_texts_between_characters) {
  collected_values values{2};
  values.add(1, 1, std::string(127, 'x') + "\xc3\xa4!");
  values.add(2, 2, std::string(126, 'x') + "\xc3\xa4!");
  EXPECT_EQ(values.text(), std::string(127, 'x') + ", " + std::string(126, 'x') + "\xc3\xa4");
}

TEST(collected_values, does_not_depend_on_the_order_of_additions_and_merges) {
  struct seen {
    std::int64_t time_ms;
    std::uint64_t position;
    std::string text;
  };
  std::mt19937_64 random{4};
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<seen> events;
    for (std::uint64_t i = 0; i < 40; ++i)
      events.push_back({static_cast<std::int64_t>(random() % 20), i,
                        std::string(1, static_cast<char>('a' + random() % 12))});
    collected_values whole{4};
    for (const seen& one : events) whole.add(one.time_ms, one.position, one.text);
    std::shuffle(events.begin(), events.end(), random);
    std::vector<collected_values> parts(3, collected_values{4});
    for (const seen& one : events) parts[random() % 3].add(one.time_ms, one.position, one.text);
    parts[1].merge(parts[2]);
    parts[0].merge(parts[1]);
    EXPECT_EQ(parts[0].text(), whole.text());
  }
}

TEST(collected_values, is_saved_whole) {
  collected_values kept{2};
  for (const char* text : {"one that is long enough to lie elsewhere", "b", "c"})
    kept.add(text[0], 1, text);
  std::string bytes;
  state_writer to{bytes};
  kept.save(to);
  state_reader from{bytes};
  collected_values loaded{2};
  loaded.load(from);
  EXPECT_FALSE(from.failed());
  EXPECT_TRUE(from.at_end());
  EXPECT_EQ(loaded.text(), kept.text());
  state_reader again{bytes};
  collected_values too_small{1};
  too_small.load(again);
  EXPECT_TRUE(again.failed());
}

}  // namespace
}  // namespace tocsin
