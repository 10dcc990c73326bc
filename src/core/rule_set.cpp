// SPDX-License-Identifier: Apache-2.0
// Compiles all rules: names that must differ, then rule by rule, then what rules share.
#include "tocsin/rule_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "core/rule_aggregates.hpp"
#include "core/rule_compiler.hpp"
#include "core/rule_views.hpp"

namespace tocsin {
namespace {

constexpr std::size_t rules_max = 10'000;
constexpr std::string_view reserved_prefix = "tocsin-";

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
    if (spec.name.text.starts_with(reserved_prefix)) {
      add_error(spec,
                fmt::format("rule '{}': names that begin with '{}' are the engine's own",
                            spec.name.text, reserved_prefix),
                found);
    }
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

/// Writes parts so that no two different lists of them give the same key.
class key_writer {
 public:
  key_writer& add(std::string_view text) {
    key_ += fmt::format("{}:{};", text.size(), text);
    return *this;
  }
  key_writer& add(std::int64_t number) {
    key_ += fmt::format("{};", number);
    return *this;
  }
  key_writer& add(duration length) { return add(std::int64_t{length.count()}); }
  [[nodiscard]] std::string take() { return std::move(key_); }

 private:
  std::string key_;
};

/// What all rules of a unit have in common, whatever their windows.
void add_common(key_writer& to, std::uint32_t in_group, const compiled_rule& compiled) {
  const rule_spec& spec = compiled.of.spec;
  to.add(std::int64_t{in_group}).add(compiled.filter.where.canonical());
  to.add(*spec.lateness).add(static_cast<std::int64_t>(spec.clock));
  to.add(spec.baseline.length).add(static_cast<std::int64_t>(spec.baseline.samples_min));
  to.add(static_cast<std::int64_t>(spec.limits.keys));
  to.add(static_cast<std::int64_t>(spec.limits.bytes));
  to.add(static_cast<std::int64_t>(spec.limits.events));
}

/// Equal for windows that hold the same events, of rules that have the rest in common.
void add_window(key_writer& to, const compiled_rule& compiled) {
  const window_spec& window = compiled.of.spec.window;
  const rule_filter& filter = compiled.filter;
  to.add(static_cast<std::int64_t>(window.kind)).add(window.size).add(window.every);
  to.add(window.offset).add(std::int64_t{window.trailing}).add(window.time_zone);
  to.add(window.session_max).add(static_cast<std::int64_t>(window.session_events_max));
  to.add(filter.counts ? filter.counts->canonical() : "");
  to.add(filter.close ? filter.close->canonical() : "");
  for (const sequence_step& step : filter.steps) {
    to.add(step.where.canonical()).add(std::int64_t{step.absent}).add(step.within);
  }
  for (const expected_key& key : compiled.expected) to.add(to_text(key.key));
}

/// A rule of the engine itself: no unit judges it, so only what alerts tell of it is real.
rule make_built_in(std::string_view name, std::string_view severity, std::string_view condition) {
  rule_spec spec;
  spec.name.text = name;
  spec.where.text = "true";
  spec.window.size = std::chrono::minutes{1};
  spec.severity.text = severity;
  spec.title.text = "${rule}";
  diagnostics none;
  rule made = std::move(compile_rule(std::move(spec), none)->of);
  made.unit = no_unit;
  made.early = false;
  made.early_reason = "the engine reports it";
  made.condition = condition;
  return made;
}

}  // namespace

/// Places compiled rules into groups and units.
class rule_compiler {
 public:
  explicit rule_compiler(rule_set& into) : set_(into) {}

  void add(compiled_rule compiled) {
    const std::uint32_t in_group = group_of(std::move(compiled.group_by));
    const place at = place_of(in_group, compiled);
    unit& home = set_.units_[at.unit];
    rule& of = compiled.of;
    of.index = static_cast<std::uint32_t>(set_.rules_.size());
    of.unit = home.index;
    of.view = at.view;
    of.bit = static_cast<std::uint32_t>(home.rules.size());
    home.rules.push_back(of.index);
    for (aggregate& asked : compiled.aggregates) {
      of.aggregate_slots.push_back(share(home, std::move(asked)));
    }
    of.count_floor = count_floor_of(of, home);
    set_.rules_.push_back(std::move(of));
  }

