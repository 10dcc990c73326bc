// SPDX-License-Identifier: Apache-2.0
// Sequences told the slow way: how far each chain of steps has come.
#pragma once

#include "support/naive_turns.hpp"

namespace tocsin::testing {

class naive_sequences final : public naive_turns {
 public:
  naive_sequences(const rule_set& rules, const rule& by);

 private:
  using chain = std::vector<const naive_event*>;

  struct progress {
    std::map<std::size_t, chain> partial;  ///< by number of steps done: the newest such chain
    std::optional<instant> over;           ///< when the condition ends unless there is a new match
  };

  [[nodiscard]] bool concerns(const naive_arrival& from) const override;
  [[nodiscard]] std::optional<instant> next_timer(const naive_key& key) const override;
  void run_timer(naive_key& key, std::vector<finding>& out) override;
  void turn(naive_key& key, const naive_event& what, std::vector<finding>& out) override;
  void forget_turns(const key_values& name) override;

  [[nodiscard]] bool meets_step(std::size_t number, const event_batch& batch,
                                const event& what) const;
  /// When the wait for what must not come ends; nothing when none is open.
  [[nodiscard]] std::optional<instant> wait_end(const progress& of) const;
  [[nodiscard]] static naive_window window_of(const chain& events, instant judged_at);
  void came_after_all(naive_key& key, instant time, std::vector<finding>& out);
  void match(naive_key& key, const chain& events, instant time, std::string_view cause,
             std::vector<finding>& out);

  std::vector<expression> steps_;  ///< step k is steps_[k - 1]
  std::size_t positive_ = 0;       ///< steps that must come
  bool ends_absent_ = false;       ///< the last step must not come
  std::map<key_values, progress> progress_;
};

}  // namespace tocsin::testing
