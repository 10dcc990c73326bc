// SPDX-License-Identifier: Apache-2.0
// One engine beside a twin that is saved and restored before every step: both must find the same,
// so that each scenario is tried with a restart at each of its moments too.
#pragma once

#include <string>
#include <vector>

#include "support/engine_driver.hpp"

namespace tocsin::testing {

class restarted_engine {
 public:
  explicit restarted_engine(std::vector<rule_spec> rules);
  explicit restarted_engine(rule_spec rule) : restarted_engine(std::vector{std::move(rule)}) {}

  /// The findings of one step, as engine_driver gives them. Fails the test when the twin's differ.
  std::vector<finding> take(long long clock_ms, const std::vector<window_event>& events);
  std::vector<finding> take(const window_event& event) { return take(event.arrived_ms, {event}); }
  std::vector<finding> tick(long long clock_ms) { return take(clock_ms, {}); }

  [[nodiscard]] engine_totals totals() const { return steady_.totals(); }
  [[nodiscard]] const rule_set& rules() const noexcept { return steady_.rules(); }

 private:
  explicit restarted_engine(const std::shared_ptr<const rule_set>& rules)
      : steady_(rules, 1), twin_(rules, 1) {}

  engine_driver steady_;
  engine_driver twin_;
  bool begun_ = false;
};

/// What of findings does not depend on the order of arrival: time, kind, cause, count, bounds.
[[nodiscard]] std::vector<std::string> outlines(const std::vector<finding>& found);

}  // namespace tocsin::testing
