// SPDX-License-Identifier: Apache-2.0
// A sender, a crew with everything that lasts, and power failures between any two jobs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "deterministic_crew.hpp"
#include "support/memory_event_log.hpp"
#include "support/scripted_store.hpp"
#include "traffic.hpp"

namespace tocsin::testing {

/// What is left when the power fails.
struct lasting_parts {
  std::shared_ptr<memory_event_log> log = std::make_shared<memory_event_log>();
  std::shared_ptr<scripted_store> store = std::make_shared<scripted_store>();
  std::shared_ptr<memory_snapshots> snapshots = std::make_shared<memory_snapshots>();

  /// As after a power failure now; `unsynced` records that were not synced are there all the same.
  [[nodiscard]] lasting_parts after_crash(std::size_t unsynced) const {
    return {log->after_crash(unsynced), store->copy(), snapshots->copy()};
  }
};

/// Sends a list of things in order; what was not answered when the power fails is sent again. Runs
/// are determined by the seed.
class crash_world {
 public:
  struct settings {
    std::uint32_t seed = 1;
    std::size_t shards = 2;
    unsigned crash_in = 0;        ///< about one in so many jobs ends with a power failure; 0: none
    bool fails_at_times = false;  ///< log, store and snapshots refuse for a while
    bool changes_shards = false;  ///< each start has another number of shards
  };
  crash_world(traffic input, settings how);

  /// Sends all, and lets time pass to the end of all windows.
  void run();

  [[nodiscard]] std::size_t crashes() const { return crashes_; }
  [[nodiscard]] std::size_t snapshots_used() const { return snapshots_used_; }
  [[nodiscard]] std::size_t steps_gone_through() const { return steps_gone_through_; }
  [[nodiscard]] const lasting_parts& parts() const { return parts_; }
  /// Of all senders' events as they were answered.
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }
  [[nodiscard]] std::uint64_t duplicates() const { return duplicates_; }
  [[nodiscard]] const std::vector<std::string>& silences() const { return silences_; }

 private:
  /// A message, or a silence that somebody asks for.
  struct item {
    std::size_t message = 0;
    std::string silence;  ///< its comment; "": it is a message
    bool under_way = false;
    bool answered = false;
    operation_answer asked = nullptr;
  };

  void start();
  void send_some();
  void send(item& next);
  void ask_for(item& next);
  void look_at_silences();
  void take(item& of, const burst_outcome& told);
  void maybe_crash();
  void crash();
  void maybe_fail();
  [[nodiscard]] bool all_answered() const;
  [[nodiscard]] std::vector<std::string> silences_there();

  traffic input_;
  settings how_;
  std::mt19937 random_;
  std::vector<item> items_;
  std::shared_ptr<const rule_set> rules_ = traffic_rules();
  lasting_parts parts_;
  std::optional<lasting_parts> left_;  ///< by a power failure in the middle of a job
  std::optional<deterministic_crew> crew_;
  std::uint64_t life_ = 0;  ///< answers of an earlier one reach nobody
  std::size_t crashes_ = 0;
  std::size_t snapshots_used_ = 0;
  std::size_t steps_gone_through_ = 0;
  std::uint64_t accepted_ = 0;
  std::uint64_t duplicates_ = 0;
  std::vector<std::string> silences_;
};

}  // namespace tocsin::testing
