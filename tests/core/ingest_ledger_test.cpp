// SPDX-License-Identifier: Apache-2.0
// The books of what came in must balance, in all and per source, however many sources there are.
#include "tocsin/ingest_ledger.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(ingest_ledger, a_new_ledger_is_empty) {
  const ingest_ledger ledger;
  EXPECT_EQ(ledger.total(), ingest_counts{});
  EXPECT_TRUE(ledger.by_source().empty());
  EXPECT_TRUE(ledger.rejected_by_code().empty());
}

TEST(ingest_ledger, every_event_is_counted_once_in_the_total_and_at_its_source) {
  ingest_ledger ledger;
  ledger.accept("a");
  ledger.accept("a");
  ledger.accept("b");
  ledger.reject("a", "bad_value");
  ledger.reject("", "malformed");
  EXPECT_EQ(ledger.total(), (ingest_counts{.received = 5, .accepted = 3, .rejected = 2}));
  const auto sources = ledger.by_source();
  ASSERT_EQ(sources.size(), 3U);
  EXPECT_EQ(sources.at("a"), (ingest_counts{.received = 3, .accepted = 2, .rejected = 1}));
  EXPECT_EQ(sources.at("b"), (ingest_counts{.received = 1, .accepted = 1}));
  EXPECT_EQ(sources.at(""), (ingest_counts{.received = 1, .rejected = 1}));
}

TEST(ingest_ledger, duplicates_are_received_but_not_accepted) {
  ingest_ledger ledger;
  ledger.accept("a");
  ledger.duplicate("a");
  EXPECT_EQ(ledger.total(), (ingest_counts{.received = 2, .accepted = 1, .duplicate = 1}));
  EXPECT_EQ(ledger.by_source().at("a"), ledger.total());
}

TEST(ingest_ledger, what_is_shed_is_received_but_not_accepted) {
  ingest_ledger ledger;
  ledger.accept("a");
  ledger.shed("a");
  EXPECT_EQ(ledger.total(), (ingest_counts{.received = 2, .accepted = 1, .shed = 1}));
  EXPECT_EQ(ledger.by_source().at("a"), ledger.total());
}

TEST(ingest_ledger, rejections_are_counted_by_code) {
  ingest_ledger ledger;
  ledger.reject("a", "bad_value");
  ledger.reject("b", "bad_value");
  ledger.reject("a", "malformed");
  EXPECT_EQ(ledger.rejected_by_code().at("bad_value"), 2U);
  EXPECT_EQ(ledger.rejected_by_code().at("malformed"), 1U);
}

TEST(ingest_ledger, events_without_a_source_are_counted_under_the_empty_name) {
  ingest_ledger ledger;
  ledger.accept("");
  ledger.accept("");
  EXPECT_EQ(ledger.by_source().at("").accepted, 2U);
}

TEST(ingest_ledger, the_counts_of_a_source_survive_the_growth_of_the_table) {
  ingest_ledger ledger;
  for (int i = 0; i < 3'000; ++i) {
    ledger.accept("steady");
    ledger.accept(fmt::format("source-{}", i));
    ledger.accept("steady");
  }
  EXPECT_EQ(ledger.by_source().at("steady").accepted, 6'000U);
  EXPECT_EQ(ledger.by_source().at("source-2999").accepted, 1U);
}

TEST(ingest_ledger, sources_beyond_the_bound_are_counted_together) {
  ingest_ledger ledger;
  for (std::size_t i = 0; i < ingest_ledger::sources_max; ++i) {
    ledger.accept(fmt::format("source-{}", i));
  }
  ledger.accept("one too many");
  ledger.accept("another");
  ledger.reject("another", "bad_type");
  ledger.accept("");
  ledger.accept("source-7");
  const auto sources = ledger.by_source();
  EXPECT_EQ(sources.size(), ingest_ledger::sources_max + 2);
  EXPECT_EQ(sources.at("__other__"), (ingest_counts{.received = 3, .accepted = 2, .rejected = 1}));
  EXPECT_EQ(sources.at("").accepted, 1U);
  EXPECT_EQ(sources.at("source-7").accepted, 2U);
  EXPECT_FALSE(sources.contains("another"));
}

TEST(ingest_ledger, the_sources_add_up_to_the_total) {
  ingest_ledger ledger;
  for (std::size_t i = 0; i < 40'000; ++i) {
    const std::string source = fmt::format("source-{}", i * 7919 % 12'000);
    if (i % 3 == 0) {
      ledger.reject(source, "bad_time");
    } else {
      ledger.accept(source);
    }
  }
  ingest_counts sum;
  for (const auto& [name, counts] : ledger.by_source()) {
    EXPECT_EQ(counts.received, counts.accepted + counts.rejected) << name;
    sum.received += counts.received;
    sum.accepted += counts.accepted;
    sum.rejected += counts.rejected;
  }
  EXPECT_EQ(sum, ledger.total());
  EXPECT_EQ(sum.received, 40'000U);
}

}  // namespace
}  // namespace tocsin
