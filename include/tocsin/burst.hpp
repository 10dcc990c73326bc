// SPDX-License-Identifier: Apache-2.0
// Events on their way into the pipeline, mostly not yet decoded, and what became of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/event.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// What became of a message whose sender wants to know. Where `retry` is false, what was accepted
/// is in the event log for good (where there is one), and what is a duplicate was there before.
struct burst_outcome {
  struct refusal {
    std::uint32_t index = 0;  ///< in the message's batch; 0 for a single event
    std::string_view code;    ///< a string literal, docs/protocol.md lists all
    std::string message;
  };
  std::size_t message = 0;  ///< its place in burst::messages
  bool retry = false;       ///< it is not known to last: to be sent again, nothing else is said
  duration retry_after{};   ///< with retry: not before this time has passed
  std::uint64_t accepted = 0;
  std::uint64_t duplicate = 0;
  std::vector<refusal> rejected;  ///< by index
};

/// Messages that came in together. Memory behind the views is kept by `owner`.
struct burst {
  std::vector<std::string_view>
      messages;  ///< each one event or a batch, msgpack or JSON (docs/protocol.md)
  /// Manual clock: one a message, never decreasing (one before the clock's time counts as that
  /// time; a message that has none arrives at the clock's time). Not used with the wall clock.
  std::vector<instant> arrivals;
  std::shared_ptr<const void> owner;

  /// Who sent it and waits: called once for each message, in their order, on any thread, when what
  /// was accepted is on stable storage or has failed to come there. Events are deduplicated
  /// (dedup_limits). Not called when the pipeline ends before. Empty: nobody waits, and nothing is
  /// deduplicated.
  std::function<void(const burst_outcome&)> answer;

  /// Manual clock only, in place of `messages`: events that were decoded already, each with its
  /// arrival, never decreasing. So a recording is read once however many pipelines judge it. It is
  /// taken without a copy when its first_position is this pipeline's next (1 + the events before)
  /// and no arrival is before the clock's time; otherwise a copy is numbered and stamped anew.
  /// They are not enriched: who decoded them did (recorded_events).
  std::shared_ptr<const event_batch> decoded;
};

}  // namespace tocsin
