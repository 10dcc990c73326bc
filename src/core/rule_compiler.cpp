// SPDX-License-Identifier: Apache-2.0
// Turns one rule's texts into programs and reports everything that is wrong with them.
#include "core/rule_compiler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tocsin {
namespace {

constexpr std::size_t name_bytes_max = 100;
constexpr std::size_t group_fields_max = 32;
constexpr std::size_t selected_max = 64;
constexpr std::size_t labels_max = 64;
constexpr duration length_max = std::chrono::hours{24} * 10'000;
/// Long enough for agents that send once a second and for a busy network between.
constexpr duration default_lateness = std::chrono::seconds{5};
constexpr std::string_view default_having = "event_count >= 1";

/// Takes "column N: " off the front of a message.
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

bool is_rule_name(std::string_view name) {
  return !name.empty() && name.size() <= name_bytes_max &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '.' || c == '-';
         });
}

/// `labels.env`, or `labels["k8s.io/app"]` for what is no name in an expression.
std::string as_expression(const group_field& field) {
  if (field.field) return field.name;
  std::string quoted;
  for (const char c : field.label) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return fmt::format("labels[\"{}\"]", quoted);
}

/// One rule's compilation.
class compilation {
 public:
  compilation(rule_spec spec, diagnostics& found)
      : spec_(std::move(spec)), found_(&found), errors_before_(error_count()) {}

  std::optional<compiled_rule> run() {
    if (!is_rule_name(spec_.name.text)) {
      report(spec_.name, "name",
             fmt::format("'{}' is not a rule name (1 to {} of A-Z a-z 0-9 _ . -)", spec_.name.text,
                         name_bytes_max));
    }
    auto where = compile_where();
    auto fields = compile_group_by();
    settle_lengths();
    auto selected = compile_select();
    auto having = compile_having();
    // A stand-in lets the rest be checked when `having` is wrong.
    if (!having) having = expression::compile("false", {}).value();
    rule of{.spec = {},
            .name = spec_.name.text,
            .revision = {},
            .early_reason = {},
            .selected = std::move(selected),
            .aggregate_slots = {},
            .having = *having,
            .fixed_severity = {},
            .severity_expression = {},
            .title = {},
            .description = {},
            .labels = {},
            .annotations = {},
            .condition = having->canonical()};
    decide_early(of);
    compile_severity(of);
    compile_texts(of, fields);
    if (error_count() != errors_before_) return std::nullopt;
    of.spec = std::move(spec_);
    compiled_rule done{std::move(of), std::move(*where), std::move(fields), names_.aggregates()};
    done.of.revision = revision_of(done);
    return done;
  }

 private:
  [[nodiscard]] std::size_t error_count() const {
    return static_cast<std::size_t>(
        std::count_if(found_->begin(), found_->end(),
                      [](const diagnostic& one) { return one.kind == diagnostic::grade::error; }));
  }

  void report(const placed_text& at, std::string_view field, std::string message,
              diagnostic::grade kind = diagnostic::grade::error) {
    int column = at.column;
    // Where the text's own columns are not the file's, the message keeps them.
    if (at.column != 0) {
      if (const auto inside = take_column(message)) column = at.column + *inside - 1;
    }
    found_->push_back({kind, spec_.file, at.line != 0 ? at.line : spec_.line, column,
                       fmt::format("rule '{}': {}: {}", spec_.name.text, field, message)});
  }

  std::optional<expression> compile(const placed_text& text, std::string_view field,
                                    const schema& names) {
    auto compiled = expression::compile(text.text, names);
    if (compiled) return std::move(*compiled);
    report(text, field, compiled.failure().message);
    return std::nullopt;
  }

  std::optional<text_template> compile_template(const placed_text& text, std::string_view field) {
    auto compiled = text_template::compile(text.text, names_.texts());
    if (compiled) return std::move(*compiled);
    report(text, field, compiled.failure().message);
    return std::nullopt;
  }

  std::optional<expression> compile_where() {
    if (spec_.where.text.empty()) {
      report(spec_.where, "where", "is missing (write 'where: true' to take every event)");
      return std::nullopt;
    }
    auto where = compile(spec_.where, "where", schema::of_event());
    if (where && where->type() != value_type::boolean) {
      report(spec_.where, "where", "must be a condition that is true or false");
    }
    return where;
  }

  std::vector<group_field> compile_group_by() {
    if (spec_.group_by.empty()) {
      for (const char* name : {"source_id", "resource_id", "item"}) {
        spec_.group_by.push_back({name, 0, 0});
      }
    }
    if (spec_.group_by.size() > group_fields_max) {
      report(spec_.group_by[group_fields_max], "group_by",
             fmt::format("{} fields are too many (at most {})", spec_.group_by.size(),
                         group_fields_max));
    }
    std::vector<group_field> fields;
    for (const placed_text& written : spec_.group_by) {
      group_field field{written.text, parse_event_field(written.text), {}};
      const bool twice = std::any_of(fields.begin(), fields.end(), [&](const group_field& one) {
        return one.name == field.name;
      });
      if (twice) {
        report(written, "group_by", fmt::format("'{}' is named twice", field.name));
      } else if (!settle_group_field(field)) {
        report(written, "group_by", refuse_group_field(field));
      }
      fields.push_back(std::move(field));
    }
    return fields;
  }

  static bool settle_group_field(group_field& field) {
    constexpr std::string_view prefix = "labels.";
    if (field.field) return is_text(*field.field);
    if (!field.name.starts_with(prefix) || field.name.size() == prefix.size()) return false;
    field.label = field.name.substr(prefix.size());
    return true;
  }

