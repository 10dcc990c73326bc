// SPDX-License-Identifier: Apache-2.0
// One table of the aggregates, and the checks that it asks for.
#include "core/rule_aggregates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace tocsin {
namespace {

constexpr std::int64_t listed_max = 100;

enum class argument_kind : std::uint8_t { none, condition, number, any };
enum class parameter_kind : std::uint8_t { none, fraction, length, number, listed };

struct signature {
  aggregate_function function;
  argument_kind argument;
  parameter_kind parameter;
  value_type type;  ///< dynamic: that of the argument
  trend movement;
};

using function = aggregate_function;
using takes = argument_kind;
using with = parameter_kind;
using type = value_type;

constexpr std::array signatures{
    signature{function::count, takes::none, with::none, type::integer, trend::rising},
    signature{function::count_if, takes::condition, with::none, type::integer, trend::rising},
    signature{function::sum, takes::number, with::none, type::number, trend::any},
    signature{function::avg, takes::number, with::none, type::number, trend::any},
    signature{function::min, takes::number, with::none, type::number, trend::falling},
    signature{function::max, takes::number, with::none, type::number, trend::rising},
    signature{function::stddev, takes::number, with::none, type::number, trend::any},
    signature{function::stddev_pop, takes::number, with::none, type::number, trend::any},
    signature{function::variance, takes::number, with::none, type::number, trend::any},
    signature{function::variance_pop, takes::number, with::none, type::number, trend::any},
    signature{function::distinct, takes::any, with::none, type::integer, trend::rising},
    signature{function::quantile, takes::number, with::fraction, type::number, trend::any},
    signature{function::first, takes::any, with::none, type::dynamic, trend::any},
    signature{function::last, takes::any, with::none, type::dynamic, trend::any},
    signature{function::delta, takes::number, with::none, type::number, trend::any},
    signature{function::rate, takes::number, with::none, type::number, trend::any},
    signature{function::slope, takes::number, with::none, type::number, trend::any},
    signature{function::predict, takes::number, with::length, type::number, trend::any},
    signature{function::time_to, takes::number, with::number, type::length, trend::any},
    signature{function::ewma, takes::number, with::length, type::number, trend::any},
    signature{function::zscore, takes::number, with::none, type::number, trend::any},
    signature{function::mad_score, takes::number, with::none, type::number, trend::any},
    signature{function::top, takes::any, with::listed, type::text, trend::any},
    signature{function::collect, takes::any, with::listed, type::text, trend::any},
    signature{function::merge_labels, takes::none, with::none, type::text, trend::any},
    signature{function::any, takes::condition, with::none, type::boolean, trend::rising},
    signature{function::all, takes::condition, with::none, type::boolean, trend::falling},
};

const signature* find_signature(std::string_view name) {
  const auto* const found =
      std::find_if(signatures.begin(), signatures.end(),
                   [name](const signature& one) { return to_text(one.function) == name; });
  return found == signatures.end() ? nullptr : found;
}

const signature& signature_of(aggregate_function wanted) {
  return *std::find_if(signatures.begin(), signatures.end(),
                       [wanted](const signature& one) { return one.function == wanted; });
}

bool is_number(value_type of) {
  return of == value_type::integer || of == value_type::number;
}

/// What a function wants between its brackets, in words.
std::string_view parameter_words(parameter_kind of) {
  switch (of) {
    case parameter_kind::none:
      return "";
    case parameter_kind::fraction:
      return "a number from 0 to 1";
    case parameter_kind::length:
      return "a duration longer than 0s";
    case parameter_kind::number:
      return "a number";
    case parameter_kind::listed:
      return "a whole number from 1 to 100";
  }
  return "";
}

std::string arguments_words(const signature& of) {
  std::string words = "no argument";
  if (of.argument == argument_kind::condition) words = "one argument (a condition)";
  if (of.argument == argument_kind::number) words = "one argument (a number)";
  if (of.argument == argument_kind::any) words = "one argument";
  if (of.parameter == parameter_kind::none) return words;
  return fmt::format("two arguments ({}, {})",
                     of.argument == argument_kind::number ? "a number" : "a value",
                     parameter_words(of.parameter));
}

/// What is wrong with an argument of that type, or "".
std::string refuse_argument(const signature& of, value_type given) {
  switch (of.argument) {
    case argument_kind::none:
      return "";
    case argument_kind::condition:
      if (given == value_type::boolean) return "";
      return fmt::format("{}() wants a condition that is true or false", to_text(of.function));
    case argument_kind::number:
      if (is_number(given) || given == value_type::dynamic) return "";
      return fmt::format("{}() wants a number", to_text(of.function));
    case argument_kind::any:
      if (given != value_type::missing && given != value_type::length) return "";
      return fmt::format("{}() wants a text, a number, a condition or a label",
                         to_text(of.function));
  }
  return "";
}

/// The number a parameter stands for, lengths in seconds; nothing when it is not what is wanted.
std::optional<double> parameter_of(parameter_kind wanted, const expression& given) {
  const std::optional<value> fixed = given.constant();
  const std::optional<double> number = fixed ? fixed->as_number() : std::nullopt;
  if (!number || !std::isfinite(*number)) return std::nullopt;
  const bool length = fixed->type == value_type::length;
  if (length != (wanted == parameter_kind::length)) return std::nullopt;
  switch (wanted) {
    case parameter_kind::none:
      return std::nullopt;
    case parameter_kind::fraction:
      return *number >= 0 && *number <= 1 ? number : std::nullopt;
    case parameter_kind::length:
      return *number > 0 ? number : std::nullopt;
    case parameter_kind::number:
      return number;
    case parameter_kind::listed:
      return fixed->type == value_type::integer && fixed->integer >= 1 &&
                     fixed->integer <= listed_max
                 ? number
                 : std::nullopt;
  }
  return std::nullopt;
}

error error_in(const aggregate_call& call, std::size_t argument, std::string_view message) {
  return {"bad_arguments", fmt::format("column {}: {}", call.argument_columns[argument], message)};
}

/// first() and last() give what their argument gives.
value_type type_of(const signature& of, const expression& argument) {
  if (of.type != value_type::dynamic) return of.type;
  if (is_number(argument.type())) return value_type::number;
  return argument.type() == value_type::dynamic ? value_type::dynamic : value_type::text;
}

/// A sum only grows when nothing negative can be added.
trend movement_of(const signature& of, const aggregate& made) {
  if (of.function != aggregate_function::sum) return of.movement;
  const auto fixed = made.argument->constant();
  const auto number = fixed ? fixed->as_number() : std::nullopt;
  return number && *number >= 0 ? trend::rising : trend::any;
}

}  // namespace

