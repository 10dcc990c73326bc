// SPDX-License-Identifier: Apache-2.0
// Writes terms of `match` as expressions.
#include "core/match_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "core/expression_syntax.hpp"
#include "core/prometheus_matcher.hpp"

namespace tocsin {
namespace {

constexpr std::string_view label_prefix = "labels.";

enum class subject_kind : std::uint8_t { text, number, level, label };

/// What a term is about.
struct subject {
  std::string written;     ///< as the author named it
  std::string expression;  ///< item, labels.env, labels["k8s.io/app"]
  subject_kind kind = subject_kind::label;
};

enum class value_kind : std::uint8_t { like_subject, text };

/// An operator of {field, op, value}.
struct match_operator {
  std::string_view name;
  std::string_view symbol;  ///< of a comparison
  value_kind takes = value_kind::like_subject;
  bool several = false;  ///< takes a list
  bool ordered = false;  ///< not for texts
};

constexpr std::array operators{
    match_operator{"eq", "==", value_kind::like_subject, true, false},
    match_operator{"ne", "!=", value_kind::like_subject, true, false},
    match_operator{"in", "", value_kind::like_subject, true, false},
    match_operator{"contains", "", value_kind::text, false, false},
    match_operator{"not_contains", "", value_kind::text, false, false},
    match_operator{"re", "", value_kind::text, false, false},
    match_operator{"gt", ">", value_kind::like_subject, false, true},
    match_operator{"ge", ">=", value_kind::like_subject, false, true},
    match_operator{"lt", "<", value_kind::like_subject, false, true},
    match_operator{"le", "<=", value_kind::like_subject, false, true},
};

std::string_view words_of(subject_kind kind) {
  switch (kind) {
    case subject_kind::text:
      return "a text";
    case subject_kind::number:
      return "a number";
    case subject_kind::level:
      return "a level";
    case subject_kind::label:
      return "a label";
  }
  return "";
}

bool goes_with(const match_operator& op, subject_kind kind) {
  if (kind == subject_kind::label) return true;
  if (kind == subject_kind::text) return !op.ordered;
  return op.takes != value_kind::text;
}

std::string listed_operators(const subject* about) {
  std::string list;
  for (const match_operator& one : operators) {
    if (about != nullptr && !goes_with(one, about->kind)) continue;
    list += list.empty() ? "" : ", ";
    list += one.name;
  }
  return list;
}

std::string label_expression(std::string_view name) {
  return syntax::is_identifier(name) ? fmt::format("labels.{}", name)
                                     : fmt::format("labels[{}]", syntax::quoted(name));
}

std::optional<subject> event_subject(std::string_view name) {
  const auto bound = schema::of_event().find(name);
  if (!bound) return std::nullopt;
  subject_kind kind = subject_kind::number;
  if (bound->type == value_type::text) kind = subject_kind::text;
  if (name == to_text(event_field::level)) kind = subject_kind::level;
  return subject{std::string{name}, std::string{name}, kind};
}

std::optional<subject> label_subject(std::string_view name) {
  if (!name.starts_with(label_prefix) || name.size() == label_prefix.size()) return std::nullopt;
  return subject{std::string{name}, label_expression(name.substr(label_prefix.size())),
                 subject_kind::label};
}

bool is_number(std::string_view text) {
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc{} && end == text.data() + text.size() && std::isfinite(number);
}

/// One term's translation.
class term_writer {
 public:
  term_writer(const match_term& term, rule_findings& findings) : term_(term), findings_(findings) {}

  std::optional<std::string> run() {
    std::optional<std::string> written =
        term_.matcher.line != 0 || !term_.matcher.text.empty() ? write_matcher() : write_term();
    if (!written) return std::nullopt;
    auto compiled = expression::compile(*written, schema::of_event());
    if (compiled) return written;
    std::string message = compiled.failure().message;
    // The column is one of a text that nobody wrote.
    take_column(message);
    report(place(), message);
    return std::nullopt;
  }

 private:
  void report(const placed_text& at, std::string message) {
    findings_.report(at, "match", std::move(message));
  }

  [[nodiscard]] const placed_text& place() const {
    if (!term_.values.empty()) return term_.values.front();
    return term_.matcher.line != 0 ? term_.matcher : term_.field;
  }

  std::optional<std::string> write_matcher() {
    const auto read = parse_matcher(term_.matcher.text);
    if (!read) {
      report(term_.matcher, read.failure().message);
      return std::nullopt;
    }
    const auto about = matcher_subject(read->name);
    if (!about) return std::nullopt;
    const std::string& name = about->expression;
    const std::string value = syntax::quoted(read->value);
    switch (read->op) {
      case matcher_operator::equal:
        return fmt::format("{} == {}", name, value);
      case matcher_operator::unequal:
        return fmt::format("{} != {}", name, value);
      default:
        break;
    }
    // By itself first: an unbalanced bracket must not be closed by those that anchor it.
    if (!check_pattern(value, read->value_begin)) return std::nullopt;
    const std::string anchored = syntax::quoted(fmt::format("^(?:{})$", read->value));
    if (read->op == matcher_operator::matches) return fmt::format("{}.matches({})", name, anchored);
    return fmt::format("has({0}) && !{0}.matches({1})", name, anchored);
  }

