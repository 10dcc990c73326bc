// SPDX-License-Identifier: Apache-2.0
// Compares the alerts that a rule test wants with those that were seen, and says how they differ.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "io/rule_test_file.hpp"
#include "tocsin/alert.hpp"

namespace tocsin {

/// An alert as fields with texts, in the order they are told: "rule", "group.resource_id", ...
using seen_alert = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] seen_alert seen_fields(const alert& of, instant start);

struct field_difference {
  std::string name;
  std::string wanted;  ///< "nothing" when it is not to be there
  std::string seen;    ///< "nothing" when it is not there
};

/// One line of a diff. A wanted line that is followed by a seen one with differences is its
/// nearest; without, it has none.
struct diff_line {
  enum class kind : std::uint8_t { same, wanted, seen };
  kind what = kind::same;
  std::string text;
  std::vector<field_difference> differences;  ///< of a seen line to the wanted one before it
};
/// Empty: what is wanted was seen, and nothing else.
using alert_diff = std::vector<diff_line>;

/// In any order: each wanted alert has one seen alert to itself when that is possible at all.
[[nodiscard]] alert_diff compare_sets(const std::vector<wanted_alert>& wanted,
                                      const std::vector<seen_alert>& seen);

/// In their order: a longest common subsequence is the same, the rest differs.
[[nodiscard]] alert_diff compare_lists(const std::vector<wanted_alert>& wanted,
                                       const std::vector<seen_alert>& seen);

}  // namespace tocsin
