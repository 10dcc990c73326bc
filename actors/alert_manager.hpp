// SPDX-License-Identifier: Apache-2.0
// The actor that owns the alerts of all shards.
#pragma once

#include <cstddef>
#include <memory>

#include "burst_gate.hpp"
#include "caf/fwd.hpp"
#include "messages.hpp"

namespace tocsin {

/// `shards`: how many window aggregators report to it.
[[nodiscard]] alert_manager_actor spawn_alert_manager(caf::actor_system& system,
                                                      std::shared_ptr<const rule_set> rules,
                                                      std::shared_ptr<burst_gate> gate,
                                                      notifier_actor notifier);

}  // namespace tocsin
