// SPDX-License-Identifier: Apache-2.0
// Reads recordings: events decoded once, numbered, and stamped with the arrivals they are replayed
// at.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "io/event_decoder.hpp"
#include "io/event_file.hpp"
#include "tocsin/enrichment.hpp"
#include "tocsin/event.hpp"

namespace tocsin {

/// Some events of a recording, ready to be pushed (burst::decoded).
struct recorded_piece {
  struct refused_event {
    std::uint64_t message = 0;  ///< event_file::message::number
    rejection why;
  };
  std::shared_ptr<const event_batch> events;  ///< null when none was good
  std::vector<refused_event> refused;
  std::optional<error> failure;  ///< the file can be read no further
  bool ended = false;            ///< of the file: nothing follows
};

/// Not thread-safe. Arrivals are as event_decoder::decode_recorded gives them, and go on from file
/// to file; so do positions, from 1. Before the first arrival it is the Unix epoch.
class recorded_events {
 public:
  /// Pieces of about this many events: enough that a piece's own cost vanishes, few enough to stay
  /// in the processor's cache.
  static constexpr std::size_t events_wanted = 1024;

  /// `enrich` is applied to the events; null: they stay as they are.
  explicit recorded_events(event_limits limits, std::shared_ptr<const enrichment> enrich = nullptr)
      : decoder_(limits) {
    if (enrich) enricher_.emplace(std::move(enrich));
  }

  /// Reads whole messages until events_wanted events are held or the file ends.
  [[nodiscard]] recorded_piece read(event_file& from);

  /// The latest arrival so far.
  [[nodiscard]] instant clock() const noexcept { return clock_; }

 private:
  event_decoder decoder_;
  std::optional<enricher> enricher_;
  instant clock_{};
  std::uint64_t next_position_ = 1;
  std::vector<rejection> refused_;
  std::size_t last_events_ = 0;  ///< of the piece before
  std::size_t last_labels_ = 0;
};

}  // namespace tocsin
