// SPDX-License-Identifier: Apache-2.0
// What an agent has seen and not yet sent: bounded, kept while the daemon is away.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "io/event_sender.hpp"
#include "tocsin/event.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

class agent_outbox {
 public:
  /// Events held at most.
  static constexpr std::size_t events_max = 10'000;

  explicit agent_outbox(std::string endpoint, optional_identity identity = std::nullopt)
      : endpoint_(std::move(endpoint)), identity_(std::move(identity)) {}

  /// Connects, waiting a few seconds for the daemon. Errors as event_sender::connect.
  [[nodiscard]] std::optional<error> connect();

  [[nodiscard]] std::size_t held() const noexcept { return held_.size(); }
  /// Holds one encoded event; when full, the oldest one is dropped, counted and told.
  void add(std::string encoded);
  /// Sends what can be sent now, without waiting for long. Tells on stderr when the daemon goes and
  /// when it comes back. True when nothing is left.
  bool flush();
  /// Waits until everything sent has left this process. False when something was or may be lost:
  /// told on stderr.
  [[nodiscard]] bool close();

  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  void tell_away();

  std::string endpoint_;
  optional_identity identity_;
  std::unique_ptr<event_sender> sender_;
  std::deque<std::string> held_;
  std::chrono::steady_clock::time_point next_try_{};
  bool away_ = false;
  std::uint64_t sent_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t dropped_told_ = 0;
};

/// A fresh event id: unique as long as no two agents of a source start within the same nanosecond.
[[nodiscard]] std::string fresh_event_id();

}  // namespace tocsin
