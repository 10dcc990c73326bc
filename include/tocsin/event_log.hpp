// SPDX-License-Identifier: Apache-2.0
// Where the steps of the log last, so that a restart can go through them again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// An encoded log_entry, with what the log itself needs to know of it.
struct log_record {
  std::uint64_t step = 0;
  instant clock{};
  std::string_view bytes;  ///< encode_log_entry
};

/// Reads records in order. Not thread-safe; may be used while the log is appended to, and then ends
/// where the log ended when it was made.
class log_reader {
 public:
  virtual ~log_reader() = default;
  /// The next record, nothing at the end. Its bytes are good as long as `owner()` of the moment is
  /// held. Errors: log_damaged, with file, byte and what was seen and wanted.
  [[nodiscard]] virtual result<std::optional<log_record>> next() = 0;
  /// What keeps the last record's bytes alive.
  [[nodiscard]] virtual std::shared_ptr<const void> owner() const = 0;
};

/// append(), sync() and trim() are called from one thread at a time; the others from any.
class event_log {
 public:
  virtual ~event_log() = default;

  /// Writes records in their order; steps go on from last_step(), gaps allowed. They are not on
  /// stable storage before sync(). Errors: log_full (no room, or writing failed in a way that may
  /// pass: nothing of them is in the log, and it may be tried again); log_broken (it is not known
  /// what the file holds: nothing may be appended any more, the process must begin anew).
  [[nodiscard]] virtual std::optional<error> append(std::span<const log_record> records) = 0;
  /// All that was appended is on stable storage when it returns nothing. Errors: log_broken; a
  /// failed sync is never tried again on the same file.
  [[nodiscard]] virtual std::optional<error> sync() = 0;

  /// The oldest step that the log holds, and the newest; 0 when it holds none.
  [[nodiscard]] virtual std::uint64_t first_step() const = 0;
  [[nodiscard]] virtual std::uint64_t last_step() const = 0;
  /// Clock of the newest step.
  [[nodiscard]] virtual instant last_clock() const = 0;
  /// From the first record whose step is at least `from` on.
  [[nodiscard]] virtual result<std::unique_ptr<log_reader>> read(std::uint64_t from) const = 0;

  /// Forgets whole segments that hold nothing but steps below `needed` and are older than `horizon`
  /// (all their records' clocks) or lie beyond `bytes_max`, oldest first. What is needed is kept in
  /// any case.
  struct retention {
    std::uint64_t needed = 0;  ///< the oldest step that a restart needs
    instant horizon{};
    std::uint64_t bytes_max = 0;
  };
  [[nodiscard]] virtual std::optional<error> trim(const retention& keep) = 0;
  /// On disk.
  [[nodiscard]] virtual std::uint64_t bytes() const = 0;
};

}  // namespace tocsin
