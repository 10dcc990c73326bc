// SPDX-License-Identifier: Apache-2.0
// What an agent has seen and not yet sent: bounded, kept while the daemon is away.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "io/acked_sender.hpp"
#include "io/event_sender.hpp"
#include "tocsin/event.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// Where an agent sends to, as its command line says.
struct agent_target {
  std::string push = "tcp://127.0.0.1:5555";
  bool acked = false;
  std::string acked_endpoint = "tcp://127.0.0.1:5556";

  /// Adds --push, --acked, --acked-endpoint. This object must stay where it is.
  void add_to(CLI::App& command);
  [[nodiscard]] const std::string& endpoint() const noexcept {
    return acked ? acked_endpoint : push;
  }
  /// The daemon's setting of that endpoint.
  [[nodiscard]] std::string_view setting() const noexcept {
    return acked ? "ingest.acked" : "ingest.push";
  }
};

class agent_outbox {
 public:
  /// Events held at most, those that are sent and not acknowledged among them.
  static constexpr std::size_t events_max = 10'000;

  explicit agent_outbox(agent_target to) : to_(std::move(to)) {}

  /// Connects, waiting a few seconds for the daemon. Errors as event_sender::connect.
  [[nodiscard]] std::optional<error> connect();

  [[nodiscard]] std::size_t held() const noexcept {
    return held_.size() + static_cast<std::size_t>(acked_ ? acked_->events_under_way() : 0);
  }
  /// Holds one encoded event; when full, the oldest one that is not on its way is dropped, counted
  /// and told.
  void add(std::string encoded);
  /// Sends what can be sent now, without waiting for long. Tells on stderr when the daemon goes and
  /// when it comes back, and what it rejects. True when nothing is left: with acked, when the
  /// daemon has it all.
  bool flush();
  /// Waits until everything sent has left this process, or is acknowledged. False when something
  /// was or may be lost: told on stderr.
  [[nodiscard]] bool close();

  /// With acked: those that the daemon has taken.
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
  /// With acked: those that it has not.
  [[nodiscard]] std::uint64_t rejected() const noexcept { return rejected_; }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  [[nodiscard]] std::optional<error> connect_within(duration patience);
  /// Sends all that is held; false when the daemon takes no more of it.
  [[nodiscard]] bool push_all();
  [[nodiscard]] bool acknowledge_all();
  [[nodiscard]] bool connected() const noexcept { return push_ || acked_; }
  /// The first events that are held, as one message.
  [[nodiscard]] std::string next_message(std::size_t& events) const;
  void forget_first(std::size_t events);
  void take_reply(const acked_reply& reply);
  void tell_away();

  agent_target to_;
  std::unique_ptr<event_sender> push_;
  std::unique_ptr<acked_sender> acked_;
  std::deque<std::string> held_;
  std::chrono::steady_clock::time_point next_try_{};
  bool away_ = false;
  std::uint64_t sent_ = 0;
  std::uint64_t rejected_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t dropped_told_ = 0;
};

/// A fresh event id: unique as long as no two agents of a source start within the same nanosecond.
[[nodiscard]] std::string fresh_event_id();

}  // namespace tocsin
