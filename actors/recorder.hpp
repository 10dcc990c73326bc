// SPDX-License-Identifier: Apache-2.0
// The actor that stores what the alert manager did.
#pragma once

#include <cstdint>
#include <memory>

#include "burst_gate.hpp"
#include "caf/fwd.hpp"
#include "messages.hpp"
#include "tocsin/alert_store.hpp"

namespace tocsin {

struct recorder_setup {
  std::shared_ptr<alert_store> store;
  duration retention{};
  /// Sinks see transitions when they are stored, from here; else the alert manager tells them.
  bool store_first = false;
  /// It waits for the disk: on a thread of its own. False: it is scheduled like the others.
  bool own_thread = true;
  notifier_actor notifier;
  /// The event log, without which nothing of a step is stored; empty: there is none.
  log_writer_actor log;
  std::uint64_t log_reached = 0;    ///< the step up to which it lasts at the start
  snapshot_keeper_actor snapshots;  ///< with `log`: gets snapshots when their steps are stored
};

[[nodiscard]] recorder_actor spawn_recorder(caf::actor_system& system, recorder_setup setup,
                                            std::shared_ptr<burst_gate> gate);

}  // namespace tocsin
