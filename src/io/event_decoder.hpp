// SPDX-License-Identifier: Apache-2.0
// Turns messages (msgpack or JSON; one event or a batch) into flat events, and says exactly what it
// refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/event.hpp"

namespace tocsin {

/// An event that was refused. Every received event is either accepted or has exactly one of these.
struct rejection {
  std::uint32_t index = 0;  ///< in the message's batch; 0 for a single event
  std::string_view code;    ///< a string literal, docs/protocol.md lists all
  std::string message;      ///< field, what was seen, what was wanted
  std::string source;       ///< source_id when it could be read, else ""
};

enum class stamping : std::uint8_t;

class event_decoder {
 public:
  explicit event_decoder(event_limits limits) : limits_(limits) {}

  /// Decodes one message that arrives at `arrived`. Good events and their labels are appended to
  /// `into` with event::arrived (and time, when absent) set; refused ones to `refused`. Views point
  /// into `message`, which the caller keeps alive (event_batch::owners); what JSON needs beside it
  /// is added to the owners here. Structure that cannot be read on (cut off, reserved byte) ends
  /// the message: events before it stay accepted, the rest is one rejection "malformed". What a
  /// batch holds beyond events_per_message is not read, and one rejection "too_many_events". Bytes
  /// after the message's end are one rejection "trailing_bytes".
  void decode(std::string_view message, instant arrived, event_batch& into,
              std::vector<rejection>& refused);

  /// The same for a message of a recording, whose events say themselves when they arrived: at their
  /// `arrived_at` (a key of recordings; Unix ms or RFC 3339; it is no label), else at their `time`,
  /// else at `clock`. Arrivals never run backwards: an earlier one counts as `clock`, which is
  /// moved to the arrival of each event that is accepted.
  void decode_recorded(std::string_view message, instant& clock, event_batch& into,
                       std::vector<rejection>& refused);

 private:
  instant decode(std::string_view message, instant arrived, stamping by, event_batch& into,
                 std::vector<rejection>& refused) const;

  event_limits limits_;
};

}  // namespace tocsin
