// SPDX-License-Identifier: Apache-2.0
// Receives a daemon's alert stream and says when something of it was missed.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "io/alert_codec.hpp"
#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

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

/// One thread at a time, except interrupt().
class stream_subscriber {
 public:
  /// Connects and waits for the daemon to answer. `prefix` chooses by topic: "alert." all alerts,
  /// "alert.critical." the critical ones. Heartbeats come with every prefix. Errors: bad_endpoint,
  /// unreachable, wrong_peer.
  [[nodiscard]] static result<std::unique_ptr<stream_subscriber>> connect(
      const std::string& endpoint, const std::string& prefix = "alert.",
      duration within = std::chrono::seconds{3});
  ~stream_subscriber();

  /// Waits for the next message, without limit when there is no timeout. Nothing when the time
  /// ran out or interrupt() was called. Errors: malformed (the message is skipped).
  [[nodiscard]] result<std::optional<stream_message>> receive(
      std::optional<duration> timeout = std::nullopt);

  /// Ends the receive() under way, or the next one, at once. From any thread or signal handler.
  void interrupt() noexcept;

 private:
  struct connection;
  explicit stream_subscriber(std::unique_ptr<connection> opened);
  std::unique_ptr<connection> connection_;
};

}  // namespace tocsin
