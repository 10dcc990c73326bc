// SPDX-License-Identifier: Apache-2.0
// Expressions under random input: never a crash, a normal form that means the same, values equal
// to a naive evaluation, and movements that never lie. Failures print the seed and the text.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <random>

#include "support/expression_scopes.hpp"
#include "tocsin/expression.hpp"

namespace tocsin {
namespace {

using testing::named_values;
using random_source = std::mt19937_64;

template <class Choices>
auto pick(random_source& random, const Choices& from) {
  return *(std::begin(from) + random() % std::size(from));
}

std::string token_soup(random_source& random) {
  static constexpr std::array<const char*, 66> tokens{"(",
                                                      ")",
                                                      "[",
                                                      "]",
                                                      ",",
                                                      ".",
                                                      "==",
                                                      "!=",
                                                      "<",
                                                      "<=",
                                                      ">",
                                                      ">=",
                                                      "&&",
                                                      "||",
                                                      "!",
                                                      "+",
                                                      "-",
                                                      "*",
                                                      "/",
                                                      "%",
                                                      "?",
                                                      ":",
                                                      "in",
                                                      "true",
                                                      "false",
                                                      "null",
                                                      "1",
                                                      "0",
                                                      "2.5",
                                                      "1e3",
                                                      "0x1f",
                                                      "5m",
                                                      "1h30m",
                                                      "'a'",
                                                      "\"b\"",
                                                      "r'\\d'",
                                                      "'\\n'",
                                                      "item",
                                                      "value",
                                                      "level",
                                                      "time",
                                                      "action",
                                                      "labels",
                                                      "labels.env",
                                                      "labels[",
                                                      "size(",
                                                      "has(",
                                                      "count()",
                                                      "max(value",
                                                      ".contains(",
                                                      ".matches('",
                                                      ".startsWith(",
                                                      "'(a'",
                                                      "'error'",
                                                      "count_if(",
                                                      "sum",
                                                      "9223372036854775808",
                                                      "1e400",
                                                      "'",
                                                      "\"",
                                                      "\\",
                                                      "\xff",
                                                      "\n",
                                                      "\xc3\xa9",
                                                      "=",
                                                      "value >= 1"};
  std::string text;
  const std::size_t length = random() % 40;
  for (std::size_t i = 0; i < length; ++i) {
    text += pick(random, tokens);
    if (random() % 3 != 0) text += ' ';
  }
  return text;
}

/// Well-formed text with one byte changed, which gets further than soup.
std::string damaged_text(random_source& random) {
  static constexpr std::array<const char*, 6> sound{
      "item == \"http_status\" && value >= 500 && labels.env != \"test\"",
      "level in ['error', 'critical'] || has(value) && !(value / 2 < 1e3)",
      "item.matches(r'^[a-z]+\\d{1,3}$') ? value * 2 : -value + 0x10",
      "size(item) % 3 == 1 && 5m30s * 2 > 1h - 10m",
      "labels[\"a.b\"] == null || action.startsWith('fir')",
      "((((value + 1) * 2) - 3) / 4.5) in [1, 2, 3]"};
  std::string text = pick(random, sound);
  const std::size_t edits = 1 + random() % 3;
  for (std::size_t i = 0; i < edits; ++i) {
    const std::size_t at = random() % text.size();
    if (random() % 3 == 0) text.erase(at, 1 + random() % 3);
    if (text.empty()) return text;
    if (random() % 2 == 0) text[random() % text.size()] = static_cast<char>(random() % 256);
    if (random() % 3 == 0) text.insert(random() % text.size(), text.substr(at % text.size(), 5));
  }
  return text;
}

schema with_aggregates() {
  schema names = schema::of_event();
  names.aggregate = [](const aggregate_call&) -> result<name_binding> {
    return name_binding{static_cast<std::uint32_t>(event_field::value), value_type::number,
                        trend::rising};
  };
  return names;
}

void survives(const std::string& text, const schema& names, const event_scope& seen) {
  const auto made = expression::compile(text, names);
  if (!made) {
    EXPECT_TRUE(made.failure().message.starts_with("column ")) << made.failure().message;
    EXPECT_EQ(made.failure().code, "bad_expression");
    return;
  }
  const value first = made->evaluate(seen);
  const auto again = expression::compile(made->canonical(), names);
  ASSERT_TRUE(again) << made->canonical() << ": " << again.failure().message;
  EXPECT_EQ(again->canonical(), made->canonical());
  EXPECT_EQ(again->type(), made->type());
  EXPECT_EQ(again->movement(), made->movement());
  EXPECT_EQ(again->evaluate(seen).to_text(), first.to_text());
  EXPECT_FALSE(made->movement_reason().empty());
  for (const required_equality& fact : made->required()) EXPECT_FALSE(fact.texts.empty());
  bool all_hold = true;
  for (const conjunct& part : made->conjuncts()) all_hold = all_hold && made->holds(part, seen);
  EXPECT_EQ(all_hold, made->holds(seen));
}

TEST(expression_property, any_text_gives_a_program_or_an_error_with_its_column) {
  const testing::one_event full = testing::one_event{}
                                      .text(event_field::item, "http_status")
                                      .value(501.5)
                                      .level(severity::error)
                                      .label("env", "prod");
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    random_source random{seed};
    const std::string text = seed % 2 == 0 ? token_soup(random) : damaged_text(random);
    SCOPED_TRACE(::testing::Message() << "seed " << seed << ": " << text);
    survives(text, with_aggregates(), full.scope());
    survives(text, schema::of_event(), testing::one_event{}.scope());
    if (HasFailure()) return;
  }
}

/// A random text together with what it means, worked out beside it.
struct number_sample {
  std::string text;
  std::optional<double> meaning;
};
struct condition_sample {
  std::string text;
  bool meaning = false;
};

/// Names x0..x3 and their values; some are missing.
using samples_of_names = std::array<std::optional<double>, 4>;

number_sample random_number(random_source& random, const samples_of_names& names, int depth) {
  if (depth == 0 || random() % 4 == 0) {
    if (random() % 2 == 0) {
      const std::size_t name = random() % names.size();
      return {"x" + std::to_string(name), names[name]};
    }
    const auto literal = static_cast<double>(random() % 8);
    return {std::to_string(static_cast<int>(literal)) + ".0", literal};
  }
  const number_sample left = random_number(random, names, depth - 1);
  const number_sample right = random_number(random, names, depth - 1);
  const bool known = left.meaning && right.meaning;
  const auto joined = [&](const char* op, auto meaning) {
    number_sample out{"(" + left.text + op + right.text + ")", std::nullopt};
    if (known) out.meaning = meaning(*left.meaning, *right.meaning);
    return out;
  };
  switch (random() % 4) {
    case 0:
      return joined(" + ", std::plus<>{});
    case 1:
      return joined("-", std::minus<>{});
    case 2:
      return joined(" *", std::multiplies<>{});
    default:
      break;
  }
  number_sample out = joined("/ ", std::divides<>{});
  if (known && *right.meaning == 0) out.meaning.reset();
  return out;
}

condition_sample random_condition(random_source& random, const samples_of_names& names, int depth) {
  if (depth == 0 || random() % 5 == 0) {
    static constexpr std::array<const char*, 6> operators{"==", "!=", "<", "<=", ">", ">="};
    const number_sample left = random_number(random, names, 2);
    const number_sample right = random_number(random, names, 2);
    const std::string op = pick(random, operators);
    condition_sample out{left.text + op + right.text, false};
    if (!left.meaning || !right.meaning) return out;
    const double a = *left.meaning;
    const double b = *right.meaning;
    out.meaning = op == "=="   ? a == b
                  : op == "!=" ? a != b
                  : op == "<"  ? a < b
                  : op == "<=" ? a <= b
                  : op == ">"  ? a > b
                               : a >= b;
    return out;
  }
  const condition_sample left = random_condition(random, names, depth - 1);
  const condition_sample right = random_condition(random, names, depth - 1);
  switch (random() % 4) {
    case 0:
      return {"(" + left.text + " && " + right.text + ")", left.meaning && right.meaning};
    case 1:
      return {"(" + left.text + "||" + right.text + ")", left.meaning || right.meaning};
    case 2:
      return {"!(" + left.text + ")", !left.meaning};
    default:
      break;
  }
  return {"((" + left.text + ") ? (" + right.text + ") : !(" + right.text + "))",
          left.meaning ? right.meaning : !right.meaning};
}

TEST(expression_property, conditions_mean_what_a_naive_evaluation_says) {
  int trues = 0;
  int compiled = 0;
  for (std::uint64_t seed = 0; seed < 4'000; ++seed) {
    random_source random{seed};
    samples_of_names values;
    named_values names;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string name = "x" + std::to_string(i);
      names.declare(name, value_type::number, trend::any);
      if (random() % 4 != 0) values[i] = static_cast<double>(random() % 9) - 3;
      if (values[i]) names.set(name, value::of(*values[i]));
    }
    const condition_sample wanted = random_condition(random, values, 3);
    SCOPED_TRACE(::testing::Message() << "seed " << seed << ": " << wanted.text);
    if (wanted.text.size() > 4096) continue;
    const auto made = expression::compile(wanted.text, names.schema());
    ASSERT_TRUE(made) << made.failure().message;
    ASSERT_EQ(made->holds(names), wanted.meaning);
    ++compiled;
    trues += wanted.meaning ? 1 : 0;
  }
  EXPECT_GT(trues, compiled / 10);
  EXPECT_GT(compiled - trues, compiled / 10);
}

