// SPDX-License-Identifier: Apache-2.0
// What waits to be written to the event log, and who is to be answered when it lasts: one append
// and one sync for all that has come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "messages.hpp"
#include "tocsin/event_log.hpp"

namespace tocsin {

/// Not thread-safe; owned by the log writer.
class log_queue {
 public:
  explicit log_queue(std::shared_ptr<event_log> log);

  void add(log_append in);
  /// Somebody waits for this step to last: time that passed is synced with it as well, which
  /// otherwise waits for the next events.
  void want(std::uint64_t step);

  /// Writes all that waits, in one append, syncs where somebody cares, and answers. When the log
  /// has no room, what waits waits on, and is tried again with what comes; those who wait for an
  /// answer are told to send again, once.
  struct outcome {
    std::uint64_t reached = 0;    ///< the log now lasts up to this step; 0: as before
    std::optional<error> failed;  ///< log_full; or log_broken: nothing can be written any more
  };
  [[nodiscard]] outcome write();

  /// Records that are not in the log.
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }
  [[nodiscard]] event_log_counts counts() const;

 private:
  struct waiting_record {
    std::uint64_t step = 0;
    instant clock{};
    std::size_t begin = 0, size = 0;  ///< in bytes_
  };
  struct waiting_answer {
    std::shared_ptr<const burst> asked;
    std::vector<burst_outcome> outcomes;
    completion held;
  };
  [[nodiscard]] std::optional<error> append();
  [[nodiscard]] std::optional<error> sync();
  void answer_all();
  void tell_to_send_again();

  std::shared_ptr<event_log> log_;
  std::string bytes_;  ///< of waiting_, encoded
  std::vector<waiting_record> waiting_;
  std::vector<completion> held_;         ///< by waiting_: their bursts are under way
  std::vector<waiting_answer> answers_;  ///< in order
  std::uint64_t appended_;               ///< the last step in the log
  std::uint64_t synced_;                 ///< the last step that lasts
  std::uint64_t wanted_ = 0;             ///< the last step that somebody wants to last
  event_log_counts counts_;
};

}  // namespace tocsin
