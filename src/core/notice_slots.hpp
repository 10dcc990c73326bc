// SPDX-License-Identifier: Apache-2.0
// Things in places that never move, addressed by 32-bit index; places given back are used again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "core/slab.hpp"
#include "tocsin/fingerprint.hpp"

namespace tocsin {

/// no_index is the index of nothing.
template <class T>
class notice_slots {
 public:
  /// A place with a T{}.
  [[nodiscard]] std::uint32_t take() {
    if (free_.empty()) {
      places_.emplace_back();
      return static_cast<std::uint32_t>(places_.size() - 1);
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    return index;
  }
  void give_back(std::uint32_t index) {
    places_[index] = T{};
    free_.push_back(index);
  }
  [[nodiscard]] T& operator[](std::uint32_t index) { return places_[index]; }
  [[nodiscard]] const T& operator[](std::uint32_t index) const { return places_[index]; }

 private:
  std::deque<T> places_;
  std::vector<std::uint32_t> free_;
};

}  // namespace tocsin
