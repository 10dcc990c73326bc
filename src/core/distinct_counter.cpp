// SPDX-License-Identifier: Apache-2.0
// Sorted hashes that turn into HyperLogLog registers when they become many.
#include "core/distinct_counter.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "core/value_text.hpp"

namespace tocsin {
namespace {

constexpr unsigned index_bits = 12;
constexpr std::size_t register_count = std::size_t{1} << index_bits;
constexpr unsigned rank_max = 64 - index_bits + 1;

/// Ertl 2017, algorithm 6: what registers at zero stand for.
double sigma(double share) {
  if (share == 1) return std::numeric_limits<double>::infinity();
  double weight = 1;
  double sum = share;
  for (double before = -1; before != sum;) {
    share *= share;
    before = sum;
    sum += share * weight;
    weight += weight;
  }
  return sum;
}

/// Ertl 2017, algorithm 6: what registers at their greatest rank stand for.
double tau(double share) {
  if (share == 0 || share == 1) return 0;
  double weight = 1;
  double sum = 1 - share;
  for (double before = -1; before != sum;) {
    share = std::sqrt(share);
    before = sum;
    weight /= 2;
    sum -= (1 - share) * (1 - share) * weight;
  }
  return sum / 3;
}

}  // namespace

void distinct_counter::add(std::string_view text) {
  add_hash(text_hash(text));
}

void distinct_counter::add_hash(std::uint64_t hash) {
  if (!registers_.empty()) {
    raise_register(hash);
    return;
  }
  const auto place = std::lower_bound(hashes_.begin(), hashes_.end(), hash);
  if (place != hashes_.end() && *place == hash) return;
  if (hashes_.size() < exact_max) {
    hashes_.insert(place, hash);
    return;
  }
  begin_estimating();
  raise_register(hash);
}

void distinct_counter::begin_estimating() {
  registers_.resize(register_count);
  for (const std::uint64_t hash : hashes_) raise_register(hash);
  hashes_ = std::vector<std::uint64_t>{};
}

void distinct_counter::raise_register(std::uint64_t hash) {
  // The bit behind the last one used for the rank bounds it.
  const std::uint64_t rest = hash << index_bits | std::uint64_t{1} << (index_bits - 1);
  const auto rank = static_cast<std::uint8_t>(std::countl_zero(rest) + 1);
  std::uint8_t& kept = registers_[hash >> (64 - index_bits)];
  kept = std::max(kept, rank);
}

void distinct_counter::merge(const distinct_counter& other) {
  for (const std::uint64_t hash : other.hashes_) add_hash(hash);
  if (other.registers_.empty()) return;
  if (registers_.empty()) begin_estimating();
  for (std::size_t i = 0; i < register_count; ++i)
    registers_[i] = std::max(registers_[i], other.registers_[i]);
}

std::uint64_t distinct_counter::count() const {
  if (registers_.empty()) return hashes_.size();
  return std::max<std::uint64_t>(exact_max + 1,
                                 static_cast<std::uint64_t>(std::llround(estimate())));
}

double distinct_counter::estimate() const {
  std::array<double, rank_max + 1> registers_of{};
  for (const std::uint8_t rank : registers_) ++registers_of[rank];
  constexpr double all = register_count;
  double sum = all * tau(1 - registers_of[rank_max] / all);
  for (unsigned rank = rank_max - 1; rank >= 1; --rank) sum = (sum + registers_of[rank]) / 2;
  sum += all * sigma(registers_of[0] / all);
  return all * all / (2 * std::numbers::ln2 * sum);
}

void distinct_counter::save(state_writer& to) const {
  to.put(static_cast<std::uint8_t>(!registers_.empty()));
  if (!registers_.empty()) {
    for (const std::uint8_t rank : registers_) to.put(rank);
    return;
  }
  to.put(static_cast<std::uint64_t>(hashes_.size()));
  for (const std::uint64_t hash : hashes_) to.put(hash);
}

void distinct_counter::load(state_reader& from) {
  if (from.take<std::uint8_t>() != 0) {
    registers_.resize(register_count);
    for (std::uint8_t& rank : registers_) {
      rank = from.take<std::uint8_t>();
      if (rank > rank_max) from.fail();
      if (from.failed()) rank = 0;
    }
    return;
  }
  const std::uint64_t count = from.take_count(sizeof(std::uint64_t));
  if (count > exact_max) return from.fail();
  for (std::uint64_t i = 0; i < count; ++i) hashes_.push_back(from.take<std::uint64_t>());
  const auto unordered =
      std::adjacent_find(hashes_.begin(), hashes_.end(), std::greater_equal<std::uint64_t>{});
  if (unordered == hashes_.end()) return;
  hashes_.clear();
  from.fail();
}

}  // namespace tocsin
