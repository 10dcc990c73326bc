// SPDX-License-Identifier: Apache-2.0
// Turns one rule's texts into programs and reports everything that is wrong with them.
#include "core/rule_compiler.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/rule_filter.hpp"
#include "core/rule_findings.hpp"
#include "core/rule_key.hpp"
#include "core/rule_window.hpp"

namespace tocsin {
namespace {

constexpr std::size_t name_bytes_max = 100;
constexpr std::size_t selected_max = 64;
constexpr std::size_t labels_max = 64;
/// Long enough for agents that send once a second and for a busy network between.
constexpr duration default_lateness = std::chrono::seconds{5};
constexpr std::string_view default_having = "event_count >= 1";
/// Silence alone is what an absence rule is about.
constexpr std::string_view default_absence_having = "true";

bool is_rule_name(std::string_view name) {
  return !name.empty() && name.size() <= name_bytes_max &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '.' || c == '-';
         });
}

/// One rule's compilation.
class compilation {
 public:
  compilation(rule_spec spec, diagnostics& found)
      : spec_(std::move(spec)),
        findings_(spec_, found),
        names_(spec_.baseline.length.count() > 0) {}

  std::optional<compiled_rule> run() {
    if (!is_rule_name(spec_.name.text)) {
      report(spec_.name, "name",
             fmt::format("'{}' is not a rule name (1 to {} of A-Z a-z 0-9 _ . -)", spec_.name.text,
                         name_bytes_max));
    }
    auto filter = compile_filter(spec_, findings_);
    if (spec_.group_by.empty()) {
      for (const char* name : {"source_id", "resource_id", "item"}) {
        spec_.group_by.push_back({name, 0, 0});
      }
    }
    auto fields = compile_group_by(spec_, findings_);
    settle_window(spec_, findings_);
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
    auto expected = compile_expected(spec_, fields, findings_);
    if (!findings_.clean()) return std::nullopt;
    of.spec = std::move(spec_);
    compiled_rule done{std::move(of), std::move(*filter), std::move(fields), std::move(expected),
                       names_.aggregates()};
    done.of.revision = revision_of(done);
    return done;
  }

 private:
  void report(const placed_text& at, std::string_view field, std::string message,
              diagnostic::grade kind = diagnostic::grade::error) {
    findings_.report(at, field, std::move(message), kind);
  }

  std::optional<text_template> compile_template(const placed_text& text, std::string_view field) {
    auto compiled = text_template::compile(text.text, names_.texts());
    if (compiled) return std::move(*compiled);
    report(text, field, compiled.failure().message);
    return std::nullopt;
  }

  void settle_lengths() {
    if (!spec_.lateness) {
      spec_.lateness = spec_.clock == rule_clock::arrival ? duration{0} : default_lateness;
    }
    const std::pair<const char*, duration> lengths[] = {{"for", spec_.pending_for},
                                                        {"keep_firing_for", spec_.keep_firing_for},
                                                        {"close_after", spec_.close_after},
                                                        {"lateness", *spec_.lateness}};
    for (const auto& [field, length] : lengths) {
      if (length < duration{0} || length > rule_length_max) {
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
      } else if (auto formula = findings_.compile(text, "select." + name, names_.formulas())) {
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
    if (spec_.having.text.empty()) {
      spec_.having.text =
          spec_.window.kind == window_kind::absence ? default_absence_having : default_having;
    }
    auto having = findings_.compile(spec_.having, "having", names_.conditions());
    if (having && having->type() != value_type::boolean && having->type() != value_type::dynamic) {
      report(spec_.having, "having", "must be a condition that is true or false");
    }
    return having;
  }

  void decide_early(rule& of) {
    const expression& having = of.having;
    const bool only_rises =
        having.movement() == trend::rising || having.movement() == trend::constant;
    const window_kind kind = spec_.window.kind;
    if (kind == window_kind::absence || kind == window_kind::sequence) {
      of.early_reason = kind == window_kind::absence
                            ? "an absence is judged when the silence has lasted"
                            : "a sequence is judged when its last step is decided";
      if (spec_.fire == fire_mode::automatic) return;
      return findings_.report(
          "fire", fmt::format("does not go with {}: {}",
                              kind == window_kind::absence ? "absence" : "then", of.early_reason));
    }
    const bool session = kind == window_kind::session;
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
    auto chosen = findings_.compile(spec_.severity, "severity", names);
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
  rule_findings findings_;
  rule_names names_;
};

}  // namespace

std::optional<compiled_rule> compile_rule(rule_spec spec, diagnostics& found) {
  return compilation(std::move(spec), found).run();
}

}  // namespace tocsin
