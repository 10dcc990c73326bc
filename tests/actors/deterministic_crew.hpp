// SPDX-License-Identifier: Apache-2.0
// All actors of a pipeline on CAF's testing scheduler: no thread but the test's, jobs in an order
// that the test chooses.
#pragma once

#include <cstdint>
#include <memory>

#include "actors/crew.hpp"
#include "caf/actor_system.hpp"
#include "caf/actor_system_config.hpp"
#include "caf/scheduler/test_coordinator.hpp"
#include "support/recording_sink.hpp"
#include "traffic.hpp"

namespace tocsin::testing {

/// Owns its actors and ends them in its destructor, so that a test that fails cannot hang on a
/// tick that arms itself again.
class deterministic_crew {
 public:
  /// `now` empty: a manual clock.
  deterministic_crew(std::shared_ptr<const rule_set> rules, std::size_t shards,
                     std::function<instant()> now = {}, std::optional<duration> heartbeat = {});
  ~deterministic_crew();

  void send(burst messages);
  void advance(instant clock);
  /// Runs all jobs in the order they came.
  void run();
  /// Runs all jobs, each time one of those that are ready, chosen by the seed.
  void run_shuffled(std::uint32_t seed);
  /// Runs ingest's jobs alone.
  void run_ingest();
  /// What ingest has counted; runs ingest alone.
  [[nodiscard]] ingest_report ingest_counts();
  /// Turns the actors' timers; what they set off waits for run().
  void pass(duration length) { scheduler().advance_time(length); }

  [[nodiscard]] caf::scheduler::test_coordinator& scheduler();
  [[nodiscard]] burst_gate& gate() { return *gate_; }
  [[nodiscard]] recording_sink& sink() { return *sink_; }
  [[nodiscard]] crew& actors() { return actors_; }
  [[nodiscard]] caf::actor_system& system() { return system_; }

 private:
  struct testing_config : caf::actor_system_config {
    testing_config() { set("scheduler.policy", caf::atom("testing")); }
  };
  testing_config config_;
  caf::actor_system system_;
  std::shared_ptr<burst_gate> gate_;
  std::shared_ptr<recording_sink> sink_;
  crew actors_;
};

}  // namespace tocsin::testing
