// SPDX-License-Identifier: Apache-2.0
// What `tocsin replay --against` says of two sets of rules, for people and for programs.
#pragma once

#include <string>

#include "tocsin/alert_comparison.hpp"

namespace tocsin {

/// A line a rule, then the differences, a line each with what changed below it; ends in a newline.
[[nodiscard]] std::string describe_comparison(const alert_comparison& of, bool coloured);

/// One line of JSON: {rules: [...], differences: [...]} (docs/commands.md).
[[nodiscard]] std::string comparison_as_json(const alert_comparison& of);

}  // namespace tocsin
