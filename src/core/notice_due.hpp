// SPDX-License-Identifier: Apache-2.0
// Who is due next, where a deadline that has changed is left in the queue and found out later.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include "tocsin/time.hpp"

namespace tocsin {

/// `due` of what waits for nothing.
inline constexpr instant never = instant::max();

/// A place is due at the newest time it was added with; the caller knows that time and is asked.
class notice_due {
 public:
  void add(instant due, std::uint32_t place) {
    if (due != never) waiting_.emplace(due, place);
  }

  /// The earliest deadline that still holds: `due_of(place)` says what holds now.
  template <class DueOf>
  [[nodiscard]] std::optional<instant> first(const DueOf& due_of) {
    while (!waiting_.empty() && due_of(waiting_.top().second) != waiting_.top().first)
      waiting_.pop();
    if (waiting_.empty()) return std::nullopt;
    return waiting_.top().first;
  }

  /// Replaces `into` by the places whose deadline is `due`, which first() gave; one may come twice.
  template <class DueOf>
  void take(instant due, const DueOf& due_of, std::vector<std::uint32_t>& into) {
    into.clear();
    while (first(due_of) == due) {
      into.push_back(waiting_.top().second);
      waiting_.pop();
    }
  }

 private:
  using entry = std::pair<instant, std::uint32_t>;
  std::priority_queue<entry, std::vector<entry>, std::greater<>> waiting_;
};

}  // namespace tocsin
