// SPDX-License-Identifier: Apache-2.0
// Weighs the changes among an alert's last evaluations.
#include "tocsin/flap_detector.hpp"

namespace tocsin {
namespace {

constexpr std::uint32_t history = (1U << flap_detector::evaluations) - 1;

// The change that is `i`th from the oldest weighs 0.8 + 0.4 i / 19, which is (38 + i) / 47.5; over
// 20 changes the share is the sum of (38 + i) / 950. Whole numbers keep the bounds exact.
constexpr unsigned oldest_weight = 38;
constexpr unsigned whole = 950;

}  // namespace

bool flap_detector::evaluate(bool firing) noexcept {
  const bool before = flapping();
  const std::uint32_t evaluated = ((bits_ << 1U) | (firing ? 1U : 0U)) & history;
  bits_ = evaluated | (before ? 1U << flapping_bit : 0U);
  const double now = share();
  if (before ? now >= leave : now <= enter) return false;
  bits_ ^= 1U << flapping_bit;
  return true;
}

double flap_detector::share() const noexcept {
  constexpr unsigned changes = evaluations - 1;
  unsigned weight = 0;
  for (unsigned age = 0; age < changes; ++age) {
    const bool changed = ((bits_ >> age) & 1U) != ((bits_ >> (age + 1)) & 1U);
    if (changed) weight += oldest_weight + (changes - 1 - age);
  }
  return static_cast<double>(weight) / whole;
}

flap_detector flap_detector::from_bits(std::uint32_t bits) noexcept {
  flap_detector made;
  made.bits_ = bits & (history | 1U << flapping_bit);
  return made;
}

}  // namespace tocsin
