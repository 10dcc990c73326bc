// SPDX-License-Identifier: Apache-2.0
// Bottom-k sampling by a mixed log position, and medians of what was kept.
#include "core/value_sample.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tocsin {
namespace {

/// SplitMix64's finaliser (Steele, Lea and Flood 2014; constants by Stafford): one to one, so
/// different positions never tie.
std::uint64_t mixed(std::uint64_t position) {
  std::uint64_t bits = position + 0x9e3779b97f4a7c15;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
  return bits ^ (bits >> 31);
}

/// Precondition: there is a number. Their order is lost.
double median_of(std::vector<double>& numbers) {
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  if (numbers.size() % 2 != 0) return *middle;
  return std::midpoint(*std::max_element(numbers.begin(), middle), *middle);
}

}  // namespace

void value_sample::add(std::uint64_t position, double number) {
  ++count_;
  offer({mixed(position), number});
}

void value_sample::offer(const sampled& one) {
  if (kept_.size() < kept_max) {
    kept_.push_back(one);
    if (kept_.size() == kept_max) std::make_heap(kept_.begin(), kept_.end());
  } else if (one < kept_.front()) {
    std::pop_heap(kept_.begin(), kept_.end());
    kept_.back() = one;
    std::push_heap(kept_.begin(), kept_.end());
  }
}

void value_sample::merge(const value_sample& other) {
  count_ += other.count_;
  for (const sampled& one : other.kept_) offer(one);
}

std::optional<value_sample::medians> value_sample::spread() const {
  if (kept_.empty()) return std::nullopt;
  std::vector<double> numbers;
  numbers.reserve(kept_.size());
  for (const sampled& one : kept_) numbers.push_back(one.number);
  const double middle = median_of(numbers);
  for (double& number : numbers) number = std::abs(number - middle);
  return medians{middle, median_of(numbers)};
}

void value_sample::save(state_writer& to) const {
  to.put(count_);
  to.put(static_cast<std::uint64_t>(kept_.size()));
  for (const sampled& one : kept_) {
    to.put(one.hash);
    to.put(one.number);
  }
}

void value_sample::load(state_reader& from) {
  count_ = from.take<std::uint64_t>();
  const std::uint64_t size = from.take_count(sizeof(std::uint64_t) + sizeof(double));
  if (size != std::min<std::uint64_t>(count_, kept_max)) return from.fail();
  for (std::uint64_t i = 0; i < size; ++i) {
    const auto hash = from.take<std::uint64_t>();
    offer({hash, from.take<double>()});
  }
}

}  // namespace tocsin
