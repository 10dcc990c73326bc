// SPDX-License-Identifier: Apache-2.0
// Publishes alert transitions on an XPUB socket: [topic][header][alert], gapless seq, heartbeat.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/network_gate.hpp"
#include "io/stream_history.hpp"
#include "tocsin/result.hpp"
#include "tocsin/transition_sink.hpp"

namespace tocsin {

/// Owns its socket; calls may come from different threads, one at a time. A slow subscriber loses
/// messages at its high-water mark and sees the gap in `seq`; it never slows the others.
class alert_stream final : public transition_sink {
 public:
  /// Binds. What is published is recorded in `history` first, if there is one. With `from` the
  /// stream goes on where a daemon with the same store left off, with its name and its epoch.
  /// Without it name and epoch are new. `gate` judges who may subscribe; without one anybody may.
  /// Errors: the endpoint and the reason (bind_failed, gate_open).
  [[nodiscard]] static result<std::shared_ptr<alert_stream>> bind(
      const std::string& endpoint, std::shared_ptr<stream_history> history = nullptr,
      std::optional<stream_position> from = std::nullopt,
      std::shared_ptr<network_gate> gate = nullptr);
  ~alert_stream() override;

  /// The numbering goes on after `seq`, with these alerts active. 0: it stays as bind() began it.
  void begin(std::uint64_t seq, std::span<const transition> active) override;
  /// A transition that has a number (alert::seq) is published under it: it must be the next one.
  void publish(std::span<const transition> transitions) override;
  void heartbeat() override;

  /// The endpoint as bound (port filled in).
  [[nodiscard]] const std::string& endpoint() const noexcept;

 private:
  struct socket;
  explicit alert_stream(std::unique_ptr<socket> opened);
  std::unique_ptr<socket> socket_;
};

}  // namespace tocsin
