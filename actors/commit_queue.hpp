// SPDX-License-Identifier: Apache-2.0
// What waits to be stored, and what is to be told when it is: several changes go into one
// transaction.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "messages.hpp"
#include "tocsin/alert_store.hpp"

namespace tocsin {

/// Not thread-safe; owned by the recorder.
class commit_queue {
 public:
  explicit commit_queue(std::shared_ptr<alert_store> store) : store_(std::move(store)) {}

  void add(changes_made in);

  /// Stores all that waits, in one transaction. When that fails it waits on, and is tried again
  /// with what comes; but everyone is answered, with the failure. Gives what sinks may see now, in
  /// order: what was stored, or could not be, for alerts already decided go out in any case. Each
  /// is given once.
  struct outcome {
    std::vector<changes_made> to_tell;
    std::optional<error> failed;
  };
  [[nodiscard]] outcome commit();

  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }
  /// Transitions that wait.
  [[nodiscard]] std::size_t waiting_transitions() const noexcept { return transitions_; }
  [[nodiscard]] const store_counts& counts() const noexcept { return counts_; }

 private:
  std::shared_ptr<alert_store> store_;
  std::vector<changes_made> waiting_;
  std::size_t told_ = 0;  ///< of waiting_, from the front: sinks know them, only storing is left
  std::size_t transitions_ = 0;
  store_counts counts_;
};

}  // namespace tocsin