  /// By rule_set::built_in.
  void add_built_in() {
    set_.built_in_.push_back(
        make_built_in("tocsin-overflow", "warning", "a rule holds all the keys or bytes it may"));
    set_.built_in_.push_back(
        make_built_in("tocsin-failure", "error", "a rule failed or used up its budget"));
    for (std::uint32_t i = 0; i < set_.built_in_.size(); ++i) {
      set_.built_in_[i].index = static_cast<std::uint32_t>(set_.rules_.size()) + i;
    }
  }

 private:
  static constexpr std::size_t unit_rules_max = 64;
  /// Units whose panes a new window is tried on: what bounds the time a large rule set takes.
  static constexpr std::size_t tried_max = 16;

  struct place {
    std::uint32_t unit;
    std::uint32_t view;
  };

  std::uint32_t group_of(std::vector<group_field> fields) {
    const auto next = static_cast<std::uint32_t>(set_.groups_.size());
    const auto [known, is_new] = groups_.emplace(group_key(fields), next);
    if (is_new) set_.groups_.push_back({next, std::move(fields), {}});
    return known->second;
  }

  [[nodiscard]] bool has_room(std::uint32_t unit) const {
    return set_.units_[unit].rules.size() < unit_rules_max;
  }

  place place_of(std::uint32_t in_group, compiled_rule& compiled) {
    const window_spec& window = compiled.of.spec.window;
    key_writer common;
    add_common(common, in_group, compiled);
    const std::string family = common.take();
    key_writer exact;
    exact.add(family);
    add_window(exact, compiled);
    place& equal = places_.try_emplace(exact.take(), place{no_unit, 0}).first->second;
    if (equal.unit != no_unit && has_room(equal.unit)) return equal;
    if (!may_share_panes(window)) return equal = {make_unit(in_group, compiled), 0};
    std::vector<std::uint32_t>& open = families_[family];
    std::erase_if(open, [this](std::uint32_t unit) { return !has_room(unit); });
    const std::size_t first = open.size() > tried_max ? open.size() - tried_max : 0;
    for (std::size_t i = first; i < open.size(); ++i) {
      unit& other = set_.units_[open[i]];
      if (!may_join(other.views, window, compiled.of.spec.baseline.length)) continue;
      other.views.push_back(window);
      other.pane = pane_of(other.views);
      return equal = {other.index, static_cast<std::uint32_t>(other.views.size() - 1)};
    }
    open.push_back(make_unit(in_group, compiled));
    return equal = {open.back(), 0};
  }

  std::uint32_t make_unit(std::uint32_t in_group, compiled_rule& compiled) {
    const rule_spec& spec = compiled.of.spec;
    const auto next = static_cast<std::uint32_t>(set_.units_.size());
    std::string canonical = compiled.filter.where.canonical();
    set_.units_.push_back({.index = next,
                           .group = in_group,
                           .where = std::move(compiled.filter.where),
                           .where_canonical = std::move(canonical),
                           .kind = spec.window.kind,
                           .views = {spec.window},
                           .pane = pane_of({spec.window}),
                           .counts = std::move(compiled.filter.counts),
                           .close = std::move(compiled.filter.close),
                           .steps = std::move(compiled.filter.steps),
                           .expected = std::move(compiled.expected),
                           .baseline = spec.baseline,
                           .limits = spec.limits,
                           .lateness = *spec.lateness,
                           .clock = spec.clock,
                           .rules = {},
                           .aggregates = {}});
    set_.groups_[in_group].units.push_back(next);
    return next;
  }

  /// The fewest events with which `having` can be true, as far as it compares a count with a
  /// constant.
  static std::uint64_t count_floor_of(const rule& of, const unit& home) {
    // A key that was expected and never came is judged without any event.
    if (home.kind == window_kind::absence) return 0;
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

  rule_set& set_;
  std::map<std::string, std::uint32_t> groups_;
  std::unordered_map<std::string, place> places_;  ///< of equal windows: the newest unit's
  /// Units with panes that more windows may join, by what they must have in common.
  std::unordered_map<std::string, std::vector<std::uint32_t>> families_;
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
  compiler.add_built_in();
  return set;
}

}  // namespace tocsin
