// SPDX-License-Identifier: Apache-2.0
// Writes down what a thread had at hand when it brings the process down.
#pragma once

#include <memory>
#include <string>

#include "tocsin/result.hpp"

namespace tocsin {

/// While one lives, SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT append the crash_records of the
/// thread they come to (at_hand) to a file, synced, before they have the effect that they had
/// before: a core dump and the exit code are as ever. At most one at a time. SIGKILL and power
/// failures write nothing.
class crash_watch {
 public:
  /// Errors: io, the file cannot be opened for appending (it is made when there is none).
  [[nodiscard]] static result<std::unique_ptr<crash_watch>> begin(const std::string& file);
  ~crash_watch();
  crash_watch(const crash_watch&) = delete;
  crash_watch& operator=(const crash_watch&) = delete;

 private:
  crash_watch() = default;
};

/// Gives this thread a stack for signal handlers, until it ends, so that a stack that overflowed is
/// a crash like others. For threads that set at_hand. Does nothing where no crash_watch lives, or
/// where there is such a stack already.
void give_crash_stack();

/// An exception ends what this thread has at hand, and with it the process: writes the same records
/// as a signal does (nothing where no crash_watch lives), and clears at_hand, for the thread goes
/// on with other work.
void record_failure() noexcept;

}  // namespace tocsin
