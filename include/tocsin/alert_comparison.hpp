// SPDX-License-Identifier: Apache-2.0
// What two sets of rules make of the same events, side by side: which alerts appear, vanish, move
// or change.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tocsin/alert.hpp"

namespace tocsin {

/// An alert from the moment it fired to its end.
struct past_alert {
  std::string rule;
  fingerprint print;
  std::vector<std::pair<std::string, std::optional<std::string>>> group;
  instant fired_at{};
  std::optional<instant> ended_at;  ///< resolved or closed; nothing: still active at the end
  severity fired_severity = severity::info;
  severity worst_severity = severity::info;
  std::string title;                                   ///< as it fired
  std::vector<std::pair<std::string, double>> values;  ///< as it fired
  std::uint64_t event_count = 0;                       ///< as it fired
};

/// Makes past alerts of transitions. Alerts that were never more than pending are none.
class alert_timeline {
 public:
  /// Takes the transitions of one pipeline in their order.
  void add(const alert& after);
  /// All alerts that fired so far, in the order in which they did.
  [[nodiscard]] const std::vector<past_alert>& alerts() const noexcept { return alerts_; }

 private:
  std::vector<past_alert> alerts_;
  std::map<fingerprint, std::size_t> active_;  ///< in alerts_
};

/// What became of one alert between the two.
struct alert_difference {
  enum class kind : std::uint8_t {
    same,      ///< nothing differs
    changed,   ///< fired at the same time, but something differs: see changes
    earlier,   ///< fired earlier under the new rules; changes may be there too
    later,     ///< fired later under the new rules
    appeared,  ///< only under the new rules
    vanished,  ///< only under the old rules
  };
  struct change {
    std::string field;  ///< "severity", "worst_severity", "event_count", "values.NAME", "ended_at"
    std::string before;
    std::string after;
  };
  kind what = kind::same;
  std::optional<past_alert> before;
  std::optional<past_alert> after;
  std::vector<change> changes;

  /// What the rule, the group and the order go by.
  [[nodiscard]] const past_alert& either() const { return after ? *after : *before; }
};
[[nodiscard]] std::string_view to_text(alert_difference::kind what) noexcept;

struct rule_comparison {
  std::string rule;
  bool is_old = false;  ///< among the old rules
  bool is_new = false;  ///< among the new rules
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  std::map<alert_difference::kind, std::uint64_t> counts;

  [[nodiscard]] std::uint64_t count(alert_difference::kind of) const {
    const auto found = counts.find(of);
    return found == counts.end() ? 0 : found->second;
  }
};

struct alert_comparison {
  std::vector<rule_comparison> rules;         ///< by name
  std::vector<alert_difference> differences;  ///< all but the same, by (time, rule, fingerprint)
};

/// Pairs the alerts of the same rule and key that overlap in time, [fired, ended), in order of
/// time: each with the first one of the other side that it overlaps. Numbers are equal within
/// 1e-9 of the larger. Alerts without a partner have appeared or vanished.
[[nodiscard]] alert_comparison compare_alerts(const std::vector<past_alert>& before,
                                              const std::vector<past_alert>& after,
                                              const std::vector<std::string>& old_rules,
                                              const std::vector<std::string>& new_rules);

/// True when two numbers differ by at most 1e-9 of the larger one.
[[nodiscard]] bool nearly_equal(double left, double right) noexcept;

}  // namespace tocsin
