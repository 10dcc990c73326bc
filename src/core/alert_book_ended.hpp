// SPDX-License-Identifier: Apache-2.0
// What must be known of alerts that have ended, for when they begin again: how they were
// evaluated.
#pragma once

#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/alert_book_entries.hpp"

namespace tocsin {

/// Remembers ended alerts for a while, under their fingerprints.
class ended_memory {
 public:
  static constexpr std::string_view fact_prefix = "ended/";

  /// `flaps_for`: how long evaluations count; 0: not at all.
  explicit ended_memory(duration flaps_for) : flaps_for_(flaps_for) {}

  /// An alert ended at `at`.
  void keep(const active_alert& ended, instant at);
  /// An alert begins at `at`, and goes on with the evaluations that are remembered, which are then
  /// forgotten.
  void give_back(active_alert& fresh, const fingerprint& print, instant at);
  /// Forgets what lies too long back.
  void forget(instant at);

  /// False for what take_changed() did not give.
  [[nodiscard]] bool restore(std::string_view key, std::string_view value);
  /// Facts that changed since the last call; "" is gone.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> take_changed();

 private:
  struct life {
    flap_detector flaps;
    instant evaluated_at{};
    instant ended_at{};
    instant until{};
  };

  duration flaps_for_;
  absl::flat_hash_map<fingerprint, life, fingerprint_hash> ended_;
  absl::btree_set<std::pair<instant, fingerprint>> by_until_;
  std::vector<std::pair<std::string, std::string>> changed_;
};

}  // namespace tocsin
