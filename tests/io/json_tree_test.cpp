// SPDX-License-Identifier: Apache-2.0
// Answers of other programs, walked through without asking at each step.
#include "io/json_tree.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tocsin {
namespace {

json_tree tree(std::string_view text) {
  auto parsed = json_tree::parse(text);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.failure().message);
  return parsed ? *parsed : json_tree{};
}

TEST(json_tree, parts_of_objects_and_lists_are_found) {
  const auto whole = tree(R"({"a": [1, "two", {"b": true}], "c": {"y": 1, "x": null}})");
  const auto items = whole.at("a").items();
  ASSERT_EQ(items.size(), 3U);
  EXPECT_EQ(items[0].number(), 1.0);
  EXPECT_EQ(items[1].text(), "two");
  EXPECT_TRUE(items[2].at("b").is_true());
  const auto entries = whole.at("c").entries();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].first, "x");
  EXPECT_TRUE(entries[0].second.is_null());
  EXPECT_EQ(entries[1].second.number(), 1.0);
}

TEST(json_tree, what_is_not_there_is_null_and_has_no_parts) {
  const auto whole = tree(R"({"a": [1], "t": "x"})");
  for (const json_tree& none : {json_tree{}, whole.at("b"), whole.at("b").at("c"),
                                whole.at("a").at("b"), whole.at("t").at("x")}) {
    EXPECT_TRUE(none.is_null());
    EXPECT_EQ(none.text(), "");
    EXPECT_EQ(none.json(), "null");
    EXPECT_FALSE(none.number());
    EXPECT_FALSE(none.is_true());
    EXPECT_TRUE(none.items().empty());
    EXPECT_TRUE(none.entries().empty());
  }
  EXPECT_TRUE(whole.items().empty()) << "an object is no list";
  EXPECT_TRUE(whole.at("a").entries().empty()) << "a list is no object";
}

TEST(json_tree, a_text_stands_as_it_is_and_all_else_as_its_json) {
  const auto whole = tree(R"({"t": "a\"b", "n": 1.5, "l": [1, "x"], "f": false})");
  EXPECT_EQ(whole.at("t").text(), "a\"b");
  EXPECT_EQ(whole.at("n").text(), "1.5");
  EXPECT_EQ(whole.at("l").text(), R"([1,"x"])");
  EXPECT_EQ(whole.at("f").text(), "false");
  EXPECT_EQ(whole.json(), R"({"f":false,"l":[1,"x"],"n":1.5,"t":"a\"b"})");
}

TEST(json_tree, only_numbers_are_numbers_and_only_true_is_true) {
  const auto whole = tree(R"({"n": -7, "t": "7", "one": 1, "yes": "true"})");
  EXPECT_EQ(whole.at("n").number(), -7.0);
  EXPECT_FALSE(whole.at("t").number());
  EXPECT_FALSE(whole.at("one").is_true());
  EXPECT_FALSE(whole.at("yes").is_true());
}

TEST(json_tree, a_part_outlives_the_whole) {
  json_tree part;
  {
    const auto whole = tree(R"({"a": {"b": ["kept"]}})");
    part = whole.at("a").at("b").items()[0];
  }
  EXPECT_EQ(part.text(), "kept");
}

TEST(json_tree, what_is_not_json_says_so) {
  for (const char* text : {"", "{", "{\"a\": }", "[1] 2", "<html>"}) {
    const auto parsed = json_tree::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.failure().code, "malformed");
    EXPECT_EQ(parsed.failure().message.rfind("not JSON: ", 0), 0U) << parsed.failure().message;
  }
}

}  // namespace
}  // namespace tocsin
