// SPDX-License-Identifier: Apache-2.0
// Alerts for tests of the store: made, moved and collected as the book would hand them over.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "support/scratch_folder.hpp"
#include "tocsin/alert.hpp"
#include "tocsin/alert_book.hpp"

namespace tocsin::testing {

/// Noon of a day in March 2026: the time that sample alerts begin around.
inline constexpr instant sample_noon = from_unix_ms(1'772'366'400'000);

/// An alert of rule "rule-R", fields filled from the number; firing, started and at sample_noon +
/// number seconds.
[[nodiscard]] alert sample_alert(std::uint64_t number, std::uint64_t rule = 0);

/// Numbers transitions and collects them, and each changed alert as it stands last.
class change_maker {
 public:
  explicit change_maker(std::uint64_t seq = 0) : seq_(seq) {}

  /// The first transition of an alert.
  transition begin(alert of);
  /// A further one.
  transition move(const transition& from, alert_state to, instant at, std::string actor,
                  std::string cause, std::string note = "");
  /// No transition: only the alert as it stands.
  transition update(const transition& from, const std::function<void(alert&)>& edit);

  /// What was collected since the last call.
  book_changes take();
  [[nodiscard]] std::uint64_t seq() const noexcept { return seq_; }

 private:
  transition collect(alert made);
  std::uint64_t seq_;
  std::map<fingerprint, transition> now_;
  book_changes changes_;
};

}  // namespace tocsin::testing
