// SPDX-License-Identifier: Apache-2.0
// Random rules and logs for the window engine's property tests: made from a seed, shrunk, printed.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "support/engine_driver.hpp"
#include "tocsin/rule.hpp"

namespace tocsin::testing {

/// A seeded source of choices, the same on every platform (the standard's distributions are not).
class chooser {
 public:
  explicit chooser(std::uint64_t seed) : engine_(seed) {}
  /// A whole number from `low` to `high`, both included.
  long long number(long long low, long long high) {
    return low + static_cast<long long>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool one_in(long long many) { return number(1, many) == 1; }
  template <class T>
  const T& of(const std::vector<T>& choices) {
    return choices[static_cast<std::size_t>(number(0, static_cast<long long>(choices.size()) - 1))];
  }

 private:
  std::mt19937_64 engine_;
};

/// One line of a scenario's log.
struct log_line {
  bool tick = false;            ///< time passes to step_clock_ms and no event comes
  window_event event;           ///< when it is no tick
  bool ends_batch = true;       ///< the events since the last step make one
  long long step_clock_ms = 0;  ///< the step's clock when a step ends here; at least the arrival
};

struct scenario {
  std::vector<rule_spec> rules;
  std::vector<log_line> log;  ///< arrivals and clocks never decrease; the last one ends a batch
};

/// One step of a scenario; no events make a tick.
struct scenario_step {
  instant clock{};
  std::shared_ptr<const event_batch> batch;
};

/// What a scenario's rules may be made of. Kinds of windows that are on are about equally likely.
struct scenario_taste {
  bool fixed_and_sliding = true;
  bool sessions = true;       ///< plain ones
  bool long_windows = false;  ///< sliding ones of 20 to 60 steps instead of 1 to 6
  bool trailing = false;      ///< every: event
  bool cut_sessions = false;  ///< with close, max or max_events
  bool absence = false;       ///< some with expected keys
  bool sequences = false;
  bool zones = false;           ///< fixed windows of days in time zones
  bool baselines = false;       ///< fixed and sliding windows with a past to compare with
  bool all_aggregates = false;  ///< else count, sum, avg, min, max only
  bool times_in_texts = true;   ///< titles show window bounds
  std::size_t rules_max = 5;
  std::size_t events_max = 120;
  /// What a millisecond of windows, lateness and the log is stretched to: a log of seconds then
  /// lasts days.
  long long stretch = 1;
  /// Where the log begins; nothing: shortly after the epoch, or 1,000,000 ms later.
  std::optional<long long> begin_ms = {};

  /// All kinds of windows that need no time zone, and all aggregates.
  [[nodiscard]] static scenario_taste everything();
  /// Days in time zones, around a change to or from daylight saving time that `seed` chooses.
  [[nodiscard]] static scenario_taste days(std::uint64_t seed);
};

[[nodiscard]] scenario make_scenario(std::uint64_t seed, const scenario_taste& taste = {});
/// A rule's own part of make_scenario, for tests that put rules together themselves.
[[nodiscard]] rule_spec make_rule(chooser& choose, const std::string& name,
                                  const scenario_taste& taste);
[[nodiscard]] std::vector<log_line> make_log(chooser& choose, const scenario_taste& taste);

/// The log cut into steps as its lines say.
[[nodiscard]] std::vector<scenario_step> steps_of(const std::vector<log_line>& log);

/// The clock at which all that a scenario's rules wait for has passed.
[[nodiscard]] instant end_of_all(const scenario& what);

/// All findings of a log, one line each in their order, after time has passed far beyond its end.
[[nodiscard]] std::vector<std::string> findings_of(const std::vector<rule_spec>& rules,
                                                   const std::vector<log_line>& log,
                                                   std::size_t shards = 1);

/// Makes a failing scenario smaller as long as it still fails: drops rules, then runs of log lines.
[[nodiscard]] scenario shrink(scenario failing,
                              const std::function<bool(const scenario&)>& still_fails);

/// The rules and a table of the log, for a person to follow by hand.
[[nodiscard]] std::string to_text(const scenario& what);

/// How many times as much a property test is asked to do: TOCSIN_PROPERTY_ROUNDS, default 1.
[[nodiscard]] std::uint64_t property_rounds();
/// The only seed to run, from TOCSIN_PROPERTY_SEED, or nothing.
[[nodiscard]] std::optional<std::uint64_t> property_seed();

}  // namespace tocsin::testing
