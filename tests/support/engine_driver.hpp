// SPDX-License-Identifier: Apache-2.0
// Builds events and rules for window tests and feeds them through a router and any number of
// engines, as the pipeline does.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tocsin/event_router.hpp"
#include "tocsin/rule_set.hpp"
#include "tocsin/window_engine.hpp"

namespace tocsin::testing {

/// An event that owns its texts. Nothing is NULL, "" is empty.
struct window_event {
  long long arrived_ms = 0;
  long long time_ms = 0;
  std::optional<std::string> id;
  std::optional<std::string> source;
  std::optional<std::string> resource;
  std::optional<std::string> resource_name;
  std::optional<std::string> item;
  std::optional<double> value;
  std::optional<severity> level;
  event_action action = event_action::firing;
  std::vector<std::pair<std::string, std::string>> text_labels;
  std::vector<std::pair<std::string, double>> number_labels;
  std::vector<std::string> null_labels;
};

/// A stamped batch that keeps its own memory; its clock is the last event's arrival.
[[nodiscard]] std::shared_ptr<const event_batch> make_batch(const std::vector<window_event>& events,
                                                            std::uint64_t first_position);

/// Compiles rules that must be right: with an error the test fails and the result is null.
[[nodiscard]] std::shared_ptr<const rule_set> compile_rules(std::vector<rule_spec> specs);

/// One line that shows every field of a finding, its texts included: equal findings have equal
/// lines. Rules stand by name, so that findings of different rule sets can be compared. Numbers
/// stand with 9 significant digits, below 1e-9 as 0: another order of summation changes the rest.
[[nodiscard]] std::string describe(const finding& what, const rule_set& rules);

/// A router and `shards` engines. Steps must come with a clock that never decreases.
class engine_driver {
 public:
  engine_driver(std::shared_ptr<const rule_set> rules, std::size_t shards,
                const engine_limits& limits = {});

  /// The findings of one step of all shards, in their one order. A null batch is a tick.
  std::vector<finding> step(instant clock, const event_batch* batch);
  /// The same, with positions given out in order of arrival.
  std::vector<finding> take(long long clock_ms, const std::vector<window_event>& events);
  std::vector<finding> take(const window_event& event) { return take(event.arrived_ms, {event}); }
  std::vector<finding> tick(long long clock_ms) { return take(clock_ms, {}); }

  /// Puts engines that go on from what the present ones save in their place. Gives what a shard
  /// said against it, or "".
  std::string restart();
  /// What each shard saves.
  [[nodiscard]] std::vector<std::string> save() const;

  [[nodiscard]] engine_totals totals() const;                     ///< of all shards
  [[nodiscard]] std::vector<rule_totals> totals_by_rule() const;  ///< of all shards
  [[nodiscard]] const rule_set& rules() const noexcept { return *rules_; }

 private:
  [[nodiscard]] std::vector<window_engine> make_engines(std::size_t shards) const;

  std::shared_ptr<const rule_set> rules_;
  engine_limits limits_;
  event_router router_;
  std::vector<window_engine> engines_;
  std::uint64_t next_position_ = 1;
};

}  // namespace tocsin::testing
