// SPDX-License-Identifier: Apache-2.0
// Quantiles of numbers with a bounded relative error: DDSketch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/state_bytes.hpp"

namespace tocsin {

/// DDSketch (Masson, Rim and Lee, VLDB 2019, "DDSketch: a fast and fully-mergeable quantile sketch
/// with relative-error guarantees"): numbers are counted in buckets whose bounds grow by gamma =
/// 1.01 / 0.99, apart by sign; zero has its own count. A quantile is off by at most 1 % of its
/// size. At most 2,048 buckets a sign are kept, which spans 17 orders of magnitude; beyond, those
/// nearest to zero collapse into one, and only quantiles that fall there are further off. The
/// result does not depend on the order of additions and merges.
class quantile_sketch {
 public:
  static constexpr double relative_error = 0.01;
  static constexpr std::size_t buckets_max = 2048;

  /// Precondition: the number is finite.
  void add(double number);
  void merge(const quantile_sketch& other);

  /// The number at rank floor(q * (count - 1)) of all in order; the least and the greatest are
  /// exact. Nothing without a number. q is from 0 to 1.
  [[nodiscard]] std::optional<double> quantile(double q) const;

  [[nodiscard]] std::size_t heap_bytes() const noexcept {
    return positive_.heap_bytes() + negative_.heap_bytes();
  }
  void save(state_writer& to) const;
  /// Precondition: nothing was added yet.
  void load(state_reader& from);

 private:
  struct bucket {
    std::int32_t index;
    std::uint64_t count;
  };
  /// Buckets of one sign, by index.
  class bucket_list {
   public:
    void add(std::int32_t index, std::uint64_t count);
    void merge(const bucket_list& other);
    [[nodiscard]] const std::vector<bucket>& all() const noexcept { return buckets_; }
    [[nodiscard]] std::size_t heap_bytes() const noexcept {
      return buckets_.capacity() * sizeof(bucket);
    }
    void save(state_writer& to) const;
    /// Gives how many numbers were counted.
    std::uint64_t load(state_reader& from);

   private:
    void collapse_lowest();

    std::vector<bucket> buckets_;
  };

  bucket_list positive_;
  bucket_list negative_;  ///< by the index of the number without its sign
  std::uint64_t zeros_ = 0;
  std::uint64_t count_ = 0;
  double least_ = 0;     ///< of no meaning while count_ is 0
  double greatest_ = 0;  ///< of no meaning while count_ is 0
};

}  // namespace tocsin
