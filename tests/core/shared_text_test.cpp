// SPDX-License-Identifier: Apache-2.0
// Text that many hold, and the cache that lets equal ones share.
#include "tocsin/shared_text.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tocsin/text_cache.hpp"

namespace tocsin {
namespace {

TEST(shared_text, reads_like_the_text_it_was_made_of) {
  const shared_text text{"disk "};
  const shared_text with_zero{std::string_view{"a\0b", 3}};
  EXPECT_EQ(text, "disk ");
  EXPECT_EQ(with_zero.size(), 3U);
  EXPECT_EQ(with_zero, (std::string{"a\0b", 3}));
  EXPECT_EQ(fmt::format("{:>6}", shared_text{"disk"}), "  disk");
  const std::string copy = shared_text{"disk"};
  EXPECT_EQ(copy, "disk");
  EXPECT_LT(shared_text{"a"}, shared_text{"b"});
  EXPECT_LT(shared_text{"a"}, "b");
  EXPECT_NE(shared_text{"a"}, std::string{"b"});
}

TEST(shared_text, the_empty_text_has_no_bytes_and_equals_every_empty_text) {
  const shared_text none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none, shared_text{""});
  EXPECT_EQ(none.heap_bytes(), 0U);
  EXPECT_NE(none.view().data(), nullptr);
}

TEST(shared_text, a_copy_shares_and_outlives_what_it_was_copied_from) {
  shared_text copy;
  {
    shared_text first{"a text that is longer than any small string"};
    copy = first;
    EXPECT_TRUE(copy.shares_with(first));
    first = "another";
    EXPECT_FALSE(copy.shares_with(first));
  }
  EXPECT_EQ(copy, "a text that is longer than any small string");
  const shared_text moved = std::move(copy);
  EXPECT_EQ(moved, "a text that is longer than any small string");
}

TEST(shared_text, an_assignment_to_itself_changes_nothing) {
  shared_text text{"disk"};
  const shared_text& same = text;
  text = same;
  EXPECT_EQ(text, "disk");
}

TEST(shared_text, many_threads_copy_and_drop_it) {
  const shared_text text{"everybody's"};
  std::vector<std::thread> all;
  for (int i = 0; i < 4; ++i) {
    all.emplace_back([&text] {
      for (int n = 0; n < 10'000; ++n) {
        shared_text mine = text;
        const shared_text other = mine;
        mine = "mine";
      }
    });
  }
  for (std::thread& each : all) each.join();
  EXPECT_EQ(text, "everybody's");
}

TEST(text_cache, equal_texts_share_their_characters_and_others_do_not) {
  text_cache known{64};
  const shared_text first = known.share(std::string_view{"node"});
  EXPECT_TRUE(known.share(std::string_view{"node"}).shares_with(first));
  EXPECT_TRUE(known.share(shared_text{"node"}).shares_with(first));
  EXPECT_EQ(known.share(std::string_view{"other"}), "other");
  EXPECT_EQ(known.share(std::string_view{}), "");
}

TEST(text_cache, gives_back_what_it_is_given_however_many_there_are) {
  text_cache known{2};
  for (int i = 0; i < 1'000; ++i) {
    const std::string text(static_cast<std::size_t>(i), 'x');
    ASSERT_EQ(known.share(text), text);
    ASSERT_EQ(known.share(text + "y"), text + "y");
  }
  const std::string longer(5'000, 'z');
  EXPECT_EQ(known.share(longer), longer);
}

}  // namespace
}  // namespace tocsin