  static std::string refuse_group_field(const group_field& field) {
    if (field.field) {
      return fmt::format("'{}' holds no text; group by text fields or labels.NAME", field.name);
    }
    std::vector<std::string> known;
    for (std::size_t i = 0; i < event_field_count; ++i) {
      const auto one = static_cast<event_field>(i);
      if (is_text(one)) known.emplace_back(to_text(one));
    }
    const std::string near = nearest_word(field.name, known);
    return fmt::format("unknown field '{}' ({})", field.name,
                       near.empty() ? "wanted a text field or labels.NAME"
                                    : fmt::format("did you mean '{}'?", near));
  }

  void settle_lengths() {
    if (const std::string wrong = settle_window(spec_.window); !wrong.empty()) {
      report({}, "window", wrong);
    }
    if (!spec_.lateness) {
      spec_.lateness = spec_.clock == rule_clock::arrival ? duration{0} : default_lateness;
    }
    const std::pair<const char*, duration> lengths[] = {{"for", spec_.pending_for},
                                                        {"keep_firing_for", spec_.keep_firing_for},
                                                        {"lateness", *spec_.lateness}};
    for (const auto& [field, length] : lengths) {
      if (length < duration{0} || length > length_max) {
        report({}, field, "must be between 0 and 10000d");
      }
    }
  }

  std::vector<selected_value> compile_select() {
    if (spec_.select.size() > selected_max) {
      report(spec_.select[selected_max].second, "select",
             fmt::format("{} values are too many (at most {})", spec_.select.size(), selected_max));
    }
    std::vector<selected_value> done;
    for (const auto& [name, text] : spec_.select) {
      if (const std::string wrong = names_.refuse_selected(name); !wrong.empty()) {
        report(text, "select", fmt::format("'{}' {}", name, wrong));
      } else if (auto formula = compile(text, "select." + name, names_.formulas())) {
        names_.add_selected(name, formula->type(), formula->movement());
        done.push_back({name, std::move(*formula)});
      } else {
        // Known from here on, so that one mistake is one error.
        names_.add_selected(name, value_type::dynamic, trend::any);
      }
    }
    return done;
  }

  std::optional<expression> compile_having() {
    if (spec_.having.text.empty()) spec_.having.text = default_having;
    auto having = compile(spec_.having, "having", names_.conditions());
    if (having && having->type() != value_type::boolean && having->type() != value_type::dynamic) {
      report(spec_.having, "having", "must be a condition that is true or false");
    }
    return having;
  }

  void decide_early(rule& of) {
    const expression& having = of.having;
    const bool only_rises =
        having.movement() == trend::rising || having.movement() == trend::constant;
    const bool session = spec_.window.kind == window_kind::session;
    switch (spec_.fire) {
      case fire_mode::close:
        of.early_reason = "fire: close";
        return;
      case fire_mode::early:
        of.early = true;
        of.early_reason = "fire: early";
        if (only_rises) return;
        report(spec_.having, "having",
               fmt::format("fires early although more events can make it false again: {}",
                           having.movement_reason()),
               diagnostic::grade::warning);
        return;
      case fire_mode::automatic:
        of.early = only_rises && !session;
        of.early_reason = session      ? "a session is judged when it has ended"
                          : only_rises ? "having can only become truer: " + having.movement_reason()
                                       : having.movement_reason();
        return;
    }
  }

  void compile_severity(rule& of) {
    const std::string& text = spec_.severity.text;
    of.worst_level = text.empty() || text == "worst_level";
    if (of.worst_level) return;
    of.fixed_severity = parse_severity(text);
    if (of.fixed_severity) return;
    schema names = names_.texts();
    for (const char* word : {"critical", "error", "warning", "info", "worst_level"}) {
      names.names.emplace_back(word);
    }
    auto chosen = compile(spec_.severity, "severity", names);
    if (!chosen) return;
    if (chosen->type() != value_type::text && chosen->type() != value_type::dynamic) {
      report(spec_.severity, "severity",
             "must be critical, error, warning, info, worst_level or an expression giving one");
      return;
    }
    const auto fixed = chosen->constant();
    if (fixed) {
      of.fixed_severity = parse_severity(fixed->text);
      if (of.fixed_severity) return;
      report(spec_.severity, "severity", fmt::format("'{}' is not a level", fixed->text));
    }
    of.severity_expression = std::move(*chosen);
  }

  void compile_texts(rule& of, const std::vector<group_field>& fields) {
    if (spec_.title.text.empty()) {
      spec_.title.text = "${rule}:";
      for (const group_field& field : fields) {
        spec_.title.text += fmt::format(" ${{{}}}", as_expression(field));
      }
    }
    if (auto title = compile_template(spec_.title, "title")) of.title = std::move(*title);
    if (!spec_.description.text.empty()) {
      of.description = compile_template(spec_.description, "description");
    }
    of.labels = compile_named(spec_.labels, "labels");
    of.annotations = compile_named(spec_.annotations, "annotations");
  }

  std::vector<named_template> compile_named(
      const std::vector<std::pair<std::string, placed_text>>& texts, std::string_view field) {
    std::vector<named_template> done;
    if (texts.size() > labels_max) {
      report(texts[labels_max].second, field,
             fmt::format("{} texts are too many (at most {})", texts.size(), labels_max));
    }
    for (const auto& [name, text] : texts) {
      if (name.empty()) report(text, field, "a name is empty");
      if (auto one = compile_template(text, fmt::format("{}.{}", field, name))) {
        done.push_back({name, std::move(*one)});
      }
    }
    return done;
  }

  rule_spec spec_;
  diagnostics* found_;
  std::size_t errors_before_;
  rule_names names_;
};

}  // namespace

std::optional<compiled_rule> compile_rule(rule_spec spec, diagnostics& found) {
  return compilation(std::move(spec), found).run();
}

}  // namespace tocsin
