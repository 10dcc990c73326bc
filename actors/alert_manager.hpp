// SPDX-License-Identifier: Apache-2.0
// The actor that owns the alerts of all shards.
#pragma once

#include <memory>
#include <optional>

#include "burst_gate.hpp"
#include "caf/fwd.hpp"
#include "messages.hpp"
#include "shield_board.hpp"
#include "tocsin/alert_policy.hpp"
#include "tocsin/alert_store.hpp"

namespace tocsin {

struct alert_manager_setup {
  std::shared_ptr<const rule_set> rules;
  std::shared_ptr<const alert_policy> policy;  ///< null: the defaults
  /// What it goes on with, which it takes, and from when; nothing: it begins with the first step.
  std::shared_ptr<book_state> stored;
  instant clock{};
  bool windows_kept = false;  ///< alert_book::restore
  /// Steps belong to an event log: what the store has of them (stored->step) is not done again
  /// where they are gone through again.
  bool logged = false;
  std::uint64_t after = 0;                ///< the first step comes after this one
  std::shared_ptr<shield_board> shields;  ///< where it says which events silences keep out
  recorder_actor recorder;                ///< empty: nothing is stored
  /// Sinks see only what is stored: the recorder passes it on. Else both get it at once.
  bool store_first = false;
  notifier_actor notifier;
};

[[nodiscard]] alert_manager_actor spawn_alert_manager(caf::actor_system& system,
                                                      alert_manager_setup setup,
                                                      std::shared_ptr<burst_gate> gate);

}  // namespace tocsin
