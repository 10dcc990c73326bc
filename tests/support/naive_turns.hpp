// SPDX-License-Identifier: Apache-2.0
// Windows whose meaning depends on order, told the slow way: events wait until the watermark is
// beyond their time and then have their turn by (time, position).
#pragma once

#include "support/naive_rule.hpp"

namespace tocsin::testing {

class naive_turns : public naive_rule {
 public:
  using naive_rule::naive_rule;

  void pass_time(instant watermark, std::vector<finding>& out) final;
  void judge_arrival(const naive_arrival& from, std::vector<finding>& out) final;

 protected:
  /// A key's next deadline; nothing when it waits for none.
  [[nodiscard]] virtual std::optional<instant> next_timer(const naive_key& key) const = 0;
  /// The key's next deadline has passed.
  virtual void run_timer(naive_key& key, std::vector<finding>& out) = 0;
  virtual void turn(naive_key& key, const naive_event& what, std::vector<finding>& out) = 0;
  virtual void forget_turns(const key_values& name) = 0;

 private:
  bool take(naive_key& key, const naive_event& what, instant watermark) final;
  void forget(const naive_key& key) final;
  void run_timers(naive_key& key, instant until, std::vector<finding>& out);

  std::map<key_values, std::vector<const naive_event*>> waiting_;
};

}  // namespace tocsin::testing
