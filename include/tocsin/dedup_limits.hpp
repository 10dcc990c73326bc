// SPDX-License-Identifier: Apache-2.0
// How long and how many events are remembered, so that one that is sent again has no effect.
#pragma once

#include <cstddef>

#include "tocsin/time.hpp"

namespace tocsin {

/// For bursts with burst::deduplicate, by the log's clock.
struct dedup_limits {
  /// An event sent again within this time is recognised; an event whose `time` lies further back is
  /// rejected as too_old.
  duration horizon = std::chrono::hours{1};
  /// Events remembered; above them the oldest are forgotten before the horizon. Each takes about
  /// 100 bytes. At most 2^31 - 1.
  std::size_t entries = 1'000'000;
};

}  // namespace tocsin