/// A random condition over names that only grow (up, peak) or only shrink (low), or do anything.
std::string moving_condition(random_source& random, int depth) {
  static constexpr std::array<const char*, 6> names{"up", "peak", "low", "any", "3", "-1.5"};
  static constexpr std::array<const char*, 6> operators{" < ",  " <= ", " > ",
                                                        " >= ", " == ", " != "};
  const auto number = [&random] {
    std::string text = pick(random, names);
    switch (random() % 6) {
      case 0:
        return text + " * 2";
      case 1:
        return text + " - " + pick(random, names);
      case 2:
        return text + " + " + pick(random, names);
      case 3:
        return "-" + ("(" + text + ") / -2");
      default:
        return text;
    }
  };
  if (depth == 0) return number() + pick(random, operators) + number();
  switch (random() % 4) {
    case 0:
      return "(" + moving_condition(random, depth - 1) + ") && (" +
             moving_condition(random, depth - 1) + ")";
    case 1:
      return "(" + moving_condition(random, depth - 1) + ") || (" +
             moving_condition(random, depth - 1) + ")";
    case 2:
      return "!(" + moving_condition(random, depth - 1) + ")";
    default:
      return moving_condition(random, depth - 1);
  }
}

TEST(expression_property, what_can_only_become_true_never_becomes_false_again) {
  named_values names;
  names.declare("up", value_type::integer, trend::rising)
      .declare("peak", value_type::number, trend::rising)
      .declare("low", value_type::number, trend::falling)
      .declare("any", value_type::number, trend::any);
  std::array<int, 4> seen{};
  for (std::uint64_t seed = 0; seed < 6'000; ++seed) {
    random_source random{seed};
    const std::string text = moving_condition(random, static_cast<int>(random() % 4));
    SCOPED_TRACE(::testing::Message() << "seed " << seed << ": " << text);
    const auto made = expression::compile(text, names.schema());
    ASSERT_TRUE(made) << made.failure().message;
    ++seen[static_cast<std::size_t>(made->movement())];
    std::int64_t up = 1;
    double peak = -4;
    double low = 4;
    names.set("peak", {});
    names.set("low", {});
    bool before = false;
    for (int step = 0; step < 12; ++step) {
      names.set("up", value::of(up += static_cast<std::int64_t>(random() % 2)));
      // A maximum is missing until the first value comes.
      if (step > 3) names.set("peak", value::of(peak += static_cast<double>(random() % 3)));
      if (step > 5) names.set("low", value::of(low -= static_cast<double>(random() % 3)));
      names.set("any", value::of(static_cast<double>(random() % 7) - 3));
      const bool now = made->holds(names);
      const bool lied = (made->movement() == trend::rising && before && !now) ||
                        (made->movement() == trend::falling && !before && now) ||
                        (made->movement() == trend::constant && before != now);
      ASSERT_FALSE(step > 0 && lied) << "at step " << step;
      before = now;
    }
  }
  for (const trend direction : {trend::rising, trend::falling, trend::any}) {
    EXPECT_GT(seen[static_cast<std::size_t>(direction)], 100);
  }
}

}  // namespace
}  // namespace tocsin
