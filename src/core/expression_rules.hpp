// SPDX-License-Identifier: Apache-2.0
// The rules of expressions: which types go together, and how values move as events are added.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/expression_syntax.hpp"

namespace tocsin::syntax {

/// "integer", "text", "duration", ... as in error messages.
[[nodiscard]] std::string_view type_word(value_type type) noexcept;

/// May stand where true or false is asked for.
[[nodiscard]] bool is_condition(value_type type) noexcept;
/// May hold a text.
[[nodiscard]] bool may_be_text(value_type type) noexcept;
/// Whether values of the two types can be compared so.
[[nodiscard]] bool comparable(operation op, value_type left, value_type right) noexcept;
/// The type of `left op right`; nothing when the two do not go together.
[[nodiscard]] std::optional<value_type> arithmetic_type(operation op, value_type left,
                                                        value_type right) noexcept;
/// The type of `condition ? left : right`; nothing when the two differ.
[[nodiscard]] std::optional<value_type> choice_type(value_type left, value_type right) noexcept;

/// How a part of an expression moves.
struct movement {
  trend direction = trend::constant;
  bool settled = true;  ///< never missing, so its first value is where it starts from
  std::string reason;   ///< in words
};

/// A part of an expression as its parent sees it.
struct moving_part {
  movement moves;
  std::optional<double> constant;  ///< the number it always is
};

/// `words` is always the normal form of what the movement is asked for.
[[nodiscard]] movement literal_movement(value_type type, std::string_view words);
[[nodiscard]] movement name_movement(const name_binding& binding, std::string_view words);
[[nodiscard]] movement negated_movement(const movement& of, std::string_view words);
[[nodiscard]] movement arithmetic_movement(operation op, const moving_part& left,
                                           const moving_part& right, std::string_view words);
[[nodiscard]] movement comparison_movement(operation op, const movement& left,
                                           const movement& right, std::string_view words);
[[nodiscard]] movement inverted_movement(const movement& of, std::string_view words);
[[nodiscard]] movement presence_movement(const movement& of, std::string_view words);
/// && and ||.
[[nodiscard]] movement chain_movement(const std::vector<movement>& parts, std::string_view words);
/// Whatever has no rule of its own: constant when all parts are.
[[nodiscard]] movement other_movement(const std::vector<movement>& parts, std::string_view words,
                                      value_type type);

}  // namespace tocsin::syntax
