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
#include "notifier.hpp"
#include "recorder.hpp"
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

engine_limits share_of(engine_limits all, std::uint64_t shards) {
  all.keys = (all.keys + shards - 1) / shards;
  all.bytes = (all.bytes + shards - 1) / shards;
  return all;
}

}  // namespace

crew spawn_crew(caf::actor_system& system, const crew_setup& setup) {
  crew all;
  all.notifier = spawn_notifier(system, setup.sinks, setup.heartbeat, setup.gate);
  const bool store_first = setup.store && setup.store->durable();
  if (setup.store) {
    all.recorder = spawn_recorder(
        system, {setup.store, setup.retention, store_first, setup.recorder_thread, all.notifier},
        setup.gate);
  }
  const auto shields = std::make_shared<shield_board>();
  all.alerts = spawn_alert_manager(system,
                                   {setup.ingest.rules, setup.policy, setup.stored, setup.clock,
                                    shields, all.recorder, store_first, all.notifier},
                                   setup.gate);
  std::vector<ingest_shard> known;
  for (std::uint32_t i = 0; i < setup.shards; ++i) {
    const auto progress = std::make_shared<shard_progress>();
    const engine_place place{i, static_cast<std::uint32_t>(setup.shards),
                             share_of(setup.state, setup.shards)};
    all.shards.push_back(spawn_window_aggregator(system, setup.ingest.rules, place, setup.gate,
                                                 all.alerts, progress));
    known.push_back({all.shards.back(), progress});
  }
  ingest_setup ingest = setup.ingest;
  ingest.shields = shields;
  ingest.clock = setup.clock;
  all.ingest = spawn_ingest(system, std::move(ingest), setup.gate, std::move(known));

  watch(all.ingest, "ingest", setup, {}, [shards = all.shards] {
    for (const window_aggregator_actor& shard : shards) tell_to_end(shard);
  });
  const auto running = std::make_shared<std::atomic<std::size_t>>(setup.shards);
  for (std::uint32_t i = 0; i < setup.shards; ++i) {
    watch(all.shards[i], window_aggregator_role(i), setup, all.ingest,
          [running, alerts = all.alerts] {
            if (--*running == 0) tell_to_end(alerts);
          });
  }
  watch(all.alerts, "alert manager", setup, all.ingest,
        [recorder = all.recorder, notifier = all.notifier] {
          if (recorder) {
            tell_to_end(recorder);
          } else {
            tell_to_end(notifier);
          }
        });
  if (all.recorder) {
    watch(all.recorder, "recorder", setup, all.ingest,
          [notifier = all.notifier] { tell_to_end(notifier); });
  }
  watch(all.notifier, "notifier", setup, all.ingest, [] {});
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
  for (const window_aggregator_actor& shard : all.shards) {
    everybody.push_back(caf::actor_cast<caf::actor>(shard));
  }
  caf::scoped_actor self{system};
  self->wait_for(everybody);
}

}  // namespace tocsin
