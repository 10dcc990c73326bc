// SPDX-License-Identifier: Apache-2.0
// What the names in a rule's expressions and templates stand for, and the aggregates they ask for.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/rule_set.hpp"

namespace tocsin {

/// The names one rule may use; grows while its selected values are compiled. The schemas refer to
/// this object and must not outlive it.
class rule_names {
 public:
  /// `has_baseline`: zscore() and mad_score() may be asked for.
  explicit rule_names(bool has_baseline) : has_baseline_(has_baseline) {}
  rule_names(const rule_names&) = delete;
  rule_names& operator=(const rule_names&) = delete;

  /// For selected values: aggregates and the names of the window.
  [[nodiscard]] schema formulas();
  /// For `having`: the same and the values selected so far.
  [[nodiscard]] schema conditions();
  /// For severity and templates: the names of the window, the selected values, and the fields and
  /// labels of an event; no aggregates.
  [[nodiscard]] schema texts() const;

  /// What is wrong with `name` as the name of the next selected value, or "".
  [[nodiscard]] std::string refuse_selected(std::string_view name) const;
  void add_selected(const std::string& name, value_type type, trend movement);

  /// The aggregates asked for so far, by slot; each (function, argument, parameter)
  /// once.
  [[nodiscard]] const std::vector<aggregate>& aggregates() const noexcept { return aggregates_; }

 private:
  struct named_binding {
    std::string name;
    name_binding binding;
  };

  [[nodiscard]] std::optional<name_binding> find_selected(std::string_view name) const;
  [[nodiscard]] result<name_binding> add_aggregate(const aggregate_call& call);
  void add_names(std::vector<std::string>& names, bool with_selected) const;

  bool has_baseline_;
  std::vector<named_binding> selected_;
  std::vector<aggregate> aggregates_;
  std::map<std::string, std::uint32_t> slots_;  ///< by canonical_text
};

}  // namespace tocsin
