// SPDX-License-Identifier: Apache-2.0
// Writes the steps of a program.
#include "core/expression_writer.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::syntax {

namespace {

using opcode = expression::program::opcode;

/// Known parts are worked out without any name.
class no_names final : public scope {
 public:
  [[nodiscard]] value get(std::uint32_t) const override { return {}; }
  [[nodiscard]] value label(std::string_view) const override { return {}; }
};

/// The operation that holds with the sides exchanged.
operation mirrored(operation op) noexcept {
  switch (op) {
    case operation::less:
      return operation::greater;
    case operation::at_most:
      return operation::at_least;
    case operation::greater:
      return operation::less;
    case operation::at_least:
      return operation::at_most;
    default:
      return op;
  }
}

}  // namespace

const value* program_writer::literal_at(std::uint32_t at) const {
  const step& found = out_->steps[at];
  return found.code == opcode::literal ? &found.literal : nullptr;
}

std::optional<double> program_writer::number_at(std::uint32_t at) const {
  const value* found = literal_at(at);
  return found == nullptr ? std::nullopt : found->as_number();
}

bool program_writer::all_literals(const std::vector<std::uint32_t>& parts) const {
  return std::all_of(parts.begin(), parts.end(),
                     [this](std::uint32_t part) { return literal_at(part) != nullptr; });
}

std::uint32_t program_writer::add(const step& made) {
  out_->steps.push_back(made);
  return next() - 1;
}

std::uint32_t program_writer::add_literal(value literal) {
  if (literal.type == value_type::text) literal.text = out_->texts.emplace_back(literal.text);
  step made;
  made.literal = literal;
  return add(made);
}

std::uint32_t program_writer::add_label(std::string_view name) {
  step made;
  made.code = opcode::label;
  made.literal = value::of(std::string_view{out_->texts.emplace_back(name)});
  return add(made);
}

std::uint32_t program_writer::add_over(const step& made, std::uint32_t start,
                                       const std::vector<std::uint32_t>& parts) {
  const std::uint32_t at = add(made);
  if (stopped_ || !all_literals(parts)) return at;
  const value known = out_->run(at, no_names{});
  out_->steps.resize(start);
  return add_literal(known);
}

std::uint32_t program_writer::add_comparison(step made, std::uint32_t start) {
  made.code = opcode::compare;
  if (literal_at(made.left) != nullptr && literal_at(made.right) == nullptr) {
    std::swap(made.left, made.right);
    made.relation = mirrored(made.relation);
  }
  const value* literal = literal_at(made.right);
  if (literal == nullptr || out_->steps[made.left].code != opcode::name) {
    return add_over(made, start, {made.left, made.right});
  }
  made.literal = *literal;
  made.id = out_->steps[made.left].id;
  const bool same_text = made.relation == operation::equal && made.literal.type == value_type::text;
  made.code = same_text ? opcode::name_equals : opcode::name_versus;
  out_->steps.resize(start);
  return add(made);
}

std::uint32_t program_writer::add_choice(std::uint32_t condition, std::uint32_t left,
                                         std::uint32_t right, std::uint32_t start) {
  step made;
  made.code = opcode::choose;
  made.left = condition;
  made.right = left;
  made.first = static_cast<std::uint32_t>(out_->operands.size());
  out_->operands.push_back(right);
  return add_over(made, start, {condition, left, right});
}

std::uint32_t program_writer::add_chain(opcode code, const std::vector<std::uint32_t>& parts) {
  step made;
  made.code = code;
  made.first = static_cast<std::uint32_t>(out_->operands.size());
  made.count = static_cast<std::uint32_t>(parts.size());
  out_->operands.insert(out_->operands.end(), parts.begin(), parts.end());
  const std::uint32_t at = add(made);
  if (stopped_ || !all_literals(parts)) return at;
  return add_literal(out_->run(at, no_names{}));
}

std::uint32_t program_writer::add_membership(std::uint32_t wanted,
                                             const std::vector<std::uint32_t>& parts) {
  const bool texts = all_literals(parts) && std::all_of(parts.begin(), parts.end(), [&](auto part) {
                       return literal_at(part)->type == value_type::text;
                     });
  step made;
  made.left = wanted;
  if (texts) {
    made.code = opcode::in_texts;
    made.first = static_cast<std::uint32_t>(out_->text_lists.size());
    std::vector<std::string_view>& list = out_->text_lists.emplace_back();
    for (const std::uint32_t part : parts) list.push_back(literal_at(part)->text);
    std::sort(list.begin(), list.end());
  } else {
    made.code = opcode::in_values;
    made.first = static_cast<std::uint32_t>(out_->operands.size());
    made.count = static_cast<std::uint32_t>(parts.size());
    out_->operands.insert(out_->operands.end(), parts.begin(), parts.end());
  }
  const std::uint32_t at = add(made);
  if (stopped_ || !all_literals(parts) || literal_at(wanted) == nullptr) return at;
  return add_literal(out_->run(at, no_names{}));
}

std::uint32_t program_writer::add_pattern(std::unique_ptr<re2::RE2> pattern) {
  out_->patterns.push_back(std::move(pattern));
  return static_cast<std::uint32_t>(out_->patterns.size() - 1);
}

}  // namespace tocsin::syntax
