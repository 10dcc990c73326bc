// SPDX-License-Identifier: Apache-2.0
// Plain sessions told the slow way: found anew in all events that no ended session holds.
#pragma once

#include <set>

#include "support/naive_rule.hpp"

namespace tocsin::testing {

class naive_sessions final : public naive_rule {
 public:
  using naive_rule::naive_rule;

  void pass_time(instant watermark, std::vector<finding>& out) override;
  void judge_arrival(const naive_arrival& from, std::vector<finding>& out) override;

 private:
  bool take(naive_key& key, const naive_event& what, instant watermark) override;

  [[nodiscard]] std::vector<naive_window> sessions(const naive_key& key) const;
  void close_session(naive_key& key, naive_window session, std::vector<finding>& out) const;
  void remember_id(naive_key& key) const;

  std::set<std::uint64_t> over_;  ///< positions of events whose session has ended
};

}  // namespace tocsin::testing
