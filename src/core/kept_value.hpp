// SPDX-License-Identifier: Apache-2.0
// A copy of one value: of the first or of the newest event that has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/state_bytes.hpp"
#include "tocsin/expression.hpp"

namespace tocsin {

/// By (time, log position), whatever order values are added or merged in.
class kept_value {
 public:
  enum class end : std::uint8_t { first, newest };
  explicit kept_value(end which) : which_(which) {}

  /// Precondition: the value is not missing.
  void add(std::int64_t time_ms, std::uint64_t position, const value& seen);
  void merge(const kept_value& other);

  /// A text views this object. Missing when nothing was added.
  [[nodiscard]] value get() const;

  [[nodiscard]] std::size_t heap_bytes() const noexcept;
  void save(state_writer& to) const;
  /// Precondition: nothing was added yet.
  void load(state_reader& from);

 private:
  end which_;
  std::int64_t time_ms_ = 0;
  std::uint64_t position_ = 0;
  value kept_;  ///< its text is empty: see text_
  std::string text_;
};

}  // namespace tocsin
