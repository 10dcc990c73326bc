// SPDX-License-Identifier: Apache-2.0
// What a condition demands of a name: lets a window be passed over without evaluating anything.
#include <algorithm>
#include <cmath>

#include "core/expression_program.hpp"

namespace tocsin {
namespace {

using program = expression::program;

std::optional<double> least_of_step(const program& of, std::uint32_t at, std::uint32_t id) {
  const program::step& one = of.steps[at];
  if (one.code == program::opcode::all) {
    std::optional<double> greatest;
    for (std::uint32_t i = one.first; i < one.first + one.count; ++i)
      if (const auto part = least_of_step(of, of.operands[i], id))
        greatest = std::max(greatest.value_or(*part), *part);
    return greatest;
  }
  if (one.code != program::opcode::name_versus || one.id != id) return std::nullopt;
  const auto bound = one.literal.as_number();
  if (!bound) return std::nullopt;
  switch (one.relation) {
    case syntax::operation::equal:
    case syntax::operation::at_least:
    case syntax::operation::greater:
      return bound;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<std::uint32_t> expression::bare_name() const {
  const program::step& root = program_->steps[program_->root];
  if (root.code != program::opcode::name) return std::nullopt;
  return root.id;
}

std::optional<double> expression::least(std::uint32_t id) const {
  return least_of_step(*program_, program_->root, id);
}

}  // namespace tocsin
