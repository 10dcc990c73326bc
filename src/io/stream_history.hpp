// SPDX-License-Identifier: Apache-2.0
// What the alert stream sent last, and how each active alert stands: what a subscriber that missed
// something is told.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/stream_message.hpp"
#include "tocsin/alert.hpp"

namespace tocsin {

/// A transition's frames.
struct sent_message {
  std::uint64_t seq = 0;
  std::string topic;
  std::string header;
  std::string alert;
};
using sent = std::shared_ptr<const sent_message>;

/// The frames of a transition that has this number in the stream of `at`: always the same bytes.
[[nodiscard]] sent message_of(const stream_position& at, std::uint64_t seq, const alert& of);

/// An active alert's last transition and its number.
struct active_alert {
  std::uint64_t seq = 0;
  transition last;
};

/// The oldest transitions are forgotten beyond whichever comes first.
struct history_limits {
  std::size_t messages_max = 100'000;
  /// Of transitions, as if nobody else held them. Of active alerts the last one is held besides.
  std::size_t bytes_max = std::size_t{64} * 1024 * 1024;
};

/// Safe for any number of threads. begin() comes before the first record().
class stream_history {
 public:
  explicit stream_history(history_limits limits = {}) : limits_(limits) {}

  /// The numbering begins, or goes on: the next transition has seq at.seq + 1. What was recorded
  /// before is forgotten. `active` are the alerts that are active then, each with the number of its
  /// last transition as its seq (from 1 to at.seq, no two the same).
  void begin(stream_position at, const std::vector<transition>& active = {});
  /// Takes transitions from before begin(), oldest first, numbered without a gap: readers are told
  /// of them when the last one is the one before the oldest that is remembered. What there is no
  /// room for is passed over, oldest first.
  void remember(const std::vector<transition>& before);
  /// Takes the next transition and what it made of its alert: one that is resolved or closed is
  /// active no more. Gives its number.
  std::uint64_t record(const transition& of);

  /// Where a reader that has seen everything up to `since` goes on.
  struct entry {
    stream_position at;  ///< the last transition sent
    /// The history does not tell what came after `since`: it no longer reaches back, `since` was
    /// never sent, or `epoch` is another. Then `active` is how things stand at `at`.
    bool snapshot = false;
    std::vector<active_alert> active;  ///< those whose topic has the prefix, by seq
    std::uint64_t through = 0;         ///< where to go on with after()
  };
  [[nodiscard]] entry enter(std::uint64_t since, std::string_view prefix,
                            std::optional<std::uint64_t> epoch) const;

  /// Transitions whose topic has the prefix, in order.
  struct page {
    std::vector<sent> messages;
    std::uint64_t through = 0;  ///< where to go on; at.seq when there is nothing more
    stream_position at;         ///< the last transition sent
    bool lost = false;          ///< some of what followed `seq` is forgotten: nothing is given
  };
  /// Looks at the `looked_at_max` transitions after `seq`.
  [[nodiscard]] page after(std::uint64_t seq, std::string_view prefix,
                           std::size_t looked_at_max) const;

 private:
  [[nodiscard]] bool reaches_back_to(std::uint64_t seq) const;

  const history_limits limits_;
  mutable std::mutex guard_;
  stream_position at_;
  std::deque<transition> kept_;  ///< consecutive, up to at_.seq; frames are made when asked for
  std::size_t bytes_ = 0;        ///< of kept_
  absl::flat_hash_map<fingerprint, active_alert, fingerprint_hash> active_;  ///< by alert id
};

}  // namespace tocsin
