// SPDX-License-Identifier: Apache-2.0
// How a rule might be changed so that it makes less noise: what could be tried, and what each try
// would have changed. docs/advising.md tells the thoughts behind it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/rule.hpp"

namespace tocsin {

/// An alert of a trial, from the moment it fired to its end.
struct trial_alert {
  fingerprint print;
  std::string group;  ///< the group's names and values: equal for the same group of any trial
  instant fired_at{};
  std::optional<instant> ended_at;  ///< nothing: active when the trial ended
  /// The least and the most of each selected value, and of "event_count", at its transitions.
  std::map<std::string, std::pair<double, double>, std::less<>> reached;
  bool acknowledged = false;  ///< an operator took it seriously; a trial by itself knows of none

  /// True when the two share some time. What fires counts for a millisecond at least.
  [[nodiscard]] bool overlaps(const trial_alert& other) const noexcept;
};

/// Makes trial alerts of the transitions of one rule. Alerts that were never more than pending are
/// none.
class rule_trial {
 public:
  /// Takes transitions in their order.
  void add(const alert& after);
  /// All alerts that fired so far, in the order in which they did.
  [[nodiscard]] const std::vector<trial_alert>& alerts() const noexcept { return alerts_; }

 private:
  std::vector<trial_alert> alerts_;
  std::map<fingerprint, std::size_t> active_;  ///< in alerts_
};

/// One thing of a rule changed.
struct rule_change {
  enum class kind : std::uint8_t {
    threshold,  ///< a number that `having` compares with
    window,     ///< the length of a fixed or sliding window
    pending,    ///< `for`
  };
  kind what = kind::threshold;
  std::string field;   ///< as a rule file has it: "having", "window.sliding", "for"
  std::string before;  ///< its value as written there
  std::string after;
  rule_spec rule;  ///< the whole rule with the change
};

/// What a change would have done to the alerts that there were.
struct change_effect {
  std::uint64_t before = 0;        ///< alerts without the change
  std::uint64_t after = 0;         ///< alerts with it
  std::uint64_t noise_gone = 0;    ///< of the noise, alerts that no alert overlaps any more
  std::uint64_t trouble_lost = 0;  ///< of the trouble, likewise
  std::uint64_t appeared = 0;      ///< alerts with it that overlap none without it
  /// By how much the trouble that stays fires later; 0 where it does not. Nothing: none stays.
  std::optional<duration> delay_median;
  std::optional<duration> delay_max;
};

/// Thinks about one rule: observe() once, then candidates() and effect_of().
class rule_advisor {
 public:
  /// Fewer alerts than this tell nothing.
  static constexpr std::size_t alerts_min = 5;

  /// `rule` compiles.
  explicit rule_advisor(rule_spec rule);

  /// The rule as the first trial runs it: it means the same and its alerts have the same
  /// fingerprints, but its alerts also tell the aggregates that `having` compares with a number.
  [[nodiscard]] const rule_spec& observed() const noexcept { return observed_; }

  /// Takes the alerts of that trial. `noise_max`: an alert that ended within it and that nobody
  /// acknowledged is noise, all others are trouble; nothing: the median of those that ended.
  void observe(std::vector<trial_alert> alerts, std::optional<duration> noise_max = std::nullopt);

  [[nodiscard]] const std::vector<trial_alert>& alerts() const noexcept { return alerts_; }
  [[nodiscard]] duration noise_max() const noexcept { return noise_max_; }
  [[nodiscard]] std::uint64_t noise() const noexcept;
  [[nodiscard]] std::uint64_t trouble() const noexcept;
  /// Why nothing can be said, in words; "" when something can.
  [[nodiscard]] std::string obstacle() const;

  /// What is worth a trial, each differing from the rule in one thing, stricter ones later; all
  /// compile. Thresholds move only to the side on which fewer alerts fire.
  [[nodiscard]] std::vector<rule_change> candidates() const;

  /// Compares the alerts of a candidate's trial with those observed, group by group.
  [[nodiscard]] change_effect effect_of(const std::vector<trial_alert>& after) const;

 private:
  /// A comparison of `having` with a number.
  struct threshold {
    std::size_t begin = 0;  ///< of the number in the text
    std::size_t end = 0;
    double value = 0;
    bool whole = false;    ///< written without a point
    bool upwards = false;  ///< fewer alerts fire when the number is greater
    bool strict = false;   ///< a measure that equals the number does not fire
    std::string measure;   ///< what is compared, by its name in `reached`; "": not told
  };

  [[nodiscard]] bool is_noise(const trial_alert& of) const noexcept;
  void find_thresholds();
  [[nodiscard]] std::vector<double> values_for(const threshold& of) const;
  void add_thresholds(std::vector<rule_change>& to) const;
  void add_windows(std::vector<rule_change>& to) const;
  void add_pending(std::vector<rule_change>& to) const;

  rule_spec rule_;
  rule_spec observed_;
  std::vector<threshold> thresholds_;
  std::vector<trial_alert> alerts_;
  std::vector<duration> lengths_;  ///< of the alerts that ended, sorted
  duration noise_max_{};
};

/// The change to propose: of those that lose no trouble the one that takes most noise away (what
/// appears counts against it), then delays least, then comes first. Nothing: none is better than
/// the rule as it is.
[[nodiscard]] std::optional<std::size_t> choose(const std::vector<change_effect>& effects);

}  // namespace tocsin
