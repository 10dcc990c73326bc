// SPDX-License-Identifier: Apache-2.0
// Flapping as Nagios weighs it.
#include "tocsin/flap_detector.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace tocsin {
namespace {

/// Nagios's formula as its manual has it, over the evaluations from the oldest to the newest.
double manual_share(const std::deque<bool>& evaluations) {
  double weight = 0;
  for (std::size_t i = 1; i < evaluations.size(); ++i) {
    if (evaluations[i] == evaluations[i - 1]) continue;
    weight += 0.8 + static_cast<double>(i - 1) * (1.2 - 0.8) / 19;
  }
  return weight / 20;
}

TEST(flap_detector, begins_calm_with_a_share_of_nothing) {
  const flap_detector fresh;
  EXPECT_FALSE(fresh.flapping());
  EXPECT_EQ(fresh.share(), 0);
  EXPECT_EQ(fresh.bits(), 0U);
}

TEST(flap_detector, weighs_changes_as_the_manual_does_and_has_its_two_bounds) {
  std::mt19937_64 random(7);
  for (int run = 0; run < 200; ++run) {
    flap_detector detector;
    std::deque<bool> evaluations(flap_detector::evaluations, false);
    const unsigned changing = 1 + static_cast<unsigned>(run % 9);
    bool firing = false;
    for (int i = 0; i < 200; ++i) {
      if (random() % 10 < changing) firing = !firing;
      evaluations.pop_front();
      evaluations.push_back(firing);
      const bool before = detector.flapping();
      const bool changed = detector.evaluate(firing);
      const double share = manual_share(evaluations);
      ASSERT_NEAR(detector.share(), share, 1e-12);
      ASSERT_EQ(changed, before != detector.flapping());
      // The formula's own rounding may be on either side of a bound that is met exactly.
      if (std::abs(share - 0.5) < 1e-9 || std::abs(share - 0.25) < 1e-9) continue;
      ASSERT_EQ(detector.flapping(), before ? share >= 0.25 : share > 0.5);
    }
  }
}

TEST(flap_detector, an_alert_that_changes_each_time_has_a_share_of_one) {
  flap_detector detector;
  for (int i = 0; i < 40; ++i) (void)detector.evaluate(i % 2 == 0);
  EXPECT_EQ(detector.share(), 1);
  EXPECT_TRUE(detector.flapping());
}

TEST(flap_detector, says_once_that_it_begins_and_once_that_it_ends) {
  flap_detector detector;
  int begun = 0;
  for (int i = 0; i < 30; ++i) begun += detector.evaluate(i % 2 == 0) ? 1 : 0;
  EXPECT_EQ(begun, 1);
  int ended = 0;
  for (int i = 0; i < 30; ++i) ended += detector.evaluate(true) ? 1 : 0;
  EXPECT_EQ(ended, 1);
  EXPECT_FALSE(detector.flapping());
}

TEST(flap_detector, half_of_the_weight_exactly_is_not_yet_flapping) {
  // The changes at these ages weigh (57 + 56 + ... ) / 950 = 475 / 950.
  std::uint32_t bits = 0;
  unsigned weight = 0;
  bool firing = false;
  for (unsigned age = 20; age-- > 0;) {
    const unsigned mine = 38 + (19 - age);
    const unsigned rest = 475 - weight;
    if (rest >= mine && (rest == mine || rest - mine >= 38)) {
      firing = !firing;
      weight += mine;
    }
    bits |= (firing ? 1U : 0U) << age;
  }
  ASSERT_EQ(weight, 475U);
  EXPECT_EQ(flap_detector::from_bits(bits).share(), 0.5);
  // The oldest bit is pushed out by the next evaluation, so the state before has it one age lower.
  flap_detector detector = flap_detector::from_bits(bits >> 1U);
  EXPECT_FALSE(detector.evaluate((bits & 1U) != 0));
  EXPECT_FALSE(detector.flapping());
}

TEST(flap_detector, goes_on_from_its_bits) {
  flap_detector one;
  std::mt19937_64 random(3);
  for (int i = 0; i < 300; ++i) {
    flap_detector other = flap_detector::from_bits(one.bits());
    const bool firing = random() % 2 == 0;
    EXPECT_EQ(one.evaluate(firing), other.evaluate(firing));
    EXPECT_EQ(one.bits(), other.bits());
    EXPECT_EQ(one.flapping(), other.flapping());
  }
}

TEST(flap_detector, bits_that_mean_nothing_are_left_out) {
  EXPECT_EQ(flap_detector::from_bits(~0U).bits(), 0x801fffffU);
}

}  // namespace
}  // namespace tocsin
