// SPDX-License-Identifier: Apache-2.0
// The actor that writes the event log.
#pragma once

#include <memory>

#include "burst_gate.hpp"
#include "caf/fwd.hpp"
#include "messages.hpp"
#include "tocsin/event_log.hpp"

namespace tocsin {

/// `own_thread`: it waits for the disk on a thread of its own; false: it is scheduled like the
/// others. It must be sent the recorder before anything else. A log that is broken is a failure.
[[nodiscard]] log_writer_actor spawn_log_writer(caf::actor_system& system,
                                                std::shared_ptr<event_log> log,
                                                std::shared_ptr<burst_gate> gate, bool own_thread);

}  // namespace tocsin