  std::optional<subject> matcher_subject(const std::string& name) {
    if (auto label = label_subject(name)) return label;
    auto field = event_subject(name);
    if (!field) return subject{name, label_expression(name), subject_kind::label};
    if (field->kind == subject_kind::text) return field;
    report(term_.matcher,
           fmt::format("'{0}' of an event is {1}, and a matcher compares texts (write {{field: "
                       "{0}, op: eq, value: ...}}, or labels.{0} for the label)",
                       name, words_of(field->kind)));
    return std::nullopt;
  }

  bool check_pattern(const std::string& quoted, std::size_t offset) {
    const auto compiled =
        expression::compile(fmt::format("title.matches({})", quoted), schema::of_event());
    if (compiled) return true;
    std::string message = compiled.failure().message;
    take_column(message);
    report(term_.matcher, syntax::error_at(offset, message).message);
    return false;
  }

  std::optional<std::string> write_term() {
    const auto about = term_subject();
    const match_operator* op = term_operator(about ? &*about : nullptr);
    if (!about || op == nullptr) return std::nullopt;
    if (!goes_with(*op, about->kind)) {
      report(term_.op,
             fmt::format("'{}' does not go with '{}', which is {} (it takes {})", op->name,
                         about->written, words_of(about->kind), listed_operators(&*about)));
      return std::nullopt;
    }
    if (term_.values.empty() || (term_.values.size() > 1 && !op->several)) {
      report(term_.values.empty() ? term_.op : term_.values[1],
             fmt::format("'{}' takes {}, this has {}", op->name,
                         op->several ? "one value or more" : "one value", term_.values.size()));
      return std::nullopt;
    }
    const auto values = literals(*about, *op);
    if (!values) return std::nullopt;
    return write(*about, *op, *values);
  }

  std::optional<subject> term_subject() {
    const std::string& name = term_.field.text;
    if (auto label = label_subject(name)) return label;
    if (auto field = event_subject(name)) return field;
    const std::string near = nearest_word(name, schema::of_event().names);
    report(term_.field, fmt::format("unknown field '{}' ({}a label is written labels.{})", name,
                                    near.empty() ? "" : fmt::format("did you mean '{}'? ", near),
                                    name.empty() || name == "labels" ? "NAME" : name));
    return std::nullopt;
  }

  const match_operator* term_operator(const subject* about) {
    for (const match_operator& one : operators) {
      if (one.name == term_.op.text) return &one;
    }
    std::vector<std::string> known;
    for (const match_operator& one : operators) known.emplace_back(one.name);
    const std::string near = nearest_word(term_.op.text, known);
    report(term_.op, fmt::format("unknown operator '{}' ({}known: {})", term_.op.text,
                                 near.empty() ? "" : fmt::format("did you mean '{}'? ", near),
                                 listed_operators(about)));
    return nullptr;
  }

  std::optional<std::vector<std::string>> literals(const subject& about, const match_operator& op) {
    std::vector<std::string> out;
    bool right = true;
    for (std::size_t i = 0; i < term_.values.size(); ++i) {
      const bool quoted = i < term_.quoted.size() && term_.quoted[i];
      auto one = op.takes == value_kind::text && about.kind == subject_kind::label
                     ? syntax::quoted(term_.values[i].text)
                     : literal(about, term_.values[i], quoted);
      if (!one) {
        right = false;
        continue;
      }
      out.push_back(std::move(*one));
    }
    return right ? std::optional{std::move(out)} : std::nullopt;
  }

  std::optional<std::string> literal(const subject& about, const placed_text& given, bool quoted) {
    const std::string& text = given.text;
    const bool number = !quoted && is_number(text);
    const bool flag = !quoted && (text == "true" || text == "false");
    switch (about.kind) {
      case subject_kind::text:
        if (!number && !flag) return syntax::quoted(text);
        report(given, fmt::format("'{0}' is a text, {1} is {2} (write \"{1}\")", about.written,
                                  text, number ? "a number" : "true or false"));
        return std::nullopt;
      case subject_kind::number:
        if (number) return text;
        report(given, fmt::format("'{}' is a number, \"{}\" is not", about.written, text));
        return std::nullopt;
      case subject_kind::level:
        if (number) return text;
        if (parse_severity(text)) return syntax::quoted(text);
        report(given, fmt::format("'{}' is a level (critical, error, warning, info), \"{}\" is "
                                  "not",
                                  about.written, text));
        return std::nullopt;
      case subject_kind::label:
        return number || flag ? text : syntax::quoted(text);
    }
    return std::nullopt;
  }

  static std::string write(const subject& about, const match_operator& op,
                           const std::vector<std::string>& values) {
    const std::string& name = about.expression;
    if (op.name == "contains") return fmt::format("{}.contains({})", name, values[0]);
    if (op.name == "not_contains") {
      return fmt::format("has({0}) && !{0}.contains({1})", name, values[0]);
    }
    if (op.name == "re") return fmt::format("{}.matches({})", name, values[0]);
    if (op.name == "in" || (op.name == "eq" && values.size() > 1)) {
      return fmt::format("{} in [{}]", name, joined(values, "", ", "));
    }
    const std::string comparison = fmt::format("{} {} ", name, op.symbol);
    return joined(values, comparison, " && ");
  }

  static std::string joined(const std::vector<std::string>& values, std::string_view before,
                            std::string_view between) {
    std::string out;
    for (const std::string& one : values) {
      if (!out.empty()) out += between;
      out += before;
      out += one;
    }
    return out;
  }

  const match_term& term_;
  rule_findings& findings_;
};

}  // namespace

std::optional<std::string> match_expression(const match_term& term, rule_findings& findings) {
  return term_writer(term, findings).run();
}

}  // namespace tocsin
