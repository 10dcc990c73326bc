// SPDX-License-Identifier: Apache-2.0
// Quotas as they are written in the settings.
#include "io/ingest_file.hpp"

#include <gtest/gtest.h>

#include <string>

#include "io/settings_file.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

std::string errors_of(const std::string& ingest) {
  diagnostics found;
  (void)parse_settings("ingest: {" + ingest + "}", "t.yaml", found);
  std::string all;
  for (const auto& each : found) all += each.text() + "\n";
  return all;
}

ingest_quotas quotas_of(const std::string& yaml) {
  diagnostics found;
  const settings read = parse_settings(yaml, "t.yaml", found);
  for (const auto& each : found) ADD_FAILURE() << each.text();
  return read.quotas;
}

TEST(ingest_file, without_settings_nothing_is_bounded) {
  EXPECT_EQ(quotas_of("ingest: {push: ''}"), ingest_quotas{});
}

TEST(ingest_file, a_source_that_is_named_has_the_quota_of_all_but_for_what_is_written) {
  const ingest_quotas read = quotas_of(R"(
ingest:
  quotas: {events_per_second: 100, burst: 30s, keys: 500}
  sources:
    big: {events_per_second: 5000}
    "host 1": {keys: 0, disabled: true}
  shed: true
)");
  EXPECT_EQ(read.every, (source_quota{100, 500, false}));
  EXPECT_EQ(read.burst, 30s);
  EXPECT_EQ(read.by_source.at("big"), (source_quota{5000, 500, false}));
  EXPECT_EQ(read.by_source.at("host 1"), (source_quota{100, 0, true}));
  EXPECT_TRUE(read.shed);
}

TEST(ingest_file, what_is_wrong_is_said_with_its_place) {
  EXPECT_NE(errors_of("quotas: {burst: 10ms}"), "");
  EXPECT_NE(errors_of("quotas: {burst: 2h}"), "");
  EXPECT_NE(errors_of("quotas: {events_per_second: -1}"), "");
  EXPECT_NE(errors_of("quotas: {events_per_second: 1000000001}"), "");
  EXPECT_NE(errors_of("quotas: {keys: 1000001}"), "");
  EXPECT_NE(errors_of("quotas: 5"), "");
  EXPECT_NE(errors_of("sources: [a]"), "");
  EXPECT_NE(errors_of("sources: {a: {disabled: maybe}}"), "");
  EXPECT_NE(errors_of("shed: maybe"), "");
  EXPECT_EQ(errors_of("sources: {a: {key: 5}}"),
            "t.yaml:1:24: error: unknown field 'key' (did you mean 'keys'?)\n");
}

}  // namespace
}  // namespace tocsin
