// SPDX-License-Identifier: Apache-2.0
// A rule's window and what depends on it: steps, baseline, limits.
#pragma once

#include "core/rule_findings.hpp"
#include "tocsin/rule.hpp"

namespace tocsin {

/// The longest length of time that a rule may name.
inline constexpr duration rule_length_max = std::chrono::hours{24} * 10'000;
/// `every` of trailing windows.
inline constexpr duration time_resolution{1};

/// Fills in what follows from the rest (`every`, a sequence's size, "UTC" as "", least samples,
/// limits.events) and reports what does not go together.
void settle_window(rule_spec& spec, rule_findings& findings);

}  // namespace tocsin
