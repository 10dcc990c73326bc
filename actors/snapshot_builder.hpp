// SPDX-License-Identifier: Apache-2.0
// Puts a snapshot together of what ingest and the shards bring.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "tocsin/snapshot_store.hpp"

namespace tocsin {

/// Not thread-safe: made by ingest, and then only touched by the alert manager.
class snapshot_builder {
 public:
  /// `begun` has all but the shards' states.
  snapshot_builder(pipeline_snapshot begun, std::size_t shards) : made_(std::move(begun)) {
    made_.shards.resize(shards);
    missing_ = shards;
  }

  /// True with the last of the shards, each of which comes once.
  [[nodiscard]] bool add(std::uint32_t shard, std::string state) {
    assert(missing_ > 0);
    made_.shards.at(shard) = std::move(state);
    return --missing_ == 0;
  }
  /// When all shards have come.
  [[nodiscard]] pipeline_snapshot take() {
    assert(missing_ == 0);
    return std::move(made_);
  }

 private:
  pipeline_snapshot made_;
  std::size_t missing_;
};

}  // namespace tocsin
