// SPDX-License-Identifier: Apache-2.0
// Events on their way into the pipeline, mostly not yet decoded.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "tocsin/event.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// Messages that came in together. Memory behind the views is kept by `owner`.
struct burst {
  std::vector<std::string_view>
      messages;  ///< each one event or a batch, msgpack or JSON (docs/protocol.md)
  /// Manual clock: one a message, never decreasing (one before the clock's time counts as that
  /// time; a message that has none arrives at the clock's time). Not used with the wall clock.
  std::vector<instant> arrivals;
  std::shared_ptr<const void> owner;

  /// Manual clock only, in place of `messages`: events that were decoded already, each with its
  /// arrival, never decreasing. So a recording is read once however many pipelines judge it. It is
  /// taken without a copy when its first_position is this pipeline's next (1 + the events before)
  /// and no arrival is before the clock's time; otherwise a copy is numbered and stamped anew.
  /// They are not enriched: who decoded them did (recorded_events).
  std::shared_ptr<const event_batch> decoded;
};

}  // namespace tocsin
