// SPDX-License-Identifier: Apache-2.0
// Compiled matchers, and their texts.
#include "tocsin/label_matcher.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <utility>

#include "core/prometheus_matcher.hpp"

namespace tocsin {
namespace {

/// Memory that one regular expression may take; RE2 refuses what needs more.
constexpr std::int64_t pattern_bytes_max = 2 * 1024 * 1024;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

re2::RE2::Options pattern_options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(pattern_bytes_max);
  return options;
}

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

/// `begin` is the offset of the value: what can be wrong with a matcher that was read.
result<label_matcher> compiled(prometheus_matcher read) {
  auto made = label_matcher::make(std::move(read.name), read.op, std::move(read.value));
  if (made) return made;
  return error{made.failure().code,
               fmt::format("column {}: {}", read.value_begin + 1, made.failure().message)};
}

}  // namespace

struct label_matcher::expression {
  explicit expression(std::string_view text) : pattern(piece(text), pattern_options()) {}
  re2::RE2 pattern;
};

std::string_view to_text(matcher_operator op) noexcept {
  switch (op) {
    case matcher_operator::equal:
      return "=";
    case matcher_operator::unequal:
      return "!=";
    case matcher_operator::matches:
      return "=~";
    case matcher_operator::does_not_match:
      return "!~";
  }
  return "";
}

label_matcher::label_matcher(std::string name, matcher_operator op, std::string value,
                             std::shared_ptr<const expression> compiled)
    : name_(std::move(name)), op_(op), value_(std::move(value)), compiled_(std::move(compiled)) {}

result<label_matcher> label_matcher::make(std::string name, matcher_operator op,
                                          std::string value) {
  if (name.empty()) {
    return error{"bad_matcher", fmt::format("a matcher needs the name of a label, this one ({} {}) "
                                            "has none",
                                            to_text(op), quoted(value))};
  }
  std::shared_ptr<const expression> pattern;
  if (op == matcher_operator::matches || op == matcher_operator::does_not_match) {
    // By itself, and anchored where it is used: an unbalanced bracket must not be closed by those
    // that would anchor it.
    pattern = std::make_shared<const expression>(value);
    if (!pattern->pattern.ok()) {
      return error{"bad_matcher", fmt::format("{} is not a regular expression: {}", quoted(value),
                                              pattern->pattern.error())};
    }
  }
  return label_matcher{std::move(name), op, std::move(value), std::move(pattern)};
}

bool label_matcher::accepts(std::string_view value) const {
  switch (op_) {
    case matcher_operator::equal:
      return value == value_;
    case matcher_operator::unequal:
      return value != value_;
    case matcher_operator::matches:
      return re2::RE2::FullMatch(piece(value), compiled_->pattern);
    case matcher_operator::does_not_match:
      return !re2::RE2::FullMatch(piece(value), compiled_->pattern);
  }
  return false;
}

std::string label_matcher::text() const {
  return fmt::format("{}{}{}", is_matcher_name(name_) ? name_ : quoted(name_), to_text(op_),
                     quoted(value_));
}

result<label_matchers> parse_label_matchers(std::string_view text) {
  auto read = parse_matcher_list(text);
  if (!read) return read.failure();
  label_matchers all;
  all.reserve(read->size());
  for (prometheus_matcher& one : *read) {
    auto made = compiled(std::move(one));
    if (!made) return made.failure();
    all.push_back(*std::move(made));
  }
  return all;
}

result<label_matcher> parse_label_matcher(std::string_view text) {
  auto read = parse_matcher(text);
  if (!read) return read.failure();
  return compiled(*std::move(read));
}

}  // namespace tocsin
