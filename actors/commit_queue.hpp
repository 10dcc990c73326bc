// SPDX-License-Identifier: Apache-2.0
// What waits to be stored, and what is to be told when it is: several changes go into one
// transaction, and none before the event log has its step.
#pragma once

#include <cstddef>
#include <cstdint>
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
  /// `reached`: the step up to which the event log lasts already.
  explicit commit_queue(std::shared_ptr<alert_store> store, std::uint64_t reached = 0)
      : store_(std::move(store)), reached_(reached) {}

  /// Steps never decrease.
  void add(changes_made in);
  /// The event log lasts up to this step.
  void reach(std::uint64_t step);
  /// The event log takes nothing at the moment: those who asked for what waits for it are answered
  /// with the failure. What waits waits on.
  void refuse(const error& why);

  /// Stores all that waits and that the log has, in one transaction. When that fails it waits on,
  /// and is tried again with what comes; but everyone is answered, with the failure. Gives what
  /// sinks may see now, in order: what was stored, or could not be, for alerts already decided go
  /// out in any case. Each is given once.
  struct outcome {
    std::vector<changes_made> to_tell;
    std::optional<error> failed;
  };
  [[nodiscard]] outcome commit();

  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }
  /// Transitions that wait.
  [[nodiscard]] std::size_t waiting_transitions() const noexcept { return transitions_; }
  /// The step that the log must reach before all that waits can be stored; 0 when it has.
  [[nodiscard]] std::uint64_t wanted() const noexcept;
  /// Is everything of the steps up to `step` in the log and in the store?
  [[nodiscard]] bool has_all_of(std::uint64_t step) const noexcept;
  [[nodiscard]] const store_counts& counts() const noexcept { return counts_; }

 private:
  [[nodiscard]] std::size_t ready() const noexcept;

  std::shared_ptr<alert_store> store_;
  std::uint64_t reached_;
  std::deque<changes_made> waiting_;
  std::size_t told_ = 0;  ///< of waiting_, from the front: sinks know them, only storing is left
  std::size_t transitions_ = 0;
  store_counts counts_;
};

}  // namespace tocsin
