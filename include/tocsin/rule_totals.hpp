// SPDX-License-Identifier: Apache-2.0
// What has been counted of one rule.
#pragma once

#include <cstdint>

namespace tocsin {

/// What has been counted of one rule, on one shard or on all.
struct rule_totals {
  std::uint64_t late = 0;   ///< events kept out of at least one of its closed windows
  std::uint64_t keys = 0;   ///< keys with state, the __overflow__ key too
  std::uint64_t bytes = 0;  ///< of state, estimated; shared state counts for each who shares it
  std::uint64_t overflowed = 0;  ///< events that went to the __overflow__ key
  std::uint64_t judgements = 0;  ///< times `having` was evaluated
  std::uint64_t met = 0;         ///< times the condition became true
  std::uint64_t failures = 0;    ///< judgements that threw: the rule is off since the first
  std::uint64_t exhausted = 0;   ///< judgements left out because the budget was used up
};

}  // namespace tocsin
