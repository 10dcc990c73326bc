// SPDX-License-Identifier: Apache-2.0
// The actor that keeps snapshots.
#pragma once

#include <memory>

#include "burst_gate.hpp"
#include "caf/fwd.hpp"
#include "messages.hpp"
#include "tocsin/snapshot_store.hpp"

namespace tocsin {

struct snapshot_keeper_setup {
  std::shared_ptr<snapshot_store> snapshots;
  duration log_horizon{};       ///< how long the log is kept, beyond what is needed
  std::uint64_t log_bytes = 0;  ///< how much of it
  log_writer_actor log;         ///< which forgets what snapshots make needless
  bool own_thread = true;       ///< false: it is scheduled like the others
};

[[nodiscard]] snapshot_keeper_actor spawn_snapshot_keeper(caf::actor_system& system,
                                                          snapshot_keeper_setup setup,
                                                          std::shared_ptr<burst_gate> gate);

}  // namespace tocsin
