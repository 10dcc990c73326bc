// SPDX-License-Identifier: Apache-2.0
// Rules over recorded events, as often as wanted: what the commands that replay have in common.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/enrichment.hpp"
#include "tocsin/event.hpp"
#include "tocsin/result.hpp"
#include "tocsin/rule_set.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// Files of events and what is done to them.
struct recording {
  std::vector<std::string> files;
  event_limits limits;
  std::shared_ptr<const enrichment> enrich;  ///< null: nothing
};

struct replay_count {
  std::uint64_t events = 0;    ///< accepted or rejected
  std::uint64_t rejected = 0;  ///< of those
};

/// Long enough for every window, `for` and keep_firing_for to end, one after the other.
[[nodiscard]] duration time_to_end_all(const rule_set& rules);

/// Runs the whole recording through the rules, and then the time until all has ended. Transitions
/// come one at a time, in order. Errors: a file that cannot be read; a pipeline that fails.
[[nodiscard]] result<replay_count> replay_through(const recording& of,
                                                  std::shared_ptr<const rule_set> rules,
                                                  std::function<void(const alert&)> on_transition);

}  // namespace tocsin
