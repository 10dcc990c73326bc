// SPDX-License-Identifier: Apache-2.0
// How long and how many events are remembered, so that one that is sent again has no effect.
#pragma once

#include <cstddef>

#include "tocsin/time.hpp"

namespace tocsin {

/// For bursts that are answered, by the log's clock.
struct dedup_limits {
  /// An event sent again within this time is recognised; one whose `time` lies further back is
  /// rejected as too_old. 1 s to 7 days.
  duration horizon = std::chrono::hours{1};
  /// Events remembered, 1,000 to 100,000,000. Above them the oldest are forgotten, and what could
  /// be one of them is rejected as too_old: never is an event counted twice. Each takes about 100
  /// bytes.
  std::size_t entries = 1'000'000;
};

}  // namespace tocsin
