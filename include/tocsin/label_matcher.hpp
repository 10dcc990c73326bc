// SPDX-License-Identifier: Apache-2.0
// Matchers over label sets, with the syntax and the meaning that Prometheus and Alertmanager give
// them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/result.hpp"

namespace tocsin {

enum class matcher_operator : std::uint8_t { equal, unequal, matches, does_not_match };
/// "=", "!=", "=~" or "!~".
[[nodiscard]] std::string_view to_text(matcher_operator op) noexcept;

/// One matcher, compiled. A label that is missing is "" to it. Copies share the expression.
class label_matcher {
 public:
  /// Regular expressions are RE2 and anchored at both ends. Errors: bad_matcher: the name is empty,
  /// the expression does not compile.
  [[nodiscard]] static result<label_matcher> make(std::string name, matcher_operator op,
                                                  std::string value);

  [[nodiscard]] bool accepts(std::string_view value) const;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] matcher_operator op() const noexcept { return op_; }
  [[nodiscard]] const std::string& value() const noexcept { return value_; }
  /// `name="value"`, quoted so that it reads back.
  [[nodiscard]] std::string text() const;

  friend bool operator==(const label_matcher& left, const label_matcher& right) noexcept {
    return left.name_ == right.name_ && left.op_ == right.op_ && left.value_ == right.value_;
  }

 private:
  struct expression;
  label_matcher(std::string name, matcher_operator op, std::string value,
                std::shared_ptr<const expression> compiled);

  std::string name_;
  matcher_operator op_ = matcher_operator::equal;
  std::string value_;
  std::shared_ptr<const expression> compiled_;  ///< of matches and does_not_match; else null
};

/// All must accept.
using label_matchers = std::vector<label_matcher>;

/// Reads `{a="b", c=~"d.*"}`, with or without braces, as Alertmanager's classic parser does: values
/// in quotes or not, `\"`, `\\` and `\n` escapes, any other backslash itself, a comma at the end
/// allowed. Beyond it, a name that is no word may stand in quotes. No text, and `{}`, are no
/// matchers. Errors: bad_matcher, beginning with "column N: ".
[[nodiscard]] result<label_matchers> parse_label_matchers(std::string_view text);
/// Reads exactly one, without braces; a comma outside of quotes belongs to its value. Errors as
/// above.
[[nodiscard]] result<label_matcher> parse_label_matcher(std::string_view text);

/// `lookup(name)` gives a label's value, "" when there is none.
template <class Lookup>
[[nodiscard]] bool all_accept(const label_matchers& all, Lookup&& lookup) {
  for (const label_matcher& each : all) {
    if (!each.accepts(lookup(std::string_view{each.name()}))) return false;
  }
  return true;
}

}  // namespace tocsin
