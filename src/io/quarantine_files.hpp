// SPDX-License-Identifier: Apache-2.0
// The quarantine of a data folder: judges by the file `crashes`, writes down in `quarantine.jsonl`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "io/file_system.hpp"
#include "tocsin/quarantine.hpp"
#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// The file that a crash_watch appends to.
inline constexpr const char* crashes_file = "crashes";
inline constexpr const char* quarantine_file = "quarantine.jsonl";

/// Something that an operator should hear of.
struct quarantine_news {
  bool error = false;  ///< false: a warning
  std::string text;
};

struct quarantine_setup {
  std::uint64_t first_step = 0;  ///< the oldest step that the event log holds
  std::uint64_t last_step = 0;   ///< the newest one; what is beyond it never got there
  /// Accusations of messages are forgotten after this. Those of events and steps last as long as
  /// the log holds the step.
  duration message_memory = std::chrono::hours{24};
  instant now{};  ///< by the wall clock
  std::function<void(const quarantine_news&)> report;
};

/// Reads `crashes` and writes it anew (made when there is none) without what counts no more: an
/// event or a step that the log did not get is accused as its message, if at all, for its numbers
/// are given to others. An event is kept out when it was at hand at two crashes, those before its
/// message got into the log included. Errors: what `files` says.
[[nodiscard]] result<std::unique_ptr<quarantine>> open_quarantine(
    std::shared_ptr<file_system> files, const quarantine_setup& setup);

}  // namespace tocsin
