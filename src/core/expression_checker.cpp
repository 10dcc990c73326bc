// SPDX-License-Identifier: Apache-2.0
// Checks the types of an expression's tree and writes its program.
#include "core/expression_checker.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/expression_rules.hpp"
#include "core/expression_writer.hpp"

namespace tocsin::syntax {

namespace {

using program = expression::program;
using opcode = program::opcode;
using step = program::step;

/// Memory that one regular expression may take; RE2 refuses what needs more.
constexpr std::int64_t pattern_bytes_max = 2 * 1024 * 1024;
/// Source text quoted in a message is cut here.
constexpr std::size_t excerpt_bytes_max = 60;

/// A part of the tree that has been checked and written.
struct checked {
  std::uint32_t at = 0;  ///< its step
  value_type type = value_type::dynamic;
  movement moves;
  std::string words;     ///< normal form
  bool compound = true;  ///< needs brackets as an operand
};

opcode arithmetic_code(operation op) noexcept {
  switch (op) {
    case operation::subtract:
      return opcode::subtract;
    case operation::multiply:
      return opcode::multiply;
    case operation::divide:
      return opcode::divide;
    case operation::remainder:
      return opcode::remainder;
    default:
      return opcode::add;
  }
}

std::string bracketed(const checked& part) {
  return part.compound ? fmt::format("({})", part.words) : part.words;
}

/// A number that reads back as one, not as an integer.
std::string real_words(double real) {
  std::string words = fmt::format("{}", real);
  if (words.find_first_of(".e") == std::string::npos) words += ".0";
  return words;
}

std::string literal_words(const value& literal, std::string_view text) {
  switch (literal.type) {
    case value_type::text:
      return quoted(text);
    case value_type::number:
      return real_words(literal.number);
    case value_type::missing:
      return "null";
    default:
      return literal.to_text();
  }
}

class checker {
 public:
  checker(std::string_view source, const schema& names) : source_(source), names_(names) {}

  result<std::shared_ptr<program>> run(const node& root) {
    if (root.kind == node_kind::all) conjunction_ = &root;
    checked whole = visit(root);
    if (failure_) return *failure_;
    std::shared_ptr<program> out = out_.take();
    out->root = whole.at;
    out->conjuncts = std::move(conjuncts_);
    // What is made of literals only is one value, whatever it was written as.
    if (out->conjuncts.empty() || out->steps[whole.at].code == opcode::literal)
      out->conjuncts = {{whole.at, whole.words, std::nullopt}};
    out->type = whole.type;
    out->movement = whole.moves.direction;
    out->movement_reason = std::move(whole.moves.reason);
    out->canonical = std::move(whole.words);
    return out;
  }

 private:
  void fail(std::size_t offset, std::string_view message) { refuse(error_at(offset, message)); }
  void refuse(error failure) {
    if (!failure_) failure_ = std::move(failure);
    out_.stop();
  }
  void fail(const node& at, std::string_view message) { fail(at.place.begin, message); }

  [[nodiscard]] std::string excerpt(const node& of) const {
    std::string text{source_.substr(of.place.begin, of.place.end - of.place.begin)};
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c > 0 && c < ' '; }, ' ');
    if (text.size() <= excerpt_bytes_max) return text;
    std::size_t cut = excerpt_bytes_max;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
    return text.substr(0, cut) + "...";
  }

  [[nodiscard]] std::optional<name_binding> find(std::string_view name) const {
    return names_.find ? names_.find(name) : std::nullopt;
  }

  checked visit(const node& of) {
    switch (of.kind) {
      case node_kind::literal:
        return visit_literal(of);
      case node_kind::name:
        return visit_name(of);
      case node_kind::label:
        return visit_label(of);
      case node_kind::negate:
        return visit_negate(of);
      case node_kind::invert:
        return visit_invert(of);
      case node_kind::arithmetic:
        return visit_arithmetic(of);
      case node_kind::comparison:
        return visit_comparison(of);
      case node_kind::membership:
        return visit_membership(of);
      case node_kind::all:
      case node_kind::any:
        return visit_chain(of);
      case node_kind::choice:
        return visit_choice(of);
      case node_kind::size:
        return visit_size(of);
      case node_kind::has:
        return visit_has(of);
      case node_kind::method:
        return visit_method(of);
      case node_kind::aggregate:
        return visit_aggregate(of);
    }
    return {};
  }

