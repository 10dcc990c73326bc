// SPDX-License-Identifier: Apache-2.0
// States waiting for instants, handed out in order of deadline; many states share one deadline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>
#include <vector>

namespace tocsin {

inline constexpr std::int64_t never_ms = std::numeric_limits<std::int64_t>::max();

/// The states of one deadline, in the order they were added. Beyond the first thousand they lie in
/// chunks, so that a million of them is never copied, nor held twice, to grow.
class deadline_bucket {
 public:
  void add(std::uint32_t state) {
    if (first_.size() < chunk_states) {
      first_.push_back(state);
      return;
    }
    if (rest_.empty() || rest_.back().size() == chunk_states)
      rest_.emplace_back().reserve(chunk_states);
    rest_.back().push_back(state);
  }

  [[nodiscard]] std::size_t size() const noexcept {
    if (rest_.empty()) return first_.size();
    return first_.size() + (rest_.size() - 1) * chunk_states + rest_.back().size();
  }

  class iterator {
   public:
    [[nodiscard]] std::uint32_t operator*() const {
      if (at_ < chunk_states) return of_->first_[at_];
      return of_->rest_[at_ / chunk_states - 1][at_ % chunk_states];
    }
    iterator& operator++() {
      ++at_;
      return *this;
    }
    [[nodiscard]] bool operator==(const iterator& other) const noexcept = default;

   private:
    friend class deadline_bucket;
    iterator(const deadline_bucket& of, std::size_t at) : of_(&of), at_(at) {}
    const deadline_bucket* of_;
    std::size_t at_;
  };
  [[nodiscard]] iterator begin() const { return {*this, 0}; }
  [[nodiscard]] iterator end() const { return {*this, size()}; }

 private:
  static constexpr std::size_t chunk_states = 1024;
  std::vector<std::uint32_t> first_;
  std::vector<std::vector<std::uint32_t>> rest_;
};

class deadline_queue {
 public:
  void add(std::int64_t deadline_ms, std::uint32_t state) {
    // Neighbouring additions mostly share a deadline: the last bucket is remembered.
    if (last_ == nullptr || last_deadline_ms_ != deadline_ms) {
      last_ = &waiting_[deadline_ms];
      last_deadline_ms_ = deadline_ms;
    }
    last_->add(state);
  }

  /// The earliest deadline, or never_ms.
  [[nodiscard]] std::int64_t first() const noexcept {
    return waiting_.empty() ? never_ms : waiting_.begin()->first;
  }

  /// Takes out all states of the earliest deadline. Precondition: not empty.
  [[nodiscard]] deadline_bucket take_first() {
    auto node = waiting_.extract(waiting_.begin());
    if (last_deadline_ms_ == node.key()) last_ = nullptr;
    return std::move(node.mapped());
  }

 private:
  std::map<std::int64_t, deadline_bucket> waiting_;
  deadline_bucket* last_ = nullptr;
  std::int64_t last_deadline_ms_ = 0;
};

}  // namespace tocsin
