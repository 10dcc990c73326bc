// SPDX-License-Identifier: Apache-2.0
// The actor that owns one shard's windows.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "burst_gate.hpp"
#include "caf/fwd.hpp"
#include "messages.hpp"
#include "shard_progress.hpp"

namespace tocsin {

/// Which shard of how many, and what it may hold.
struct engine_place {
  std::uint32_t shard = 0;  ///< place in log_step::slices
  std::uint32_t shards = 1;
  engine_limits limits;  ///< this shard's share
  /// Goes on from here, and is taken; null: windows begin empty.
  std::shared_ptr<window_engine> restored = nullptr;
};

/// An equal share of the limits of all shards together.
[[nodiscard]] engine_place place_of(std::uint32_t shard, std::size_t shards, engine_limits all);

[[nodiscard]] window_aggregator_actor spawn_window_aggregator(
    caf::actor_system& system, std::shared_ptr<const rule_set> rules, const engine_place& place,
    std::shared_ptr<burst_gate> gate, alert_manager_actor alerts,
    std::shared_ptr<shard_progress> progress);

/// "window aggregator 1", as failures name it.
[[nodiscard]] std::string window_aggregator_role(std::uint32_t shard);

}  // namespace tocsin
