// SPDX-License-Identifier: Apache-2.0
// All actors of a pipeline on CAF's testing scheduler: no thread but the test's, jobs in an order
// that the test chooses.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "actors/crew.hpp"
#include "caf/actor_system.hpp"
#include "caf/actor_system_config.hpp"
#include "caf/scheduler/test_coordinator.hpp"
#include "support/recording_sink.hpp"
#include "tocsin/alert_store.hpp"
#include "tocsin/pipeline.hpp"
#include "traffic.hpp"

namespace tocsin::testing {

/// What a crew has beside rules and windows; its recorder runs on the test's thread like the rest.
struct alert_side {
  std::shared_ptr<const alert_policy> policy = nullptr;
  std::shared_ptr<alert_store> store = nullptr;
  std::shared_ptr<const book_state> stored = nullptr;  ///< what it goes on with
  instant clock{};                                     ///< where the log's clock goes on
  duration retention = std::chrono::days{90};
  std::vector<std::shared_ptr<transition_sink>> more_sinks = {};  ///< before the recording one
  /// With it, `store` is loaded, and the crew goes through the log's steps again, as a pipeline
  /// does at its start.
  std::shared_ptr<event_log> log = nullptr;
  std::shared_ptr<snapshot_store> snapshots = nullptr;
  duration snapshot_every = std::chrono::seconds{10};
  duration log_horizon{};
  std::size_t room = 100'000;  ///< bursts that may be under way
  std::shared_ptr<quarantine> poison = nullptr;
};

/// What became of an operation; nothing while it is not answered.
using operation_answer = std::shared_ptr<std::optional<result<operation_result>>>;

/// Owns its actors and ends them in its destructor, so that a test that fails cannot hang on a
/// tick that arms itself again.
class deterministic_crew {
 public:
  /// `now` empty: a manual clock.
  deterministic_crew(std::shared_ptr<const rule_set> rules, std::size_t shards,
                     std::function<instant()> now = {}, std::optional<duration> heartbeat = {},
                     alert_side alerts = {});
  ~deterministic_crew();

  void send(burst messages);
  /// False: there is no room.
  bool try_send(burst messages);
  void advance(instant clock);
  /// `answered`, where it is given, is called with the answer.
  operation_answer operate(operation wanted, std::function<void()> answered = {});
  /// Runs all jobs and then looks at the alert book.
  void inspect(const std::function<void(const alert_book&)>& look);
  void settle(notice_outcome outcome);
  /// Runs all jobs in the order they came.
  void run();
  /// Runs all jobs, each time one of those that are ready, chosen by the seed.
  void run_shuffled(std::uint32_t seed);
  /// Runs one job of those that are ready; false when none is.
  bool run_one(std::mt19937& random);
  /// Runs ingest's jobs alone.
  void run_ingest();
  /// Runs all jobs but the recorder's.
  void run_all_but_the_recorder();
  /// What ingest has counted; runs ingest alone.
  [[nodiscard]] ingest_report ingest_counts();
  /// What the recorder has counted; runs all.
  [[nodiscard]] store_counts recorder_counts();
  [[nodiscard]] event_log_counts log_counts();
  [[nodiscard]] snapshot_counts snapshots_counts();
  /// How it found its way back; nothing without a log.
  [[nodiscard]] const recovery& recovered() const { return recovered_; }
  /// Why it could not go through the log.
  [[nodiscard]] const std::optional<error>& not_recovered() const { return not_recovered_; }
  /// Turns the actors' timers; what they set off waits for run().
  void pass(duration length) { scheduler().advance_time(length); }

  [[nodiscard]] caf::scheduler::test_coordinator& scheduler();
  [[nodiscard]] burst_gate& gate() { return *gate_; }
  [[nodiscard]] recording_sink& sink() { return *sink_; }
  [[nodiscard]] crew& actors() { return actors_; }
  [[nodiscard]] caf::actor_system& system() { return system_; }

 private:
  void go_on(const alert_side& alerts, crew_setup& setup);

  struct testing_config : caf::actor_system_config {
    testing_config() { set("scheduler.policy", caf::atom("testing")); }
  };
  template <class Report, class Handle, class Run>
  [[nodiscard]] Report ask(const Handle& whom, Run run_jobs);

  testing_config config_;
  caf::actor_system system_;
  std::shared_ptr<burst_gate> gate_;
  std::shared_ptr<recording_sink> sink_;
  recovery recovered_;
  std::optional<error> not_recovered_;
  crew actors_;
};

}  // namespace tocsin::testing
