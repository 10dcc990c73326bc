// SPDX-License-Identifier: Apache-2.0
// Where the state of ingest and of all shards at one step of the log is kept, so that a restart
// need not go through the whole log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// All state behind the event log's step `step` that the alert store does not hold.
struct pipeline_snapshot {
  std::uint64_t step = 0;           ///< everything up to this step is in it, nothing beyond
  instant clock{};                  ///< of that step
  std::uint64_t next_position = 1;  ///< log position of the next event
  std::string ingest;               ///< what ingest remembers of events it has seen
  std::vector<std::string> shards;  ///< window_engine::save() of each
  friend bool operator==(const pipeline_snapshot&, const pipeline_snapshot&) = default;
};

/// Calls from one thread at a time.
class snapshot_store {
 public:
  virtual ~snapshot_store() = default;

  /// Keeps it, durable when it returns nothing, and forgets all but the newest two. Errors:
  /// snapshot_failed with file and reason; those that were there stay.
  [[nodiscard]] virtual std::optional<error> put(const pipeline_snapshot& made) = 0;
  /// Steps of those that are there, newest first.
  [[nodiscard]] virtual std::vector<std::uint64_t> steps() const = 0;
  /// Errors: snapshot_damaged, snapshot_newer (its format is of a later version): file, byte, what
  /// was seen and wanted.
  [[nodiscard]] virtual result<pipeline_snapshot> get(std::uint64_t step) const = 0;
};

}  // namespace tocsin
