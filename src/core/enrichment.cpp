// SPDX-License-Identifier: Apache-2.0
// Compiles enrichment steps and reports everything that is wrong with them.
#include "tocsin/enrichment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/enrichment_program.hpp"
#include "core/rule_findings.hpp"

namespace tocsin {
namespace {

/// Memory that one regular expression may take; RE2 refuses what needs more.
constexpr std::int64_t pattern_bytes_max = 2 * 1024 * 1024;

std::string_view kind_of(const enrichment_step& step) {
  constexpr std::array<std::string_view, 5> kinds{"extract", "lookup", "rename", "set", "drop"};
  return kinds[step.what.index()];
}

/// One step's compilation.
class step_compilation {
 public:
  step_compilation(const enrichment_step& step, const event_limits& limits,
                   std::vector<lookup_request>& lookups, diagnostics& found)
      : step_(step), limits_(limits), lookups_(lookups), found_(found) {}

  compiled_step run(std::size_t number) {
    compiled_step made;
    made.name = fmt::format("{}-{}", number, kind_of(step_));
    if (!step_.where.text.empty()) made.where = compile_where();
    std::visit([&](const auto& spec) { made.what = compile(spec, made.name); }, step_.what);
    return made;
  }

 private:
  void report(const placed_text& at, std::string_view field, std::string message) {
    int column = at.column;
    // Where the text's own columns are not the file's, the message keeps them.
    if (column != 0) {
      if (const auto inside = take_column(message)) column += *inside - 1;
    }
    found_.push_back({diagnostic::grade::error, step_.file, at.line != 0 ? at.line : step_.line,
                      column, fmt::format("{}: {}: {}", kind_of(step_), field, message)});
  }

  std::optional<expression> compile_where() {
    auto where = expression::compile(step_.where.text, schema::of_event());
    if (!where) {
      report(step_.where, "where", where.failure().message);
      return std::nullopt;
    }
    if (where->type() != value_type::boolean) {
      report(step_.where, "where", "must be a condition that is true or false");
    }
    return std::move(*where);
  }

  /// A text field or labels.NAME.
  group_field compile_field(const placed_text& written, std::string_view role) {
    constexpr std::string_view prefix = "labels.";
    group_field field{written.text, parse_event_field(written.text), {}};
    if (field.field) {
      if (!is_text(*field.field)) {
        report(written, role,
               fmt::format("'{}' holds no text; wanted a text field or labels.NAME", field.name));
      }
      return field;
    }
    if (field.name.starts_with(prefix) && field.name.size() > prefix.size()) {
      field.label = field.name.substr(prefix.size());
      return field;
    }
    std::vector<std::string> known;
    for (std::size_t i = 0; i < event_field_count; ++i) {
      const auto one = static_cast<event_field>(i);
      if (is_text(one)) known.emplace_back(to_text(one));
    }
    const std::string near = nearest_word(field.name, known);
    report(written, role,
           fmt::format("unknown field '{}' ({})", field.name,
                       near.empty() ? "wanted a text field or labels.NAME"
                                    : fmt::format("did you mean '{}'?", near)));
    return field;
  }

  /// The name of a label that is read or dropped.
  std::string check_name(const placed_text& name, std::string_view role) {
    if (name.text.empty() || name.text.size() > limits_.label_name_bytes) {
      report(name, role,
             fmt::format("'{}' is not a label's name (1 to {} bytes)", name.text,
                         limits_.label_name_bytes));
    }
    return name.text;
  }

  /// The name of a label that is made.
  std::string check_new_name(const placed_text& name, std::string_view role) {
    if (parse_event_field(name.text)) {
      report(name, role,
             fmt::format("'{}' is a field of events, and of a field and a label of the same name "
                         "the field wins: give the label another name",
                         name.text));
    }
    return check_name(name, role);
  }

  void check_count(std::size_t labels, std::string_view role) {
    if (labels == 0) report({}, role, "names no label");
    if (labels > enrichment::labels_per_step_max) {
      report({}, role,
             fmt::format("{} labels are too many (at most {})", labels,
                         enrichment::labels_per_step_max));
    }
  }

