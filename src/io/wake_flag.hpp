// SPDX-License-Identifier: Apache-2.0
// An event file descriptor that one thread polls and others raise.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace tocsin {

/// Raised from any thread or signal handler; stays raised until lowered.
class wake_flag {
 public:
  wake_flag() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~wake_flag() { ::close(descriptor_); }
  wake_flag(const wake_flag&) = delete;
  wake_flag& operator=(const wake_flag&) = delete;

  void raise() noexcept {
    const std::uint64_t one = 1;
    // Can fail only when the counter is full: then the flag is raised already.
    [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
  }
  void lower() noexcept {
    std::uint64_t count = 0;
    // Can fail only when the flag is not raised.
    [[maybe_unused]] const auto read = ::read(descriptor_, &count, sizeof count);
  }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace tocsin
