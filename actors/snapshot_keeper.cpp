// SPDX-License-Identifier: Apache-2.0
// snapshot_keeper: snapshots in, files out, and what the log may forget.
#include "snapshot_keeper.hpp"

#include <chrono>
#include <cstddef>
#include <utility>

#include "caf/actor_system.hpp"
#include "caf/stateful_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "failure_report.hpp"

namespace tocsin {
namespace {

std::uint64_t bytes_of(const pipeline_snapshot& of) {
  std::uint64_t sum = of.ingest.size();
  for (const std::string& each : of.shards) sum += each.size();
  return sum;
}

struct snapshot_keeper_state {
  static constexpr const char* name = "snapshot_keeper";

  explicit snapshot_keeper_state(
      snapshot_keeper_actor::stateful_pointer<snapshot_keeper_state> actor)
      : self(actor) {}

  snapshot_keeper_actor::behavior_type make_behavior(const snapshot_keeper_setup& given,
                                                     const std::shared_ptr<burst_gate>& gate) {
    report_failures(self, gate, "snapshot keeper");
    setup = given;
    return {
        [this](const snapshot_made& in) { keep(*in.what); },
        [this](counts_wanted) { return counts; },
    };
  }

  void keep(const pipeline_snapshot& made) {
    const auto began = std::chrono::steady_clock::now();
    const auto failed = setup.snapshots->put(made);
    counts.seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (failed) {
      ++counts.failures;
      counts.last_failure = failed->message;
      return;
    }
    ++counts.kept;
    counts.bytes = bytes_of(made);
    const std::vector<std::uint64_t> steps = setup.snapshots->steps();
    // A restart takes the one before when the newest cannot be read; with a single one, all of the
    // log.
    if (steps.size() < 2) return;
    self->send(setup.log, log_trim{{.needed = steps.back() + 1,
                                    .horizon = made.clock - setup.log_horizon,
                                    .bytes_max = setup.log_bytes}});
  }

  snapshot_keeper_actor::stateful_pointer<snapshot_keeper_state> self;
  snapshot_keeper_setup setup;
  snapshot_counts counts;
};

snapshot_keeper_actor::behavior_type behave(
    snapshot_keeper_actor::stateful_pointer<snapshot_keeper_state> self,
    const snapshot_keeper_setup& setup, const std::shared_ptr<burst_gate>& gate) {
  return self->state.make_behavior(setup, gate);
}

}  // namespace

snapshot_keeper_actor spawn_snapshot_keeper(caf::actor_system& system, snapshot_keeper_setup setup,
                                            std::shared_ptr<burst_gate> gate) {
  if (setup.own_thread) {
    return system.spawn<caf::detached>(behave, std::move(setup), std::move(gate));
  }
  return system.spawn(behave, std::move(setup), std::move(gate));
}

}  // namespace tocsin
