// SPDX-License-Identifier: Apache-2.0
// Aggregates told the slow way: each from the plain list of a window's events, by its textbook
// definition.
#pragma once

#include <deque>
#include <string>

#include "support/naive_rule.hpp"

namespace tocsin::testing {

/// An aggregate's value over a window. Texts live as long as `texts`. Exact where the engine
/// estimates: quantiles, and more than 256 different values.
[[nodiscard]] value naive_aggregate(const aggregate& what, const naive_window& in,
                                    const baseline_spec& baseline, std::deque<std::string>& texts);

}  // namespace tocsin::testing
