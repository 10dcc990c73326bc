// SPDX-License-Identifier: Apache-2.0
// The most frequent texts: counted exactly while they are few, by Space-Saving beyond.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/state_bytes.hpp"

namespace tocsin {

/// Up to 256 different texts are counted exactly. Beyond, Space-Saving (Metwally, Agrawal and El
/// Abbadi 2005, "Efficient Computation of Frequent and Top-k Elements in Data Streams"): a new text
/// takes the place, and the count, of the rarest one, so that counts are never too small, and too
/// great by at most a 256th of all texts added. Parts merge by Cafaro, Pulimeno and Tempesta 2016
/// ("A parallel space saving algorithm for frequent items"). Texts are told apart by their first
/// 128 bytes, hashed to 64 bits. While the counts are exact, the order of additions and merges has
/// no influence on them.
class frequent_values {
 public:
  static constexpr std::size_t kept_max = 256;

  void add(std::string_view text);
  void merge(const frequent_values& other);

  /// "a (3), b (1)": the `most` most frequent, by count descending, then text.
  [[nodiscard]] std::string top(std::size_t most) const;

  [[nodiscard]] std::size_t heap_bytes() const noexcept {
    return counted_.capacity() * sizeof(counted) + texts_.capacity() * sizeof(std::string) +
           text_bytes_;
  }
  void save(state_writer& to) const;
  /// Precondition: nothing was added yet.
  void load(state_reader& from);

 private:
  struct counted {
    std::uint64_t hash;
    std::uint64_t count;
    std::uint64_t text;  ///< in texts_
  };
  using place = std::vector<counted>::iterator;

  [[nodiscard]] place place_of(std::uint64_t hash);
  /// How often a text that is not kept may have been added.
  [[nodiscard]] std::uint64_t missed_max() const;
  /// Counts a text that is not kept, and whose place by hash this is.
  void keep(place before, std::uint64_t hash, std::uint64_t count, std::string_view text);
  void replace_rarest(std::uint64_t hash, std::string_view text);
  /// Leaves the most frequent kept_max.
  void prune();

  std::vector<counted> counted_;  ///< sorted by hash
  std::vector<std::string> texts_;
  std::size_t text_bytes_ = 0;  ///< what texts_' strings hold on the heap
  bool has_replaced_ = false;   ///< some text was given up: counts are upper bounds from then on
};

}  // namespace tocsin
