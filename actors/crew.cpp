// SPDX-License-Identifier: Apache-2.0
// Wiring, and the end that runs down the wires.
#include "crew.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "alert_manager.hpp"
#include "caf/actor.hpp"
#include "caf/actor_cast.hpp"
#include "caf/actor_system.hpp"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "log_writer.hpp"
#include "notifier.hpp"
#include "recorder.hpp"
#include "snapshot_keeper.hpp"
#include "window_aggregator.hpp"

namespace tocsin {
namespace {

// An exit message waits in the mailbox behind what was sent before it.
template <class Handle>
void tell_to_end(const Handle& whom) {
  caf::anon_send_exit(whom, caf::exit_reason::user_shutdown);
}

template <class Handle>
void watch(const Handle& whom, std::string role, const crew_setup& setup,
           const ingest_actor& ingest, std::function<void()> then) {
  whom->attach_functor([role = std::move(role), gate = setup.gate, ingest,
                        then = std::move(then)](const caf::error& reason) {
    if (reason != caf::exit_reason::user_shutdown) {
      // Has no effect when an exception was reported; then the text is known.
      gate->fail(role + ": ended with " + caf::to_string(reason));
      tell_to_end(ingest);
    }
    then();
  });
}

/// The actors that the disk keeps waiting, and those they tell.
void spawn_keepers(caf::actor_system& system, const crew_setup& setup, crew& all) {
  if (!setup.store) return;
  recorder_setup recording;
  recording.store = setup.store;
  recording.retention = setup.retention;
  recording.store_first = setup.store->durable();
  recording.own_thread = setup.disk_threads;
  recording.notifier = all.notifier;
  if (setup.log) {
    recording.log_reached = setup.log->last_step();
    all.log = spawn_log_writer(system, setup.log, setup.gate, setup.disk_threads);
    all.snapshots = spawn_snapshot_keeper(
        system, {setup.snapshots, setup.log_horizon, setup.log_bytes, all.log, setup.disk_threads},
        setup.gate);
    recording.log = all.log;
    recording.snapshots = all.snapshots;
  }
  all.recorder = spawn_recorder(system, std::move(recording), setup.gate);
  if (all.log) caf::anon_send(all.log, all.recorder);
}

void spawn_thinkers(caf::actor_system& system, const crew_setup& setup, crew& all) {
  ingest_setup ingest = setup.ingest;
  const auto shields = setup.shields ? setup.shields : std::make_shared<shield_board>();
  ingest.shields = shields;
  ingest.clock = setup.clock;
  alert_manager_setup alerts;
  alerts.rules = ingest.rules;
  alerts.policy = setup.policy;
  alerts.stored = setup.stored;
  alerts.clock = setup.clock;
  alerts.windows_kept = setup.windows_kept;
  alerts.logged = setup.log != nullptr;
  alerts.after = setup.after;
  alerts.shields = shields;
  alerts.recorder = all.recorder;
  alerts.store_first = setup.store && setup.store->durable();
  alerts.notifier = all.notifier;
  all.alerts = spawn_alert_manager(system, std::move(alerts), setup.gate);
  std::vector<ingest_shard> known;
  for (std::uint32_t i = 0; i < setup.shards; ++i) {
    const auto progress = std::make_shared<shard_progress>();
    engine_place place = place_of(i, setup.shards, setup.state);
    if (!setup.engines.empty()) place.restored = setup.engines.at(i);
    all.shards.push_back(
        spawn_window_aggregator(system, ingest.rules, place, setup.gate, all.alerts, progress));
    known.push_back({all.shards.back(), progress});
  }
  all.ingest =
      spawn_ingest(system, std::move(ingest), setup.gate, std::move(known), all.log, setup.after);
}

/// When one ends, the next one ends behind it.
void wire_ends(const crew_setup& setup, const crew& all) {
  watch(all.ingest, "ingest", setup, {}, [shards = all.shards, log = all.log] {
    for (const window_aggregator_actor& shard : shards) tell_to_end(shard);
    if (log) tell_to_end(log);
  });
  const auto running = std::make_shared<std::atomic<std::size_t>>(setup.shards);
  for (std::uint32_t i = 0; i < setup.shards; ++i) {
    watch(all.shards[i], window_aggregator_role(i), setup, all.ingest,
          [running, alerts = all.alerts] {
            if (--*running == 0) tell_to_end(alerts);
          });
  }
  // The recorder needs to hear from the log writer that the last steps last.
  const auto before_recorder = std::make_shared<std::atomic<int>>(all.log ? 2 : 1);
  const auto to_recorder = [before_recorder, recorder = all.recorder, notifier = all.notifier] {
    if (--*before_recorder > 0) return;
    if (recorder) {
      tell_to_end(recorder);
    } else {
      tell_to_end(notifier);
    }
  };
  watch(all.alerts, "alert manager", setup, all.ingest, to_recorder);
  if (all.log) {
    watch(all.log, "log writer", setup, all.ingest, to_recorder);
    watch(all.snapshots, "snapshot keeper", setup, all.ingest, [] {});
  }
  if (all.recorder) {
    watch(all.recorder, "recorder", setup, all.ingest,
          [notifier = all.notifier, snapshots = all.snapshots] {
            tell_to_end(notifier);
            if (snapshots) tell_to_end(snapshots);
          });
  }
  watch(all.notifier, "notifier", setup, all.ingest, [] {});
}

}  // namespace

crew spawn_crew(caf::actor_system& system, const crew_setup& setup) {
  crew all;
  all.notifier = spawn_notifier(system, setup.sinks, setup.heartbeat, setup.gate);
  spawn_keepers(system, setup, all);
  spawn_thinkers(system, setup, all);
  wire_ends(setup, all);
  return all;
}

void dismiss(const crew& all) {
  tell_to_end(all.ingest);
}

void await_end(caf::actor_system& system, const crew& all) {
  std::vector<caf::actor> everybody{caf::actor_cast<caf::actor>(all.ingest),
                                    caf::actor_cast<caf::actor>(all.alerts),
                                    caf::actor_cast<caf::actor>(all.notifier)};
  if (all.recorder) everybody.push_back(caf::actor_cast<caf::actor>(all.recorder));
  if (all.log) everybody.push_back(caf::actor_cast<caf::actor>(all.log));
  if (all.snapshots) everybody.push_back(caf::actor_cast<caf::actor>(all.snapshots));
  for (const window_aggregator_actor& shard : all.shards) {
    everybody.push_back(caf::actor_cast<caf::actor>(shard));
  }
  caf::scoped_actor self{system};
  self->wait_for(everybody);
}

}  // namespace tocsin
