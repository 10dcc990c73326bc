// SPDX-License-Identifier: Apache-2.0
// Evaluates compiled expressions: no allocation, recursion bounded by the depth of the tree.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/expression_program.hpp"

namespace tocsin {

namespace {

using program = expression::program;
using opcode = program::opcode;
using syntax::operation;

template <class T>
bool relate(operation relation, const T& left, const T& right) noexcept {
  switch (relation) {
    case operation::equal:
      return left == right;
    case operation::unequal:
      return left != right;
    case operation::less:
      return left < right;
    case operation::at_most:
      return left <= right;
    case operation::greater:
      return left > right;
    case operation::at_least:
      return left >= right;
    default:
      return false;
  }
}

constexpr bool is_numeric(value_type type) noexcept {
  return type == value_type::integer || type == value_type::number;
}

double widened(const value& of) noexcept {
  return of.type == value_type::integer ? static_cast<double>(of.integer) : of.number;
}

bool compare(operation relation, const value& left, const value& right) noexcept {
  if (left.type == right.type) {
    switch (left.type) {
      case value_type::number:
        return relate(relation, left.number, right.number);
      case value_type::integer:
      case value_type::length:
        return relate(relation, left.integer, right.integer);
      case value_type::text:
        return relate(relation, left.text, right.text);
      case value_type::boolean:
        return relate(relation, left.boolean, right.boolean);
      default:
        return false;
    }
  }
  if (!is_numeric(left.type) || !is_numeric(right.type)) return false;
  return relate(relation, widened(left), widened(right));
}

value finite(double real) noexcept {
  return std::isfinite(real) ? value::of(real) : value{};
}

value whole(opcode code, std::int64_t left, std::int64_t right) noexcept {
  std::int64_t out = 0;
  switch (code) {
    case opcode::add:
      if (__builtin_add_overflow(left, right, &out)) return {};
      return value::of(out);
    case opcode::subtract:
      if (__builtin_sub_overflow(left, right, &out)) return {};
      return value::of(out);
    case opcode::multiply:
      if (__builtin_mul_overflow(left, right, &out)) return {};
      return value::of(out);
    default:
      break;
  }
  if (right == 0 || (left == std::numeric_limits<std::int64_t>::min() && right == -1)) return {};
  return value::of(code == opcode::divide ? left / right : left % right);
}

value real(opcode code, double left, double right) noexcept {
  switch (code) {
    case opcode::add:
      return finite(left + right);
    case opcode::subtract:
      return finite(left - right);
    case opcode::multiply:
      return finite(left * right);
    case opcode::divide:
      return right == 0 ? value{} : finite(left / right);
    default:
      return {};
  }
}

value length_from(double real_ms) noexcept {
  // Beyond 2^62 a double need not fit an integer.
  if (!(std::abs(real_ms) < 0x1p62)) return {};
  return value::of(duration{static_cast<std::int64_t>(real_ms)});
}

/// Arithmetic with at least one length, in milliseconds: length ± length, length * or / number,
/// length / length.
value lengths(opcode code, const value& left, const value& right) noexcept {
  const bool both = left.type == right.type;
  if (both && code == opcode::divide) {
    return real(code, static_cast<double>(left.integer), static_cast<double>(right.integer));
  }
  const bool exact = both || left.type == value_type::integer || right.type == value_type::integer;
  if (exact) {
    const value ms = whole(code, left.integer, right.integer);
    return ms.is_missing() ? ms : value::of(duration{ms.integer});
  }
  const auto number = [](const value& of) {
    return of.type == value_type::number ? of.number : static_cast<double>(of.integer);
  };
  const value ms = real(code, number(left), number(right));
  return ms.is_missing() ? ms : length_from(ms.number);
}

value arithmetic(opcode code, const value& left, const value& right) noexcept {
  if (left.type == value_type::integer && right.type == value_type::integer) {
    return whole(code, left.integer, right.integer);
  }
  const bool left_length = left.type == value_type::length;
  const bool right_length = right.type == value_type::length;
  if (is_numeric(left.type) && is_numeric(right.type)) {
    return real(code, widened(left), widened(right));
  }
  if ((left_length || is_numeric(left.type)) && (right_length || is_numeric(right.type))) {
    return lengths(code, left, right);
  }
  return {};
}

value negated(const value& of) noexcept {
  if (of.type == value_type::number) return value::of(-of.number);
  if (of.type == value_type::integer) return whole(opcode::subtract, 0, of.integer);
  if (of.type != value_type::length) return {};
  const value ms = whole(opcode::subtract, 0, of.integer);
  return ms.is_missing() ? ms : value::of(duration{ms.integer});
}

std::int64_t characters(std::string_view text) noexcept {
  return std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;  // every byte but those that continue
  });
}

