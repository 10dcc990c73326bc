// SPDX-License-Identifier: Apache-2.0
// Asks a daemon's replay socket and takes its whole answer. Private to src/io.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/curve_client.hpp"
#include "io/replay_protocol.hpp"
#include "io/wake_flag.hpp"
#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// What a replay socket told.
struct replay_answer {
  /// The history does not reach back: the first messages are the active alerts as they stood at
  /// `snapshot`, each by its last transition.
  std::optional<stream_position> snapshot;
  std::vector<stream_message> messages;  ///< by seq
  stream_position through;               ///< nothing up to here is missing
};

/// Connects, asks, and waits at most `within` for the connection and for each message. Errors:
/// those of connect_within(), silent (no answer in time), interrupted (the flag was raised),
/// refused (the daemon does not allow our key, or said why it does not answer), malformed.
[[nodiscard]] result<replay_answer> ask_replay(const std::string& endpoint,
                                               const replay_request& request, wake_flag& interrupt,
                                               duration within,
                                               const optional_identity& identity = std::nullopt);

}  // namespace tocsin
