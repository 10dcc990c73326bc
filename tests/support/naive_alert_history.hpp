// SPDX-License-Identifier: Apache-2.0
// What a store of alerts has to answer, worked out the slow way from everything that was given.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tocsin/alert_store.hpp"

namespace tocsin::testing {

/// Keeps all in memory and looks at all of it for each answer.
class naive_alert_history {
 public:
  void apply(const book_changes& changes);
  /// As alert_store::maintain, at once.
  void forget(instant before);

  /// All alerts that the query chooses, whatever its limit and page.
  [[nodiscard]] std::vector<transition> history(const history_query& query) const;
  [[nodiscard]] std::vector<transition> transitions(const fingerprint& alert_id) const;
  /// As it stands; null: unknown.
  [[nodiscard]] transition find(const fingerprint& alert_id) const;
  [[nodiscard]] std::vector<transition> active() const;
  [[nodiscard]] alert_statistics statistics(instant from, instant until) const;

 private:
  /// An alert from its begin to its end.
  struct life {
    std::vector<transition> transitions;
    transition now;
  };
  [[nodiscard]] static bool ended(const life& of);
  [[nodiscard]] static std::optional<instant> fired_at(const life& of);
  [[nodiscard]] static std::optional<instant> acknowledged_at(const life& of);
  [[nodiscard]] static std::optional<instant> ended_at(const life& of);
  [[nodiscard]] static bool has_words(const life& of, const std::string& text);
  life& life_of(const transition& now);
  std::vector<life> lives_;  ///< in the order they began
};

}  // namespace tocsin::testing
