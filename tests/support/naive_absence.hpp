// SPDX-License-Identifier: Apache-2.0
// Silence told the slow way: a key's newest event, and whether it is too long ago.
#pragma once

#include "support/naive_rule.hpp"

namespace tocsin::testing {

class naive_absence final : public naive_rule {
 public:
  using naive_rule::naive_rule;

  void begin(instant clock) override;
  void pass_time(instant watermark, std::vector<finding>& out) override;
  void judge_arrival(const naive_arrival& from, std::vector<finding>& out) override;

 private:
  /// What is known of a key that was heard, or is waited for.
  struct silence {
    instant since{};
    const naive_event* heard = nullptr;  ///< null: an expected key that never spoke
    instant known{};  ///< the log's clock when it was heard: nothing can be found before
    std::uint64_t position = no_position;  ///< of the event that told it
    bool judged = false;
  };

  bool take(naive_key& key, const naive_event& what, instant watermark) override;
  void forget(const naive_key& key) override;
  [[nodiscard]] naive_window window_of(const silence& of, instant end) const;

  std::map<key_values, silence> silences_;
};

}  // namespace tocsin::testing
