// SPDX-License-Identifier: Apache-2.0
// Forms the tree of an expression from its tokens, with CEL's precedence.
#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/expression_syntax.hpp"

namespace tocsin::syntax {

namespace {

constexpr std::array<std::string_view, 27> aggregates{
    "count",      "count_if", "sum",          "avg",          "min",      "max",   "stddev",
    "stddev_pop", "variance", "variance_pop", "distinct",     "quantile", "first", "last",
    "delta",      "rate",     "slope",        "predict",      "time_to",  "ewma",  "zscore",
    "mad_score",  "top",      "collect",      "merge_labels", "any",      "all"};

struct binary_operator {
  std::string_view symbol;
  operation op;
  int level;  ///< higher binds tighter
};
constexpr int comparison_level = 1;
constexpr int tightest_level = 3;
constexpr std::array<binary_operator, 11> binary_operators{{
    {"==", operation::equal, comparison_level},
    {"!=", operation::unequal, comparison_level},
    {"<", operation::less, comparison_level},
    {"<=", operation::at_most, comparison_level},
    {">", operation::greater, comparison_level},
    {">=", operation::at_least, comparison_level},
    {"+", operation::add, 2},
    {"-", operation::subtract, 2},
    {"*", operation::multiply, tightest_level},
    {"/", operation::divide, tightest_level},
    {"%", operation::remainder, tightest_level},
}};

const std::vector<std::string>& function_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> made{"size", "has", "startsWith", "endsWith", "contains", "matches"};
    made.insert(made.end(), aggregates.begin(), aggregates.end());
    return made;
  }();
  return names;
}

bool is_method(std::string_view name) noexcept {
  return name == "startsWith" || name == "endsWith" || name == "contains" || name == "matches";
}

/// Recursive descent. After the first error the position is the end token, where every loop stops.
class parser {
 public:
  parser(std::vector<token> tokens, bool labels, bool with_aggregates)
      : tokens_(std::move(tokens)), labels_(labels), aggregates_(with_aggregates) {}

  result<node> run() {
    node root = read_choice();
    if (!failure_ && here().kind != token_kind::end) {
      fail(here().begin, fmt::format("unexpected {} after the expression{}", seen(), word_hint()));
    }
    if (failure_) return *failure_;
    return root;
  }

 private:
  [[nodiscard]] const token& here() const { return tokens_[at_]; }
  [[nodiscard]] const token& ahead(std::size_t by) const {
    return tokens_[std::min(at_ + by, tokens_.size() - 1)];
  }
  [[nodiscard]] static bool is(const token& one, std::string_view symbol) {
    return one.kind == token_kind::symbol && one.source == symbol;
  }
  [[nodiscard]] static bool is_word(const token& one, std::string_view word) {
    return one.kind == token_kind::name && one.source == word;
  }
  bool take(std::string_view symbol) {
    if (!is(here(), symbol)) return false;
    ++at_;
    return true;
  }
  void demand(std::string_view symbol, std::string_view why) {
    if (!take(symbol))
      fail(here().begin, fmt::format("'{}' wanted {}, not {}", symbol, why, seen()));
  }
  [[nodiscard]] std::string seen() const {
    if (here().kind == token_kind::end) return "the end";
    return fmt::format("'{}'", here().source);
  }
  [[nodiscard]] std::string word_hint() const {
    for (const auto& [word, symbol] :
         {std::pair{"and", "&&"}, {"or", "||"}, {"AND", "&&"}, {"OR", "||"}, {"is", "=="}}) {
      if (is_word(here(), word)) return fmt::format(" (did you mean '{}'?)", symbol);
    }
    return {};
  }
  void fail(std::size_t offset, std::string_view message) {
    if (!failure_) failure_ = error_at(offset, message);
    at_ = tokens_.size() - 1;
  }
  /// Offset past the token just taken.
  [[nodiscard]] std::size_t end_of_last() const { return at_ == 0 ? 0 : tokens_[at_ - 1].end; }

