// SPDX-License-Identifier: Apache-2.0
// Implementation of the naive turns.
#include "support/naive_turns.hpp"

#include <algorithm>

namespace tocsin::testing {

bool naive_turns::take(naive_key& key, const naive_event& what, instant watermark) {
  if (watermark > what.time) {
    ++late_;
    return false;
  }
  key.events.push_back(what);
  auto& waiting = waiting_[key.name];
  waiting.push_back(&key.events.back());
  std::sort(waiting.begin(), waiting.end(), comes_before);
  return true;
}

void naive_turns::judge_arrival(const naive_arrival&, std::vector<finding>&) {}

void naive_turns::forget(const naive_key& key) {
  waiting_.erase(key.name);
  forget_turns(key.name);
}

void naive_turns::run_timers(naive_key& key, instant until, std::vector<finding>& out) {
  while (const auto deadline = next_timer(key)) {
    if (*deadline >= until) return;
    run_timer(key, out);
  }
}

void naive_turns::pass_time(instant watermark, std::vector<finding>& out) {
  for (auto& [name, key] : keys_) {
    auto& waiting = waiting_[name];
    while (!waiting.empty() && watermark > waiting.front()->time) {
      const naive_event& what = *waiting.front();
      waiting.erase(waiting.begin());
      run_timers(key, what.time, out);
      turn(key, what, out);
    }
    run_timers(key, watermark, out);
  }
}

}  // namespace tocsin::testing
