// SPDX-License-Identifier: Apache-2.0
// The actor that hands transitions to the sinks.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "burst_gate.hpp"
#include "caf/fwd.hpp"
#include "messages.hpp"
#include "tocsin/transition_sink.hpp"

namespace tocsin {

/// Every sink gets every transition, in order. With `heartbeat`, the sinks hear that often that the
/// pipeline runs.
[[nodiscard]] notifier_actor spawn_notifier(caf::actor_system& system,
                                            std::vector<std::shared_ptr<transition_sink>> sinks,
                                            std::optional<duration> heartbeat,
                                            std::shared_ptr<burst_gate> gate);

}  // namespace tocsin
