// SPDX-License-Identifier: Apache-2.0
// Receives a daemon's alert stream and says when something of it was missed.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "io/replay_client.hpp"
#include "io/stream_message.hpp"
#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// One thread at a time, except interrupt().
class stream_subscriber {
 public:
  /// Connects and waits for the daemon to answer. `prefix` chooses by topic: "alert." all alerts,
  /// "alert.critical." the critical ones. Heartbeats come with every prefix. Errors: bad_endpoint,
  /// unreachable, wrong_peer, refused. The `identity` is also fetch()'s.
  [[nodiscard]] static result<std::unique_ptr<stream_subscriber>> connect(
      const std::string& endpoint, const std::string& prefix = "alert.",
      duration within = std::chrono::seconds{3}, const optional_identity& identity = std::nullopt);
  ~stream_subscriber();

  /// Waits for the next message, without limit when there is no timeout. Nothing when the time
  /// ran out or interrupt() was called. Errors: malformed (the message is skipped).
  [[nodiscard]] result<std::optional<stream_message>> receive(
      std::optional<duration> timeout = std::nullopt);

  /// Fetches from the daemon's replay socket what came after `since` under the subscribed prefix.
  /// With the `epoch` that `since` is of, a snapshot leaves out alerts that have not changed since.
  /// From then on receive() goes on behind the answer: what the answer holds does not come again.
  /// Errors: those of ask_replay(); then nothing has changed.
  [[nodiscard]] result<replay_answer> fetch(const std::string& replay_endpoint, std::uint64_t since,
                                            std::optional<std::uint64_t> epoch = std::nullopt,
                                            duration within = std::chrono::seconds{3});

  /// Ends the receive() or fetch() under way, or the next one, at once. From any thread or signal
  /// handler.
  void interrupt() noexcept;

 private:
  struct connection;
  explicit stream_subscriber(std::unique_ptr<connection> opened);
  std::unique_ptr<connection> connection_;
};

}  // namespace tocsin
