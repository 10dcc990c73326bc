// SPDX-License-Identifier: Apache-2.0
// The few things of an alert that one line for people tells, from the alert itself or from its map.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

struct alert_summary {
  instant at{};
  std::string state;
  std::string previous_state;
  std::string severity;
  std::string rule;
  std::string title;
  std::string resource;  ///< resource_name, else resource_id, else ""
  std::string cause;
  std::string actor;
  std::string note;
  std::vector<std::string> shields;  ///< of "silenced", "inhibited", "muted" those that hold
  std::uint64_t event_count = 0;
};

[[nodiscard]] alert_summary summarize(const alert& of);

/// From the alert map in msgpack (docs/protocol.md). Keys that are missing leave their member
/// empty. Errors: malformed.
[[nodiscard]] result<alert_summary> read_summary(std::string_view alert_map);

}  // namespace tocsin
