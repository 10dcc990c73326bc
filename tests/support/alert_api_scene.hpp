// SPDX-License-Identifier: Apache-2.0
// Rules, routes, incidents and a few alerts for tests of the HTTP interfaces.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/direct_backend.hpp"
#include "tocsin/alert_policy.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin::testing {

/// 2026-03-02T10:00:00Z, a Monday: when the scene begins.
inline constexpr instant scene_begin = from_unix_ms(1'772'445'600'000);

/// Two rules, "disk-full" (error, "failures >= 3") and "fan-slow" (warning, with `for`); the route
/// team="web" to `web-pager`, all else to `pager`, both grouped by alertname; "disk-full" inhibits
/// "fan-slow" on the same host; three alerts of one
/// zone within 10 minutes make the incident "zone-down".
class alert_api_scene {
 public:
  alert_api_scene();

  /// An alert of "disk-full" on a host begins now, one second later than what was before.
  /// Gives its alert id as text.
  std::string disk_full(const std::string& host, double failures = 5,
                        const std::string& zone = "a");
  /// The condition is not met any more.
  void disk_well(const std::string& host);
  /// One of "fan-slow", which is pending for a minute.
  std::string fan_slow(const std::string& host);

  [[nodiscard]] direct_backend& backend() { return *backend_; }
  void pass(duration length) { backend_->set_now(backend_->now() + length); }

 private:
  std::string begin(std::uint32_t rule, const std::string& host, severity level,
                    std::shared_ptr<const alert_texts> texts, double failures);

  std::shared_ptr<const rule_set> rules_;
  std::unique_ptr<direct_backend> backend_;
  std::uint64_t position_ = 0;
};

}  // namespace tocsin::testing
