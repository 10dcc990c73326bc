// SPDX-License-Identifier: Apache-2.0
// Aggregates of numbers that fit into a few cells of a record: mean and spread, a line, an
// exponentially weighted mean, the first and the newest number.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <tuple>

namespace tocsin {

/// Number of values, mean and sum of squared differences from it. Values enter by Welford 1962
/// ("Note on a Method for Calculating Corrected Sums of Squares and Products"), parts merge by
/// Chan, Golub and LeVeque 1979 ("Updating Formulae and a Pairwise Algorithm for Computing Sample
/// Variances"). Equal values have no spread at all, whatever their size.
struct moments {
  double count = 0;
  double mean = 0;
  double squares = 0;

  void add(double number) {
    count += 1;
    const double off = number - mean;
    mean += off / count;
    squares += off * (number - mean);
  }

  void merge(const moments& other) {
    if (other.count == 0) return;
    if (count == 0) {
      *this = other;
      return;
    }
    const double total = count + other.count;
    const double off = other.mean - mean;
    mean += off * (other.count / total);
    squares += other.squares + off * off * (count * (other.count / total));
    count = total;
  }

  /// Nothing below two values.
  [[nodiscard]] std::optional<double> sample_variance() const {
    return count < 2 ? std::nullopt : std::optional{squares / (count - 1)};
  }
  /// Nothing without a value.
  [[nodiscard]] std::optional<double> population_variance() const {
    return count < 1 ? std::nullopt : std::optional{squares / count};
  }
};

/// Least squares of numbers over time: means and co-moments, updated and merged by Pebay 2008
/// ("Formulas for Robust, One-Pass Parallel Computation of Covariances and Arbitrary-Order
/// Statistical Moments", SAND2008-6212). Times are counted from the first one seen, so that they
/// are small, whole and exact.
struct line_moments {
  std::int64_t origin_ms = 0;  ///< what mean_time counts from
  std::int64_t first_ms = 0;
  std::int64_t newest_ms = 0;
  double count = 0;
  double mean_time = 0;  ///< ms since origin_ms
  double mean_number = 0;
  double time_squares = 0;  ///< sum of squared differences of times, ms^2
  double products = 0;      ///< sum of products of both differences

  void add(std::int64_t time_ms, double number) {
    if (count == 0) origin_ms = first_ms = newest_ms = time_ms;
    first_ms = std::min(first_ms, time_ms);
    newest_ms = std::max(newest_ms, time_ms);
    count += 1;
    const auto time = static_cast<double>(time_ms - origin_ms);
    const double off = time - mean_time;
    mean_time += off / count;
    mean_number += (number - mean_number) / count;
    time_squares += off * (time - mean_time);
    products += off * (number - mean_number);
  }

  void merge(const line_moments& other) {
    if (other.count == 0) return;
    if (count == 0) {
      *this = other;
      return;
    }
    const double total = count + other.count;
    const double share = other.count / total;
    const double time_off =
        static_cast<double>(other.origin_ms - origin_ms) + other.mean_time - mean_time;
    const double number_off = other.mean_number - mean_number;
    time_squares += other.time_squares + time_off * time_off * (count * share);
    products += other.products + time_off * number_off * (count * share);
    mean_time += time_off * share;
    mean_number += number_off * share;
    count = total;
    first_ms = std::min(first_ms, other.first_ms);
    newest_ms = std::max(newest_ms, other.newest_ms);
  }

  /// Per millisecond; nothing when no time lies between the values.
  [[nodiscard]] std::optional<double> slope() const {
    return time_squares > 0 ? std::optional{products / time_squares} : std::nullopt;
  }
  /// The line's number `ahead_ms` after the newest value; nothing when there is no slope.
  [[nodiscard]] std::optional<double> predict(double ahead_ms) const {
    const std::optional<double> rise = slope();
    if (!rise) return std::nullopt;
    const double newest = static_cast<double>(newest_ms - origin_ms);
    return mean_number + *rise * (newest - mean_time + ahead_ms);
  }
};

/// A mean in which a value's weight is halved with each half-life of age; the newest weighs 1.
/// Merged as a weighted mean (West 1979, "Updating Mean and Variance Estimates"), from the heavier
/// part, so that equal values give exactly themselves.
struct faded_mean {
  std::int64_t newest_ms = 0;
  double count = 0;
  double mean = 0;
  double weight = 0;  ///< of all, seen from newest_ms; at least 1

  void add(std::int64_t time_ms, double number, double half_life_ms) {
    merge({time_ms, 1, number, 1}, half_life_ms);
  }

  void merge(const faded_mean& other, double half_life_ms) {
    if (other.count == 0) return;
    if (count == 0) {
      *this = other;
      return;
    }
    const double apart = static_cast<double>(std::max(newest_ms, other.newest_ms) -
                                             std::min(newest_ms, other.newest_ms));
    const double faded = std::exp2(-apart / half_life_ms);
    const double own = newest_ms < other.newest_ms ? weight * faded : weight;
    const double others = other.newest_ms < newest_ms ? other.weight * faded : other.weight;
    weight = own + others;
    const double off = other.mean - mean;
    mean = own >= others ? mean + off * (others / weight) : other.mean - off * (own / weight);
    newest_ms = std::max(newest_ms, other.newest_ms);
    count += other.count;
  }
};

/// A number with the place of its event in the order of (time, log position).
struct placed_number {
  std::int64_t time_ms = 0;
  std::uint64_t position = 0;
  double number = std::numeric_limits<double>::quiet_NaN();  ///< NaN: none yet

  [[nodiscard]] bool is_set() const { return !std::isnan(number); }
  [[nodiscard]] bool precedes(const placed_number& other) const {
    return std::tie(time_ms, position) < std::tie(other.time_ms, other.position);
  }
  void keep_first(const placed_number& other) {
    if (other.is_set() && (!is_set() || other.precedes(*this))) *this = other;
  }
  void keep_newest(const placed_number& other) {
    if (other.is_set() && (!is_set() || precedes(other))) *this = other;
  }
};

}  // namespace tocsin
