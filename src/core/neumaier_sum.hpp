// SPDX-License-Identifier: Apache-2.0
// Compensated sums in cells: sum, compensation, number of summands.
#pragma once

#include <cmath>

namespace tocsin {

/// Adds to the first two cells (Neumaier 1974); the third is the caller's.
inline void add_compensated(double* sum, double summand) {
  const double total = sum[0] + summand;
  sum[1] += std::abs(sum[0]) >= std::abs(summand) ? (sum[0] - total) + summand
                                                  : (summand - total) + sum[0];
  sum[0] = total;
}

[[nodiscard]] inline double compensated_sum(const double* sum) {
  // Once the sum has overflowed, the compensation is not a number; the infinity is the honest
  // answer.
  return std::isfinite(sum[0]) ? sum[0] + sum[1] : sum[0];
}

}  // namespace tocsin