  extract_step compile(const extract_spec& spec, const std::string& /*name*/) {
    extract_step made;
    made.field = compile_field(spec.field, "field");
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(pattern_bytes_max);
    made.pattern = std::make_unique<const re2::RE2>(spec.pattern.text, options);
    if (!made.pattern->ok()) {
      report(spec.pattern, "pattern",
             fmt::format("\"{}\" is not a regular expression: {}", spec.pattern.text,
                         made.pattern->error()));
      return made;
    }
    for (const auto& [number, group] : made.pattern->CapturingGroupNames()) {
      placed_text label = spec.pattern;
      label.text = group;
      made.groups.emplace_back(number, check_new_name(label, "pattern"));
    }
    if (made.groups.empty()) {
      report(spec.pattern, "pattern",
             fmt::format("\"{}\" has no named group, so nothing would be extracted (try "
                         "'user (?P<user>\\w+)')",
                         spec.pattern.text));
    }
    if (!made.groups.empty()) check_count(made.groups.size(), "pattern");
    return made;
  }

  lookup_step compile(const lookup_spec& spec, const std::string& name) {
    lookup_step made;
    made.on = compile_field(spec.on, "on");
    made.table = lookups_.size();
    check_count(spec.labels.size(), "labels");
    std::set<std::string> seen;
    for (const auto& [column, label] : spec.labels) {
      made.labels.push_back(check_new_name(label, "labels"));
      if (!seen.insert(label.text).second) {
        report(label, "labels", fmt::format("two columns become the label '{}'", label.text));
      }
    }
    lookups_.push_back({name, step_.file, spec, std::make_shared<lookup_slot>()});
    return made;
  }

  rename_step compile(const rename_spec& spec, const std::string& /*name*/) {
    rename_step made;
    check_count(spec.labels.size(), "labels");
    for (const auto& [from, to] : spec.labels) {
      if (from.text == to.text) {
        report(to, from.text, "the label is renamed to what it is called already");
      }
      made.labels.emplace_back(check_name(from, from.text), check_new_name(to, from.text));
    }
    return made;
  }

  set_step compile(const set_spec& spec, const std::string& /*name*/) {
    set_step made;
    check_count(spec.labels.size(), "labels");
    for (const auto& [label, text] : spec.labels) {
      auto compiled = text_template::compile(text.text, schema::of_event());
      std::string name = check_new_name(label, label.text);
      if (compiled) {
        made.labels.emplace_back(std::move(name), std::move(*compiled));
      } else {
        report(text, label.text, compiled.failure().message);
      }
    }
    return made;
  }

  drop_step compile(const drop_spec& spec, const std::string& /*name*/) {
    drop_step made;
    check_count(spec.labels.size(), "labels");
    for (const placed_text& label : spec.labels) {
      made.labels.push_back(check_name(label, "label"));
    }
    return made;
  }

  const enrichment_step& step_;
  const event_limits& limits_;
  std::vector<lookup_request>& lookups_;
  diagnostics& found_;
};

}  // namespace

enrichment::enrichment(std::unique_ptr<const program> compiled) : program_(std::move(compiled)) {}

enrichment::~enrichment() = default;

std::shared_ptr<const enrichment> enrichment::compile(std::vector<enrichment_step> steps,
                                                      const event_limits& limits,
                                                      diagnostics& found) {
  diagnostics wrong;
  auto made = std::make_unique<program>();
  made->limits = limits;
  if (steps.size() > steps_max) {
    const enrichment_step& beyond = steps[steps_max];
    wrong.push_back({diagnostic::grade::error, beyond.file, beyond.line, 0,
                     fmt::format("{} steps are too many (at most {})", steps.size(), steps_max)});
  }
  for (const enrichment_step& step : steps) {
    step_compilation one(step, limits, made->lookups, wrong);
    made->steps.push_back(one.run(made->steps.size() + 1));
  }
  const bool good = wrong.empty();
  std::move(wrong.begin(), wrong.end(), std::back_inserter(found));
  if (!good) return nullptr;
  return std::shared_ptr<const enrichment>(new enrichment(std::move(made)));
}

std::size_t enrichment::size() const noexcept {
  return program_->steps.size();
}

const std::string& enrichment::name(std::size_t step) const {
  return program_->steps[step].name;
}

std::span<const lookup_request> enrichment::lookups() const noexcept {
  return program_->lookups;
}

}  // namespace tocsin
