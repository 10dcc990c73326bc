// SPDX-License-Identifier: Apache-2.0
// The alerts' life cycle told the slow way: each fingerprint's whole life by itself, then all lives
// merged. What alert_book must equal.
#pragma once

#include <memory>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin::testing {

/// How long an alert of a rule waits before it fires, before it resolves, and for data.
struct alert_delays {
  duration pending_for{};
  duration keep_firing_for{};
  duration close_after{};
};

/// A rule set of as many rules, named "rule-0", "rule-1", ...
[[nodiscard]] std::shared_ptr<const rule_set> rules_with_delays(
    const std::vector<alert_delays>& delays);

/// Every transition that these findings (of a whole run, in log order) bring about until the
/// clock is at `end`.
[[nodiscard]] std::vector<alert> naive_alert_history(const rule_set& rules,
                                                     const std::vector<finding>& findings,
                                                     instant end);

}  // namespace tocsin::testing
