// SPDX-License-Identifier: Apache-2.0
// A signalfd and an eventfd under one poll.
#include "programs/stop_signal.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>

namespace tocsin {

stop_signal::stop_signal() {
  sigset_t stops;
  sigemptyset(&stops);
  for (const int each : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&stops, each);
  ::pthread_sigmask(SIG_BLOCK, &stops, nullptr);
  signals_ = ::signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (signals_ < 0 || wake_ < 0)
    throw std::system_error(errno, std::generic_category(), "signalfd");
}

stop_signal::~stop_signal() {
  ::close(signals_);
  ::close(wake_);
}

stop_signal::reason stop_signal::wait(std::optional<std::chrono::milliseconds> timeout) {
  using steady = std::chrono::steady_clock;
  if (number_ != 0) return reason::signalled;
  const auto until = steady::now() + timeout.value_or(std::chrono::milliseconds{0});
  std::array<pollfd, 2> watched{{{signals_, POLLIN, 0}, {wake_, POLLIN, 0}}};
  for (;;) {
    int left = -1;
    if (timeout) {
      const auto rest = std::chrono::ceil<std::chrono::milliseconds>(until - steady::now());
      left = rest.count() > 0 ? static_cast<int>(rest.count()) : 0;
    }
    const int ready = ::poll(watched.data(), watched.size(), left);
    if (ready < 0 && errno == EINTR) continue;
    signalfd_siginfo taken{};
    if (::read(signals_, &taken, sizeof taken) == sizeof taken) {
      number_ = static_cast<int>(taken.ssi_signo);
      return reason::signalled;
    }
    std::uint64_t calls = 0;
    if (::read(wake_, &calls, sizeof calls) == sizeof calls) return reason::woken;
    if (ready == 0) return reason::timeout;
  }
}

void stop_signal::wake() noexcept {
  const std::uint64_t one = 1;
  // The write can only fail when the counter is full, and then the wait ends as well.
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

}  // namespace tocsin
