// SPDX-License-Identifier: Apache-2.0
// Inhibition: alerts that make others not worth a notice.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/label_matcher.hpp"

namespace tocsin {

/// While an alert that `source` accepts fires, those that `target` accepts and that have the same
/// values of the `equal` labels (missing is "") do not notify. An alert that both sides accept is
/// not inhibited by alerts that both sides accept: so none inhibits itself.
struct inhibit_rule {
  label_matchers source;
  label_matchers target;
  std::vector<std::string> equal;
};

/// Keeps who inhibits whom. Not thread-safe.
class inhibitor {
 public:
  explicit inhibitor(std::vector<inhibit_rule> rules);
  ~inhibitor();
  inhibitor(inhibitor&&) noexcept;

  /// An alert began, changed its labels or severity, or ended. `active`: it is a target;
  /// `firing`: it is firing or acknowledged, so it is a source too. Gives the fingerprints of
  /// targets (the alert itself may be among them) for whom inhibited_by() may have changed, each
  /// once, in order.
  [[nodiscard]] std::vector<fingerprint> update(const alert& now, bool active, bool firing);

  /// The alert ids (as texts, sorted) of those that inhibit it. Empty for who was not told by
  /// update().
  [[nodiscard]] std::vector<std::string> inhibited_by(const fingerprint& print) const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace tocsin