  checked visit_literal(const node& of) {
    value literal = of.literal;
    if (literal.type == value_type::text) literal.text = of.text;
    std::string words = literal_words(literal, of.text);
    movement moves = literal_movement(literal.type, words);
    return {out_.add_literal(literal), literal.type, std::move(moves), std::move(words), false};
  }

  checked visit_bound(const name_binding& bound, std::string words) {
    step made;
    made.code = opcode::name;
    made.id = bound.id;
    movement moves = name_movement(bound, words);
    return {out_.add(made), bound.type, std::move(moves), std::move(words), false};
  }

  checked visit_name(const node& of) {
    if (const std::optional<name_binding> bound = find(of.text)) {
      return visit_bound(*bound, of.text);
    }
    const std::string near = nearest_word(of.text, names_.names);
    std::string hint;
    if (!near.empty()) {
      hint = fmt::format(" (did you mean '{}'?)", near);
    } else if (is_identifier(of.text)) {
      hint = fmt::format(" (a text stands in quotes: \"{}\")", of.text);
    }
    fail(of, fmt::format("unknown name '{}'{}", of.text, hint));
    return {out_.add({})};
  }

  checked visit_label(const node& of) {
    std::string words =
        is_identifier(of.text) ? "labels." + of.text : fmt::format("labels[{}]", quoted(of.text));
    movement moves = name_movement({0, value_type::dynamic, trend::any}, words);
    return {out_.add_label(of.text), value_type::dynamic, std::move(moves), std::move(words),
            false};
  }

  checked visit_aggregate(const node& of) {
    aggregate_call call{of.text, {}, {}, static_cast<int>(of.place.begin) + 1};
    std::string words;
    for (const span_of_source& place : of.arguments) {
      const std::string& text =
          call.arguments.emplace_back(source_.substr(place.begin, place.end - place.begin));
      call.argument_columns.push_back(static_cast<int>(place.begin) + 1);
      const result<expression> argument = expression::compile(text, schema::of_event());
      if (!argument) {
        refuse(moved(argument.failure(), place.begin));
        return {out_.add({})};
      }
      words += words.empty() ? "" : ", ";
      words += argument->canonical();
    }
    words = fmt::format("{}({})", of.text, words);
    const result<name_binding> bound = names_.aggregate(call);
    if (bound) return visit_bound(*bound, std::move(words));
    const bool placed = bound.failure().message.starts_with("column ");
    refuse({"bad_expression", moved(bound.failure(), placed ? 0 : of.place.begin).message});
    return {out_.add({})};
  }

  checked visit_negate(const node& of) {
    const std::uint32_t start = out_.next();
    const checked inner = visit(of.children[0]);
    value_type type = inner.type;
    if (type == value_type::dynamic) type = value_type::number;
    if (type != value_type::integer && type != value_type::number && type != value_type::length) {
      fail(of, fmt::format("'-' does not take {}", type_word(inner.type)));
    }
    step made;
    made.code = opcode::negate;
    made.left = inner.at;
    std::string words = "-" + bracketed(inner);
    movement moves = negated_movement(inner.moves, words);
    return {out_.add_over(made, start, {inner.at}), type, std::move(moves), std::move(words), true};
  }

  void demand_condition(const node& of, const checked& part, std::string_view who) {
    if (is_condition(part.type)) return;
    fail(of, fmt::format("{} wants true or false, but '{}' is {}", who, excerpt(of),
                         type_word(part.type)));
  }

  checked visit_invert(const node& of) {
    const std::uint32_t start = out_.next();
    const checked inner = visit(of.children[0]);
    demand_condition(of.children[0], inner, "'!'");
    step made;
    made.code = opcode::invert;
    made.left = inner.at;
    std::string words = "!" + bracketed(inner);
    movement moves = inverted_movement(inner.moves, words);
    return {out_.add_over(made, start, {inner.at}), value_type::boolean, std::move(moves),
            std::move(words), true};
  }

  checked visit_chain(const node& of) {
    const std::string_view symbol = of.kind == node_kind::all ? "&&" : "||";
    std::vector<std::uint32_t> parts;
    std::vector<movement> moving;
    std::string words;
    for (const node& child : of.children) {
      checked part = visit(child);
      demand_condition(child, part, fmt::format("'{}'", symbol));
      words += words.empty() ? bracketed(part) : fmt::format(" {} {}", symbol, bracketed(part));
      parts.push_back(part.at);
      moving.push_back(std::move(part.moves));
      if (&of == conjunction_) conjuncts_.push_back({part.at, std::move(part.words), std::nullopt});
    }
    movement moves = chain_movement(moving, words);
    const opcode code = of.kind == node_kind::all ? opcode::all : opcode::any;
    return {out_.add_chain(code, parts), value_type::boolean, std::move(moves), std::move(words),
            true};
  }

