// SPDX-License-Identifier: Apache-2.0
// A message of the alert stream as a receiver has it, and a place in the stream's numbering.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/alert_codec.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// One message of the stream (docs/stream.md).
struct stream_message {
  std::string topic;
  stream_header header;
  std::string alert;  ///< the alert map in msgpack; empty with a heartbeat
  /// Transitions between the message before and this one that did not come. Only known when all
  /// alerts were asked for; otherwise 0.
  std::uint64_t missed = 0;
  /// The numbering began anew (the daemon started again) since the message before.
  bool restarted = false;
};

/// A place in the numbering: numbers compare only within one stream and epoch.
struct stream_position {
  std::string stream;
  std::uint64_t epoch = 0;
  std::uint64_t seq = 0;
  friend bool operator==(const stream_position&, const stream_position&) = default;
};

/// The message of these frames, nothing missed. Errors: malformed.
[[nodiscard]] result<stream_message> decode_stream_message(std::vector<std::string> frames);

}  // namespace tocsin
