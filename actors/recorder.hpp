// SPDX-License-Identifier: Apache-2.0
// The actor that stores what the alert manager did.
#pragma once

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
};

[[nodiscard]] recorder_actor spawn_recorder(caf::actor_system& system, recorder_setup setup,
                                            std::shared_ptr<burst_gate> gate);

}  // namespace tocsin
