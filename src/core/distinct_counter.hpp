// SPDX-License-Identifier: Apache-2.0
// Counts different texts: exactly while they are few, by HyperLogLog beyond.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/state_bytes.hpp"

namespace tocsin {

/// Up to 256 texts are told apart by their 64-bit hashes, which is exact but for a chance below
/// 2^-48. Beyond, HyperLogLog (Flajolet, Fusy, Gandouet and Meunier 2007) with 4,096 registers (p =
/// 12): the standard error is 1.04 / sqrt(4096) = 1.6 %. The registers are read by Ertl's improved
/// raw estimator (2017, "New cardinality estimation algorithms for HyperLogLog sketches", algorithm
/// 6), which has no bias between small and large counts and never falls as texts are added. The
/// result does not depend on the order of additions and merges.
class distinct_counter {
 public:
  static constexpr std::size_t exact_max = 256;

  void add(std::string_view text);
  void merge(const distinct_counter& other);
  [[nodiscard]] std::uint64_t count() const;

  [[nodiscard]] std::size_t heap_bytes() const noexcept {
    return hashes_.capacity() * sizeof(std::uint64_t) + registers_.capacity();
  }
  void save(state_writer& to) const;
  /// Precondition: nothing was added yet.
  void load(state_reader& from);

 private:
  void add_hash(std::uint64_t hash);
  void raise_register(std::uint64_t hash);
  void begin_estimating();
  [[nodiscard]] double estimate() const;

  std::vector<std::uint64_t> hashes_;    ///< sorted; empty once there are registers
  std::vector<std::uint8_t> registers_;  ///< empty while the count is exact
};

}  // namespace tocsin
