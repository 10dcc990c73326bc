// SPDX-License-Identifier: Apache-2.0
// Lays out what tocsin advise found.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/json_tree.hpp"
#include "programs/advise_replay.hpp"

namespace tocsin {

/// What the daemon's statistics say of one rule.
struct rule_noise {
  std::string rule;
  double alerts = 0;
  double alerts_a_day = 0;
  double self_resolved = 0;        ///< resolved, and nobody acknowledged them
  double false_alarm_share = 0;    ///< 0 to 1: self_resolved of alerts
  json_tree mean_time_to_resolve;  ///< milliseconds or null
  json_tree median_time_to_resolve;
};

struct advice {
  std::size_t days = 0;
  std::optional<std::vector<rule_noise>> noise;    ///< nothing: the daemon was not asked
  std::optional<std::vector<rule_trials>> trials;  ///< nothing: there were no events
};

/// One line of JSON (docs/advising.md).
[[nodiscard]] std::string advice_as_json(const advice& of);
/// False when stdout takes no more.
[[nodiscard]] bool print_advice(const advice& of);

}  // namespace tocsin
