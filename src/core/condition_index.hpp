// SPDX-License-Identifier: Apache-2.0
// Finds the filters an event may meet by one equality that each of them demands, so that thousands
// of rules cost what the few that can match cost.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/event.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {

/// Hash and equality that find std::string keys by std::string_view.
struct text_hash {
  using is_transparent = void;
  [[nodiscard]] std::size_t operator()(std::string_view text) const noexcept;
};
struct text_equal {
  using is_transparent = void;
  [[nodiscard]] bool operator()(std::string_view left, std::string_view right) const noexcept {
    return left == right;
  }
};

/// A distinct `where` and the units that have it.
struct condition {
  expression where;
  bool always = false;  ///< true of every event
  /// group << 32 | unit, ascending: sorting them sorts by group, then unit.
  std::vector<std::uint64_t> units;
  /// Indexes of the predicates that are asked of a candidate, in the order written. Being a
  /// candidate answers one of them already where it was found by a field.
  std::vector<std::uint32_t> asked;
};

/// What a part of the filters' top-level && asks, once for all filters that have it.
struct predicate {
  expression where;  ///< a filter that has it
  std::size_t part;  ///< in where.conjuncts()
  bool shared;       ///< by two filters or more
};

/// What is known so far of the event at hand, so that a predicate that filters share is evaluated
/// once.
class predicate_answers {
 public:
  /// Forgets all answers.
  void next_event() noexcept { ++event_; }

 private:
  friend class condition_index;
  std::uint64_t event_ = 1;
  std::vector<std::uint64_t> known_;  ///< by predicate: event << 1 | answer
};

class condition_index {
 public:
  explicit condition_index(const rule_set& rules);

  [[nodiscard]] const std::vector<condition>& conditions() const noexcept { return conditions_; }
  [[nodiscard]] const std::vector<predicate>& predicates() const noexcept { return predicates_; }

  /// Calls `visit` with the index of each condition that the event might meet. All that it does
  /// meet are among them.
  template <class Visit>
  void candidates(const event_batch& batch, const event& of, Visit&& visit) const {
    for (const std::uint32_t one : everywhere_) visit(one);
    for (const event_field field : fields_) {
      const std::string_view text = of.text(field);
      if (text.data() != nullptr)
        visit_all(by_field_[static_cast<std::size_t>(field)], text, visit);
    }
    if (by_label_.empty()) return;
    for (const label& one : batch.labels_of(of)) {
      if (one.type != label::kind::text) continue;
      const auto named = by_label_.find(one.name);
      if (named != by_label_.end()) visit_all(named->second, one.text, visit);
    }
  }

  /// True when an event, for which the condition is a candidate, meets it. `answers` belong to this
  /// index and that event.
  [[nodiscard]] bool holds(const condition& one, const scope& names,
                           predicate_answers& answers) const;

 private:
  template <class Value>
  using text_map = absl::flat_hash_map<std::string, Value, text_hash, text_equal>;
  using by_text = text_map<std::vector<std::uint32_t>>;

  template <class Visit>
  static void visit_all(const by_text& texts, std::string_view text, Visit&& visit) {
    const auto found = texts.find(text);
    if (found == texts.end()) return;
    for (const std::uint32_t one : found->second) visit(one);
  }

  void collect_conditions(const rule_set& rules);
  void file_conditions();
  /// Lists what is asked of each condition's candidates. `answered` holds, by condition, the index
  /// in required() of the equality that being a candidate answers, if it answers one.
  void list_predicates(const std::vector<std::optional<std::uint32_t>>& answered);

  std::vector<condition> conditions_;
  std::vector<predicate> predicates_;
  std::vector<std::uint32_t> everywhere_;  ///< demand no equality
  std::vector<event_field> fields_;        ///< those with an entry in by_field_
  std::array<by_text, event_field_count> by_field_;
  text_map<by_text> by_label_;
};

}  // namespace tocsin
