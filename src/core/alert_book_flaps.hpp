// SPDX-License-Identifier: Apache-2.0
// How alerts that have ended were evaluated, for when they begin again.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/alert_book_entries.hpp"

namespace tocsin {

/// Remembers an ended alert's evaluations for a while, under its fingerprint.
class flap_memory {
 public:
  static constexpr std::string_view fact_prefix = "flap/";

  explicit flap_memory(duration length) : length_(length) {}

  /// An alert ended at `at`. One that never changed is not worth remembering.
  void keep(const active_alert& ended, instant at);
  /// An alert begins at `at`: it goes on with what is remembered, which is then forgotten.
  void give_back(active_alert& fresh, instant at);
  /// Forgets what lies too long back.
  void forget(instant at);

  /// False for what take_changed() did not give.
  [[nodiscard]] bool restore(std::string_view key, std::string_view value);
  /// Facts that changed since the last call; "" is gone.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> take_changed();

 private:
  struct evaluations {
    flap_detector flaps;
    instant evaluated_at{};
    instant ended_at{};
  };
  struct print_hash {
    std::size_t operator()(const fingerprint& print) const noexcept { return print.low; }
  };
  void remember(const fingerprint& print, const evaluations& seen);

  duration length_;
  absl::flat_hash_map<fingerprint, evaluations, print_hash> ended_;
  std::deque<std::pair<instant, fingerprint>> by_end_;  ///< also of what came back meanwhile
  std::vector<std::pair<std::string, std::string>> changed_;
};

}  // namespace tocsin
