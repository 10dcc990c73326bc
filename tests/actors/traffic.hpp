// SPDX-License-Identifier: Apache-2.0
// Rules and a random stream of events that make the whole pipeline work: all kinds of windows,
// late events, bad messages, recoveries.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/shield_board.hpp"
#include "tocsin/pipeline.hpp"

namespace tocsin::testing {

/// Where all test streams begin.
inline constexpr instant traffic_start = from_unix_ms(1'700'000'000'000);

/// Sliding and fixed windows, early and at the close, a session, `for` and keep_firing_for.
[[nodiscard]] std::shared_ptr<const rule_set> traffic_rules();

/// A rule that fires at each key's first event.
[[nodiscard]] std::shared_ptr<const rule_set> every_event_fires();

/// The same in windows of 100 ms that close at once.
[[nodiscard]] std::shared_ptr<const rule_set> every_event_fires_shortly();

/// One message: an event of `resource` that happened at `when`.
[[nodiscard]] std::string event_message(const std::string& resource, instant when);

/// A burst of its own copies of `messages`; `arrivals` may be empty.
[[nodiscard]] burst burst_of(const std::vector<std::string>& messages,
                             std::vector<instant> arrivals = {});

/// A board with a silence that keeps events with these matchers out.
[[nodiscard]] std::shared_ptr<shield_board> keeping_out(std::string_view matchers);

/// What came in, one message after the other.
struct traffic {
  std::vector<std::string> messages;
  std::vector<instant> arrivals;

  /// The same messages in bursts of random sizes.
  [[nodiscard]] std::vector<burst> in_bursts(std::uint32_t seed) const;
  /// When all windows have closed.
  [[nodiscard]] instant end() const;
};

/// `count` random messages, about one in fifty not an event.
[[nodiscard]] traffic random_traffic(std::uint32_t seed, std::size_t count);

}  // namespace tocsin::testing
