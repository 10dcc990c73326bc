// SPDX-License-Identifier: Apache-2.0
// What lasts of a daemon: opening the folder `data`, and saying what it gives, how a restart went,
// and when the disk takes nothing.
#pragma once

#include <cstdint>
#include <memory>

#include "io/crash_watch.hpp"
#include "io/settings_file.hpp"
#include "tocsin/alert_store.hpp"
#include "tocsin/event_log.hpp"
#include "tocsin/pipeline.hpp"
#include "tocsin/quarantine.hpp"
#include "tocsin/result.hpp"
#include "tocsin/snapshot_store.hpp"

namespace tocsin {

struct daemon_data {
  std::shared_ptr<alert_store> store;
  std::shared_ptr<event_log> log;             ///< null where nothing is durable
  std::shared_ptr<snapshot_store> snapshots;  ///< null where nothing is durable
  std::shared_ptr<quarantine> poison;         ///< null where nothing is durable
  std::shared_ptr<crash_watch> crashes;       ///< what `poison` judges by; likewise
};

/// From then on crashes are recorded, as long as `crashes` lives. Errors: begin with "data: ".
[[nodiscard]] result<daemon_data> open_data(const settings& from);

/// Says what is durable.
void log_durability(const settings& from);
/// Says how a pipeline found its way back.
void log_recovery(const recovery& done, std::chrono::nanoseconds took);

/// Says when event log and snapshots begin to fail, and when they work again.
class data_log {
 public:
  /// To be called about once a second.
  void look(const event_log_counts& log, const snapshot_counts& snapshots);

 private:
  bool full_ = false;
  std::uint64_t failed_snapshots_ = 0;
  std::uint64_t kept_snapshots_ = 0;
  bool snapshots_fail_ = false;
};

}  // namespace tocsin
