// SPDX-License-Identifier: Apache-2.0
// The event log in segments: files of checksummed records (docs/event-log.md specifies the bytes).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/file_system.hpp"
#include "tocsin/event_log.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

struct segment_log_limits {
  std::uint64_t segment_bytes = std::uint64_t{64} << 20;  ///< a new segment is begun beyond this
};

/// Opens the log in folder `log` of `files`, makes it when there is none. A torn tail (what was not
/// synced when the machine stopped: only at the end of the newest segment) is cut and told by
/// `cut_bytes`. What is in the log afterwards is on stable storage. All headers and the newest
/// segment are read; records of older segments are checked when a reader comes to them. Errors:
/// log_damaged (something that cannot be read anywhere else: file, byte, seen, wanted), log_newer
/// (of a later format), log_broken (a sync failed), and what files_of says.
struct opened_log {
  std::unique_ptr<event_log> log;
  std::uint64_t cut_bytes = 0;
};
[[nodiscard]] result<opened_log> open_segment_log(std::shared_ptr<file_system> files,
                                                  const segment_log_limits& limits = {});

/// What `tocsin log verify` says of a log nobody writes to.
struct log_findings {
  std::uint64_t segments = 0, records = 0, bytes = 0;
  std::uint64_t first_step = 0, last_step = 0;
  std::uint64_t gaps = 0;           ///< ranges that repair has taken out
  std::uint64_t torn_bytes = 0;     ///< at the end of the newest segment
  std::vector<std::string> damage;  ///< each with file, byte, seen, wanted
};
[[nodiscard]] result<log_findings> verify_segment_log(const file_system& files);

/// Reads a log without opening it, from its oldest record on: nothing is changed, and who writes to
/// it is not disturbed. Ends before a torn tail. Errors: log_damaged, log_newer, what `files` says.
[[nodiscard]] result<std::unique_ptr<log_reader>> read_segment_log(const file_system& files);

/// Moves damaged segments' unreadable ranges aside: what can be read of each damaged segment stays
/// in its place, the bytes that cannot go to `log/quarantine/`, a gap that readers pass over takes
/// their place. Never deletes. Precondition: nobody has the log open. Gives what it did, a line
/// each.
[[nodiscard]] result<std::vector<std::string>> repair_segment_log(file_system& files);

}  // namespace tocsin
