// SPDX-License-Identifier: Apache-2.0
// Where tocsin send puts its messages: pushed and forgotten, or acknowledged, and what is said
// about it on stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/acked_sender.hpp"
#include "io/event_sender.hpp"

namespace tocsin {

/// The numbers (lines, or places among a file's messages) that the events of a message came from.
using event_origins = std::vector<std::uint64_t>;

class sending {
 public:
  virtual ~sending() = default;
  sending() = default;
  sending(const sending&) = delete;
  sending& operator=(const sending&) = delete;

  /// Sends one message, waiting while the daemon takes none, and says on stderr when that takes
  /// long. False when it was given up: nothing more can be sent.
  [[nodiscard]] bool send(std::string message, event_origins events);
  /// Waits for all that was sent; says what became of it when `in_detail`. The exit code.
  [[nodiscard]] virtual int finish(bool in_detail) = 0;

 protected:
  using steady = std::chrono::steady_clock;

  [[nodiscard]] virtual bool put(std::string message, event_origins events) = 0;
  [[nodiscard]] virtual std::uint64_t messages() const = 0;
  /// "sent 12 events in 3 messages, 0.1 s, 120 events/s"
  [[nodiscard]] std::string summary() const;
  void end_progress() const;

 private:
  steady::time_point begun_ = steady::now();
  steady::time_point told_ = begun_;
  std::uint64_t events_ = 0;
  bool progress_shown_ = false;
};

/// Over push: no reply, so what is done is done when it has left this process.
class push_sending final : public sending {
 public:
  explicit push_sending(std::unique_ptr<event_sender> to) : to_(std::move(to)) {}
  [[nodiscard]] int finish(bool in_detail) override;

 private:
  [[nodiscard]] bool put(std::string message, event_origins events) override;
  [[nodiscard]] std::uint64_t messages() const override { return to_->messages(); }

  std::unique_ptr<event_sender> to_;
};

/// Over acked: each message again until the daemon has it for good; what it rejects is told by the
/// line it came from.
class acked_sending final : public sending {
 public:
  /// `timeout`: without a sign of life for so long it gives up.
  acked_sending(duration timeout, std::string_view counted_as)
      : timeout_(timeout), counted_as_(counted_as) {}
  /// Errors: those of acked_sender::connect.
  [[nodiscard]] std::optional<error> connect(const std::string& endpoint);
  [[nodiscard]] int finish(bool in_detail) override;

 private:
  [[nodiscard]] bool put(std::string message, event_origins events) override;
  [[nodiscard]] std::uint64_t messages() const override { return messages_; }
  /// Goes on until `step` (given how long it may take) says that it is done; false when the daemon
  /// has given no sign of life for too long.
  [[nodiscard]] bool persist(const std::function<bool(duration)>& step);
  void tell_rejections(std::uint64_t request, const acked_reply& reply);

  duration timeout_;
  std::string counted_as_;
  std::unique_ptr<acked_sender> to_;
  std::map<std::uint64_t, event_origins> origins_;  ///< by request, of those under way
  std::uint64_t messages_ = 0;
  bool given_up_ = false;
};

}  // namespace tocsin
