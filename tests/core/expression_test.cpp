// SPDX-License-Identifier: Apache-2.0
// What expressions mean.
#include "tocsin/expression.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "support/expression_scopes.hpp"

namespace tocsin {
namespace {

using testing::one_event;

expression compiled(std::string_view text) {
  auto made = expression::compile(text, schema::of_event());
  if (!made) throw std::runtime_error{std::string{text} + ": " + made.failure().message};
  return *std::move(made);
}

/// The value of an expression without names.
std::string known(std::string_view text) {
  const expression made = compiled(text);
  const auto value = made.constant();
  return value ? value->to_text() : "not a constant";
}

bool holds(std::string_view text, const one_event& seen) {
  return compiled(text).holds(seen.scope());
}

one_event http_500() {
  return one_event{}
      .text(event_field::item, "http_status")
      .text(event_field::resource_name, "web-1")
      .value(503)
      .level(severity::error)
      .label("env", "prod")
      .label("rack", 12)
      .flag("live", true);
}

TEST(expression, literals_have_their_types_and_values) {
  EXPECT_EQ(compiled("42").type(), value_type::integer);
  EXPECT_EQ(compiled("2.5").type(), value_type::number);
  EXPECT_EQ(compiled("'x'").type(), value_type::text);
  EXPECT_EQ(compiled("5m30s").type(), value_type::length);
  EXPECT_EQ(compiled("true").type(), value_type::boolean);
  EXPECT_EQ(compiled("null").type(), value_type::missing);
  EXPECT_EQ(known("0x2a"), "42");
  EXPECT_EQ(known("1e3"), "1000");
  EXPECT_EQ(known(".5"), "0.5");
  EXPECT_EQ(known("90s"), "1m30s");
  EXPECT_EQ(known("-9223372036854775808"), "-9223372036854775808");
}

TEST(expression, texts_take_both_quotes_escapes_and_raw_form) {
  EXPECT_EQ(known(R"('a"b')"), "a\"b");
  EXPECT_EQ(known(R"("a\"b\\\n\x41\u00e9\101")"), "a\"b\\\nA\u00e9A");
  EXPECT_EQ(known(R"(r'\d+')"), R"(\d+)");
  EXPECT_EQ(known(R"("\U0001F514")"), "\U0001F514");
}

TEST(expression, operators_bind_as_in_cel) {
  EXPECT_EQ(known("1 + 2 * 3"), "7");
  EXPECT_EQ(known("(1 + 2) * 3"), "9");
  EXPECT_EQ(known("10 - 3 - 2"), "5");
  EXPECT_EQ(known("1 + 7 % 4 * 2"), "7");
  EXPECT_EQ(known("1 + 1 == 2 && !(2 < 1) || false"), "true");
  EXPECT_EQ(known("true || false && false"), "true");
  EXPECT_EQ(known("false ? 1 : true ? 2 : 3"), "2");
  EXPECT_EQ(known("2 * 3 in [5, 6]"), "true");
  EXPECT_EQ(known("-2 * -3"), "6");
  EXPECT_EQ(known("!!true"), "true");
}

TEST(expression, integers_divide_as_integers_and_widen_beside_numbers) {
  EXPECT_EQ(known("7 / 2"), "3");
  EXPECT_EQ(known("-7 / 2"), "-3");
  EXPECT_EQ(known("-7 % 2"), "-1");
  EXPECT_EQ(known("7 / 2.0"), "3.5");
  EXPECT_EQ(known("3 == 3.0"), "true");
  EXPECT_EQ(known("(true ? 7 : 0.5) / 2"), "3.5");
}

TEST(expression, what_cannot_be_computed_is_missing) {
  for (const char* text :
       {"1 / 0", "1 % 0", "1.0 / 0", "9223372036854775807 + 1", "-9223372036854775808 / -1",
        "-9223372036854775808 % -1", "-(-9223372036854775808)", "1e308 * 10", "5m / 0",
        "9223372036854775807 * 2", "10000d * 1e300"}) {
    const auto value = compiled(text).constant();
    ASSERT_TRUE(value) << text;
    EXPECT_TRUE(value->is_missing()) << text << " is " << value->to_text();
  }
}

TEST(expression, durations_add_scale_and_compare) {
  EXPECT_EQ(known("5m + 30s"), "5m30s");
  EXPECT_EQ(known("5m - 10m"), "-5m");
  EXPECT_EQ(known("5m * 2"), "10m");
  EXPECT_EQ(known("0.5 * 5m"), "2m30s");
  EXPECT_EQ(known("5m / 2"), "2m30s");
  EXPECT_EQ(known("5m / 2m"), "2.5");
  EXPECT_EQ(known("300s == 5m && 1h > 59m"), "true");
}

TEST(expression, fields_of_an_event_are_seen) {
  const one_event seen = http_500().time(from_unix_ms(1500)).action(event_action::resolved);
  EXPECT_TRUE(holds("item == \"http_status\" && value >= 500", seen));
  EXPECT_TRUE(holds("500 <= value && 'http_status' == item", seen));
  EXPECT_FALSE(holds("item == \"http_status\" && value >= 504", seen));
  EXPECT_TRUE(holds("time == 1500 && action == 'resolved'", seen));
  EXPECT_TRUE(holds("value * 2 == 1006 && value - 3 == 500", seen));
  EXPECT_TRUE(holds("item != resource_name && item < resource_name", seen));
}

TEST(expression, a_level_compares_as_its_number_and_knows_its_names) {
  const one_event seen = http_500();
  EXPECT_TRUE(holds("level == \"error\" && level == 1 && 'major' == level", seen));
  EXPECT_TRUE(holds("level <= 'warning' && level > 'critical'", seen));
  EXPECT_TRUE(holds("level in ['critical', 'error']", seen));
  EXPECT_FALSE(holds("level in ['info', 2]", seen));
  EXPECT_FALSE(holds("level == 'error'", one_event{}));
}

TEST(expression, a_missing_value_makes_every_comparison_false) {
  const one_event nothing;
  for (const char* text :
       {"value == 1", "value != 1", "value < 1", "value >= 1", "item == 'x'", "item != 'x'",
        "item in ['x']", "value in [1, 2]", "value + 1 > 0", "-value < 1", "item.contains('')",
        "item.matches('')", "size(item) >= 0", "labels.env != 'test'", "labels.env", "item == item",
        "value * 0 == 0", "(false ? 1 : null) == 1"}) {
    EXPECT_FALSE(holds(text, nothing)) << text;
  }
  EXPECT_TRUE(holds("!(value == 1) && !(value != 1)", nothing));
  EXPECT_TRUE(holds("!labels.env", nothing));
  EXPECT_TRUE(holds("labels.env || true", nothing));
  EXPECT_TRUE(holds("(labels.env ? 1 : 2) == 2", nothing));
  EXPECT_TRUE(compiled("value + 1").evaluate(nothing.scope()).is_missing());
  EXPECT_TRUE(compiled("size(item)").evaluate(nothing.scope()).is_missing());
}

TEST(expression, has_asks_whether_a_value_is_there) {
  const one_event seen = http_500().null_label("gone").text(event_field::title, "");
  EXPECT_TRUE(holds("has(value) && has(level) && has(item) && has(labels.env)", seen));
  EXPECT_TRUE(holds("has(title) && title == ''", seen));
  EXPECT_FALSE(holds("has(labels.gone)", seen));
  EXPECT_FALSE(holds("has(description)", seen));
  EXPECT_FALSE(holds("has(value) || has(level) || has(labels.env)", one_event{}));
}

TEST(expression, a_label_equals_only_what_has_its_type) {
  const one_event seen = http_500();
  EXPECT_TRUE(holds("labels.env == 'prod' && labels[\"rack\"] == 12", seen));
  EXPECT_TRUE(holds("labels.rack + 1 == 13 && labels.rack > 11.5", seen));
  EXPECT_TRUE(holds("labels.live && labels.live == true", seen));
  EXPECT_FALSE(holds("labels.rack == '12'", seen));
  EXPECT_FALSE(holds("labels.rack != '12'", seen));
  EXPECT_FALSE(holds("labels.env == 1 || labels.env != 1 || labels.env", seen));
  EXPECT_FALSE(holds("labels.env + 1 > 0", seen));
  EXPECT_FALSE(holds("labels.rack.contains('1') || size(labels.rack) > 0", seen));
  EXPECT_TRUE(holds("labels.rack in ['x', 12]", seen));
}

TEST(expression, text_methods_search_texts) {
  const one_event seen = http_500();
  EXPECT_TRUE(holds("item.startsWith('http') && item.endsWith('status')", seen));
  EXPECT_TRUE(holds("item.contains('p_s') && !item.contains('P_S')", seen));
  EXPECT_TRUE(holds("item.contains(item) && item.startsWith('')", seen));
  EXPECT_TRUE(holds("item.matches('p_s') && item.matches(r'^\\w+$')", seen));
  EXPECT_FALSE(holds("item.matches('^status')", seen));
  EXPECT_EQ(known("size('h\u00e9llo')"), "5");
}

TEST(expression, lists_of_texts_find_each_of_their_members) {
  for (const char* item : {"d", "a", "c", "b"}) {
    const one_event seen = one_event{}.text(event_field::item, item);
    EXPECT_TRUE(holds("item in ['d', 'b', 'a', 'c', 'a']", seen));
    EXPECT_FALSE(holds("item in ['x', 'aa', '']", seen));
  }
  EXPECT_TRUE(holds("item in [resource_name, 'http_status',]", http_500()));
}

TEST(expression, and_and_or_stop_at_what_decides) {
  struct counting_scope final : scope {
    mutable int asked = 0;
    value get(std::uint32_t) const override {
      ++asked;
      return {};
    }
    value label(std::string_view) const override { return {}; }
  } names;
  EXPECT_FALSE(compiled("value > 1 && value > 2 && value > 3").holds(names));
  EXPECT_EQ(names.asked, 1);
  EXPECT_TRUE(compiled("!(value > 1) || value > 2").holds(names));
  EXPECT_EQ(names.asked, 2);
}

TEST(expression, the_normal_form_forgets_space_quotes_and_brackets) {
  const auto same = [](std::string_view one, std::string_view other) {
    EXPECT_EQ(compiled(one).canonical(), compiled(other).canonical());
  };
  same("item=='x'&&value>=500", "( item == \"x\" )\n && ((value) >= 500)");
  same("true && (value > 1 && value > 2)", "(true && value > 1) && value > 2");
  same("labels.env == 'a'", "labels[\"env\"] == r'a'");
  same("level == 'major'", "level == \"error\"");
  same("value > -(1)", "value > -1");
  EXPECT_EQ(compiled("value+1*2>=500||item=='x'").canonical(),
            "((value + (1 * 2)) >= 500) || (item == \"x\")");
}

TEST(expression, the_normal_form_keeps_what_differs) {
  const auto differ = [](std::string_view one, std::string_view other) {
    EXPECT_NE(compiled(one).canonical(), compiled(other).canonical());
  };
  differ("value - (1 - 1)", "value - 1 - 1");
  differ("value / 2", "value / 2.0");
  differ("item == '1'", "value == 1");
  differ("value > 1 && value > 2 || value > 3", "value > 1 && (value > 2 || value > 3)");
}

TEST(expression, required_equalities_come_from_the_outer_conjunction) {
  const auto facts =
      compiled(
          "item == 'a' && 'b' == source_id && value > 1 && labels.env in ['x', 'y'] && "
          "(title == 'c' || title == 'd') && !(resource_id == 'e') && level == 'error' && "
          "action == 'firing' && item == resource_id")
          .required();
  ASSERT_EQ(facts.size(), 4U);
  EXPECT_EQ(facts[0].field, event_field::item);
  EXPECT_EQ(facts[0].texts, std::vector<std::string>{"a"});
  EXPECT_EQ(facts[1].field, event_field::source_id);
  EXPECT_EQ(facts[2].field, std::nullopt);
  EXPECT_EQ(facts[2].label, "env");
  EXPECT_EQ(facts[2].texts, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(facts[3].field, event_field::title);
  EXPECT_EQ(facts[3].texts, (std::vector<std::string>{"c", "d"}));
  EXPECT_EQ(compiled("item == 'a'").required().size(), 1U);
  EXPECT_TRUE(compiled("item == 'a' || value > 1").required().empty());
  EXPECT_TRUE(compiled("item != 'a' && item in ['a', title]").required().empty());
}

TEST(expression, alternatives_require_what_all_of_them_demand) {
  const std::vector<required_equality> facts =
      compiled(
          "item == 'a' && labels.env == 'x' || item in ['b', 'a'] && value > 1 || "
          "(item == 'c' || item == 'd') && labels.zone == 'x'")
          .required();
  ASSERT_EQ(facts.size(), 1U);
  EXPECT_EQ(facts[0].field, event_field::item);
  EXPECT_EQ(facts[0].texts, (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_TRUE(compiled("labels.a == 'x' || labels.b == 'x'").required().empty());
}

TEST(expression, only_what_uses_no_name_is_constant) {
  EXPECT_TRUE(compiled("true").constant()->is_true());
  EXPECT_TRUE(compiled("'abc'.contains('b') && size('x') == 1").constant()->is_true());
  EXPECT_FALSE(compiled("value > 1").constant());
  EXPECT_FALSE(compiled("labels.x").constant());
  EXPECT_FALSE(compiled("has(item)").constant());
}

TEST(expression, a_copy_outlives_the_original) {
  std::optional<expression> original = compiled("item in ['http_status'] && item.matches('^h')");
  const expression copy = *original;
  original.reset();
  EXPECT_TRUE(copy.holds(http_500().scope()));
}

TEST(expression, a_long_chain_is_not_a_deep_one) {
  std::string text = "value == 0";
  for (int i = 1; i < 200; ++i) text += " || value == " + std::to_string(i);
  EXPECT_TRUE(holds(text, one_event{}.value(199)));
  EXPECT_FALSE(holds(text, one_event{}.value(200)));
}

TEST(expression, nan_and_null_texts_are_missing_values) {
  EXPECT_TRUE(value::of(std::numeric_limits<double>::quiet_NaN()).is_missing());
  EXPECT_TRUE(value::of(std::string_view{}).is_missing());
  EXPECT_FALSE(value::of(std::string_view{""}).is_missing());
}

TEST(expression, values_give_their_number_and_their_text) {
  EXPECT_EQ(value::of(duration{1500}).as_number(), 1.5);
  EXPECT_EQ(value::of(std::int64_t{3}).as_number(), 3.0);
  EXPECT_EQ(value::of(std::string_view{"3"}).as_number(), std::nullopt);
  EXPECT_EQ(value::of(0.0).to_text(), "0");
  EXPECT_EQ(value::of(-0.0).to_text(), "0");
  EXPECT_EQ(value::of(2.5).to_text(), "2.5");
  EXPECT_EQ(value::of(100000.0).to_text(), "100000");
  EXPECT_EQ(value::of(0.1).to_text(), "0.1");
  EXPECT_EQ(value{}.to_text(), "");
}

}  // namespace
}  // namespace tocsin
