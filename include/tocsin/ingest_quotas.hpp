// SPDX-License-Identifier: Apache-2.0
// How much one source may send, so that a flooding one does not starve the others.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "tocsin/time.hpp"

namespace tocsin {

/// Of one source, by the log's clock.
struct source_quota {
  /// Beyond it pushed events are shed, and answered requests are to be sent again later; 0: no
  /// bound.
  std::uint64_t events_per_second = 0;
  /// Distinct pairs of resource_id and item in one hour; an event with one more is rejected:
  /// too_many_keys. 0: no bound.
  std::uint64_t keys = 0;
  bool disabled = false;  ///< all its events are rejected: source_disabled
  friend bool operator==(const source_quota&, const source_quota&) = default;
};

struct ingest_quotas {
  source_quota every;  ///< of each source that is not named below; `disabled` is not used
  /// What a source has not used of this much time may come at once; 1 s to 1 h.
  duration burst = std::chrono::seconds{10};
  std::map<std::string, source_quota, std::less<>> by_source;  ///< by source_id
  /// Whether pushed events are dropped when the pipeline fills: from half full on those of level
  /// info or without one, from three quarters on also warnings, from nine tenths on also errors,
  /// critical ones never. Otherwise the door is shut when it is full, and senders wait.
  bool shed = false;
  friend bool operator==(const ingest_quotas&, const ingest_quotas&) = default;
};

}  // namespace tocsin
