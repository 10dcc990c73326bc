// SPDX-License-Identifier: Apache-2.0
// The thread that owns the ROUTER socket of the acked surface: requests that are read together are
// one burst, each gets one reply.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "io/network_gate.hpp"
#include "tocsin/burst.hpp"
#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// Bounds on what an acked_listener takes in. Beyond the first three a request is answered retry.
struct acked_limits {
  std::size_t message_bytes = 1024 * 1024;  ///< twice that ends the sender's connection
  std::size_t requests_per_peer = 256;      ///< of one connection, without an answer yet
  std::size_t requests = 4096;              ///< of all connections
  std::size_t bytes = 64 * 1024 * 1024;     ///< of all their messages
  /// Replies that wait for a peer that does not read them; further ones are dropped and counted.
  int replies_waiting = 1000;
  /// What senders are told to wait when there is no room.
  duration retry_after = std::chrono::milliseconds{10};
  /// How long stop() waits for answers that are under way.
  duration stop_patience = std::chrono::seconds{5};
};

/// What an acked_listener has counted: requests = ok + retry + rejected + those under way +
/// those whose receiver went away without an answer.
struct acked_counts {
  std::uint64_t requests = 0;
  std::uint64_t ok = 0;
  std::uint64_t retry = 0;
  std::uint64_t rejected = 0;
  /// Replies of these that could not be delivered: the peer has gone, or does not read.
  std::uint64_t undelivered = 0;
};

class acked_listener {
 public:
  /// Takes a burst of one or more messages, each of whose answers it will call; or refuses it
  /// (false): the sender is then told to try again. An answer that is destroyed uncalled is none:
  /// the sender resends.
  using receiver = std::function<bool(burst&)>;

  /// Binds and starts the thread. `gate` judges who may send; without one anybody may. Errors: the
  /// endpoint and the reason (bind_failed, gate_open).
  [[nodiscard]] static result<std::unique_ptr<acked_listener>> start(
      const std::string& endpoint, const acked_limits& limits, receiver take,
      std::shared_ptr<network_gate> gate = nullptr);
  ~acked_listener();  ///< stops

  /// Takes no more requests, answers those that the receiver has taken (waits for it at most
  /// stop_patience), and ends the thread. Idempotent.
  void stop();

  [[nodiscard]] acked_counts counts() const noexcept;
  [[nodiscard]] const std::string& endpoint() const noexcept;

 private:
  struct thread_state;
  explicit acked_listener(std::unique_ptr<thread_state> started);
  std::unique_ptr<thread_state> state_;
};

}  // namespace tocsin
