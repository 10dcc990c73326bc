// SPDX-License-Identifier: Apache-2.0
// One entry of the event log: what ingest decided, with nothing left to decide when it is read
// again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/event.hpp"
#include "tocsin/fingerprint.hpp"
#include "tocsin/operation.hpp"
#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// An event that must be recognised when it comes again.
struct remembered_event {
  fingerprint key;            ///< of its source and event_id
  std::uint64_t content = 0;  ///< hash of all that the sender wrote
  /// Its `time` if the sender wrote one, else no_time. What is forgotten is told by it from what is
  /// new.
  instant time = no_time;

  static constexpr instant no_time = instant::min();
  friend bool operator==(const remembered_event&, const remembered_event&) = default;
};

/// A step of the log: events that arrived (stamped, enriched, without duplicates and without those
/// that a silence keeps out), time that passed, or an operation. Read again it gives the same step
/// to every shard, whatever settings and lookup tables have become since.
struct log_entry {
  std::uint64_t step = 0;                    ///< consecutive from 1; steps without effect are too
  instant clock{};                           ///< never smaller than the entry's before
  std::shared_ptr<const event_batch> batch;  ///< null: no events
  std::vector<remembered_event> seen;        ///< of events that came with an answer wanted
  std::shared_ptr<const operation> asked;    ///< null: none
  /// In place of `seen`: each event of the batch is such a one, and is as the sender wrote it, so
  /// that recognisable() says again what to remember of it.
  bool batch_is_seen = false;
};

/// Appends the entry's bytes (docs/event-log.md specifies them; the first one is their version).
void encode_log_entry(const log_entry& entry, std::string& into);
/// What encode_log_entry wrote. Texts of events are views into `bytes`, which `owner` keeps alive;
/// events with the same labels may share them. Errors: bad_log_entry, with what does not fit and at
/// which byte; never more memory than a small multiple of the bytes, whatever they claim.
[[nodiscard]] result<log_entry> decode_log_entry(std::string_view bytes,
                                                 std::shared_ptr<const void> owner);

}  // namespace tocsin
