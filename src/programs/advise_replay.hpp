// SPDX-License-Identifier: Apache-2.0
// Tries changes of rules on recorded events.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "programs/recording.hpp"
#include "tocsin/rule_advice.hpp"

namespace tocsin {

/// A time in which an operator had acknowledged an alert of a fingerprint.
struct acknowledged_alert {
  fingerprint print;
  instant from{};                ///< the alert's start
  std::optional<instant> until;  ///< its end; nothing: it is active
};

/// What was tried with one rule.
struct rule_trials {
  std::string rule;
  std::uint64_t alerts = 0;  ///< as the rule is
  std::uint64_t noise = 0;
  std::uint64_t trouble = 0;
  duration noise_max{};
  std::string obstacle;  ///< why nothing was tried; "" when something was
  std::vector<rule_change> changes;
  std::vector<change_effect> effects;   ///< of the changes, in their order
  std::optional<std::size_t> proposal;  ///< in changes
};

struct trial_options {
  std::optional<duration> noise_max;  ///< nothing: the median, rule by rule
  std::vector<acknowledged_alert> acknowledged;
};

/// Replays the events twice: through the rules as they are, then through all changes of all of them
/// side by side. Errors as of replay_through(), and rules that do not compile together.
[[nodiscard]] result<std::vector<rule_trials>> try_changes(const recording& events,
                                                           const std::vector<rule_spec>& rules,
                                                           const trial_options& options);

}  // namespace tocsin
