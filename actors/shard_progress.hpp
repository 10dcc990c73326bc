// SPDX-License-Identifier: Apache-2.0
// What ingest may know of a shard without asking: whether a step would find it with nothing to do.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include "tocsin/time.hpp"

namespace tocsin {

/// Written by one window aggregator, read by ingest, any time.
class alignas(64) shard_progress {
 public:
  /// The aggregator has worked through a step; up to `idle_until` a step without events for it
  /// changes nothing.
  void done(std::uint64_t step, instant idle_until) noexcept {
    idle_until_ms_.store(to_unix_ms(idle_until), std::memory_order_relaxed);
    step_.store(step, std::memory_order_release);
  }

  /// True when the aggregator has worked through `last_sent` and a step of that clock with no event
  /// for it would change nothing: the step need not be sent.
  [[nodiscard]] bool may_skip(std::uint64_t last_sent, instant clock) const noexcept {
    return step_.load(std::memory_order_acquire) == last_sent &&
           to_unix_ms(clock) <= idle_until_ms_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> step_{0};
  std::atomic<std::int64_t> idle_until_ms_{std::numeric_limits<std::int64_t>::min()};
};

}  // namespace tocsin
