// SPDX-License-Identifier: Apache-2.0
// Tokens of the condition, exchanged one by one.
#include "tocsin/condition_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <string_view>
#include <vector>

#include "core/expression_syntax.hpp"

namespace tocsin {

namespace {

using syntax::token;
using syntax::token_kind;
using known_values = std::map<std::string_view, std::string>;

known_values values_of(const alert& of) {
  const evidence& proof = of.proof;
  known_values known{{"rule", syntax::quoted(of.rule)},
                     {"event_count", std::to_string(proof.event_count)},
                     {"window.start", syntax::quoted(format_rfc3339(proof.window.start))},
                     {"window.end", syntax::quoted(format_rfc3339(proof.window.end))}};
  if (proof.event_count > 0) {
    known["first_event_time"] = syntax::quoted(format_rfc3339(proof.first_event_time));
    known["last_event_time"] = syntax::quoted(format_rfc3339(proof.last_event_time));
    known["duration"] = format_duration(proof.last_event_time - proof.first_event_time);
  }
  for (const auto& [name, number] : proof.values) {
    if (std::isfinite(number)) known[name] = value::of(number).to_text();
  }
  return known;
}

bool is_symbol(const std::vector<token>& tokens, std::size_t i, std::string_view symbol) {
  return i < tokens.size() && tokens[i].kind == token_kind::symbol && tokens[i].source == symbol;
}

bool is_name(const std::vector<token>& tokens, std::size_t i) {
  return i < tokens.size() && tokens[i].kind == token_kind::name;
}

/// The index behind the bracket that closes the one at `open`.
std::size_t behind_brackets(const std::vector<token>& tokens, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < tokens.size(); ++i) {
    if (is_symbol(tokens, i, "(")) ++depth;
    if (is_symbol(tokens, i, ")") && --depth == 0) return i + 1;
  }
  return tokens.size();
}

/// The index of the last token of the name that begins at `first`: names may be dotted. A method
/// is no part of it.
std::size_t end_of_name(const std::vector<token>& tokens, std::size_t first) {
  std::size_t last = first;
  while (is_symbol(tokens, last + 1, ".") && is_name(tokens, last + 2) &&
         !is_symbol(tokens, last + 3, "(")) {
    last += 2;
  }
  return last;
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
    // What is behind a point is a method.
    if (!is_name(tokens, i) || (i > 0 && is_symbol(tokens, i - 1, "."))) continue;
    if (is_symbol(tokens, i + 1, "(")) {
      if (tokens[i].source != "size") i = behind_brackets(tokens, i + 1) - 1;
      continue;
    }
    const std::size_t begin = tokens[i].begin;
    std::string name{tokens[i].source};
    for (const std::size_t last = end_of_name(tokens, i); i < last; i += 2) {
      name.append(1, '.').append(tokens[i + 2].source);
    }
    const auto found = known.find(name);
    if (found == known.end()) continue;
    text.append(of.condition, copied, begin - copied).append(found->second);
    copied = tokens[i].end;
  }
  return text.append(of.condition, copied);
}

}  // namespace tocsin
