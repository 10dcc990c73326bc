// SPDX-License-Identifier: Apache-2.0
// Which types go together in an expression.
#include "core/expression_rules.hpp"

namespace tocsin::syntax {

namespace {

constexpr bool may_be_number(value_type type) noexcept {
  return type == value_type::integer || type == value_type::number || type == value_type::dynamic;
}

}  // namespace

std::string_view type_word(value_type type) noexcept {
  switch (type) {
    case value_type::missing:
      return "null";
    case value_type::boolean:
      return "boolean";
    case value_type::integer:
      return "integer";
    case value_type::number:
      return "number";
    case value_type::text:
      return "text";
    case value_type::length:
      return "duration";
    case value_type::dynamic:
      return "label";
  }
  return "null";
}

bool is_condition(value_type type) noexcept {
  return type == value_type::boolean || type == value_type::dynamic;
}

bool may_be_text(value_type type) noexcept {
  return type == value_type::text || type == value_type::dynamic;
}

bool comparable(operation op, value_type left, value_type right) noexcept {
  const bool ordered = op != operation::equal && op != operation::unequal;
  if (left == value_type::missing || right == value_type::missing) return false;
  if (ordered && (left == value_type::boolean || right == value_type::boolean)) return false;
  if (left == right) return true;
  if (may_be_number(left) && may_be_number(right)) return true;
  const value_type other = left == value_type::dynamic ? right : left;
  const bool with_label = left == value_type::dynamic || right == value_type::dynamic;
  // No label can hold a duration.
  return with_label && other != value_type::length;
}

std::optional<value_type> arithmetic_type(operation op, value_type left,
                                          value_type right) noexcept {
  using enum value_type;
  if (left == integer && right == integer) return integer;
  if (op == operation::remainder) return std::nullopt;
  if (may_be_number(left) && may_be_number(right)) return number;
  if (left == length && right == length) {
    if (op == operation::multiply) return std::nullopt;
    return op == operation::divide ? number : length;
  }
  if (left == length && may_be_number(right)) {
    if (op == operation::multiply || op == operation::divide) return length;
  }
  if (may_be_number(left) && right == length && op == operation::multiply) return length;
  return std::nullopt;
}

std::optional<value_type> choice_type(value_type left, value_type right) noexcept {
  using enum value_type;
  if (left == right || right == missing) return left;
  if (left == missing) return right;
  if (left == dynamic || right == dynamic) return dynamic;
  if (may_be_number(left) && may_be_number(right)) return number;
  return std::nullopt;
}

}  // namespace tocsin::syntax
