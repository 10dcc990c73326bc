// SPDX-License-Identifier: Apache-2.0
// Buckets of logarithmic width in sorted vectors: most keys see few different sizes of numbers.
#include "core/quantile_sketch.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin {
namespace {

constexpr double bucket_growth =
    (1 + quantile_sketch::relative_error) / (1 - quantile_sketch::relative_error);
const double log_gamma = std::log(bucket_growth);

/// The bucket of sizes in (gamma^(index - 1), gamma^index].
std::int32_t index_of(double size) {
  return static_cast<std::int32_t>(std::ceil(std::log(size) / log_gamma));
}

/// The size that is at most relative_error away from all of its bucket.
double size_of(std::int32_t index) {
  // As one power, so that the bucket of the greatest doubles does not overflow half way.
  return std::exp(static_cast<double>(index) * log_gamma + std::log(2 / (bucket_growth + 1)));
}

}  // namespace

void quantile_sketch::bucket_list::add(std::int32_t index, std::uint64_t count) {
  const auto place =
      std::lower_bound(buckets_.begin(), buckets_.end(), index,
                       [](const bucket& one, std::int32_t wanted) { return one.index < wanted; });
  if (place != buckets_.end() && place->index == index) {
    place->count += count;
    return;
  }
  buckets_.insert(place, {index, count});
  if (buckets_.size() > buckets_max) collapse_lowest();
}

void quantile_sketch::bucket_list::collapse_lowest() {
  const std::size_t excess = buckets_.size() - buckets_max;
  for (std::size_t i = 0; i < excess; ++i) buckets_[i + 1].count += buckets_[i].count;
  buckets_.erase(buckets_.begin(), buckets_.begin() + static_cast<std::ptrdiff_t>(excess));
}

void quantile_sketch::bucket_list::merge(const bucket_list& other) {
  if (other.buckets_.empty()) return;
  std::vector<bucket> both;
  both.reserve(buckets_.size() + other.buckets_.size());
  auto own = buckets_.begin();
  for (const bucket& one : other.buckets_) {
    for (; own != buckets_.end() && own->index < one.index; ++own) both.push_back(*own);
    both.push_back(one);
    if (own != buckets_.end() && own->index == one.index) both.back().count += (own++)->count;
  }
  both.insert(both.end(), own, buckets_.end());
  buckets_ = std::move(both);
  if (buckets_.size() > buckets_max) collapse_lowest();
}

void quantile_sketch::bucket_list::save(state_writer& to) const {
  to.put(static_cast<std::uint64_t>(buckets_.size()));
  for (const bucket& one : buckets_) {
    to.put(one.index);
    to.put(one.count);
  }
}

std::uint64_t quantile_sketch::bucket_list::load(state_reader& from) {
  const std::uint64_t size = from.take_count(sizeof(std::int32_t) + sizeof(std::uint64_t));
  std::uint64_t counted = 0;
  if (size > buckets_max) from.fail();
  for (std::uint64_t i = 0; i < size && !from.failed(); ++i) {
    bucket one{};
    one.index = from.take<std::int32_t>();
    one.count = from.take<std::uint64_t>();
    if (one.count == 0 || (i != 0 && buckets_.back().index >= one.index)) from.fail();
    counted += one.count;
    buckets_.push_back(one);
  }
  if (from.failed()) buckets_.clear();
  return counted;
}

void quantile_sketch::add(double number) {
  if (number > 0)
    positive_.add(index_of(number), 1);
  else if (number < 0)
    negative_.add(index_of(-number), 1);
  else
    ++zeros_;
  least_ = count_ == 0 ? number : std::min(least_, number);
  greatest_ = count_ == 0 ? number : std::max(greatest_, number);
  ++count_;
}

void quantile_sketch::merge(const quantile_sketch& other) {
  if (other.count_ == 0) return;
  positive_.merge(other.positive_);
  negative_.merge(other.negative_);
  least_ = count_ == 0 ? other.least_ : std::min(least_, other.least_);
  greatest_ = count_ == 0 ? other.greatest_ : std::max(greatest_, other.greatest_);
  zeros_ += other.zeros_;
  count_ += other.count_;
}

std::optional<double> quantile_sketch::quantile(double q) const {
  if (count_ == 0) return std::nullopt;
  const std::uint64_t last = count_ - 1;
  const auto rank = static_cast<std::uint64_t>(std::clamp(q, 0.0, 1.0) * static_cast<double>(last));
  if (rank == 0) return least_;
  if (rank >= last) return greatest_;
  std::uint64_t below = 0;
  const auto found = [&](double number) { return std::clamp(number, least_, greatest_); };
  const std::vector<bucket>& negatives = negative_.all();
  for (auto one = negatives.rbegin(); one != negatives.rend(); ++one)
    if ((below += one->count) > rank) return found(-size_of(one->index));
  if ((below += zeros_) > rank) return found(0);
  for (const bucket& one : positive_.all())
    if ((below += one.count) > rank) return found(size_of(one.index));
  return greatest_;
}

void quantile_sketch::save(state_writer& to) const {
  positive_.save(to);
  negative_.save(to);
  to.put(zeros_);
  to.put(least_);
  to.put(greatest_);
}

void quantile_sketch::load(state_reader& from) {
  count_ = positive_.load(from);
  count_ += negative_.load(from);
  zeros_ = from.take<std::uint64_t>();
  count_ += zeros_;
  least_ = from.take<double>();
  greatest_ = from.take<double>();
  if (!(least_ <= greatest_)) {
    // std::clamp wants its bounds in order.
    least_ = greatest_ = 0;
    from.fail();
  }
}

}  // namespace tocsin
