// SPDX-License-Identifier: Apache-2.0
// Signal handlers that append to a descriptor opened beforehand. What runs in them calls nothing
// but what POSIX allows there: write, fdatasync, clock_gettime, sigaction, raise.
#include "io/crash_watch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include "io/crash_record.hpp"

namespace tocsin {
namespace {

constexpr std::array crash_signals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
/// Hashing a message and writing a record take less than 2 KiB, the kernel's frame up to 11 KiB
/// with AVX-512 and AMX.
constexpr std::size_t crash_stack_bytes = std::size_t{64} << 10;

// A handler is the process's, and so is what it needs.
std::atomic<int> crash_file{-1};
static_assert(std::atomic<int>::is_always_lock_free);
std::array<struct sigaction, crash_signals.size()> before{};

void append_record(const crash_record& made) {
  const auto bytes = encode_crash_record(made);
  // A record that does not get there cannot be told to anybody any more; the next crash is counted
  // as the first one then.
  [[maybe_unused]] const auto written =
      ::write(crash_file.load(std::memory_order_relaxed), bytes.data(), bytes.size());
}

void record_at_hand(std::uint8_t signal) noexcept {
  const int file = crash_file.load(std::memory_order_acquire);
  if (file < 0) return;
  struct timespec now {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  each_record(at_hand, signal, from_unix_ms(now.tv_sec * 1000LL + now.tv_nsec / 1'000'000),
              append_record);
  ::fdatasync(file);
}

void on_crash(int signal) {
  record_at_hand(static_cast<std::uint8_t>(signal));
  for (std::size_t i = 0; i < crash_signals.size(); ++i) {
    if (crash_signals[i] == signal) ::sigaction(signal, &before[i], nullptr);
  }
  // It is blocked as long as this runs, and so has its effect where it came from.
  ::raise(signal);
}

/// An alternate stack that goes with its thread.
class crash_stack {
 public:
  crash_stack() : bytes_(std::make_unique<char[]>(crash_stack_bytes)) {
    stack_t own{};
    own.ss_sp = bytes_.get();
    own.ss_size = crash_stack_bytes;
    ::sigaltstack(&own, nullptr);
  }
  ~crash_stack() {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    ::sigaltstack(&none, nullptr);
  }
  crash_stack(const crash_stack&) = delete;
  crash_stack& operator=(const crash_stack&) = delete;

 private:
  std::unique_ptr<char[]> bytes_;
};

}  // namespace

result<std::unique_ptr<crash_watch>> crash_watch::begin(const std::string& file) {
  assert(crash_file.load() < 0);
  const int opened = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (opened < 0) return error{"io", fmt::format("{}: open: {}", file, std::strerror(errno))};
  crash_file.store(opened);
  struct sigaction handling {};
  handling.sa_handler = on_crash;
  handling.sa_flags = SA_ONSTACK;
  ::sigfillset(&handling.sa_mask);
  for (std::size_t i = 0; i < crash_signals.size(); ++i)
    ::sigaction(crash_signals[i], &handling, &before[i]);
  return std::unique_ptr<crash_watch>{new crash_watch};
}

crash_watch::~crash_watch() {
  for (std::size_t i = 0; i < crash_signals.size(); ++i)
    ::sigaction(crash_signals[i], &before[i], nullptr);
  ::close(crash_file.exchange(-1));
}

void give_crash_stack() {
  if (crash_file.load() < 0) return;
  stack_t now{};
  // A sanitizer's own stack serves as well, and it would not give back ours.
  if (::sigaltstack(nullptr, &now) != 0 || (now.ss_flags & SS_DISABLE) == 0) return;
  static thread_local const crash_stack own;
}

void record_failure() noexcept {
  record_at_hand(0);
  at_hand = {};
}

}  // namespace tocsin
