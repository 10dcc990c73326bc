// SPDX-License-Identifier: Apache-2.0
// Numbers kept whole while they are few and sampled beyond, for medians.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/state_bytes.hpp"

namespace tocsin {

/// The numbers of at most 512 events: all while they are no more, then those whose log positions
/// have the smallest hashes (bottom-k sampling: Cohen and Kaplan 2007, "Summarizing data using
/// bottom-k sketches"): a uniform sample that does not depend on the order of additions and merges.
/// The sampled median's rank is off by about 1 / (2 sqrt(512)) = 2.2 % of all (standard error).
class value_sample {
 public:
  static constexpr std::size_t kept_max = 512;

  /// The median, and the median distance from it.
  struct medians {
    double middle;
    double deviation;
  };

  /// `position` is the event's, which has no other number here.
  void add(std::uint64_t position, double number);
  void merge(const value_sample& other);

  /// How many numbers were added, kept or not.
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// Nothing without a number. The median of an even number of them is the mean of the middle two.
  [[nodiscard]] std::optional<medians> spread() const;

  [[nodiscard]] std::size_t heap_bytes() const noexcept {
    return kept_.capacity() * sizeof(sampled);
  }
  void save(state_writer& to) const;
  /// Precondition: nothing was added yet.
  void load(state_reader& from);

 private:
  struct sampled {
    std::uint64_t hash;
    double number;
    friend bool operator<(const sampled& left, const sampled& right) {
      return left.hash < right.hash;
    }
  };
  void offer(const sampled& one);

  std::vector<sampled> kept_;  ///< a heap, greatest hash first, once it is full
  std::uint64_t count_ = 0;
};

}  // namespace tocsin
