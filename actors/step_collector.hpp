// SPDX-License-Identifier: Apache-2.0
// Puts the shards' findings of each log step together again, in the log's order.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "messages.hpp"

namespace tocsin {

/// The findings of all shards for one step.
struct collected_step {
  instant clock{};
  std::vector<finding> found;
  completion held;
};

/// Not thread-safe; owned by the alert manager.
class step_collector {
 public:
  /// `shards` >= 1.
  explicit step_collector(std::size_t shards) : next_step_(shards, 1) {}

  /// Takes a part's findings (its `held` is left in place) and gives the step that it completes: as
  /// each shard reports its steps in order, that is always the oldest one. Precondition: the part
  /// is its shard's next.
  [[nodiscard]] std::optional<collected_step> take(shard_findings& part);

  /// Steps that some shard has reported and another has not.
  [[nodiscard]] std::size_t incomplete() const noexcept { return partial_.size(); }

 private:
  struct partial_step {
    collected_step so_far;
    std::size_t missing = 0;
  };
  std::vector<std::uint64_t> next_step_;  ///< by shard
  std::deque<partial_step> partial_;
  std::uint64_t oldest_ = 1;  ///< step number of partial_.front()
};

}  // namespace tocsin
