// SPDX-License-Identifier: Apache-2.0
// The alerts' life cycle: one active alert per fingerprint, moved by findings and by the log's
// clock.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {

/// A transition is the alert as it is after it.
using transition = std::shared_ptr<const alert>;

/// Not thread-safe; owned by the alert manager. Deterministic: the same steps give the same
/// transitions.
///
/// States: (none) -> pending (a rule with `for`) -> firing -> resolved | closed. A pending alert
/// whose condition clears is resolved. While keep_firing_for runs the alert stays firing; a
/// condition met again stops that clock. A severity that gets worse is a transition firing ->
/// firing with cause "severity upgraded"; one that gets better changes the alert with no
/// transition.
class alert_book {
 public:
  explicit alert_book(std::shared_ptr<const rule_set> rules);
  ~alert_book();
  alert_book(alert_book&&) noexcept;

  /// Takes all findings of one log step (any order; the book sorts them) and the step's clock;
  /// first runs out the timers that are due before each finding, and at last those due before
  /// `clock`. Precondition: clock is not smaller than at the call before.
  [[nodiscard]] std::vector<transition> step(instant clock, std::vector<finding> findings);

  /// The active (pending, firing) alerts, by fingerprint.
  [[nodiscard]] std::vector<transition> active() const;
  [[nodiscard]] std::size_t active_count() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace tocsin
