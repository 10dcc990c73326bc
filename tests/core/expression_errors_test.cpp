// SPDX-License-Identifier: Apache-2.0
// What expressions refuse, and how they say so.
#include <gtest/gtest.h>

#include "tocsin/expression.hpp"

namespace tocsin {
namespace {

std::string refusal(std::string_view text, const schema& names = schema::of_event()) {
  const auto made = expression::compile(text, names);
  return made ? "compiled" : made.failure().message;
}

struct refused {
  const char* text;
  const char* message;
};

TEST(expression_errors, names_that_are_unknown_are_said_with_the_nearest) {
  EXPECT_EQ(refusal("1 <   valeu"), "column 7: unknown name 'valeu' (did you mean 'value'?)");
  EXPECT_EQ(refusal("item == cpu"),
            "column 9: unknown name 'cpu' (a text stands in quotes: \"cpu\")");
  EXPECT_EQ(refusal("foo.bar.baz > 1"), "column 1: unknown name 'foo.bar.baz'");
  EXPECT_EQ(refusal("value > 1", {}),
            "column 1: unknown name 'value' (a text stands in quotes: \"value\")");
}

TEST(expression_errors, types_that_do_not_go_together_are_named) {
  const refused cases[] = {
      {"item > 3", "column 1: 'item > 3' compares text with integer"},
      {"true && item  ==  2.5", "column 9: 'item  ==  2.5' compares text with number"},
      {"value > 5m",
       "column 1: 'value > 5m' compares number with duration (a duration is written 5m30s)"},
      {"labels.x > 5m",
       "column 1: 'labels.x > 5m' compares label with duration (a duration is written 5m30s)"},
      {"true < false", "column 1: 'true < false' compares boolean with boolean"},
      {"1 < 2 < 3", "column 1: '1 < 2 < 3' compares boolean with integer"},
      {"value == null",
       "column 1: 'value == null' is never true: null equals nothing (ask has(NAME))"},
      {"item * 2 > 1", "column 1: 'item * 2': '*' does not take text and integer"},
      {"item + 'x' == 'y'",
       "column 1: 'item + 'x'': '+' does not take text and text (texts are joined by templates "
       "only)"},
      {"value % 2 == 0", "column 1: 'value % 2': '%' does not take number and integer"},
      {"5m * 5m", "column 1: '5m * 5m': '*' does not take duration and duration"},
      {"-item", "column 1: '-' does not take text"},
      {"value > 1 && item", "column 14: '&&' wants true or false, but 'item' is text"},
      {"!value", "column 2: '!' wants true or false, but 'value' is number"},
      {"1 ? 2 : 3", "column 1: '?' wants true or false, but '1' is integer"},
      {"true ? 2 : 'x'",
       "column 1: 'true ? 2 : 'x'' gives integer or text; both must be of one type"},
      {"item in ['a', 3]", "column 1: 'item in ['a', 3]' compares text with integer"},
      {"size(value)", "column 1: size() takes a text, not number"},
      {"value.contains('x')", "column 1: contains takes texts, but 'value' is number"},
      {"item.contains(3)", "column 15: contains takes texts, but '3' is integer"},
  };
  for (const refused& one : cases) EXPECT_EQ(refusal(one.text), one.message);
}

TEST(expression_errors, syntax_errors_say_what_was_wanted_and_seen) {
  const refused cases[] = {
      {"", "column 1: an expression wanted, not nothing"},
      {"  ", "column 3: an expression wanted, not nothing"},
      {"value >", "column 8: a value wanted, not the end"},
      {"value > > 3", "column 9: a value wanted, not '>'"},
      {"(value > 3", "column 11: ')' wanted to close the bracket, not the end"},
      {"value > 3)", "column 10: unexpected ')' after the expression"},
      {"value > 3 and true",
       "column 11: unexpected 'and' after the expression (did you mean '&&'?)"},
      {"value = 3", "column 7: '=' is not an operator (did you mean '=='?)"},
      {"true & true", "column 6: '&' is not an operator (did you mean '&&'?)"},
      {"not true", "column 1: a value wanted, not 'not' (did you mean '!'?)"},
      {"value > 3 ? 1", "column 14: ':' wanted between the two results of '?', not the end"},
      {"item == 'x", "column 9: this text is not closed"},
      {"item == 'x\n'", "column 9: this text is not closed"},
      {R"(item == '\q')", R"(column 10: unknown escape in a text (a backslash is written '\\'))"},
      {R"('\ud800')", R"(column 2: unknown escape in a text (a backslash is written '\\'))"},
      {"value > 5x", "column 9: '5x' is neither a number nor a duration (try 5m30s)"},
      {"1e999", "column 1: 1e999 is beyond what a number can hold"},
      {"9223372036854775808", "column 1: 9223372036854775808 is beyond 9223372036854775807"},
      {"0x", "column 1: '0x' is not a number"},
      {"value > 3 $", "column 11: unexpected '$'"},
      {"value > 3 \u00a0", "column 11: unexpected '\u00a0'"},
      {"item in 'x'", "column 9: '[' wanted after 'in', which takes a list, not ''x''"},
      {"item in []", "column 9: nothing is in an empty list"},
      {"[1]", "column 1: a list may stand only after 'in'"},
      {"'x' in labels",
       R"(column 8: labels is not a list (ask has(labels.NAME) or has(labels["NAME"])))"},
      {"has(1)", "column 5: has() takes the name of a field or label"},
      {"has(value > 1)", "column 5: has() takes the name of a field or label"},
      {"sizes(item)", "column 1: unknown function 'sizes' (did you mean 'size'?)"},
      {"frobnicate(1)", "column 1: unknown function 'frobnicate'"},
      {"matches(item, 'x')", "column 1: matches is a method: write x.matches(...)"},
      {"item.startswith('x')",
       "column 6: unknown method 'startswith' (did you mean 'startsWith'?)"},
      {"item.size()", "column 6: unknown method 'size' (write size(x))"},
      {"item[0]", "column 5: only labels take [...]"},
  };
  for (const refused& one : cases) EXPECT_EQ(refusal(one.text), one.message) << one.text;
}

TEST(expression_errors, labels_are_asked_for_by_name) {
  EXPECT_EQ(refusal("labels == 1"),
            R"(column 1: labels is no value (write labels.NAME or labels["NAME"]))");
  EXPECT_EQ(refusal("labels[x] == 1"),
            R"(column 8: a label's name wanted in quotes: labels["NAME"])");
  EXPECT_EQ(refusal("labels.a.b == 1"),
            R"(column 1: labels hold no labels: for a name with a dot write labels["a.b"])");
  EXPECT_EQ(refusal("labels.a == 1", {}), "column 1: labels may not be used here");
}

TEST(expression_errors, bytes_that_are_not_utf8_are_refused) {
  EXPECT_EQ(refusal("item == '\xff'"), "column 10: this is not UTF-8");
  EXPECT_EQ(refusal("'\xed\xa0\x80'"), "column 2: this is not UTF-8");
  EXPECT_EQ(refusal("'\xc3"), "column 2: this is not UTF-8");
  EXPECT_EQ(refusal("'\u00e9\u20ac\U0001F514'"), "compiled");
}

TEST(expression_errors, levels_are_known_by_name) {
  EXPECT_EQ(refusal("level <= 'wrning'"),
            "column 10: \"wrning\" is not a level (critical, error, warning, info)");
  EXPECT_EQ(refusal("level in ['error', 'x']"),
            "column 20: \"x\" is not a level (critical, error, warning, info)");
}

TEST(expression_errors, regular_expressions_are_checked_when_compiled) {
  EXPECT_EQ(refusal("item.matches('a(')"),
            "column 14: \"a(\" is not a regular expression: missing ): a(");
  EXPECT_EQ(refusal("item.matches(title)"),
            "column 14: matches takes a regular expression in quotes, not 'title'");
  EXPECT_EQ(refusal("'x'.matches('(')"),
            "column 13: \"(\" is not a regular expression: missing ): (");
  EXPECT_NE(refusal(R"(item.matches('((((a{1000}){1000}){1000}){1000})'))"), "compiled");
}

TEST(expression_errors, size_and_depth_are_limited) {
  EXPECT_EQ(refusal("true" + std::string(4092, ' ')), "compiled");
  EXPECT_EQ(refusal("true" + std::string(4093, ' ')),
            "column 4097: an expression has at most 4096 bytes, not 4097");
  const auto nested = [](std::size_t levels, const char* open, const char* close) {
    std::string text;
    for (std::size_t i = 0; i < levels; ++i) text += open;
    text += "true";
    for (std::size_t i = 0; i < levels; ++i) text += close;
    return text;
  };
  EXPECT_EQ(refusal(nested(60, "(", ")")), "compiled");
  EXPECT_EQ(refusal(nested(64, "(", ")")), "column 65: an expression has at most 64 levels");
  EXPECT_EQ(refusal(nested(2000, "(", ")")), "column 65: an expression has at most 64 levels");
  EXPECT_EQ(refusal(nested(4000, "!", "")), "column 64: an expression has at most 64 levels");
  EXPECT_NE(refusal(nested(1000, "true ? true : ", "")), "compiled");
  EXPECT_NE(refusal(nested(500, "1 + ", "")), "compiled");
  EXPECT_NE(refusal(nested(600, "'x'.contains(", ")")), "compiled");
  EXPECT_NE(refusal(nested(900, "1 in [", "]")), "compiled");
}

TEST(expression_errors, aggregates_stand_only_where_windows_are) {
  EXPECT_EQ(refusal("value > 1 && count() > 3"),
            "column 14: count() may stand only in select and having");
}

/// Takes what stands in it, but no avg().
schema window_schema(std::vector<aggregate_call>& calls) {
  schema out;
  out.aggregate = [&calls](const aggregate_call& call) -> result<name_binding> {
    if (call.function == "avg") return error{"bad_arguments", "avg() is not wanted today"};
    calls.push_back(call);
    const bool counts = call.function == "count" || call.function == "count_if";
    return name_binding{static_cast<std::uint32_t>(calls.size()) - 1,
                        counts ? value_type::integer : value_type::number, trend::rising};
  };
  return out;
}

TEST(expression_aggregates, are_registered_with_the_text_of_their_arguments) {
  std::vector<aggregate_call> calls;
  const auto made =
      expression::compile("count( ) > 3 && max( (value + 1) * 2 ) > count_if(item in ['a', 'b,)'])",
                          window_schema(calls));
  ASSERT_TRUE(made) << made.failure().message;
  ASSERT_EQ(calls.size(), 3U);
  EXPECT_EQ(calls[0].function, "count");
  EXPECT_TRUE(calls[0].arguments.empty());
  EXPECT_EQ(calls[0].column, 1);
  EXPECT_EQ(calls[1].arguments, std::vector<std::string>{"(value + 1) * 2"});
  EXPECT_EQ(calls[1].column, 17);
  EXPECT_EQ(calls[1].argument_columns, std::vector<int>{22});
  EXPECT_EQ(calls[2].arguments, std::vector<std::string>{"item in ['a', 'b,)']"});
  EXPECT_EQ(made->canonical(),
            "(count() > 3) && (max((value + 1) * 2) > count_if(item in [\"a\", \"b,)\"]))");
}

TEST(expression_aggregates, several_arguments_are_told_apart) {
  std::vector<aggregate_call> calls;
  ASSERT_TRUE(expression::compile("max(value, size(item)) > 1", window_schema(calls)));
  EXPECT_EQ(calls[0].arguments, (std::vector<std::string>{"value", "size(item)"}));
}

TEST(expression_aggregates, errors_point_into_the_whole_expression) {
  std::vector<aggregate_call> calls;
  const schema names = window_schema(calls);
  EXPECT_EQ(refusal("count() > 1 && max( valeu ) > 1", names),
            "column 21: unknown name 'valeu' (did you mean 'value'?)");
  EXPECT_EQ(refusal("max(value, valeu) > 1", names),
            "column 12: unknown name 'valeu' (did you mean 'value'?)");
  EXPECT_EQ(refusal("1 + avg(value)", names), "column 5: avg() is not wanted today");
  EXPECT_EQ(refusal("max(count())", names),
            "column 5: count() may stand only in select and having");
  EXPECT_EQ(refusal("max(value", names), "column 10: ')' wanted to close max(, not the end");
  EXPECT_EQ(refusal("max(value,)", names), "column 11: an argument of max wanted, not ')'");
  EXPECT_EQ(refusal("max(", names), "column 5: an argument of max wanted, not the end");
}

}  // namespace
}  // namespace tocsin
