// SPDX-License-Identifier: Apache-2.0
// States waiting for instants, handed out in order of deadline; many states share one deadline.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <utility>
#include <vector>

namespace tocsin {

inline constexpr std::int64_t never_ms = std::numeric_limits<std::int64_t>::max();

class deadline_queue {
 public:
  void add(std::int64_t deadline_ms, std::uint32_t state) {
    // Neighbouring additions mostly share a deadline: the last bucket is remembered.
    if (last_ == nullptr || last_deadline_ms_ != deadline_ms) {
      last_ = &waiting_[deadline_ms];
      last_deadline_ms_ = deadline_ms;
    }
    last_->push_back(state);
  }

  /// The earliest deadline, or never_ms.
  [[nodiscard]] std::int64_t first() const noexcept {
    return waiting_.empty() ? never_ms : waiting_.begin()->first;
  }

  /// Takes out all states of the earliest deadline. Precondition: not empty.
  [[nodiscard]] std::vector<std::uint32_t> take_first() {
    auto node = waiting_.extract(waiting_.begin());
    if (last_ == &node.mapped() || last_deadline_ms_ == node.key()) last_ = nullptr;
    return std::move(node.mapped());
  }

 private:
  std::map<std::int64_t, std::vector<std::uint32_t>> waiting_;
  std::vector<std::uint32_t>* last_ = nullptr;
  std::int64_t last_deadline_ms_ = 0;
};

}  // namespace tocsin
