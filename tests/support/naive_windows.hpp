// SPDX-License-Identifier: Apache-2.0
// The obvious, quadratic window engine that the real one must equal: keeps every event, works out
// every window from scratch, each rule by itself.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "support/naive_rule.hpp"

namespace tocsin::testing {

/// The meaning of windows (docs/rules.md, "Windows") written down as directly as C++ allows: no
/// panes, no deadlines' queue, no shards. Units only say which rules' events are counted together
/// and which rules share the memory of ids; bounds on state are not modelled.
class naive_windows {
 public:
  explicit naive_windows(std::shared_ptr<const rule_set> rules);

  /// One step of the log; a null batch is a tick. The findings come in their one order.
  std::vector<finding> step(instant clock, const std::shared_ptr<const event_batch>& batch);

  /// (event, unit) pairs that counted.
  [[nodiscard]] std::uint64_t updates() const noexcept { return updates_; }
  /// By rule_set::rules index.
  [[nodiscard]] std::vector<std::uint64_t> late_by_rule() const;
  /// True when some rule's condition is met for some key.
  [[nodiscard]] bool any_met() const;

 private:
  using key_memories = std::map<key_values, std::shared_ptr<id_memory>>;

  void pass_time(const unit& of, instant clock);
  void take(const unit& of, const naive_arrival& from);
  void recover(const unit& of, const naive_arrival& from);
  /// Notes an accepted event's id where rules share panes.
  static void remember_id(const unit& of, const naive_arrival& from, id_memory& ids);

  std::shared_ptr<const rule_set> rules_;
  std::vector<std::unique_ptr<naive_rule>> by_rule_;  ///< by rule_set::rules index
  std::vector<key_memories> ids_;                     ///< by unit; fixed and sliding windows only
  std::uint64_t updates_ = 0;
  bool began_ = false;
  std::vector<finding> out_;
};

}  // namespace tocsin::testing
