// SPDX-License-Identifier: Apache-2.0
// One line on a terminal that tells how far a long reading is; nothing where there is no terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

namespace tocsin {

/// Thread-safe. Shown on stderr when that is a terminal; it goes when the object does.
class progress_line {
 public:
  /// `bytes_total`: of all that is to be read; nothing when that cannot be known.
  explicit progress_line(std::optional<std::uint64_t> bytes_total);
  ~progress_line() { clear(); }
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  /// Tells how far it is; drawn anew five times a second at most.
  void update(std::uint64_t events, std::uint64_t bytes_read);
  /// Takes the line away, lets `print` write to the terminal; the next update draws it again.
  void aside(const std::function<void()>& print);
  void clear() {
    aside([] {});
  }

 private:
  using steady = std::chrono::steady_clock;

  std::mutex mutex_;
  const bool on_;
  const std::optional<std::uint64_t> bytes_total_;
  const steady::time_point begun_ = steady::now();
  steady::time_point drawn_ = begun_;
  bool shown_ = false;
};

}  // namespace tocsin
