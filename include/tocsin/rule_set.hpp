// SPDX-License-Identifier: Apache-2.0
// All rules of a pipeline, compiled: what the router and the window engines work from. Immutable
// and shared.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tocsin/expression.hpp"
#include "tocsin/fingerprint.hpp"
#include "tocsin/rule.hpp"

namespace tocsin {

/// A field that keys are grouped by: a text field of the event, or a label (its text form).
struct group_field {
  std::string name;                  ///< as written: "item", "labels.env"
  std::optional<event_field> field;  ///< nothing: a label
  std::string label;                 ///< the label's name when `field` is nothing
};

/// What an aggregate computes over a window's events. Missing arguments are skipped, as in SQL;
/// only `count` counts every event. "Newest" and "first" are by (time, log position).
enum class aggregate_function : std::uint8_t {
  count,
  count_if,      ///< (condition)
  sum,           ///< (number)
  avg,           ///< (number)
  min,           ///< (number)
  max,           ///< (number)
  stddev,        ///< (number): of the sample; missing below two values
  stddev_pop,    ///< (number): of the population
  variance,      ///< (number): of the sample; missing below two values
  variance_pop,  ///< (number): of the population
  distinct,      ///< (any): how many different values
  quantile,      ///< (number, q): q from 0 to 1
  first,         ///< (any): of the first event that has it
  last,          ///< (any): of the newest event that has it
  delta,         ///< (number): last - first; missing below two values
  rate,          ///< (number): delta per second; missing when no time lies between
  slope,         ///< (number): least squares, per second; missing when no time lies between
  predict,       ///< (number, length): the line's value that long after the newest event
  time_to,       ///< (number, limit): length until the line reaches the limit; missing if never
  ewma,          ///< (number, half-life): exponentially weighted by age; over baseline and window
  zscore,        ///< (number): newest value against the baseline's mean and deviation
  mad_score,     ///< (number): newest value against the baseline's median and its deviation
  top,           ///< (any, k): "a (3), b (1)", the k most frequent
  collect,       ///< (any, n): "a, b", the first n different values
  merge_labels,  ///< (): "env=prod, team=web", labels of all events folded in order
  any,           ///< (condition)
  all,           ///< (condition)
};
[[nodiscard]] std::string_view to_text(aggregate_function function) noexcept;

/// One aggregate of a unit, computed once however many rules use it.
struct aggregate {
  aggregate_function function = aggregate_function::count;
  std::optional<expression> argument;  ///< nothing for count and merge_labels
  /// quantile: q. predict: seconds ahead. time_to: the limit. ewma: half-life in seconds. top,
  /// collect: how many (1 to 100).
  double parameter = 0;
};

/// Equal for aggregates that compute the same: "max(value)", "predict(value, 1h)".
[[nodiscard]] std::string canonical_text(const aggregate& of);

// g++ 12 takes the scoped enumerator `duration` for a shadow of tocsin::duration.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
/// Names of a window in `having`, severity and templates, beside the rule's selected values and
/// aggregates. The bindings' ids are these; selected value i is selected_base + i, aggregate slot i
/// is aggregate_base + i, and event fields (templates) are event_base + event_field.
enum class window_name : std::uint32_t {
  event_count,       ///< integer: events in the window
  first_event_time,  ///< text, RFC 3339
  last_event_time,   ///< text, RFC 3339
  window_start,      ///< text, RFC 3339
  window_end,        ///< text, RFC 3339; a session's last event
  window_size,       ///< length; a session's gap
  duration,          ///< length: from the first to the last event
  max_severity,      ///< text: the worst level's name; missing when no event had a level
  rule,              ///< text: the rule's name
  idle,              ///< length: from the last event to the time of the judgement
  event_ids,         ///< text: "a, b, ...": the ids the alert lists, the dots when there were more
};
#pragma GCC diagnostic pop
inline constexpr std::uint32_t selected_base = 0x1000;
inline constexpr std::uint32_t aggregate_base = 0x2000;
inline constexpr std::uint32_t event_base = 0x3000;

/// A selected value of a rule.
struct selected_value {
  std::string name;
  expression formula;  ///< over aggregate slots
};

/// A named template.
struct named_template {
  std::string name;
  text_template text;
};

/// rule::unit of rule_set::built_in rules.
inline constexpr std::uint32_t no_unit = ~std::uint32_t{0};

/// A compiled rule.
struct rule {
  rule_spec spec;
  std::string name;
  std::string revision;  ///< 16 hex digits, XXH3-64 of everything that gives the rule its meaning
  std::uint32_t index = 0;   ///< in rule_set::rules
  std::uint32_t unit = 0;    ///< in rule_set::units
  std::uint32_t bit = 0;     ///< this rule's place in its unit's bit masks, 0..63
  std::uint32_t view = 0;    ///< in unit::views
  bool early = false;        ///< fires at the event that makes `having` true
  std::string early_reason;  ///< why early or why not, in words
  std::vector<selected_value> selected;
  std::vector<std::uint32_t>
      aggregate_slots;  ///< this rule's slot i is unit.aggregates[aggregate_slots[i]]
  expression having;
  /// A window with fewer events cannot meet `having`: spares evaluating it. At least 1; absence: 0.
  std::uint64_t count_floor = 1;
  std::optional<tocsin::severity> fixed_severity;  ///< when `severity` is a plain level name
  bool worst_level = false;  ///< severity: worst_level (info when no event had a level)
  std::optional<expression>
      severity_expression;  ///< otherwise; what is not a level's name gives error
  text_template title;
  std::optional<text_template> description;
  std::vector<named_template> labels;
  std::vector<named_template> annotations;
  std::string condition;  ///< having in normal form, for the alert's `condition`
};

/// A step of a sequence.
struct sequence_step {
  expression where;  ///< joined to the rule's own `where`
  bool absent = false;
  duration within{};
};

/// A key an absence rule waits for from the start.
struct expected_key {
  fingerprint key;                                 ///< as event_router makes it
  std::vector<std::optional<std::string>> values;  ///< by group field; nothing is NULL
};

/// Rules that share filter, key, clock and lateness, and whose windows can share state: their state
/// is kept once. Fixed and sliding windows of different sizes share panes; the other kinds must be
/// equal.
struct unit {
  std::uint32_t index = 0;
  std::uint32_t group = 0;
  /// What an event must meet to come here: the rules' `where`; of a session with `close` that or
  /// `close`; of a sequence any of its steps' (each joined to the rules' `where`).
  expression where;
  std::string where_canonical;
  window_kind kind = window_kind::sliding;
  std::vector<window_spec>
      views;        ///< the different windows, by rule::view; one unless panes are shared
  duration pane{};  ///< fixed, sliding: the greatest width that divides all views'
                    ///< sizes, steps and offsets
  std::optional<expression> counts;    ///< session with `close`: the rules' own `where`
  std::optional<expression> close;     ///< session: ends it
  std::vector<sequence_step> steps;    ///< sequence
  std::vector<expected_key> expected;  ///< absence
  baseline_spec baseline;
  rule_limits limits;
  duration lateness{};
  rule_clock clock = rule_clock::event;
  std::vector<std::uint32_t> rules;  ///< by rule::bit; at most 64
  std::vector<aggregate> aggregates;
};

/// Units with the same group_by: an event's key is hashed and looked up once for all of them.
struct group {
  std::uint32_t index = 0;
  std::vector<group_field> fields;
  std::vector<std::uint32_t> units;
};

class rule_set {
 public:
  /// Compiles all rules and reports every error and warning at once. Returns nothing when there is
  /// an error.
  [[nodiscard]] static std::shared_ptr<const rule_set> compile(std::vector<rule_spec> specs,
                                                               diagnostics& found);

  [[nodiscard]] const std::vector<rule>& rules() const noexcept { return rules_; }
  [[nodiscard]] const std::vector<unit>& units() const noexcept { return units_; }
  [[nodiscard]] const std::vector<group>& groups() const noexcept { return groups_; }

  /// The engine's own rules, behind alerts about rules: the first says that a rule holds as many
  /// keys or bytes as it may, the second that a rule has failed or used up its budget. They belong
  /// to no unit; their key is [("rule", a rule's name), ("shard", a shard's number)].
  enum class built_in : std::uint8_t { overflow, failure };
  /// The index of a built-in rule in findings: behind those of rules().
  [[nodiscard]] std::uint32_t index_of(built_in which) const noexcept {
    return static_cast<std::uint32_t>(rules_.size()) + static_cast<std::uint32_t>(which);
  }
  /// The rule of a finding, a built-in one too.
  [[nodiscard]] const rule& rule_at(std::uint32_t index) const {
    return index < rules_.size() ? rules_[index] : built_in_[index - rules_.size()];
  }

 private:
  friend class rule_compiler;
  std::vector<rule> rules_;
  std::vector<unit> units_;
  std::vector<group> groups_;
  std::vector<rule> built_in_;  ///< by built_in
};

}  // namespace tocsin
