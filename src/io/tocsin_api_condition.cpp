// SPDX-License-Identifier: Apache-2.0
// Tokens of the condition, exchanged one by one.
#include "io/tocsin_api_condition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <string_view>
#include <vector>

#include "core/expression_syntax.hpp"
#include "io/json_line.hpp"

namespace tocsin {

namespace {

using syntax::token;
using syntax::token_kind;
using known_values = std::map<std::string_view, std::string>;

std::string number_text(double number) {
  return json_line{}.number(number).line();
}

known_values values_of(const alert& of) {
  const evidence& proof = of.proof;
  known_values known{{"rule", syntax::quoted(of.rule)},
                     {"event_count", std::to_string(proof.event_count)},
                     {"window_start", syntax::quoted(format_rfc3339(proof.window.start))},
                     {"window_end", syntax::quoted(format_rfc3339(proof.window.end))}};
  if (proof.event_count > 0) {
    known["first_event_time"] = syntax::quoted(format_rfc3339(proof.first_event_time));
    known["last_event_time"] = syntax::quoted(format_rfc3339(proof.last_event_time));
    known["duration"] = format_duration(proof.last_event_time - proof.first_event_time);
  }
  for (const auto& [name, number] : proof.values) {
    if (std::isfinite(number)) known[name] = number_text(number);
  }
  return known;
}

/// The index behind the bracket that closes the one at `open`.
std::size_t behind_brackets(const std::vector<token>& tokens, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < tokens.size(); ++i) {
    if (tokens[i].source == "(") ++depth;
    if (tokens[i].source == ")" && --depth == 0) return i + 1;
  }
  return tokens.size();
}

/// True when the name at `i` stands behind a point: a label's, or a method's.
bool is_member(const std::vector<token>& tokens, std::size_t i) {
  return i > 0 && tokens[i - 1].kind == token_kind::symbol && tokens[i - 1].source == ".";
}

bool is_symbol(const std::vector<token>& tokens, std::size_t i, std::string_view symbol) {
  return i < tokens.size() && tokens[i].kind == token_kind::symbol && tokens[i].source == symbol;
}

}  // namespace

std::string condition_with_values(const alert& of) {
  const auto read = of.origin == alert_origin::rule
                        ? syntax::read_tokens(of.condition)
                        : result<std::vector<token>>{error{"bad_expression", {}}};
  if (!read) return of.condition;
  const std::vector<token>& tokens = *read;
  const known_values known = values_of(of);
  std::string text;
  std::size_t copied = 0;  // what lies before it is in `text`
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].kind != token_kind::name || is_member(tokens, i)) continue;
    if (is_symbol(tokens, i + 1, "(")) {
      if (tokens[i].source != "size") i = behind_brackets(tokens, i + 1) - 1;
      continue;
    }
    const auto value = known.find(tokens[i].source);
    if (value == known.end()) continue;
    text.append(of.condition, copied, tokens[i].begin - copied).append(value->second);
    copied = tokens[i].end;
  }
  return text.append(of.condition, copied);
}

}  // namespace tocsin
