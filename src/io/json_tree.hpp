// SPDX-License-Identifier: Apache-2.0
// JSON that another program answered, for commands to read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/result.hpp"

namespace tocsin {

/// A value inside a parsed text, which it keeps alive. What is not there is null, and null has no
/// parts: a path may be followed to its end without asking at each step. Cheap to copy.
class json_tree {
 public:
  json_tree() = default;  ///< null
  /// Errors: malformed.
  [[nodiscard]] static result<json_tree> parse(std::string_view text);

  [[nodiscard]] bool is_null() const noexcept;
  /// A part of an object.
  [[nodiscard]] json_tree at(std::string_view key) const;
  /// The parts of a list; none of anything else.
  [[nodiscard]] std::vector<json_tree> items() const;
  /// The parts of an object with their names; none of anything else.
  [[nodiscard]] std::vector<std::pair<std::string, json_tree>> entries() const;

  /// A text as it is; null as ""; all else as its JSON.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::optional<double> number() const noexcept;
  [[nodiscard]] bool is_true() const noexcept;
  /// Compact, one line.
  [[nodiscard]] std::string json() const;

 private:
  struct parsed;
  std::shared_ptr<const parsed> whole_;
  const void* here_ = nullptr;  ///< into whole_
};

}  // namespace tocsin
