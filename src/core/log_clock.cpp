// SPDX-License-Identifier: Apache-2.0
// The log's clock: steady time, drawn towards the wall clock at half to double speed.
#include "tocsin/log_clock.hpp"

#include <algorithm>

namespace tocsin {

using std::chrono::nanoseconds;

log_clock::log_clock(steady now, instant wall, instant not_before)
    : last_steady_(now), time_(std::max(wall, not_before).time_since_epoch()) {}

instant log_clock::stamp(steady now, instant wall) {
  const nanoseconds elapsed = std::max<nanoseconds>(now - last_steady_, nanoseconds::zero());
  last_steady_ = std::max(last_steady_, now);
  const nanoseconds to_wall = nanoseconds{wall.time_since_epoch()} - time_;
  time_ += std::clamp(to_wall, elapsed / 2, elapsed * 2);
  return instant{std::chrono::floor<duration>(time_)};
}

}  // namespace tocsin
