// SPDX-License-Identifier: Apache-2.0
// The thread that owns the PULL socket: receives bursts of messages and hands them on, or stops
// reading when refused.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "io/network_gate.hpp"
#include "tocsin/burst.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

class push_listener {
 public:
  /// Takes a burst, or refuses it (false) and leaves it as it was; room() must then be called when
  /// there is room.
  using receiver = std::function<bool(burst&)>;

  /// Binds and starts the thread. Messages over twice `message_bytes` end their sender's
  /// connection. `gate` judges who may send; without one anybody may. Errors: the endpoint and the
  /// reason (bind_failed, gate_open).
  [[nodiscard]] static result<std::unique_ptr<push_listener>> start(
      const std::string& endpoint, std::size_t message_bytes, receiver take,
      std::shared_ptr<network_gate> gate = nullptr);
  ~push_listener();  ///< stops

  /// There is room again after a refusal. From any thread.
  void room();
  /// Reads what has already arrived (until nothing came for 100 ms and ZeroMQ has no more, at most
  /// for 1 s), hands it over and ends the thread. Idempotent. Waits at most 5 s in all for a
  /// receiver that refuses: see abandoned().
  void stop();
  /// Messages that stop() read and could not hand over in time.
  [[nodiscard]] std::uint64_t abandoned() const noexcept;

  [[nodiscard]] const std::string& endpoint() const noexcept;

 private:
  struct thread_state;
  explicit push_listener(std::unique_ptr<thread_state> started);
  std::unique_ptr<thread_state> state_;
};

}  // namespace tocsin
