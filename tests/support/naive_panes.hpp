// SPDX-License-Identifier: Apache-2.0
// Fixed, sliding and trailing windows told the slow way: no panes, each window from all events.
#pragma once

#include <set>

#include "support/naive_rule.hpp"

namespace tocsin::testing {

/// Where a fixed or sliding window's ends lie. Days in a time zone come from absl's civil time,
/// one after the other.
class naive_grid {
 public:
  explicit naive_grid(const window_spec& spec);

  /// The first window end after `time`.
  [[nodiscard]] instant first_end_after(instant time) const;
  /// The end that follows an end.
  [[nodiscard]] instant next(instant end) const;
  /// Where the window with that end starts.
  [[nodiscard]] instant start_of(instant end) const;
  /// The last end of a window that holds `time`.
  [[nodiscard]] instant last_end_with(instant time) const;

 private:
  struct zone;

  window_spec spec_;
  std::shared_ptr<const zone> zone_;  ///< null: plain lengths of time
};

class naive_panes final : public naive_rule {
 public:
  naive_panes(const rule_set& rules, const rule& by);

  void pass_time(instant watermark, std::vector<finding>& out) override;
  void judge_arrival(const naive_arrival& from, std::vector<finding>& out) override;

 private:
  bool take(naive_key& key, const naive_event& what, instant watermark) override;
  void forget(const naive_key& key) override;

  void close_windows(naive_key& key, instant watermark, std::vector<finding>& out);
  void close_window(naive_key& key, instant end, std::vector<finding>& out) const;
  [[nodiscard]] std::optional<instant> next_end(const naive_key& key, instant from) const;
  [[nodiscard]] naive_window window_ending(const naive_key& key, instant end,
                                           instant judged_at) const;
  [[nodiscard]] std::optional<naive_window> first_open_that_holds(const naive_key& key,
                                                                  instant after) const;
  /// All window ends from `from` to `to`, both included, of trailing windows only `from` and those
  /// at which what a window holds is not what it held a millisecond before.
  [[nodiscard]] std::set<instant> ends_between(const naive_key& key, instant from,
                                               instant to) const;
  [[nodiscard]] std::vector<instant> changes_by(instant time) const;

  naive_grid grid_;
  std::optional<instant> watermark_;
  /// Keys that events came for since the last close: news for a condition that is met.
  std::set<key_values> touched_;
};

}  // namespace tocsin::testing