  /// Closes a node whose children are complete.
  node finished(node made, std::size_t begin) {
    made.place = {begin, std::max(begin, end_of_last())};
    for (const node& child : made.children) made.depth = std::max(made.depth, child.depth + 1);
    if (made.depth > depth_max) too_deep(begin);
    return made;
  }
  void too_deep(std::size_t offset) {
    fail(offset, fmt::format("an expression has at most {} levels", depth_max));
  }

  node read_choice() {
    const std::size_t begin = here().begin;
    if (++nesting_ > depth_max) too_deep(begin);
    node first = read_chain("||", node_kind::any);
    if (take("?")) {
      node made;
      made.kind = node_kind::choice;
      made.children.push_back(std::move(first));
      made.children.push_back(read_choice());
      demand(":", "between the two results of '?'");
      made.children.push_back(read_choice());
      first = finished(std::move(made), begin);
    }
    --nesting_;
    return first;
  }

  /// A chain of && or ||. Brackets within a chain of the same operator make no difference, so the
  /// chain is flat.
  node read_chain(std::string_view symbol, node_kind kind) {
    const std::size_t begin = here().begin;
    const auto operand = [this, kind] {
      return kind == node_kind::any ? read_chain("&&", node_kind::all)
                                    : read_binary(comparison_level);
    };
    node first = operand();
    if (!is(here(), symbol)) return first;
    node made;
    made.kind = kind;
    const auto adopt = [&made, kind](node&& child) {
      if (child.kind != kind) return made.children.push_back(std::move(child));
      std::move(child.children.begin(), child.children.end(), std::back_inserter(made.children));
    };
    adopt(std::move(first));
    while (take(symbol)) adopt(operand());
    return finished(std::move(made), begin);
  }

  [[nodiscard]] const binary_operator* operator_here(int level) const {
    if (here().kind != token_kind::symbol) return nullptr;
    for (const binary_operator& one : binary_operators) {
      if (one.level == level && one.symbol == here().source) return &one;
    }
    return nullptr;
  }

  node read_binary(int level) {
    if (level > tightest_level) return read_unary();
    const std::size_t begin = here().begin;
    node left = read_binary(level + 1);
    for (;;) {
      node made;
      if (level == comparison_level && is_word(here(), "in")) {
        ++at_;
        made.kind = node_kind::membership;
        made.children.push_back(std::move(left));
        read_list(made.children);
      } else if (const binary_operator* found = operator_here(level)) {
        ++at_;
        made.kind = level == comparison_level ? node_kind::comparison : node_kind::arithmetic;
        made.op = found->op;
        made.children.push_back(std::move(left));
        made.children.push_back(read_binary(level + 1));
      } else {
        return left;
      }
      left = finished(std::move(made), begin);
    }
  }

  void read_list(std::vector<node>& elements) {
    if (is_word(here(), "labels") && !is(ahead(1), ".") && !is(ahead(1), "[")) {
      return fail(here().begin,
                  R"(labels is not a list (ask has(labels.NAME) or has(labels["NAME"])))");
    }
    const std::size_t begin = here().begin;
    demand("[", "after 'in', which takes a list");
    if (is(here(), "]")) return fail(begin, "nothing is in an empty list");
    do {
      elements.push_back(read_choice());
    } while (take(",") && !is(here(), "]"));
    demand("]", "at the end of the list");
  }

  node read_unary() {
    const std::size_t begin = here().begin;
    const bool minus = is(here(), "-");
    if (!minus && !is(here(), "!")) return read_member();
    ++at_;
    // A minus makes the one number that has no positive twin, and signs of literals are theirs.
    if (minus && here().lowest_twin) {
      node made = read_literal(here().literal, {});
      made.place.begin = begin;
      return made;
    }
    if (++nesting_ > depth_max) too_deep(begin);
    node operand = read_unary();
    --nesting_;
    const bool lowest = operand.literal.integer == std::numeric_limits<std::int64_t>::min();
    if (minus && operand.kind == node_kind::literal && !lowest) {
      if (operand.literal.type == value_type::integer) {
        operand.literal.integer = -operand.literal.integer;
        return finished(std::move(operand), begin);
      }
      if (operand.literal.type == value_type::number) {
        operand.literal.number = -operand.literal.number;
        return finished(std::move(operand), begin);
      }
    }
    node made;
    made.kind = minus ? node_kind::negate : node_kind::invert;
    made.children.push_back(std::move(operand));
    return finished(std::move(made), begin);
  }

