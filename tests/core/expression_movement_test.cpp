// SPDX-License-Identifier: Apache-2.0
// How conditions can move while a window takes in events.
#include <gtest/gtest.h>

#include "support/expression_scopes.hpp"
#include "tocsin/expression.hpp"

namespace tocsin {
namespace {

const testing::named_values& window_names() {
  static const testing::named_values names = [] {
    testing::named_values made;
    made.declare("failures", value_type::integer, trend::rising)
        .declare("left", value_type::integer, trend::falling)
        .declare("worst", value_type::number, trend::rising)
        .declare("best", value_type::number, trend::falling)
        .declare("mean", value_type::number, trend::any)
        .declare("who", value_type::text, trend::any)
        .declare("size", value_type::length, trend::constant)
        .declare("span", value_type::length, trend::rising);
    return made;
  }();
  return names;
}

expression compiled(std::string_view text) {
  auto made = expression::compile(text, window_names().schema());
  if (!made) throw std::runtime_error{made.failure().message};
  return *std::move(made);
}

trend movement(std::string_view text) {
  return compiled(text).movement();
}

TEST(expression_movement, comparisons_move_with_their_sides) {
  for (const char* text : {"failures >= 3", "3 < failures", "worst > 2.5", "best <= 1",
                           "failures > left", "span > size", "1 >= best"}) {
    EXPECT_EQ(movement(text), trend::rising) << text;
  }
  for (const char* text :
       {"failures < 3", "3 >= failures", "left > 1", "left >= failures", "span <= 5m"}) {
    EXPECT_EQ(movement(text), trend::falling) << text;
  }
  for (const char* text : {"failures == 3", "failures != 3", "mean > 1", "who == 'x'",
                           "failures in [1, 2]", "failures > worst", "who.contains('x')"}) {
    EXPECT_EQ(movement(text), trend::any) << text;
  }
  for (const char* text : {"true", "1 < 2", "size > 5m", "size == 5m", "has(size)"}) {
    EXPECT_EQ(movement(text), trend::constant) << text;
  }
}

TEST(expression_movement, arithmetic_moves_with_its_parts) {
  EXPECT_EQ(movement("failures + worst"), trend::rising);
  EXPECT_EQ(movement("failures - left"), trend::rising);
  EXPECT_EQ(movement("failures * 2 + 1"), trend::rising);
  EXPECT_EQ(movement("0.5 * failures"), trend::rising);
  EXPECT_EQ(movement("failures / 2"), trend::rising);
  EXPECT_EQ(movement("-failures"), trend::falling);
  EXPECT_EQ(movement("failures * -2"), trend::falling);
  EXPECT_EQ(movement("10 - failures"), trend::falling);
  EXPECT_EQ(movement("2 / failures"), trend::any);
  EXPECT_EQ(movement("failures * worst"), trend::any);
  EXPECT_EQ(movement("failures % 5"), trend::any);
  EXPECT_EQ(movement("failures - worst"), trend::any);
  EXPECT_EQ(movement("size * 2"), trend::constant);
}

TEST(expression_movement, conditions_combine) {
  EXPECT_EQ(movement("failures >= 3 && worst > 5"), trend::rising);
  EXPECT_EQ(movement("failures >= 3 || worst > 5 || size > 1m"), trend::rising);
  EXPECT_EQ(movement("failures >= 3 && left > 5"), trend::any);
  EXPECT_EQ(movement("failures >= 3 || mean > 5"), trend::any);
  EXPECT_EQ(movement("!(failures < 3)"), trend::rising);
  EXPECT_EQ(movement("!(failures >= 3)"), trend::falling);
  EXPECT_EQ(movement("failures > 3 ? true : false"), trend::any);
  EXPECT_EQ(movement("has(worst)"), trend::rising);
  EXPECT_EQ(movement("has(mean)"), trend::any);
}

TEST(expression_movement, what_may_be_missing_at_first_does_not_only_turn_false) {
  // worst is missing (so the comparison false), then 3 (true), then 9 (false).
  EXPECT_EQ(movement("worst <= 5"), trend::any);
  EXPECT_EQ(movement("!(worst <= 5)"), trend::any);
  EXPECT_EQ(movement("failures / 2 <= 5"), trend::any);
}

TEST(expression_movement, reasons_are_said_in_words) {
  const auto reason = [](std::string_view text) { return compiled(text).movement_reason(); };
  EXPECT_EQ(reason("failures >= 3"), "failures >= 3 can only become true: failures only grows");
  EXPECT_EQ(reason("best < left"),
            "best < left can become true and false again: best only "
            "shrinks and left only shrinks");
  EXPECT_EQ(reason("failures < 3"), "failures < 3 can only become false: failures only grows");
  EXPECT_EQ(reason("failures >= 3 && mean > 1"),
            "(failures >= 3) && (mean > 1) can become true and false again: mean > 1 can become "
            "true and false again: mean may grow and shrink");
  EXPECT_EQ(reason("failures >= 3 && worst > 1"),
            "failures >= 3 can only become true: failures only grows; worst > 1 can only become "
            "true: worst only grows");
  EXPECT_EQ(reason("who == 'x'"), "who == \"x\" can become true and false again: who may change");
  EXPECT_EQ(reason("worst < 3"),
            "worst < 3 can become true and false again: worst only grows, but may be missing at "
            "first");
  EXPECT_EQ(reason("true"), "true does not depend on the events");
}

}  // namespace
}  // namespace tocsin
