// SPDX-License-Identifier: Apache-2.0
// What is wrong with one rule, said with its file, line, column and field.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tocsin/expression.hpp"
#include "tocsin/result.hpp"
#include "tocsin/rule.hpp"

namespace tocsin {

/// Collects the findings of one rule. The rule and the findings must outlive it.
class rule_findings {
 public:
  rule_findings(const rule_spec& of, diagnostics& found);

  /// A finding about a text of the rule. A text without a line stands for the whole field. When the
  /// message begins with "column N: " and the text's own column is known, the two are added;
  /// otherwise the message keeps its column.
  void report(const placed_text& at, std::string_view field, std::string message,
              diagnostic::grade kind = diagnostic::grade::error);
  /// A finding about a whole field.
  void report(std::string_view field, std::string message) {
    report({}, field, std::move(message));
  }

  /// Nothing when it does not compile, which is then reported.
  [[nodiscard]] std::optional<expression> compile(const placed_text& text, std::string_view field,
                                                  const schema& names);
  /// The same of what must be true or false.
  [[nodiscard]] std::optional<expression> compile_condition(const placed_text& text,
                                                            std::string_view field,
                                                            const schema& names);

  /// True as long as no error of this rule was reported.
  [[nodiscard]] bool clean() const noexcept { return errors_ == 0; }

 private:
  const rule_spec* of_;
  diagnostics* found_;
  std::size_t errors_ = 0;
};

/// Takes "column N: " off the front of a message; nothing when it is not there.
std::optional<int> take_column(std::string& message);

}  // namespace tocsin
