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
/// `cut_bytes`. Errors: log_damaged (a record that cannot be read anywhere else: file, byte, seen,
/// wanted), log_newer (of a later format), and what files_of says.
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
  std::uint64_t torn_bytes = 0;     ///< at the end of the newest segment
  std::vector<std::string> damage;  ///< each with file, byte, seen, wanted
};
[[nodiscard]] result<log_findings> verify_segment_log(const file_system& files);

/// Moves damaged segments' unreadable ranges aside: what can be read of each damaged segment stays,
/// the bytes that cannot go to `log/quarantine/`. Never deletes. Gives what it did, a line each.
[[nodiscard]] result<std::vector<std::string>> repair_segment_log(file_system& files);

}  // namespace tocsin
