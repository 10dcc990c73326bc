// SPDX-License-Identifier: Apache-2.0
// Sends messages to a daemon's push endpoint and waits while it is pushed back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "io/curve_client.hpp"
#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// One thread at a time. Push gives no receipt: what a dying daemon had not read is lost. Over ipc,
/// ZeroMQ 4.3 also loses what a daemon that pushes back has not read from a sender that closes;
/// over tcp it does not.
class event_sender {
 public:
  /// Connects and waits for the daemon to answer. Errors: bad_endpoint, unreachable, wrong_peer,
  /// refused.
  [[nodiscard]] static result<std::unique_ptr<event_sender>> connect(
      const std::string& endpoint, duration within = std::chrono::seconds{3},
      const optional_identity& identity = std::nullopt);
  ~event_sender();  ///< closes

  /// Sends one message (an event or a batch), waiting while the daemon pushes back or is away; at
  /// most `timeout`, without limit when there is none. False when the time ran out: the message
  /// was not taken.
  [[nodiscard]] bool send(std::string_view message, std::optional<duration> timeout = std::nullopt);

  /// Messages sent so far.
  [[nodiscard]] std::uint64_t messages() const noexcept;

  /// Waits until everything sent has left this process, at most `linger`. False when the time ran
  /// out: some messages may be lost. Idempotent; nothing can be sent any more.
  bool close(duration linger = std::chrono::seconds{30});

 private:
  struct connection;
  explicit event_sender(std::unique_ptr<connection> opened);
  std::unique_ptr<connection> connection_;
};

}  // namespace tocsin
