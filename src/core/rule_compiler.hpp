// SPDX-License-Identifier: Apache-2.0
// Compiles one rule, by itself; what rules share is decided afterwards (rule_set.cpp).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/rule_filter.hpp"
#include "core/rule_names.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {

/// A rule before it has a unit: index, unit, bit, view and aggregate_slots of `of` are not set.
/// Defaults are filled in `of.spec`.
struct compiled_rule {
  rule of;
  rule_filter filter;
  std::vector<group_field> group_by;
  std::vector<expected_key> expected;
  std::vector<aggregate> aggregates;  ///< the rule's own, by slot
};

/// Reports all errors and warnings of the rule; nothing when there is an error.
[[nodiscard]] std::optional<compiled_rule> compile_rule(rule_spec spec, diagnostics& found);

/// The revision: XXH3-64 over everything that gives the rule its meaning, 16 hex digits.
[[nodiscard]] std::string revision_of(const compiled_rule& compiled);

}  // namespace tocsin
