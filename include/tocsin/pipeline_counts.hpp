// SPDX-License-Identifier: Apache-2.0
// What a pipeline has counted.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/enrichment.hpp"
#include "tocsin/ingest_ledger.hpp"
#include "tocsin/rule_totals.hpp"
#include "tocsin/silence.hpp"

namespace tocsin {

/// What the alert store has been through; all 0 without one.
struct store_counts {
  std::uint64_t commits = 0;
  std::uint64_t failures = 0;  ///< commits that failed; what they held was tried again
  std::string last_failure;    ///< why the last of them failed; "" when none did
  double commit_seconds = 0;   ///< all commits together
  std::uint64_t waiting = 0;   ///< transitions not stored yet
  std::uint64_t bytes = 0;     ///< on disk
  std::uint64_t notices_delivered = 0;
  std::uint64_t notices_failed = 0;   ///< given up
  std::uint64_t notices_retried = 0;  ///< tries that failed and come again
};

/// What the event log has been through; all 0 without one.
struct event_log_counts {
  std::uint64_t records = 0;         ///< appended
  std::uint64_t appended_bytes = 0;  ///< in them
  std::uint64_t syncs = 0;
  double sync_seconds = 0;     ///< all syncs together
  std::uint64_t failures = 0;  ///< appends that found no room; what they held was tried again
  std::string last_failure;    ///< why the last of them failed; "" when none did
  bool full = false;           ///< the last append failed: what waits is not in the log
  std::uint64_t waiting = 0;   ///< records not appended yet
  std::uint64_t bytes = 0;     ///< on disk
};

/// What became of snapshots; all 0 without an event log.
struct snapshot_counts {
  std::uint64_t kept = 0;
  std::uint64_t failures = 0;  ///< that could not be kept; the next one is tried in its time
  std::string last_failure;
  double seconds = 0;       ///< to keep them, all together
  std::uint64_t bytes = 0;  ///< of the newest one
};

/// What the pipeline has counted so far.
struct pipeline_counts {
  ingest_counts events;
  std::map<std::string, std::uint64_t, std::less<>> rejected_by_code;
  std::map<std::string, ingest_counts> by_source;
  std::vector<enrichment_counts> enrichment;  ///< by step
  std::uint64_t unmatched = 0;                ///< accepted events that no rule wanted
  std::uint64_t shielded = 0;                 ///< accepted events that a silence kept out of rules
  std::uint64_t quarantined = 0;              ///< events of the log that were kept out of rules
  std::uint64_t steps = 0;                    ///< batches and ticks
  std::uint64_t updates = 0;                  ///< (event, unit) pairs taken into a window
  std::uint64_t judgements = 0;               ///< evaluations of a `having`
  std::uint64_t keys = 0;                     ///< keys alive
  std::uint64_t bytes = 0;                    ///< of windows' state, estimated
  std::uint64_t overflowed = 0;  ///< (event, unit) pairs that went to a rule's __overflow__ key
  std::map<std::string, rule_totals> by_rule;
  std::map<std::string, std::uint64_t> late_by_source;  ///< events late for some rule
  std::uint64_t transitions = 0;
  std::uint64_t active_alerts = 0;
  std::map<alert_state, std::uint64_t> alerts_by_state;      ///< pending, firing, acknowledged
  std::uint64_t suppressed_alerts = 0;                       ///< active ones that have a shield
  std::map<silence_state, std::uint64_t> silences_by_state;  ///< all three
  std::uint64_t notification_groups = 0;
  std::map<std::string, std::uint64_t, std::less<>> notices_by_receiver;  ///< made so far
  std::map<std::string, std::uint64_t, std::less<>> failed_checks;        ///< by check
  store_counts store;
  event_log_counts log;
  snapshot_counts snapshots;
  std::uint64_t recovery_steps = 0;  ///< of the event log, gone through again at the start
};

}  // namespace tocsin
