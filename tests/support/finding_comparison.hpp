// SPDX-License-Identifier: Apache-2.0
// Whether two engines found the same, with the tolerance that estimates and rounding need.
#pragma once

#include <string>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin::testing {

/// Where two lists of findings first differ, both findings shown; or "". Everything must be equal
/// but numbers among the selected values: those named q_... (quantiles) may differ by 1 %, those
/// named t_... (lengths until a limit) by two milliseconds, a time beyond 10^8 s being none at all,
/// and others by a billionth.
[[nodiscard]] std::string difference_of(const std::vector<finding>& seen,
                                        const std::vector<finding>& wanted, const rule_set& rules);

}  // namespace tocsin::testing
