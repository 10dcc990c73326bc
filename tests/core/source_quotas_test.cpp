// SPDX-License-Identifier: Apache-2.0
// What a source may send, and what is shed first.
#include "tocsin/source_quotas.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

constexpr instant start = from_unix_ms(1'700'000'000'000);

ingest_quotas rate_of(std::uint64_t events_per_second, duration burst = 1s) {
  ingest_quotas made;
  made.every.events_per_second = events_per_second;
  made.burst = burst;
  return made;
}

int taken(source_quotas& quotas, std::string_view source, int tries, instant now) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += quotas.take_one(source, now) ? 1 : 0;
  return count;
}

event of(std::string_view source, std::string_view resource, std::string_view item = "cpu") {
  event made;
  made.set_text(event_field::source_id, source);
  made.set_text(event_field::resource_id, resource);
  made.set_text(event_field::item, item);
  return made;
}

TEST(source_quotas, without_a_bound_there_is_nothing_to_ask) {
  EXPECT_FALSE(source_quotas{{}}.any());
  source_quotas quotas{{}};
  EXPECT_EQ(taken(quotas, "a", 1000, start), 1000);
  EXPECT_TRUE(quotas.admit_key(of("a", "r"), start));
  EXPECT_TRUE(source_quotas{rate_of(1)}.any());
}

TEST(source_quotas, a_burst_comes_at_once_and_then_the_rate) {
  source_quotas quotas{rate_of(10, 3s)};
  EXPECT_EQ(taken(quotas, "a", 100, start), 30);
  EXPECT_EQ(taken(quotas, "a", 100, start + 99ms), 0);
  EXPECT_EQ(taken(quotas, "a", 100, start + 100ms), 1);
  EXPECT_EQ(taken(quotas, "a", 100, start + 1100ms), 10);
  EXPECT_EQ(taken(quotas, "a", 100, start + 24h), 30) << "no more than the bucket holds";
}

TEST(source_quotas, one_source_does_not_use_up_anothers_quota) {
  source_quotas quotas{rate_of(10)};
  EXPECT_EQ(taken(quotas, "flood", 1'000'000, start), 10);
  EXPECT_EQ(taken(quotas, "b", 10, start), 10);
  EXPECT_EQ(taken(quotas, "", 10, start), 10);
}

TEST(source_quotas, a_source_that_is_named_has_its_own) {
  auto wanted = rate_of(10);
  wanted.by_source["big"] = {.events_per_second = 50, .keys = 0, .disabled = false};
  wanted.by_source["free"] = {};
  wanted.by_source["off"] = {.events_per_second = 10, .keys = 0, .disabled = true};
  source_quotas quotas{wanted};
  EXPECT_EQ(taken(quotas, "big", 100, start), 50);
  EXPECT_EQ(taken(quotas, "free", 100, start), 100);
  EXPECT_TRUE(quotas.disabled("off"));
  EXPECT_FALSE(quotas.disabled("big"));
  EXPECT_FALSE(quotas.disabled("unknown"));
}

TEST(source_quotas, a_request_is_taken_as_a_whole_or_told_when_it_fits) {
  source_quotas quotas{rate_of(10)};
  const std::vector<source_quotas::demand> first{{"a", 6}, {"b", 2}};
  EXPECT_EQ(quotas.take_all(first, start), std::nullopt);
  EXPECT_EQ(quotas.take_all(first, start), 200ms) << "4 are left, 6 are wanted";
  EXPECT_EQ(taken(quotas, "b", 100, start), 8) << "nothing was taken of it";
  EXPECT_EQ(quotas.take_all(first, start + 200ms), std::nullopt);
  EXPECT_EQ(quotas.take_all(first, start + 200ms), 600ms);
}

TEST(source_quotas, a_request_larger_than_the_bucket_passes_a_full_one_and_owes_the_rest) {
  source_quotas quotas{rate_of(10)};
  const std::vector<source_quotas::demand> large{{"a", 100}};
  EXPECT_EQ(quotas.take_all(large, start), std::nullopt);
  EXPECT_EQ(quotas.take_all(large, start), 10s);
  EXPECT_EQ(taken(quotas, "a", 1, start + 9s), 0);
  EXPECT_EQ(quotas.take_all(large, start + 10s), std::nullopt);
}

TEST(source_quotas, over_any_time_no_more_comes_through_than_burst_and_rate_allow) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 random{seed};
    const std::uint64_t rate = 1 + random() % 50;
    const std::int64_t burst = 1 + random() % 5;
    source_quotas quotas{rate_of(rate, std::chrono::seconds{burst})};
    std::vector<instant> taken_at;
    instant now = start;
    for (int i = 0; i < 2000; ++i) {
      now += duration{random() % 30};
      if (quotas.take_one("a", now)) taken_at.push_back(now);
    }
    for (std::size_t from = 0; from < taken_at.size(); from += 17) {
      for (std::size_t to = from; to < taken_at.size(); to += 13) {
        const auto allowed = static_cast<std::int64_t>(rate) *
                             (burst * 1000 + (taken_at[to] - taken_at[from]).count());
        ASSERT_LE(static_cast<std::int64_t>(to - from + 1) * 1000, allowed) << "seed " << seed;
      }
    }
  }
}

TEST(source_quotas, keys_are_bounded_by_source_and_hour) {
  ingest_quotas wanted;
  wanted.every.keys = 2;
  source_quotas quotas{wanted};
  const instant hour = std::chrono::ceil<std::chrono::hours>(start);
  EXPECT_TRUE(quotas.admit_key(of("a", "1"), hour));
  EXPECT_TRUE(quotas.admit_key(of("a", "1", "disk"), hour));
  EXPECT_FALSE(quotas.admit_key(of("a", "2"), hour));
  EXPECT_TRUE(quotas.admit_key(of("a", "1"), hour)) << "one of those that it has";
  EXPECT_TRUE(quotas.admit_key(of("b", "2"), hour)) << "another source";
  EXPECT_FALSE(quotas.admit_key(of("a", "2"), hour + 1h - 1ms));
  EXPECT_TRUE(quotas.admit_key(of("a", "2"), hour + 1h)) << "another hour";
}

TEST(source_quotas, sources_beyond_the_bound_share_one_quota_until_others_rest) {
  source_quotas quotas{rate_of(1)};
  const instant hour = std::chrono::ceil<std::chrono::hours>(start);
  for (std::size_t i = 0; i < source_quotas::sources_max; ++i) {
    ASSERT_TRUE(quotas.take_one(std::to_string(i), hour));
  }
  EXPECT_TRUE(quotas.take_one("one more", hour));
  EXPECT_FALSE(quotas.take_one("and another", hour));
  EXPECT_TRUE(quotas.take_one("one more", hour + 1h));
  EXPECT_TRUE(quotas.take_one("and another", hour + 1h));
}

TEST(shedding, the_least_severe_goes_first_and_critical_never) {
  const auto shed = [](double pressure) {
    std::string all;
    for (const auto level :
         {severity::info, severity::warning, severity::error, severity::critical}) {
      if (is_shed_at(pressure, level)) all += std::string{to_text(level)} + " ";
    }
    return all;
  };
  EXPECT_EQ(shed(0.5), "");
  EXPECT_EQ(shed(0.51), "info ");
  EXPECT_EQ(shed(0.76), "info warning ");
  EXPECT_EQ(shed(0.91), "info warning error ");
  EXPECT_EQ(shed(2), "info warning error ");
  EXPECT_TRUE(is_shed_at(0.51, std::nullopt)) << "no level is info";
}

}  // namespace
}  // namespace tocsin
