// SPDX-License-Identifier: Apache-2.0
// Places findings about a rule in its file.
#include "core/rule_findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tocsin {

std::optional<int> take_column(std::string& message) {
  constexpr std::string_view word = "column ";
  if (!message.starts_with(word)) return std::nullopt;
  int column = 0;
  const char* end = message.data() + message.size();
  const auto [rest, failed] = std::from_chars(message.data() + word.size(), end, column);
  if (failed != std::errc{} || !std::string_view(rest, end).starts_with(": ")) return std::nullopt;
  message.erase(0, static_cast<std::size_t>(rest - message.data()) + 2);
  return column;
}

rule_findings::rule_findings(const rule_spec& of, diagnostics& found) : of_(&of), found_(&found) {}

void rule_findings::report(const placed_text& at, std::string_view field, std::string message,
                           diagnostic::grade kind) {
  int line = at.line;
  int column = at.column;
  // Where the text's own columns are not the file's, the message keeps them.
  if (line != 0 && column != 0) {
    if (const auto inside = take_column(message)) column = at.column + *inside - 1;
  }
  if (line == 0) {
    const std::string_view whole = field.substr(0, field.find('.'));
    const auto place = std::find_if(of_->places.begin(), of_->places.end(),
                                    [whole](const field_place& one) { return one.field == whole; });
    line = place != of_->places.end() ? place->line : of_->line;
    column = place != of_->places.end() ? place->column : 0;
  }
  if (kind == diagnostic::grade::error) ++errors_;
  found_->push_back({kind, of_->file, line, column,
                     fmt::format("rule '{}': {}: {}", of_->name.text, field, message)});
}

std::optional<expression> rule_findings::compile(const placed_text& text, std::string_view field,
                                                 const schema& names) {
  auto compiled = expression::compile(text.text, names);
  if (compiled) return std::move(*compiled);
  report(text, field, compiled.failure().message);
  return std::nullopt;
}

std::optional<expression> rule_findings::compile_condition(const placed_text& text,
                                                           std::string_view field,
                                                           const schema& names) {
  auto condition = compile(text, field, names);
  if (!condition || condition->type() == value_type::boolean) return condition;
  report(text, field, "must be a condition that is true or false");
  return std::nullopt;
}

}  // namespace tocsin
