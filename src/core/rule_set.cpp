// SPDX-License-Identifier: Apache-2.0
// Compiles all rules: names that must differ, then rule by rule, then what rules share.
#include "tocsin/rule_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "core/rule_compiler.hpp"

namespace tocsin {
namespace {

constexpr std::size_t rules_max = 10'000;

void add_error(const rule_spec& spec, std::string message, diagnostics& found) {
  const int line = spec.name.line != 0 ? spec.name.line : spec.line;
  found.push_back(
      {diagnostic::grade::error, spec.file, line, spec.name.column, std::move(message)});
}

/// Reports rules too many and names that occur twice.
void check_all(const std::vector<rule_spec>& specs, diagnostics& found) {
  if (specs.size() > rules_max) {
    add_error(specs[rules_max],
              fmt::format("{} rules are too many (at most {})", specs.size(), rules_max), found);
  }
  std::map<std::string_view, const rule_spec*> by_name;
  for (const rule_spec& spec : specs) {
    const auto [first, is_new] = by_name.emplace(spec.name.text, &spec);
    if (is_new || spec.name.text.empty()) continue;
    const rule_spec& other = *first->second;
    add_error(spec,
              fmt::format("rule '{}' is already defined at {}:{}", spec.name.text, other.file,
                          other.name.line != 0 ? other.name.line : other.line),
              found);
  }
}

std::string group_key(const std::vector<group_field>& fields) {
  std::string key;
  for (const group_field& field : fields)
    key += fmt::format("{}:{}", field.name.size(), field.name);
  return key;
}

}  // namespace

/// Places compiled rules into groups and units.
class rule_compiler {
 public:
  explicit rule_compiler(rule_set& into) : set_(into) {}

  void add(compiled_rule compiled) {
    const std::uint32_t in_group = group_of(std::move(compiled.group_by));
    unit& home = set_.units_[unit_of(in_group, compiled.where, compiled.of.spec)];
    rule& of = compiled.of;
    of.index = static_cast<std::uint32_t>(set_.rules_.size());
    of.unit = home.index;
    of.bit = static_cast<std::uint32_t>(home.rules.size());
    home.rules.push_back(of.index);
    for (aggregate& asked : compiled.aggregates) {
      of.aggregate_slots.push_back(share(home, std::move(asked)));
    }
    of.count_floor = count_floor_of(of, home);
    set_.rules_.push_back(std::move(of));
  }

 private:
  static constexpr std::size_t unit_rules_max = 64;

  std::uint32_t group_of(std::vector<group_field> fields) {
    const auto next = static_cast<std::uint32_t>(set_.groups_.size());
    const auto [known, is_new] = groups_.emplace(group_key(fields), next);
    if (is_new) set_.groups_.push_back({next, std::move(fields), {}});
    return known->second;
  }

  std::uint32_t unit_of(std::uint32_t in_group, const expression& where, const rule_spec& spec) {
    const unit_key key{in_group,          where.canonical(),  spec.window.kind, spec.window.size,
                       spec.window.every, spec.window.offset, *spec.lateness,   spec.clock};
    const auto next = static_cast<std::uint32_t>(set_.units_.size());
    const auto [known, is_new] = units_.emplace(key, next);
    if (!is_new && set_.units_[known->second].rules.size() < unit_rules_max) return known->second;
    known->second = next;
    set_.units_.push_back({next,
                           in_group,
                           where,
                           where.canonical(),
                           spec.window,
                           *spec.lateness,
                           spec.clock,
                           {},
                           {}});
    set_.groups_[in_group].units.push_back(next);
    return next;
  }

  /// The fewest events with which `having` can be true, as far as it compares a count with a
  /// constant.
  static std::uint64_t count_floor_of(const rule& of, const unit& home) {
    double floor = 1;
    const auto consider = [&](std::uint32_t id) {
      if (const auto least = of.having.least(id)) floor = std::max(floor, std::floor(*least));
    };
    const auto is_count = [&](std::uint32_t id) {
      return id >= aggregate_base && id < event_base &&
             home.aggregates[of.aggregate_slots[id - aggregate_base]].function ==
                 aggregate_function::count;
    };
    consider(static_cast<std::uint32_t>(window_name::event_count));
    for (std::uint32_t i = 0; i < of.aggregate_slots.size(); ++i)
      if (is_count(aggregate_base + i)) consider(aggregate_base + i);
    for (std::uint32_t i = 0; i < of.selected.size(); ++i) {
      const auto name = of.selected[i].formula.bare_name();
      if (name && is_count(*name)) consider(selected_base + i);
    }
    // Beyond 2^53 a count and a number can no longer be told apart: such rules are evaluated.
    return floor <= 0x1p53 ? static_cast<std::uint64_t>(floor) : 1;
  }

  /// The unit's index of an aggregate, added when no rule asked for it yet.
  std::uint32_t share(unit& home, aggregate asked) {
    const auto next = static_cast<std::uint32_t>(home.aggregates.size());
    const auto [known, is_new] =
        aggregates_.emplace(std::pair{home.index, canonical_text(asked)}, next);
    if (is_new) home.aggregates.push_back(std::move(asked));
    return known->second;
  }

  using unit_key = std::tuple<std::uint32_t, std::string, window_kind, duration, duration, duration,
                              duration, rule_clock>;

  rule_set& set_;
  std::map<std::string, std::uint32_t> groups_;
  std::map<unit_key, std::uint32_t> units_;  ///< to the newest unit with that key
  std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> aggregates_;
};

std::shared_ptr<const rule_set> rule_set::compile(std::vector<rule_spec> specs,
                                                  diagnostics& found) {
  check_all(specs, found);
  auto set = std::make_shared<rule_set>();
  rule_compiler compiler(*set);
  for (rule_spec& spec : specs) {
    if (auto compiled = compile_rule(std::move(spec), found)) compiler.add(std::move(*compiled));
  }
  if (has_errors(found)) return nullptr;
  return set;
}

}  // namespace tocsin
