// SPDX-License-Identifier: Apache-2.0
// The thread that owns the replay socket (ROUTER) and answers from the stream's history.
#pragma once

#include <memory>
#include <string>

#include "io/network_gate.hpp"
#include "io/stream_history.hpp"
#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

struct replay_limits {
  /// Answers under way at once; who asks beyond that is refused (busy).
  std::size_t answers_max = 64;
  /// Of those, answers to one peer: they are given one after the other.
  std::size_t answers_of_a_peer_max = 4;
  /// An answer whose peer takes nothing for so long is ended (slow_reader).
  duration patience = std::chrono::seconds{10};
  /// Messages that wait for a peer inside ZeroMQ.
  int waiting_max = 1000;
};

class replay_listener {
 public:
  /// Binds and starts the thread. `gate` judges who may ask; without one anybody may. Errors: the
  /// endpoint and the reason (bind_failed, gate_open).
  [[nodiscard]] static result<std::unique_ptr<replay_listener>> start(
      const std::string& endpoint, std::shared_ptr<const stream_history> history,
      replay_limits limits = {}, std::shared_ptr<network_gate> gate = nullptr);
  ~replay_listener();  ///< stops

  /// Ends the thread; answers under way are cut off. Idempotent.
  void stop();

  /// The endpoint as bound (port filled in).
  [[nodiscard]] const std::string& endpoint() const noexcept;

 private:
  struct thread_state;
  explicit replay_listener(std::unique_ptr<thread_state> started);
  std::unique_ptr<thread_state> state_;
};

}  // namespace tocsin
