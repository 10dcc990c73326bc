// SPDX-License-Identifier: Apache-2.0
// Alerts come back from their bytes as they were; bytes that are damaged are refused.
#include <gtest/gtest.h>
#include <xxhash.h>

#include <cstring>
#include <random>

#include "support/random_alert.hpp"
#include "tocsin/alert.hpp"

namespace tocsin::testing {
namespace {

constexpr std::uint64_t seeds = 2000;

TEST(alert_bytes, every_field_comes_back_as_it_was) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    std::mt19937_64 random{seed};
    const alert written = random_alert(random);
    const auto read = alert_from_bytes(alert_bytes(written));
    ASSERT_TRUE(read) << "seed " << seed << ": " << read.failure().message;
    ASSERT_EQ(first_difference(written, *read), "") << "seed " << seed;
  }
}

TEST(alert_bytes, an_alert_of_nothing_comes_back) {
  const auto read = alert_from_bytes(alert_bytes(alert{}));
  ASSERT_TRUE(read) << read.failure().message;
  EXPECT_EQ(first_difference(alert{}, *read), "");
}

TEST(alert_bytes, a_usual_alert_takes_few_bytes_beside_its_texts) {
  alert usual;
  usual.seq = 123'456;
  usual.at = from_unix_ms(1'790'000'000'000);
  usual.started_at = usual.at - std::chrono::minutes{5};
  usual.proof.first_event_time = usual.at - std::chrono::minutes{6};
  usual.proof.last_event_time = usual.at;
  usual.proof.window = {window_kind::sliding, usual.at - std::chrono::minutes{6}, usual.at};
  usual.texts = std::make_shared<const alert_texts>();
  EXPECT_LE(alert_bytes(usual).size(), 120U);
}

TEST(alert_bytes, cut_short_anywhere_they_are_refused) {
  std::mt19937_64 random{7};
  for (int i = 0; i < 20; ++i) {
    const std::string whole = alert_bytes(random_alert(random));
    for (std::size_t kept = 0; kept < whole.size(); ++kept) {
      const auto read = alert_from_bytes(std::string_view{whole}.substr(0, kept));
      ASSERT_FALSE(read) << kept << " of " << whole.size() << " bytes";
      EXPECT_EQ(read.failure().code, "malformed");
    }
  }
}

TEST(alert_bytes, one_more_byte_is_refused) {
  EXPECT_FALSE(alert_from_bytes(alert_bytes(alert{}) + '\0'));
}

TEST(alert_bytes, any_bit_that_is_another_is_refused) {
  std::mt19937_64 random{11};
  const std::string whole = alert_bytes(random_alert(random));
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(alert_from_bytes(damaged)) << "bit " << bit;
  }
}

/// `bytes` with the checksum that fits them.
std::string with_checksum(std::string bytes) {
  const std::uint64_t sum = XXH3_64bits(bytes.data(), bytes.size() - sizeof sum);
  std::memcpy(bytes.data() + bytes.size() - sizeof sum, &sum, sizeof sum);
  return bytes;
}

TEST(alert_bytes, damage_under_a_checksum_that_fits_is_refused_or_read_within_bounds) {
  std::size_t refused = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    std::mt19937_64 random{seed};
    std::string damaged = alert_bytes(random_alert(random));
    for (std::uint64_t left = 1 + random() % 3; left > 0; --left) {
      damaged[1 + random() % (damaged.size() - 1)] = static_cast<char>(random() % 256);
    }
    const auto read = alert_from_bytes(with_checksum(std::move(damaged)));
    if (!read) {
      ++refused;
      EXPECT_EQ(read.failure().code, "malformed");
      EXPECT_NE(read.failure().message, "");
      continue;
    }
    EXPECT_LE(read->state, alert_state::closed);
    EXPECT_LE(read->severity, severity::info);
    EXPECT_LE(read->origin, alert_origin::incident);
    EXPECT_LE(read->proof.window.kind, window_kind::sequence);
  }
  EXPECT_GT(refused, 100U);
}

TEST(alert_bytes, a_newer_version_is_told_from_damage) {
  std::string newer = alert_bytes(alert{});
  newer[0] = 2;
  const auto read = alert_from_bytes(newer);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.failure().code, "newer_version");
  EXPECT_EQ(read.failure().message, "an alert of format version 2: this tocsin reads up to 1");
}

}  // namespace
}  // namespace tocsin::testing
