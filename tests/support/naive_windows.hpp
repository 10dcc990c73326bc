// SPDX-License-Identifier: Apache-2.0
// The obvious, quadratic window engine that the real one must equal: keeps every event, works out
// every window from scratch.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin::testing {

/// The meaning of windows (docs/rules.md, "Windows") written down as directly as C++ allows: no
/// panes, no timers, no shards, nothing shared between rules but the filter.
class naive_windows {
 public:
  explicit naive_windows(std::shared_ptr<const rule_set> rules);

  /// One step of the log; a null batch is a tick. The findings come in their one order.
  std::vector<finding> step(instant clock, const std::shared_ptr<const event_batch>& batch);

  [[nodiscard]] std::uint64_t updates() const noexcept { return updates_; }
  [[nodiscard]] const std::vector<std::uint64_t>& late_by_unit() const noexcept { return late_; }
  /// True when some rule's condition is met for some key.
  [[nodiscard]] bool any_met() const noexcept;

  using key_values = std::vector<std::optional<std::string>>;  ///< by group field; nothing is NULL

  /// An event that counted.
  struct taken {
    std::shared_ptr<const event_batch> batch;
    const event* what = nullptr;
    instant time{};  ///< by the rule's clock
    std::uint64_t position = 0;
    bool over = false;  ///< its session has ended
  };

  /// A window with all it holds, in order of (time, position).
  struct window {
    window_bounds bounds;
    std::vector<const taken*> events;
    const taken* speaker = nullptr;  ///< the event that templates take fields from
  };

  /// How a rule stands for a key.
  struct standing {
    bool met = false;
    std::uint64_t newest = 0;  ///< greatest log position in the last met or updated's window
  };

  /// All that one unit knows of one key.
  struct history {
    key_values name;
    std::vector<taken> events;        ///< in log order, since the last recovery
    std::vector<standing> standings;  ///< by rule::bit
    /// Positions of the newest events with ids, those of ended sessions forgotten.
    std::vector<std::uint64_t> remembered;
  };

 private:
  void pass_time(const unit& of, instant watermark);
  void take(const unit& of, const std::shared_ptr<const event_batch>& batch, std::uint32_t index);
  void recover(const unit& of, const std::shared_ptr<const event_batch>& batch,
               std::uint32_t index);

  void close_windows(const unit& of, history& key, instant from, instant watermark);
  void close_window(const unit& of, history& key, instant end);
  [[nodiscard]] std::optional<instant> next_end(const unit& of, const history& key,
                                                instant from) const;
  [[nodiscard]] window window_ending(const unit& of, const history& key, instant end) const;
  [[nodiscard]] std::optional<window> first_open_that_holds(const rule& by, const unit& of,
                                                            const history& key,
                                                            instant after) const;

  void close_sessions(const unit& of, history& key, instant watermark);
  void close_session(const unit& of, history& key, const window& session);
  [[nodiscard]] std::vector<window> sessions(const unit& of, const history& key) const;

  /// A pane or session remembers the ids of its first event_ids_max events that have one.
  void remember_id(const unit& of, history& key) const;
  [[nodiscard]] bool holds(const rule& by, const history& key, const window& in) const;
  /// Reports met, or updated when it was met already and the window holds news.
  void report_holding(const rule& by, history& key, instant at, std::string_view cause,
                      const window& in);
  void report(finding::kind kind, const rule& by, history& key, instant at, std::uint64_t position,
              std::string_view cause, const window& in);
  [[nodiscard]] fingerprint print_of(const rule& by, const history& key) const;
  [[nodiscard]] key_values key_of(const unit& of, const event_batch& batch,
                                  const event& what) const;

  std::shared_ptr<const rule_set> rules_;
  std::vector<std::map<key_values, history>> keys_;  ///< by unit
  std::vector<std::optional<instant>> watermarks_;   ///< by unit
  std::vector<std::uint64_t> late_;
  std::uint64_t updates_ = 0;
  std::vector<finding> out_;
};

}  // namespace tocsin::testing
