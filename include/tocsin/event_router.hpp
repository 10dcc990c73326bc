// SPDX-License-Identifier: Apache-2.0
// Decides, for each event of a batch, which units want it and which shard owns its key.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tocsin/event.hpp"
#include "tocsin/fingerprint.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {

/// An event for one key of one group, on its way to the shard that owns the key.
struct routed_event {
  fingerprint key;          ///< of the (name, value) pairs of the group's fields, with rule name ""
  std::uint32_t event = 0;  ///< index in the batch
  std::uint32_t group = 0;  ///< index in rule_set::groups
  std::uint32_t units_begin = 0;  ///< into slice::units
  std::uint32_t units_count = 0;  ///< 0 only for events with action resolved or closed
};

/// What one shard gets of one batch, in log order.
struct slice {
  std::vector<routed_event> events;
  std::vector<std::uint32_t>
      units;  ///< indexes in rule_set::units of the units whose filter the event meets
};

/// One entry of the log: a batch that arrived, or a tick (no batch). The same for all shards.
struct log_step {
  std::uint64_t number = 0;  ///< consecutive from 1
  instant clock{};           ///< the log's clock; never smaller than the step's before
  std::shared_ptr<const event_batch> batch;  ///< null for a tick
  std::vector<slice> slices;                 ///< one a shard; empty for a tick
};

class event_router {
 public:
  /// `shards` >= 1.
  event_router(std::shared_ptr<const rule_set> rules, std::size_t shards);
  ~event_router();
  event_router(event_router&&) noexcept;

  /// The slices of a stamped batch, one a shard. An event that no unit wants goes nowhere (see
  /// unmatched()). Events with action resolved or closed go to every group whose key they have,
  /// whatever the filters. `left_out` are indexes of events, ascending, that no shard gets; they
  /// are not looked at, and the others keep their places.
  [[nodiscard]] std::vector<slice> route(const event_batch& batch,
                                         std::span<const std::uint32_t> left_out = {});

  /// Events so far that no unit wanted.
  [[nodiscard]] std::uint64_t unmatched() const noexcept;

 private:
  struct index;
  std::unique_ptr<index> index_;
};

}  // namespace tocsin
