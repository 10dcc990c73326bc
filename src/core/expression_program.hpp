// SPDX-License-Identifier: Apache-2.0
// What an expression compiles to: a flat list of steps, operands before what uses them.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <re2/re2.h>

#include "core/expression_syntax.hpp"
#include "tocsin/expression.hpp"

namespace tocsin {

struct expression::program {
  enum class opcode : std::uint8_t {
    // Values.
    literal,
    name,    ///< id
    label,   ///< literal.text
    negate,  ///< left
    add,
    subtract,
    multiply,
    divide,
    remainder,
    choose,  ///< condition left, then right, otherwise operands[first]
    widen,   ///< left, an integer made a number
    size,    ///< left
    // Conditions: true or false, never missing.
    all,          ///< operands[first .. first + count)
    any,          ///< operands[first .. first + count)
    invert,       ///< left
    has,          ///< left, a name or label
    compare,      ///< relation between left and right
    name_equals,  ///< the text of name id == literal.text
    name_versus,  ///< relation between name id and literal
    in_values,    ///< left is one of operands[first .. first + count)
    in_texts,     ///< left is one of text_lists[first]
    starts_with,  ///< left begins with right
    ends_with,
    contains,
    matches,  ///< left matches patterns[first]
  };

  struct step {
    opcode code = opcode::literal;
    syntax::operation relation = syntax::operation::none;
    std::uint32_t id = 0;
    std::uint32_t left = 0;
    std::uint32_t right = 0;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    value literal;
  };

  std::vector<step> steps;
  std::vector<std::uint32_t> operands;
  std::vector<std::vector<std::string_view>> text_lists;  ///< each sorted
  std::vector<std::unique_ptr<re2::RE2>> patterns;
  std::deque<std::string> texts;  ///< what literals view; never moves
  std::uint32_t root = 0;

  value_type type = value_type::missing;
  trend movement = trend::any;
  std::string movement_reason;
  std::string canonical;
  std::vector<required_equality> required;
  std::vector<conjunct> conjuncts;

  /// The value of one step.
  [[nodiscard]] value run(std::uint32_t at, const scope& names) const;
};

}  // namespace tocsin
