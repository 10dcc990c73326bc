// SPDX-License-Identifier: Apache-2.0
// Gives recorded events the arrivals they are replayed at.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/event_decoder.hpp"
#include "tocsin/event.hpp"

namespace tocsin {

/// An event of a recording, ready to be pushed at its arrival.
struct recorded_event {
  instant arrival{};
  std::string message;  ///< one event, msgpack
};

/// Not thread-safe. An event's arrival is its `arrived_at` (a key of the recording, beside the
/// event's own; Unix ms or RFC 3339), else its `time`, else that of the event before it. It never
/// runs backwards: an earlier one counts as the latest so far. Before the first arrival it is the
/// Unix epoch.
class recorded_events {
 public:
  explicit recorded_events(event_limits limits);

  /// Reads one message (an event or a batch; JSON or msgpack). Its good events are appended to
  /// `into`, each with its arrival; the others to `refused`, as a pipeline would refuse them.
  void read(std::string_view message, std::vector<recorded_event>& into,
            std::vector<rejection>& refused);

  /// The latest arrival so far.
  [[nodiscard]] instant clock() const noexcept { return clock_; }

 private:
  void read_event(const event_batch& batch, std::uint32_t index, std::vector<recorded_event>& into,
                  std::vector<rejection>& refused);

  event_limits limits_;
  event_decoder decoder_;
  instant clock_{};
  std::vector<label> kept_labels_;
};

}  // namespace tocsin
