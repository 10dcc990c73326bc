// SPDX-License-Identifier: Apache-2.0
// Expected failures as values: an error says what, where, seen and wanted; a result holds a value
// or an error.
#pragma once

#include <cassert>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tocsin {

/// An expected failure. `code` is a stable snake_case word for counters and machines, `message` a
/// sentence for people that names what was seen and what was wanted.
struct error {
  std::string_view code;  ///< a string literal, e.g. "bad_value"
  std::string message;
};

/// Either a T or an error. Reading the side that is not there is a broken invariant and asserts.
template <class T>
class [[nodiscard]] result {
 public:
  result(T value)
      : held_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
  result(error failure)
      : held_(std::in_place_index<1>, std::move(failure)) {}  // NOLINT: implicit by design

  explicit operator bool() const noexcept { return held_.index() == 0; }
  [[nodiscard]] bool has_value() const noexcept { return held_.index() == 0; }

  T& value() & { return *std::get_if<0>(checked(0)); }
  const T& value() const& { return *std::get_if<0>(checked(0)); }
  T&& value() && { return std::move(*std::get_if<0>(checked(0))); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  [[nodiscard]] const error& failure() const { return *std::get_if<1>(checked(1)); }

 private:
  std::variant<T, error>* checked(std::size_t side) {
    assert(held_.index() == side);
    return &held_;
  }
  const std::variant<T, error>* checked(std::size_t side) const {
    assert(held_.index() == side);
    return &held_;
  }
  std::variant<T, error> held_;
};

/// A finding about a text that a person wrote (rules, settings). Printed as
/// `FILE:LINE:COLUMN: error: MESSAGE`, parts that are unknown left out.
struct diagnostic {
  enum class grade { error, warning };
  grade kind = grade::error;
  std::string file;
  int line = 0;    ///< from 1; 0 = unknown
  int column = 0;  ///< from 1; 0 = unknown
  std::string message;

  [[nodiscard]] std::string text() const;
};

/// All findings of one load; a load succeeded when none is an error.
using diagnostics = std::vector<diagnostic>;

[[nodiscard]] bool has_errors(const diagnostics& found) noexcept;

/// The candidate nearest to `seen` by edit distance, or "" when none is near enough to be a likely
/// slip. Used for "did you mean".
[[nodiscard]] std::string nearest_word(std::string_view seen,
                                       const std::vector<std::string>& candidates);

}  // namespace tocsin