result<bound_aggregate> bind_aggregate(const aggregate_call& call) {
  const signature* const of = find_signature(call.function);
  if (of == nullptr) {
    return error{"unknown_function", fmt::format("unknown aggregate '{}'", call.function)};
  }
  const std::size_t wanted = (of->argument != argument_kind::none ? 1U : 0U) +
                             (of->parameter != parameter_kind::none ? 1U : 0U);
  if (call.arguments.size() != wanted) {
    return error{"bad_arguments", fmt::format("{}() takes {}, this has {}", call.function,
                                              arguments_words(*of), call.arguments.size())};
  }
  bound_aggregate made{{of->function, std::nullopt, 0}, of->type, of->movement};
  if (wanted == 0) return made;
  auto argument = expression::compile(call.arguments[0], schema::of_event());
  if (!argument) return argument.failure();
  if (const std::string refusal = refuse_argument(*of, argument->type()); !refusal.empty()) {
    return error_in(call, 0, fmt::format("{}, not '{}'", refusal, call.arguments[0]));
  }
  made.type = type_of(*of, *argument);
  made.of.argument = std::move(*argument);
  made.movement = movement_of(*of, made.of);
  if (wanted == 1) return made;
  const auto written = expression::compile(call.arguments[1], schema::of_event());
  if (!written) return written.failure();
  const auto parameter = parameter_of(of->parameter, *written);
  if (!parameter) {
    return error_in(call, 1,
                    fmt::format("{}() wants {} here, not '{}'", call.function,
                                parameter_words(of->parameter), call.arguments[1]));
  }
  made.of.parameter = *parameter;
  return made;
}

bool needs_baseline(aggregate_function function) noexcept {
  return function == aggregate_function::zscore || function == aggregate_function::mad_score;
}

std::string canonical_text(const aggregate& of) {
  const std::string argument = of.argument ? of.argument->canonical() : std::string{};
  const parameter_kind kind = signature_of(of.function).parameter;
  if (kind == parameter_kind::none) return fmt::format("{}({})", to_text(of.function), argument);
  // A length came in whole milliseconds, so it goes back to them.
  const std::string parameter =
      kind == parameter_kind::length
          ? format_duration(duration{static_cast<std::int64_t>(std::llround(of.parameter * 1000))})
          : fmt::format("{}", of.parameter);
  return fmt::format("{}({}, {})", to_text(of.function), argument, parameter);
}

}  // namespace tocsin
