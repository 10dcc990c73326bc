// SPDX-License-Identifier: Apache-2.0
// Writes the steps of a program; what is made of literals only is worked out while writing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/expression_program.hpp"

namespace tocsin::syntax {

/// Every function gives the step it wrote. Operands must have been written before, by the same
/// writer. After stop() nothing is worked out any more: what was refused must not be run.
class program_writer {
 public:
  using program = expression::program;
  using step = program::step;

  program_writer() : out_(std::make_shared<program>()) {}

  void stop() noexcept { stopped_ = true; }
  [[nodiscard]] std::shared_ptr<program> take() { return std::move(out_); }

  [[nodiscard]] std::uint32_t next() const {
    return static_cast<std::uint32_t>(out_->steps.size());
  }
  /// The literal that a step is; null when it is none.
  [[nodiscard]] const value* literal_at(std::uint32_t at) const;
  [[nodiscard]] std::optional<double> number_at(std::uint32_t at) const;

  std::uint32_t add(const step& made);
  std::uint32_t add_literal(value literal);
  std::uint32_t add_label(std::string_view name);
  /// A step over `parts`, the first written of which (and all between) began at `start`.
  std::uint32_t add_over(const step& made, std::uint32_t start,
                         const std::vector<std::uint32_t>& parts);
  /// left, right and relation are set. A name beside a literal becomes one step without operands.
  std::uint32_t add_comparison(step made, std::uint32_t start);
  std::uint32_t add_choice(std::uint32_t condition, std::uint32_t left, std::uint32_t right,
                           std::uint32_t start);
  /// all or any.
  std::uint32_t add_chain(program::opcode code, const std::vector<std::uint32_t>& parts);
  std::uint32_t add_membership(std::uint32_t wanted, const std::vector<std::uint32_t>& parts);
  /// The index for opcode::matches.
  std::uint32_t add_pattern(std::unique_ptr<re2::RE2> pattern);

 private:
  [[nodiscard]] bool all_literals(const std::vector<std::uint32_t>& parts) const;

  std::shared_ptr<program> out_;
  bool stopped_ = false;
};

}  // namespace tocsin::syntax