  checked visit_arithmetic(const node& of) {
    const std::uint32_t start = out_.next();
    const checked left = visit(of.children[0]);
    const checked right = visit(of.children[1]);
    const std::optional<value_type> type = arithmetic_type(of.op, left.type, right.type);
    if (!type) {
      const bool joins = of.op == operation::add && left.type == value_type::text;
      fail(of, fmt::format("'{}': '{}' does not take {} and {}{}", excerpt(of), to_text(of.op),
                           type_word(left.type), type_word(right.type),
                           joins ? " (texts are joined by templates only)" : ""));
    }
    std::string words = fmt::format("{} {} {}", bracketed(left), to_text(of.op), bracketed(right));
    movement moves = arithmetic_movement(of.op, {left.moves, out_.number_at(left.at)},
                                         {right.moves, out_.number_at(right.at)}, words);
    step made;
    made.code = arithmetic_code(of.op);
    made.left = left.at;
    made.right = right.at;
    return {out_.add_over(made, start, {left.at, right.at}), type.value_or(value_type::number),
            std::move(moves), std::move(words), true};
  }

  [[nodiscard]] bool is_level(const node& of) const {
    if (of.kind != node_kind::name || of.text != to_text(event_field::level)) return false;
    const std::optional<name_binding> bound = find(of.text);
    return bound && bound->type == value_type::integer;
  }

  /// Visits what is compared with a level: there a text is a level's name.
  checked visit_beside(const node& of, bool level) {
    if (!level || of.kind != node_kind::literal || of.literal.type != value_type::text) {
      return visit(of);
    }
    const std::optional<severity> meant = parse_severity(of.text);
    if (!meant) {
      fail(of, fmt::format("{} is not a level (critical, error, warning, info)", quoted(of.text)));
    }
    const severity level_meant = meant.value_or(severity::info);
    std::string words = quoted(to_text(level_meant));
    movement moves = literal_movement(value_type::integer, words);
    return {out_.add_literal(value::of(static_cast<std::int64_t>(level_meant))),
            value_type::integer, std::move(moves), std::move(words), false};
  }

  void demand_comparable(const node& of, operation op, value_type left, value_type right) {
    if (failure_ || comparable(op, left, right)) return;
    if (left == value_type::missing || right == value_type::missing) {
      return fail(
          of, fmt::format("'{}' is never true: null equals nothing (ask has(NAME))", excerpt(of)));
    }
    const bool lengths = left == value_type::length || right == value_type::length;
    fail(of, fmt::format("'{}' compares {} with {}{}", excerpt(of), type_word(left),
                         type_word(right), lengths ? " (a duration is written 5m30s)" : ""));
  }

  checked visit_comparison(const node& of) {
    const std::uint32_t start = out_.next();
    const checked left = visit_beside(of.children[0], is_level(of.children[1]));
    const checked right = visit_beside(of.children[1], is_level(of.children[0]));
    demand_comparable(of, of.op, left.type, right.type);
    std::string words = fmt::format("{} {} {}", bracketed(left), to_text(of.op), bracketed(right));
    movement moves = comparison_movement(of.op, left.moves, right.moves, words);
    step made;
    made.relation = of.op;
    made.left = left.at;
    made.right = right.at;
    return {out_.add_comparison(made, start), value_type::boolean, std::move(moves),
            std::move(words), true};
  }

  checked visit_membership(const node& of) {
    const bool level = is_level(of.children[0]);
    const checked wanted = visit(of.children[0]);
    std::vector<std::uint32_t> parts;
    std::vector<movement> moving{wanted.moves};
    std::string words;
    for (std::size_t i = 1; i < of.children.size(); ++i) {
      checked part = visit_beside(of.children[i], level);
      demand_comparable(of, operation::equal, wanted.type, part.type);
      words += words.empty() ? part.words : ", " + part.words;
      parts.push_back(part.at);
      moving.push_back(std::move(part.moves));
    }
    words = fmt::format("{} in [{}]", bracketed(wanted), words);
    movement moves = other_movement(moving, words, value_type::boolean);
    return {out_.add_membership(wanted.at, parts), value_type::boolean, std::move(moves),
            std::move(words), true};
  }

