// SPDX-License-Identifier: Apache-2.0
// What events must meet to come to a rule: `where` and `match`, a session's `close`, a sequence's
// steps.
#pragma once

#include <optional>
#include <vector>

#include "core/rule_findings.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {

/// As unit has it.
struct rule_filter {
  expression where;
  std::optional<expression> counts;
  std::optional<expression> close;
  std::vector<sequence_step> steps;
};

/// Nothing when there is an error, which is then reported.
[[nodiscard]] std::optional<rule_filter> compile_filter(const rule_spec& spec,
                                                        rule_findings& findings);

}  // namespace tocsin
