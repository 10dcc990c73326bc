// SPDX-License-Identifier: Apache-2.0
// How the value of an expression can move while a window takes in more events: what decides
// whether a rule may fire at the event that makes its condition true.
#include <fmt/format.h>

#include "core/expression_rules.hpp"

namespace tocsin::syntax {

namespace {

constexpr trend flipped(trend direction) noexcept {
  if (direction == trend::rising) return trend::falling;
  if (direction == trend::falling) return trend::rising;
  return direction;
}

/// The movement of a sum, or of several conditions together.
constexpr trend joined(trend left, trend right) noexcept {
  if (left == trend::constant || left == right) return right;
  return right == trend::constant ? left : trend::any;
}

/// The movement of `of` times a constant; nothing is known of a product with an unknown sign.
constexpr trend scaled(trend of, std::optional<double> factor) noexcept {
  if (of == trend::constant) return of;
  if (!factor || *factor == 0) return trend::any;
  return *factor > 0 ? of : flipped(of);
}

std::string number_reason(trend direction, std::string_view words) {
  switch (direction) {
    case trend::constant:
      return fmt::format("{} does not depend on the events", words);
    case trend::rising:
      return fmt::format("{} only grows", words);
    case trend::falling:
      return fmt::format("{} only shrinks", words);
    case trend::any:
      break;
  }
  return fmt::format("{} may grow and shrink", words);
}

/// The reasons of the parts that move.
std::string reasons_of(const std::vector<movement>& parts, std::string_view separator) {
  std::string out;
  for (const movement& part : parts) {
    if (part.direction == trend::constant) continue;
    // One part that may do anything explains the whole.
    if (part.direction == trend::any) return part.reason;
    if (!out.empty()) out += separator;
    out += part.reason;
  }
  return out;
}

std::string condition_reason(trend direction, std::string_view words, std::string_view because) {
  switch (direction) {
    case trend::constant:
      return number_reason(direction, words);
    case trend::rising:
      return fmt::format("{} can only become true: {}", words, because);
    case trend::falling:
      return fmt::format("{} can only become false: {}", words, because);
    case trend::any:
      break;
  }
  return fmt::format("{} can become true and false again: {}", words, because);
}

}  // namespace

movement literal_movement(value_type type, std::string_view words) {
  return {trend::constant, type != value_type::missing, number_reason(trend::constant, words)};
}

movement name_movement(const name_binding& binding, std::string_view words) {
  // Counts and lengths are there from the first event on; a maximum waits for the first value.
  const bool settled = binding.type == value_type::integer || binding.type == value_type::length;
  const bool numeric = settled || binding.type == value_type::number;
  if (binding.movement == trend::any && !numeric) {
    return {trend::any, settled, fmt::format("{} may change", words)};
  }
  if (binding.type == value_type::boolean && binding.movement != trend::constant) {
    return {binding.movement, true,
            fmt::format("{} can only become {}", words,
                        binding.movement == trend::rising ? "true" : "false")};
  }
  return {binding.movement, settled, number_reason(binding.movement, words)};
}

movement negated_movement(const movement& of, std::string_view words) {
  const trend direction = flipped(of.direction);
  return {direction, of.settled,
          direction == trend::any ? of.reason : number_reason(direction, words)};
}

movement arithmetic_movement(operation op, const moving_part& left, const moving_part& right,
                             std::string_view words) {
  const trend from_left = left.moves.direction;
  const trend from_right = right.moves.direction;
  trend direction =
      from_left == trend::constant && from_right == trend::constant ? trend::constant : trend::any;
  if (op == operation::add) direction = joined(from_left, from_right);
  if (op == operation::subtract) direction = joined(from_left, flipped(from_right));
  if (op == operation::multiply && from_right == trend::constant) {
    direction = scaled(from_left, right.constant);
  } else if (op == operation::multiply && from_left == trend::constant) {
    direction = scaled(from_right, left.constant);
  }
  if (op == operation::divide && from_right == trend::constant) {
    direction = scaled(from_left, right.constant);
  }
  const bool divides = op == operation::divide || op == operation::remainder;
  movement out{direction, left.moves.settled && right.moves.settled && !divides,
               number_reason(direction, words)};
  if (direction == trend::any && from_left == trend::any) out.reason = left.moves.reason;
  if (direction == trend::any && from_right == trend::any) out.reason = right.moves.reason;
  return out;
}

movement comparison_movement(operation op, const movement& left, const movement& right,
                             std::string_view words) {
  const std::string because = reasons_of({left, right}, " and ");
  // left - right decides: when it only grows, `left > right` can only become true.
  trend direction = joined(left.direction, flipped(right.direction));
  if (op == operation::less || op == operation::at_most) direction = flipped(direction);
  const bool ordered = op == operation::less || op == operation::at_most ||
                       op == operation::greater || op == operation::at_least;
  if (!ordered && direction != trend::constant) direction = trend::any;
  // Missing compares false, so what may be missing at first can become true before it turns false.
  if (direction == trend::falling && !(left.settled && right.settled)) {
    return {trend::any, true,
            condition_reason(trend::any, words, because + ", but may be missing at first")};
  }
  return {direction, true, condition_reason(direction, words, because)};
}

movement inverted_movement(const movement& of, std::string_view words) {
  const trend direction = flipped(of.direction);
  return {direction, true, condition_reason(direction, words, of.reason)};
}

movement presence_movement(const movement& of, std::string_view words) {
  if (of.direction == trend::constant) {
    return {trend::constant, true, number_reason(trend::constant, words)};
  }
  const trend direction = of.direction == trend::any ? trend::any : trend::rising;
  return {direction, true, condition_reason(direction, words, of.reason)};
}

movement chain_movement(const std::vector<movement>& parts, std::string_view words) {
  trend direction = trend::constant;
  for (const movement& part : parts) direction = joined(direction, part.direction);
  const std::string because = reasons_of(parts, "; ");
  // The parts of a condition that moves one way already say so of themselves.
  if (direction == trend::rising || direction == trend::falling) return {direction, true, because};
  return {direction, true, condition_reason(direction, words, because)};
}

movement other_movement(const std::vector<movement>& parts, std::string_view words,
                        value_type type) {
  trend direction = trend::constant;
  for (const movement& part : parts) {
    if (part.direction != trend::constant) direction = trend::any;
  }
  if (type == value_type::boolean) {
    return {direction, true, condition_reason(direction, words, reasons_of(parts, " and "))};
  }
  if (direction == trend::constant) return {direction, false, number_reason(direction, words)};
  return {direction, false, fmt::format("{} may change: {}", words, reasons_of(parts, " and "))};
}

}  // namespace tocsin::syntax
