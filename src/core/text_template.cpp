// SPDX-License-Identifier: Apache-2.0
// Texts with ${expression} places.
#include <utility>

#include <fmt/format.h>

#include "core/expression_syntax.hpp"
#include "tocsin/expression.hpp"

namespace tocsin {

namespace {

/// Offset of the brace that closes a place whose expression begins at `from`; braces inside its
/// texts don't count.
std::size_t closing_brace(std::string_view text, std::size_t from) noexcept {
  char quote = '\0';
  bool raw = false;
  for (std::size_t i = from; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != '\0') {
      if (c == '\\' && !raw) {
        ++i;
      } else if (c == quote) {
        quote = '\0';
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
      const char before = i > from ? text[i - 1] : '\0';
      raw = before == 'r' || before == 'R';
    } else if (c == '}') {
      return i;
    }
  }
  return std::string_view::npos;
}

error in_template(const error& failure) {
  return {"bad_template", failure.message};
}

}  // namespace

result<text_template> text_template::compile(std::string_view text, const schema& names) {
  text_template out;
  std::string literal;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = text.substr(i);
    if (rest.starts_with("$${")) {
      literal += "${";
      i += 3;
      continue;
    }
    if (!rest.starts_with("${")) {
      literal += text[i++];
      continue;
    }
    const std::size_t begin = i + 2;
    const std::size_t end = closing_brace(text, begin);
    if (end == std::string_view::npos) {
      return in_template(
          syntax::error_at(i, "'${' is not closed by '}' (a plain '${' is written '$${')"));
    }
    result<expression> place = expression::compile(text.substr(begin, end - begin), names);
    if (!place) return in_template(syntax::moved(place.failure(), begin));
    out.parts_.push_back({std::exchange(literal, {}), std::move(*place)});
    i = end + 1;
  }
  if (!literal.empty()) out.parts_.push_back({std::move(literal), std::nullopt});
  return out;
}

std::string text_template::render(const scope& names) const {
  std::string out;
  render_to(names, out);
  return out;
}

void text_template::render_to(const scope& names, std::string& out) const {
  for (const part& one : parts_) {
    out += one.literal;
    if (!one.place) continue;
    const value filled = one.place->evaluate(names);
    if (filled.type == value_type::text) {
      out += filled.text;
    } else {
      out += filled.to_text();
    }
  }
}

}  // namespace tocsin
