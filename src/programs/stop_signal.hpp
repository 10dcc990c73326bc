// SPDX-License-Identifier: Apache-2.0
// Waiting that ends at a signal to stop, at a call from another thread, or in time.
#pragma once

#include <chrono>
#include <optional>

namespace tocsin {

/// Makes SIGINT, SIGTERM and SIGHUP something to wait for. To be made on the main thread before any
/// other thread starts, for threads take their signal mask from it.
class stop_signal {
 public:
  stop_signal();
  ~stop_signal();
  stop_signal(const stop_signal&) = delete;
  stop_signal& operator=(const stop_signal&) = delete;

  enum class reason { timeout, signalled, woken };

  /// Without limit when there is no timeout. Once signalled, always signalled.
  [[nodiscard]] reason wait(std::optional<std::chrono::milliseconds> timeout = std::nullopt);
  /// Ends the wait() under way, or the next one. From any thread.
  void wake() noexcept;
  /// The signal that came; 0 before.
  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int signals_;
  int wake_;
  int number_ = 0;
};

}  // namespace tocsin
