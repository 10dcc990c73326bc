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
  std::uint64_t number = 0;  ///< log_step::number
  instant clock{};
  std::vector<finding> found;
  operation_ptr asked;  ///< to be done after the findings; null with most
  completion held;
  std::shared_ptr<const event_batch> batch;  ///< shard_findings::batch
};

/// Not thread-safe; owned by the alert manager.
class step_collector {
 public:
  /// The steps come after this one.
  explicit step_collector(std::uint64_t after = 0) : given_(after) {}

  /// Takes a part's findings; its `held` is left in place.
  void add(shard_findings& part);
  /// The oldest step not given yet, once all its parts are there. Ask until there is none: a part
  /// may complete the step that later, complete ones wait for.
  [[nodiscard]] std::optional<collected_step> next();

  /// Steps of which some part, or an earlier step's part, is missing.
  [[nodiscard]] std::size_t incomplete() const noexcept { return partial_.size(); }

 private:
  struct partial_step {
    collected_step so_far;
    std::uint64_t after = 0;   ///< logged_step::after
    std::uint32_t parts = 0;   ///< that have come
    std::uint32_t wanted = 1;  ///< known with the first part
  };
  [[nodiscard]] partial_step& at(std::uint64_t number);

  std::deque<partial_step> partial_;  ///< by number
  std::uint64_t given_;               ///< number of the last step that was given
};

}  // namespace tocsin
