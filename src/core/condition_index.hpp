// SPDX-License-Identifier: Apache-2.0
// Finds the filters an event may meet by one equality that each of them demands, so that thousands
// of rules cost what the few that can match cost.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
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
};

class condition_index {
 public:
  explicit condition_index(const rule_set& rules);

  [[nodiscard]] const std::vector<condition>& conditions() const noexcept { return conditions_; }

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

  std::vector<condition> conditions_;
  std::vector<std::uint32_t> everywhere_;  ///< demand no equality
  std::vector<event_field> fields_;        ///< those with an entry in by_field_
  std::array<by_text, event_field_count> by_field_;
  text_map<by_text> by_label_;
};

}  // namespace tocsin
