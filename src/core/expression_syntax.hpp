// SPDX-License-Identifier: Apache-2.0
// The syntax of expressions: tokens, the tree they form, and what both are limited to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/expression.hpp"

namespace tocsin::syntax {

/// Longest source text of an expression.
inline constexpr std::size_t source_bytes_max = 4096;
/// Deepest nesting, of brackets in the source and of nodes in the tree: what bounds recursion.
inline constexpr int depth_max = 64;

/// "column 7: ..." with the code of all expression errors. `offset` counts bytes from 0.
[[nodiscard]] error error_at(std::size_t offset, std::string_view message);
/// The error with its column moved right by `bytes`; one without a column gets the column there.
[[nodiscard]] error moved(const error& failure, std::size_t bytes);

enum class token_kind : std::uint8_t { end, name, literal, symbol };

struct token {
  token_kind kind = token_kind::end;
  std::size_t begin = 0;     ///< offset of the first byte
  std::size_t end = 0;       ///< offset past the last byte
  std::string_view source;   ///< the token's own bytes
  value literal;             ///< of a number or duration; of a text only its type
  std::string text;          ///< a text literal with its escapes resolved
  bool lowest_twin = false;  ///< 9223372036854775808, which is a number only behind a minus
};

/// The tokens of a source text, the last one `end`.
[[nodiscard]] result<std::vector<token>> read_tokens(std::string_view source);

enum class node_kind : std::uint8_t {
  literal,
  name,
  label,
  negate,      ///< -x
  invert,      ///< !x
  arithmetic,  ///< children: left, right
  comparison,  ///< children: left, right
  membership,  ///< children: what is looked for, then the list's elements
  all,         ///< &&, two or more children, none of them `all` itself
  any,         ///< ||, likewise
  choice,      ///< children: condition, then, otherwise
  size,
  has,        ///< child: a name or label
  method,     ///< children: receiver, argument
  aggregate,  ///< no children: the arguments' texts are in `arguments`
};

enum class operation : std::uint8_t {
  none,
  equal,
  unequal,
  less,
  at_most,
  greater,
  at_least,
  add,
  subtract,
  multiply,
  divide,
  remainder,
};
/// "==", "<=", "%", ...
[[nodiscard]] std::string_view to_text(operation op) noexcept;

/// A part of a source text.
struct span_of_source {
  std::size_t begin = 0;
  std::size_t end = 0;
};

struct node {
  node_kind kind = node_kind::literal;
  operation op = operation::none;
  span_of_source place;
  int depth = 1;     ///< levels of the tree from here down
  value literal;     ///< of a text only its type
  std::string text;  ///< a text literal; a name's, label's, method's or aggregate's name
  std::vector<node> children;
  std::vector<span_of_source> arguments;  ///< of an aggregate
};

/// Reads a whole expression. `labels` and `aggregates` say what the schema allows.
[[nodiscard]] result<node> parse(std::string_view source, bool labels, bool aggregates);

/// `parts` joined by && (all) or || (any), as if all stood in one source text. At least one part.
[[nodiscard]] node joined(node_kind kind, std::vector<node> parts);

/// True for the functions that go over a window's events.
[[nodiscard]] bool is_aggregate(std::string_view function) noexcept;

/// A text as a literal in double quotes.
[[nodiscard]] std::string quoted(std::string_view text);
/// True for what may stand after "labels.".
[[nodiscard]] bool is_identifier(std::string_view text) noexcept;

}  // namespace tocsin::syntax