  checked visit_choice(const node& of) {
    const std::uint32_t start = out_.next();
    const checked condition = visit(of.children[0]);
    demand_condition(of.children[0], condition, "'?'");
    checked left = visit(of.children[1]);
    checked right = visit(of.children[2]);
    const std::optional<value_type> type = choice_type(left.type, right.type);
    if (!type) {
      fail(of, fmt::format("'{}' gives {} or {}; both must be of one type", excerpt(of),
                           type_word(left.type), type_word(right.type)));
    }
    if (type == value_type::number) {
      left.at = widened(left);
      right.at = widened(right);
    }
    std::string words =
        fmt::format("{} ? {} : {}", bracketed(condition), bracketed(left), bracketed(right));
    const value_type known = type.value_or(value_type::dynamic);
    movement moves = other_movement({condition.moves, left.moves, right.moves}, words, known);
    return {out_.add_choice(condition.at, left.at, right.at, start), known, std::move(moves),
            std::move(words), true};
  }

  std::uint32_t widened(const checked& part) {
    if (part.type != value_type::integer) return part.at;
    step made;
    made.code = opcode::widen;
    made.left = part.at;
    return out_.add_over(made, out_.next(), {part.at});
  }

  checked visit_size(const node& of) {
    const std::uint32_t start = out_.next();
    const checked inner = visit(of.children[0]);
    if (!may_be_text(inner.type)) {
      fail(of, fmt::format("size() takes a text, not {}", type_word(inner.type)));
    }
    step made;
    made.code = opcode::size;
    made.left = inner.at;
    std::string words = fmt::format("size({})", inner.words);
    movement moves = other_movement({inner.moves}, words, value_type::integer);
    return {out_.add_over(made, start, {inner.at}), value_type::integer, std::move(moves),
            std::move(words), false};
  }

  checked visit_has(const node& of) {
    const checked inner = visit(of.children[0]);
    step made;
    made.code = opcode::has;
    made.left = inner.at;
    std::string words = fmt::format("has({})", inner.words);
    movement moves = presence_movement(inner.moves, words);
    return {out_.add(made), value_type::boolean, std::move(moves), std::move(words), false};
  }

  checked visit_method(const node& of) {
    const std::uint32_t start = out_.next();
    const checked text = visit(of.children[0]);
    const checked argument = visit(of.children[1]);
    for (const auto& [child, part] :
         {std::pair{&of.children[0], &text}, {&of.children[1], &argument}}) {
      if (may_be_text(part->type)) continue;
      fail(*child, fmt::format("{} takes texts, but '{}' is {}", of.text, excerpt(*child),
                               type_word(part->type)));
    }
    std::string words = fmt::format("{}.{}({})", bracketed(text), of.text, argument.words);
    movement moves = other_movement({text.moves, argument.moves}, words, value_type::boolean);
    step made;
    made.left = text.at;
    made.right = argument.at;
    made.code = opcode::contains;
    if (of.text == "startsWith") made.code = opcode::starts_with;
    if (of.text == "endsWith") made.code = opcode::ends_with;
    if (of.text == "matches") {
      made.code = opcode::matches;
      made.first = add_pattern(of.children[1], argument);
    }
    return {out_.add_over(made, start, {text.at, argument.at}), value_type::boolean,
            std::move(moves), std::move(words), false};
  }

  std::uint32_t add_pattern(const node& of, const checked& argument) {
    if (failure_) return 0;
    const value* literal = out_.literal_at(argument.at);
    if (literal == nullptr || literal->type != value_type::text) {
      fail(of, fmt::format("matches takes a regular expression in quotes, not '{}'", excerpt(of)));
      return 0;
    }
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_never_capture(true);
    options.set_max_mem(pattern_bytes_max);
    const std::string_view text = literal->text;
    auto pattern = std::make_unique<re2::RE2>(re2::StringPiece{text.data(), text.size()}, options);
    if (!pattern->ok()) {
      fail(of, fmt::format("{} is not a regular expression: {}", quoted(text), pattern->error()));
      return 0;
    }
    return out_.add_pattern(std::move(pattern));
  }

  std::string_view source_;
  const schema& names_;
  program_writer out_;
  const node* conjunction_ = nullptr;  ///< the tree's root when it is an &&
  std::vector<conjunct> conjuncts_;
  std::optional<error> failure_;
};

}  // namespace

result<std::shared_ptr<expression::program>> check(const node& root, std::string_view source,
                                                   const schema& names) {
  return checker{source, names}.run(root);
}

}  // namespace tocsin::syntax
