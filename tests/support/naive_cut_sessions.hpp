// SPDX-License-Identifier: Apache-2.0
// Sessions that an event, a length or a number of events may end, told the slow way.
#pragma once

#include "support/naive_turns.hpp"

namespace tocsin::testing {

class naive_cut_sessions final : public naive_turns {
 public:
  naive_cut_sessions(const rule_set& rules, const rule& by);

 private:
  enum class ending { timeout, close, limit };

  [[nodiscard]] bool concerns(const naive_arrival& from) const override;
  [[nodiscard]] std::optional<instant> next_timer(const naive_key& key) const override;
  void run_timer(naive_key& key, std::vector<finding>& out) override;
  void turn(naive_key& key, const naive_event& what, std::vector<finding>& out) override;
  void forget_turns(const key_values& name) override;

  [[nodiscard]] bool closes(const event_batch& batch, const event& what) const;
  /// The open session, or an empty window.
  [[nodiscard]] naive_window open_session(const naive_key& key, instant judged_at) const;
  void enter(naive_key& key, const naive_event& what);
  void end(naive_key& key, ending by, instant time, std::vector<finding>& out);

  std::optional<expression> close_;
  std::map<key_values, std::vector<const naive_event*>> open_;  ///< the open sessions' events
};

}  // namespace tocsin::testing
