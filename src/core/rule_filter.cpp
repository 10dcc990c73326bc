// SPDX-License-Identifier: Apache-2.0
// Compiles the parts of a rule's filter and joins them to the one that the router asks.
#include "core/rule_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/expression_syntax.hpp"
#include "core/match_filter.hpp"

namespace tocsin {
namespace {

constexpr std::size_t match_terms_max = 1000;

/// A compiled condition over one event and its tree, of which larger ones are made.
struct condition {
  syntax::node tree;
  expression compiled;

  [[nodiscard]] bool always() const {
    const auto fixed = compiled.constant();
    return fixed && fixed->is_true();
  }
};

using conditions = std::vector<condition>;

/// Precondition: `text` compiles.
condition condition_of(std::string_view text) {
  return {syntax::parse(text, true, false).value(),
          expression::compile(text, schema::of_event()).value()};
}

/// `parts` joined by && (all) or || (any); what is always true is left out or is the whole.
condition join(syntax::node_kind kind, conditions parts) {
  const bool all = kind == syntax::node_kind::all;
  const auto always =
      std::find_if(parts.begin(), parts.end(), [](const condition& one) { return one.always(); });
  if (!all && always != parts.end()) return std::move(*always);
  if (all) std::erase_if(parts, [](const condition& one) { return one.always(); });
  if (parts.empty()) return condition_of("true");
  if (parts.size() == 1) return std::move(parts.front());
  std::vector<syntax::node> trees;
  trees.reserve(parts.size());
  for (condition& part : parts) trees.push_back(std::move(part.tree));
  syntax::node tree = syntax::joined(kind, std::move(trees));
  expression compiled = expression::of_tree(tree, schema::of_event());
  return {std::move(tree), std::move(compiled)};
}

class filter_compiler {
 public:
  filter_compiler(const rule_spec& spec, rule_findings& findings)
      : spec_(spec), findings_(findings) {}

  std::optional<rule_filter> run() {
    auto own = compile_own();
    auto close = compile_close();
    const auto steps = compile_steps();
    if (!findings_.clean()) return std::nullopt;
    if (close) return with_close(std::move(*own), std::move(*close));
    if (!steps.empty()) return with_steps(*own, steps);
    return rule_filter{std::move(own->compiled), std::nullopt, std::nullopt, {}};
  }

 private:
  std::optional<condition> compile_text(const placed_text& text, std::string_view field) {
    auto compiled = findings_.compile_condition(text, field, schema::of_event());
    if (!compiled) return std::nullopt;
    return condition{syntax::parse(text.text, true, false).value(), std::move(*compiled)};
  }

  std::optional<condition> compile_own() {
    conditions parts;
    if (!spec_.where.text.empty()) {
      if (auto where = compile_text(spec_.where, "where")) parts.push_back(std::move(*where));
    } else if (spec_.match.empty() && spec_.then.empty()) {
      findings_.report(spec_.where, "where",
                       "is missing (write 'where: true' to take every event)");
    }
    if (!spec_.match.empty()) {
      if (auto match = compile_match()) parts.push_back(std::move(*match));
    }
    if (!findings_.clean()) return std::nullopt;
    return join(syntax::node_kind::all, std::move(parts));
  }

  std::optional<condition> compile_match() {
    std::size_t terms = 0;
    conditions alternatives;
    for (const auto& group : spec_.match) {
      conditions parts;
      terms += group.size();
      if (group.empty()) {
        findings_.report("match", "an empty filter (write 'where: true' to take every event)");
      }
      for (const match_term& term : group) {
        if (const auto text = match_expression(term, findings_)) {
          parts.push_back(condition_of(*text));
        }
      }
      alternatives.push_back(join(syntax::node_kind::all, std::move(parts)));
    }
    if (terms > match_terms_max) {
      findings_.report("match",
                       fmt::format("{} terms are too many (at most {})", terms, match_terms_max));
    }
    if (!findings_.clean()) return std::nullopt;
    return join(syntax::node_kind::any, std::move(alternatives));
  }

  std::optional<condition> compile_close() {
    if (spec_.close.text.empty()) return std::nullopt;
    return compile_text(spec_.close, "window.close");
  }

  std::vector<std::pair<condition, const sequence_step_spec*>> compile_steps() {
    std::vector<std::pair<condition, const sequence_step_spec*>> steps;
    for (const sequence_step_spec& step : spec_.then) {
      auto where = compile_text(step.where, step.absent ? "then.not" : "then.where");
      if (where) steps.emplace_back(std::move(*where), &step);
    }
    return steps;
  }

  static rule_filter with_close(condition own, condition close) {
    rule_filter made{own.compiled, own.compiled, close.compiled, {}};
    conditions either;
    either.push_back(std::move(own));
    either.push_back(std::move(close));
    made.where = join(syntax::node_kind::any, std::move(either)).compiled;
    return made;
  }

  static rule_filter with_steps(
      const condition& own,
      const std::vector<std::pair<condition, const sequence_step_spec*>>& steps) {
    std::vector<sequence_step> compiled;
    conditions each;
    for (const auto& [where, spec] : steps) {
      conditions both;
      both.push_back(own);
      both.push_back(where);
      condition whole = join(syntax::node_kind::all, std::move(both));
      compiled.push_back({whole.compiled, spec->absent, spec->within});
      each.push_back(std::move(whole));
    }
    expression where = join(syntax::node_kind::any, std::move(each)).compiled;
    return {std::move(where), std::nullopt, std::nullopt, std::move(compiled)};
  }

  const rule_spec& spec_;
  rule_findings& findings_;
};

}  // namespace

std::optional<rule_filter> compile_filter(const rule_spec& spec, rule_findings& findings) {
  return filter_compiler(spec, findings).run();
}

}  // namespace tocsin
