// SPDX-License-Identifier: Apache-2.0
// How much state windows may hold, and how much work a rule may do.
#pragma once

#include <cstdint>
#include <functional>

namespace tocsin {

struct rule;

/// Bounds on the state of windows, so that no flood of keys can take more memory than there is. Of
/// a pipeline they are split evenly over its shards.
struct engine_limits {
  std::uint64_t keys = 2'000'000;  ///< (key, unit) pairs with state, all rules together
  std::uint64_t bytes = 1024ULL * 1024 * 1024;  ///< of state, all rules together
  /// Work that one rule's judgements may do in one second of the log's clock, in panes merged plus
  /// conditions evaluated; beyond it the rule is not judged until the next second.
  std::uint64_t work_per_second = 100'000'000;
  /// Called before each judgement; what it throws counts as the rule's own failure. For the tests
  /// of isolation.
  std::function<void(const rule&)> before_judgement;
};

}  // namespace tocsin
