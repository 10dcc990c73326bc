// SPDX-License-Identifier: Apache-2.0
// The log's clock: follows the wall clock, never runs backwards, and does not jump when the wall
// clock does.
#pragma once

#include <chrono>

#include "tocsin/time.hpp"

namespace tocsin {

/// Advances with the steady clock; a difference from the wall clock is made up slowly, by running
/// at half or double speed, so that setting the machine's time closes no window early. Pure: both
/// clocks are parameters.
class log_clock {
 public:
  using steady = std::chrono::steady_clock::time_point;

  /// Starts at the wall clock, but never before `not_before` (the last stamp in the log).
  log_clock(steady now, instant wall, instant not_before = instant{});

  /// The stamp for something that arrives now. Never smaller than any stamp before.
  [[nodiscard]] instant stamp(steady now, instant wall);

 private:
  steady last_steady_;
  std::chrono::nanoseconds time_;  ///< since the Unix epoch
};

}  // namespace tocsin
