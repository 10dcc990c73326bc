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
#include "tocsin/rule.hpp"

namespace tocsin {

/// A field that keys are grouped by: a text field of the event, or a label (its text form).
struct group_field {
  std::string name;                  ///< as written: "item", "labels.env"
  std::optional<event_field> field;  ///< nothing: a label
  std::string label;                 ///< the label's name when `field` is nothing
};

/// What an aggregate computes. Missing arguments are skipped, as in SQL; only `count` counts every
/// event.
enum class aggregate_function : std::uint8_t { count, count_if, sum, avg, min, max };
[[nodiscard]] std::string_view to_text(aggregate_function function) noexcept;

/// One aggregate of a unit, computed once however many rules use it.
struct aggregate {
  aggregate_function function = aggregate_function::count;
  std::optional<expression> argument;  ///< nothing for count
};

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

/// A compiled rule.
struct rule {
  rule_spec spec;
  std::string name;
  std::string revision;  ///< 16 hex digits, XXH3-64 of everything that gives the rule its meaning
  std::uint32_t index = 0;   ///< in rule_set::rules
  std::uint32_t unit = 0;    ///< in rule_set::units
  std::uint32_t bit = 0;     ///< this rule's place in its unit's bit masks, 0..63
  bool early = false;        ///< fires at the event that makes `having` true
  std::string early_reason;  ///< why early or why not, in words
  std::vector<selected_value> selected;
  std::vector<std::uint32_t>
      aggregate_slots;  ///< this rule's slot i is unit.aggregates[aggregate_slots[i]]
  expression having;
  /// A window with fewer events cannot meet `having`: spares evaluating it. At least 1.
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

/// Rules that share filter, key, window and clock: their window state is kept once.
struct unit {
  std::uint32_t index = 0;
  std::uint32_t group = 0;
  expression where;
  std::string where_canonical;
  window_spec window;
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

 private:
  friend class rule_compiler;
  std::vector<rule> rules_;
  std::vector<unit> units_;
  std::vector<group> groups_;
};

}  // namespace tocsin
