// SPDX-License-Identifier: Apache-2.0
// What one rule has cost and done on one shard, and whether it may go on.
#pragma once

#include <cstdint>
#include <string>

namespace tocsin {

struct rule_meter {
  /// How the rule does, and what has been told of it by a built-in alert.
  enum class condition : std::uint8_t { well, exhausted, failed };

  std::uint64_t judgements = 0;
  std::uint64_t met = 0;        ///< times the condition became true
  std::uint64_t failures = 0;   ///< judgements that threw
  std::uint64_t exhausted = 0;  ///< judgements left out
  std::uint64_t work = 0;       ///< done in `second`
  std::int64_t second = 0;      ///< of the log's clock
  condition now = condition::well;
  condition told = condition::well;
  std::string why;  ///< what the exception said
};

}  // namespace tocsin
