// SPDX-License-Identifier: Apache-2.0
// What each thread is working on, so that a crash can say what it died of.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace tocsin {

struct event_batch;

/// A mark that costs a plain store. Who begins a message or a step sets it, loops over events keep
/// `event` up to date, and who ends in order clears it (`at_hand = {}`). Unwinding does not, so the
/// handler of an exception still finds it; as does that of a signal, on the same thread. What it
/// points to lives as long as the mark stands.
struct work_at_hand {
  static constexpr std::uint32_t no_event = std::numeric_limits<std::uint32_t>::max();

  const std::string_view* message = nullptr;  ///< while it is decoded and its events are sorted out
  const event_batch* batch = nullptr;         ///< whose events are gone through
  std::uint64_t step = 0;          ///< of the log; 0: it is none yet, so nobody knows its number
  std::uint32_t event = no_event;  ///< index in the batch; no_event: what belongs to no single one
};

inline constinit thread_local work_at_hand at_hand;

}  // namespace tocsin
