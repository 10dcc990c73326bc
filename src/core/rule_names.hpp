// SPDX-License-Identifier: Apache-2.0
// What the names in a rule's expressions and templates stand for, and the aggregates they ask for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tocsin/rule_set.hpp"

namespace tocsin {

/// The names one rule may use; grows while its selected values are compiled. The schemas refer to
/// this object and must not outlive it.
class rule_names {
 public:
  rule_names() = default;
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

  /// The aggregates asked for so far, by slot; each (function, argument) once.
  [[nodiscard]] const std::vector<aggregate>& aggregates() const noexcept { return aggregates_; }

 private:
  struct named_binding {
    std::string name;
    name_binding binding;
  };

  [[nodiscard]] std::optional<name_binding> find_selected(std::string_view name) const;
  [[nodiscard]] result<name_binding> add_aggregate(const aggregate_call& call);
  void add_names(std::vector<std::string>& names, bool with_selected) const;

  std::vector<named_binding> selected_;
  std::vector<aggregate> aggregates_;
};

/// Equal for aggregates that compute the same: "max(value)".
[[nodiscard]] std::string canonical_text(const aggregate& of);

}  // namespace tocsin