class evaluator {
 public:
  evaluator(const program& of, const scope& names) noexcept : program_(of), names_(names) {}

  [[nodiscard]] value get(std::uint32_t at) const {
    const program::step& step = program_.steps[at];
    switch (step.code) {
      case opcode::literal:
        return step.literal;
      case opcode::name:
        return names_.get(step.id);
      case opcode::label:
        return names_.label(step.literal.text);
      case opcode::negate:
        return negated(get(step.left));
      case opcode::add:
      case opcode::subtract:
      case opcode::multiply:
      case opcode::divide:
      case opcode::remainder:
        return arithmetic(step.code, get(step.left), get(step.right));
      case opcode::choose:
        return get(test(step.left) ? step.right : program_.operands[step.first]);
      case opcode::widen: {
        const value narrow = get(step.left);
        return is_numeric(narrow.type) ? value::of(widened(narrow)) : narrow;
      }
      case opcode::size: {
        const value of = get(step.left);
        return of.type == value_type::text ? value::of(characters(of.text)) : value{};
      }
      default:
        return value::of(test(at));
    }
  }

  [[nodiscard]] bool test(std::uint32_t at) const {
    const program::step& step = program_.steps[at];
    switch (step.code) {
      case opcode::all:
        return all_of(step);
      case opcode::any:
        return any_of(step);
      case opcode::invert:
        return !test(step.left);
      case opcode::has:
        return !get(step.left).is_missing();
      case opcode::compare:
        return compare(step.relation, get(step.left), get(step.right));
      case opcode::name_equals: {
        const value seen = names_.get(step.id);
        return seen.type == value_type::text && seen.text == step.literal.text;
      }
      case opcode::name_versus:
        return compare(step.relation, names_.get(step.id), step.literal);
      case opcode::in_values:
        return in_values(step);
      case opcode::in_texts: {
        const value seen = get(step.left);
        const std::vector<std::string_view>& list = program_.text_lists[step.first];
        return seen.type == value_type::text &&
               std::binary_search(list.begin(), list.end(), seen.text);
      }
      case opcode::starts_with:
      case opcode::ends_with:
      case opcode::contains:
        return text_test(step);
      case opcode::matches: {
        const value seen = get(step.left);
        if (seen.type != value_type::text) return false;
        const re2::StringPiece text{seen.text.data(), seen.text.size()};
        return re2::RE2::PartialMatch(text, *program_.patterns[step.first]);
      }
      default:
        return get(at).is_true();
    }
  }

 private:
  [[nodiscard]] bool all_of(const program::step& step) const {
    for (std::uint32_t i = 0; i < step.count; ++i) {
      if (!test(program_.operands[step.first + i])) return false;
    }
    return true;
  }

  [[nodiscard]] bool any_of(const program::step& step) const {
    for (std::uint32_t i = 0; i < step.count; ++i) {
      if (test(program_.operands[step.first + i])) return true;
    }
    return false;
  }

  [[nodiscard]] bool in_values(const program::step& step) const {
    const value seen = get(step.left);
    for (std::uint32_t i = 0; i < step.count; ++i) {
      if (compare(operation::equal, seen, get(program_.operands[step.first + i]))) return true;
    }
    return false;
  }

  [[nodiscard]] bool text_test(const program::step& step) const {
    const value text = get(step.left);
    const value part = get(step.right);
    if (text.type != value_type::text || part.type != value_type::text) return false;
    if (step.code == opcode::starts_with) return text.text.starts_with(part.text);
    if (step.code == opcode::ends_with) return text.text.ends_with(part.text);
    return text.text.find(part.text) != std::string_view::npos;
  }

  const program& program_;
  const scope& names_;
};

}  // namespace

value expression::program::run(std::uint32_t at, const scope& names) const {
  return evaluator{*this, names}.get(at);
}

bool expression::holds(const conjunct& part, const scope& names) const {
  return evaluator{*program_, names}.test(part.step);
}

value expression::evaluate(const scope& names) const {
  return evaluator{*program_, names}.get(program_->root);
}

}  // namespace tocsin
