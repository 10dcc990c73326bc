// SPDX-License-Identifier: Apache-2.0
// Errors as values, findings as texts, likely slips.
#include "tocsin/result.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace tocsin {
namespace {

TEST(result, holds_a_value_or_an_error) {
  const result<int> good{3};
  const result<int> bad{error{"bad_value", "nothing there"}};
  EXPECT_TRUE(good);
  EXPECT_EQ(*good, 3);
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.failure().code, "bad_value");
}

TEST(result, gives_away_what_can_only_be_moved) {
  result<std::unique_ptr<int>> held{std::make_unique<int>(7)};
  const std::unique_ptr<int> taken = *std::move(held);
  EXPECT_EQ(*taken, 7);
}

TEST(result_death, reading_the_side_that_is_not_there_asserts) {
  const result<int> bad{error{"bad_value", "nothing there"}};
  EXPECT_DEATH((void)bad.value(), "");
}

TEST(diagnostic, names_the_place_as_far_as_it_is_known) {
  diagnostic found{diagnostic::grade::error, "a.yaml", 7, 5, "unknown field 'whre'"};
  EXPECT_EQ(found.text(), "a.yaml:7:5: error: unknown field 'whre'");
  found.column = 0;
  EXPECT_EQ(found.text(), "a.yaml:7: error: unknown field 'whre'");
  found.line = 0;
  found.column = 5;
  EXPECT_EQ(found.text(), "a.yaml: error: unknown field 'whre'");
  found.file.clear();
  found.kind = diagnostic::grade::warning;
  EXPECT_EQ(found.text(), "warning: unknown field 'whre'");
}

TEST(diagnostic, warnings_alone_are_no_errors) {
  diagnostics found;
  EXPECT_FALSE(has_errors(found));
  found.push_back({diagnostic::grade::warning, {}, 0, 0, "w"});
  EXPECT_FALSE(has_errors(found));
  found.push_back({diagnostic::grade::error, {}, 0, 0, "e"});
  EXPECT_TRUE(has_errors(found));
}

TEST(nearest_word, finds_likely_slips_only) {
  const std::vector<std::string> known{"where", "window", "value", "resource_id"};
  EXPECT_EQ(nearest_word("whre", known), "where");
  EXPECT_EQ(nearest_word("valeu", known), "value");
  EXPECT_EQ(nearest_word("resourceid", known), "resource_id");
  EXPECT_EQ(nearest_word("ressource_ids", known), "resource_id");
  EXPECT_EQ(nearest_word("Value", known), "value");
  EXPECT_EQ(nearest_word("cpu", known), "");
  EXPECT_EQ(nearest_word("", known), "");
  EXPECT_EQ(nearest_word("x", {"y"}), "");
  EXPECT_EQ(nearest_word(std::string(100'000, 'v'), known), "");
}

TEST(nearest_word, takes_the_nearest_of_several) {
  EXPECT_EQ(nearest_word("window.sizr", {"window.start", "window.size"}), "window.size");
}

}  // namespace
}  // namespace tocsin
