// SPDX-License-Identifier: Apache-2.0
// All actors of one pipeline: spawned and wired together, ended in the order of an event's way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "burst_gate.hpp"
#include "caf/fwd.hpp"
#include "ingest.hpp"
#include "messages.hpp"
#include "tocsin/alert_policy.hpp"
#include "tocsin/alert_store.hpp"
#include "tocsin/event_log.hpp"
#include "tocsin/snapshot_store.hpp"
#include "tocsin/transition_sink.hpp"

namespace tocsin {

struct crew_setup {
  ingest_setup ingest;  ///< its rules are everyone's
  std::size_t shards = 1;
  engine_limits state;  ///< of all shards together
  std::vector<std::shared_ptr<transition_sink>> sinks;
  std::optional<duration> heartbeat;
  std::shared_ptr<burst_gate> gate;
  std::shared_ptr<const alert_policy> policy;  ///< null: the defaults
  std::shared_ptr<alert_store> store;          ///< null: there is no recorder
  duration retention = std::chrono::days{90};
  bool disk_threads = true;  ///< those that wait for the disk have threads of their own
  /// What the alert manager goes on with; null: nothing.
  std::shared_ptr<book_state> stored;
  instant clock{};            ///< where the log's clock goes on
  bool windows_kept = false;  ///< alert_book::restore

  // Where steps last; all of it needs the store. Without a log there are no snapshots either.
  std::shared_ptr<event_log> log;
  std::shared_ptr<snapshot_store> snapshots;
  duration log_horizon = std::chrono::hours{24};
  std::uint64_t log_bytes = std::numeric_limits<std::uint64_t>::max();
  /// Where ingest.steps looks; null: made here.
  std::shared_ptr<shield_board> shields;
  /// Windows go on with these, one a shard; empty: they begin empty.
  std::vector<std::shared_ptr<window_engine>> engines;
  std::uint64_t after = 0;  ///< the first step that comes is behind this one
};

struct crew {
  ingest_actor ingest;
  std::vector<window_aggregator_actor> shards;
  alert_manager_actor alerts;
  recorder_actor recorder;  ///< empty without a store
  notifier_actor notifier;
  log_writer_actor log;             ///< empty without a log
  snapshot_keeper_actor snapshots;  ///< empty without a log
};

/// When one of them ends, those after it end too, each when it has done all that was sent to it
/// before. One that ends by anything but dismiss() shuts the gate with its role and the reason, and
/// ingest, and so all, are told to end.
[[nodiscard]] crew spawn_crew(caf::actor_system& system, const crew_setup& setup);

/// Tells ingest to end when it has done what was sent to it so far.
void dismiss(const crew& all);

/// Waits until all have ended.
void await_end(caf::actor_system& system, const crew& all);

}  // namespace tocsin
