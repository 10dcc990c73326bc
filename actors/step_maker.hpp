// SPDX-License-Identifier: Apache-2.0
// What ingest thinks: makes log steps of bursts and of passing time, and keeps the books of what
// came in.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "io/event_decoder.hpp"
#include "messages.hpp"
#include "shield_board.hpp"
#include "tocsin/enrichment.hpp"
#include "tocsin/event_router.hpp"
#include "tocsin/ingest_ledger.hpp"

namespace tocsin {

/// Not thread-safe; owned by ingest. Deterministic: the same bursts and times (and lookup tables)
/// give the same steps. Step numbers and log positions count from 1.
class step_maker {
 public:
  /// `shards` >= 1. `enrich` may be null: then events go to the rules as they came. `shields` may
  /// be null: then no silence keeps events out. The log's clock goes on from `clock`.
  step_maker(const event_limits& limits, std::shared_ptr<const rule_set> rules, std::size_t shards,
             std::shared_ptr<const enrichment> enrich = nullptr,
             std::shared_ptr<const shield_board> shields = nullptr, instant clock = {});

  /// The step of a burst whose messages arrive at `arrivals` where these are given, and otherwise
  /// at `now`; times before the log's clock are taken as the clock. The step's clock is the arrival
  /// of its last accepted event. Null when no event was accepted.
  [[nodiscard]] std::shared_ptr<const log_step> of_burst(const std::shared_ptr<const burst>& what,
                                                         instant now);
  /// The step of time passing to `now`.
  [[nodiscard]] std::shared_ptr<const log_step> of_time(instant now);

  /// The log's clock: the latest time that was given.
  [[nodiscard]] instant clock() const noexcept { return clock_; }
  [[nodiscard]] ingest_report report() const;

 private:
  [[nodiscard]] std::shared_ptr<const event_batch> decode(const std::shared_ptr<const burst>& what);
  /// The batch of a burst that was decoded before, numbered and stamped for this log.
  [[nodiscard]] std::shared_ptr<const event_batch> adopt(
      const std::shared_ptr<const event_batch>& decoded);
  void enter_in_books(const event_batch& batch);
  /// The batch without the events that a silence keeps out of the rules.
  [[nodiscard]] std::shared_ptr<const event_batch> without_shielded(
      std::shared_ptr<const event_batch> batch);

  event_decoder decoder_;
  ingest_ledger ledger_;
  std::optional<enricher> enricher_;
  std::shared_ptr<const shield_board> shields_;
  event_router router_;
  std::vector<rejection> refused_;
  instant clock_;
  std::size_t last_events_ = 0;  ///< accepted in the burst before
  std::uint64_t steps_ = 0;
  std::uint64_t next_position_ = 1;
  std::uint64_t shielded_ = 0;
};

}  // namespace tocsin
