// SPDX-License-Identifier: Apache-2.0
// What a pipeline has counted.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tocsin/enrichment.hpp"
#include "tocsin/ingest_ledger.hpp"
#include "tocsin/rule_totals.hpp"

namespace tocsin {

/// What the pipeline has counted so far.
struct pipeline_counts {
  ingest_counts events;
  std::map<std::string, std::uint64_t, std::less<>> rejected_by_code;
  std::map<std::string, ingest_counts> by_source;
  std::vector<enrichment_counts> enrichment;  ///< by step
  std::uint64_t unmatched = 0;                ///< accepted events that no rule wanted
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
};

}  // namespace tocsin