  node read_member() {
    const std::size_t begin = here().begin;
    node made = read_primary();
    for (;;) {
      if (is(here(), "[")) {
        fail(here().begin, "only labels take [...]");
      } else if (!take(".")) {
        return made;
      }
      const token& method = here();
      if (method.kind != token_kind::name || !is(ahead(1), "(")) {
        fail(method.begin, fmt::format("a method wanted after '.', not {}", seen()));
        return made;
      }
      made = read_method(std::move(made), begin);
    }
  }

  node read_method(node receiver, std::size_t begin) {
    const token& name = here();
    if (!is_method(name.source)) {
      const std::string near = nearest_word(name.source, function_names());
      std::string hint = "known: startsWith, endsWith, contains, matches";
      if (name.source == "size") hint = "write size(x)";
      if (is_method(near)) hint = fmt::format("did you mean '{}'?", near);
      fail(name.begin, fmt::format("unknown method '{}' ({})", name.source, hint));
      return receiver;
    }
    node made;
    made.kind = node_kind::method;
    made.text = name.source;
    at_ += 2;
    made.children.push_back(std::move(receiver));
    made.children.push_back(read_choice());
    demand(")", fmt::format("after the one argument of {}", made.text));
    return finished(std::move(made), begin);
  }

  node read_primary() {
    const token& first = here();
    if (take("(")) {
      node inner = read_choice();
      demand(")", "to close the bracket");
      inner.place = {first.begin, std::max(first.begin, end_of_last())};
      return inner;
    }
    if (first.kind == token_kind::literal) {
      if (first.lowest_twin) {
        fail(first.begin, fmt::format("{} is beyond 9223372036854775807", first.source));
      }
      return read_literal(first.literal, first.text);
    }
    if (first.kind == token_kind::name) return read_word();
    if (is(first, "[")) {
      fail(first.begin, "a list may stand only after 'in'");
    } else if (first.kind == token_kind::end) {
      fail(first.begin,
           at_ == 0 ? "an expression wanted, not nothing" : "a value wanted, not the end");
    } else {
      fail(first.begin, fmt::format("a value wanted, not {}", seen()));
    }
    return {};
  }

  node read_literal(const value& literal, std::string text) {
    const std::size_t begin = here().begin;
    if (here().kind != token_kind::end) ++at_;
    node made;
    made.literal = literal;
    made.text = std::move(text);
    return finished(std::move(made), begin);
  }

  /// A literal that is a word, a call, a label or a (dotted) name.
  node read_word() {
    const token& first = here();
    if (is_word(first, "true")) return read_literal(value::of(true), {});
    if (is_word(first, "false")) return read_literal(value::of(false), {});
    if (is_word(first, "null")) return read_literal({}, {});
    if (is_word(first, "in") || is_word(first, "not")) {
      fail(first.begin, fmt::format("a value wanted, not '{}'{}", first.source,
                                    is_word(first, "not") ? " (did you mean '!'?)" : ""));
      return {};
    }
    if (is(ahead(1), "(")) return read_call();
    const bool opens = is(ahead(1), "[") || is(ahead(1), ".");
    if (is_word(first, "labels") && (labels_ || opens)) return read_label();
    node made;
    made.kind = node_kind::name;
    made.text = first.source;
    ++at_;
    while (is(here(), ".") && ahead(1).kind == token_kind::name && !is(ahead(2), "(")) {
      made.text += '.';
      made.text += ahead(1).source;
      at_ += 2;
    }
    return finished(std::move(made), first.begin);
  }

  node read_label() {
    const token& first = here();
    ++at_;
    node made;
    made.kind = node_kind::label;
    if (!labels_) {
      fail(first.begin, "labels may not be used here");
    } else if (take("[")) {
      if (here().literal.type != value_type::text) {
        fail(here().begin, R"(a label's name wanted in quotes: labels["NAME"])");
        return made;
      }
      made.text = here().text;
      ++at_;
      demand("]", "after the label's name");
    } else if (is(here(), ".") && ahead(1).kind == token_kind::name && !is(ahead(2), "(")) {
      made.text = ahead(1).source;
      at_ += 2;
      if (is(here(), ".") && ahead(1).kind == token_kind::name && !is(ahead(2), "(")) {
        fail(first.begin,
             fmt::format(R"(labels hold no labels: for a name with a dot write labels["{}.{}"])",
                         made.text, ahead(1).source));
      }
    } else {
      fail(first.begin, R"(labels is no value (write labels.NAME or labels["NAME"]))");
    }
    return finished(std::move(made), first.begin);
  }

  node read_call() {
    const token& name = here();
    if (is_aggregate(name.source)) return read_aggregate();
    node made;
    made.text = name.source;
    if (name.source == "size") {
      made.kind = node_kind::size;
    } else if (name.source == "has") {
      made.kind = node_kind::has;
    } else {
      fail(name.begin, unknown_function(name.source));
      return made;
    }
    at_ += 2;
    made.children.push_back(read_choice());
    demand(")", fmt::format("after the one argument of {}", made.text));
    const node_kind asked = made.children.front().kind;
    if (made.kind == node_kind::has && asked != node_kind::name && asked != node_kind::label) {
      fail(made.children.front().place.begin, "has() takes the name of a field or label");
    }
    return finished(std::move(made), name.begin);
  }

  [[nodiscard]] static std::string unknown_function(std::string_view name) {
    if (is_method(name)) {
      return fmt::format("{0} is a method: write x.{0}(...)", name);
    }
    const std::string near = nearest_word(name, function_names());
    if (near.empty()) return fmt::format("unknown function '{}'", name);
    return fmt::format("unknown function '{}' (did you mean '{}'?)", name, near);
  }

  /// The arguments of an aggregate speak of events, not of this schema's names: they are cut out
  /// as source text.
  node read_aggregate() {
    const token& name = here();
    node made;
    made.kind = node_kind::aggregate;
    made.text = name.source;
    if (!aggregates_) {
      fail(name.begin, fmt::format("{}() may stand only in select and having", name.source));
      return made;
    }
    at_ += 2;
    if (take(")")) return finished(std::move(made), name.begin);
    int open = 0;
    span_of_source argument{here().begin, here().begin};
    for (; here().kind != token_kind::end; ++at_) {
      const bool closes = is(here(), ")") || is(here(), "]");
      if (open == 0 && (closes || is(here(), ","))) {
        if (argument.begin == argument.end) break;
        made.arguments.push_back(argument);
        if (closes) break;
        argument.begin = argument.end = ahead(1).begin;
        continue;
      }
      if (is(here(), "(") || is(here(), "[")) ++open;
      if (closes) --open;
      argument.end = here().end;
    }
    if (argument.begin == argument.end) {
      fail(here().begin, fmt::format("an argument of {} wanted, not {}", made.text, seen()));
    }
    demand(")", fmt::format("to close {}(", made.text));
    return finished(std::move(made), name.begin);
  }

  std::vector<token> tokens_;
  std::size_t at_ = 0;
  int nesting_ = 0;
  bool labels_;
  bool aggregates_;
  std::optional<error> failure_;
};

}  // namespace

std::string_view to_text(operation op) noexcept {
  for (const binary_operator& one : binary_operators) {
    if (one.op == op) return one.symbol;
  }
  return {};
}

bool is_aggregate(std::string_view function) noexcept {
  return std::find(aggregates.begin(), aggregates.end(), function) != aggregates.end();
}

node joined(node_kind kind, std::vector<node> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  node made;
  made.kind = kind;
  for (node& part : parts) {
    if (part.kind == kind) {
      std::move(part.children.begin(), part.children.end(), std::back_inserter(made.children));
    } else {
      made.children.push_back(std::move(part));
    }
  }
  for (const node& child : made.children) made.depth = std::max(made.depth, child.depth + 1);
  return made;
}

result<node> parse(std::string_view source, bool labels, bool aggregates_allowed) {
  result<std::vector<token>> tokens = read_tokens(source);
  if (!tokens) return tokens.failure();
  return parser{std::move(*tokens), labels, aggregates_allowed}.run();
}

}  // namespace tocsin::syntax
