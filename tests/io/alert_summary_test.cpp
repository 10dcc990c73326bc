// SPDX-License-Identifier: Apache-2.0
// The summary read from an alert's map equals the one made of the alert.
#include "io/alert_summary.hpp"

#include <gtest/gtest.h>

#include "io/alert_codec.hpp"

namespace tocsin {
namespace {

alert some_alert(const std::string& resource_name) {
  alert_texts texts;
  texts.title = "three errors";
  texts.resource_id = "id-1";
  texts.resource_name = resource_name;
  alert made;
  made.rule = "http-500";
  made.at = from_unix_ms(1'700'000'000'123);
  made.state = alert_state::firing;
  made.severity = severity::critical;
  made.cause = "condition met";
  made.actor = "ann";
  made.note = "known";
  made.shields.silenced_by = {"s-1"};
  made.shields.muted_by = {"nights", "weekends"};
  made.proof.event_count = 300;
  made.texts = std::make_shared<const alert_texts>(texts);
  return made;
}

TEST(alert_summary, the_map_tells_what_the_alert_tells) {
  for (const auto* name : {"host1", ""}) {
    const auto of = some_alert(name);
    const auto direct = summarize(of);
    const auto read = read_summary(encode_alert_msgpack(of));
    ASSERT_TRUE(read) << read.failure().message;
    EXPECT_EQ(read->at, direct.at);
    EXPECT_EQ(read->state, "firing");
    EXPECT_EQ(read->severity, direct.severity);
    EXPECT_EQ(read->rule, direct.rule);
    EXPECT_EQ(read->title, direct.title);
    EXPECT_EQ(read->resource, direct.resource);
    EXPECT_EQ(read->cause, direct.cause);
    EXPECT_EQ(read->actor, "ann");
    EXPECT_EQ(read->note, "known");
    EXPECT_EQ(read->shields, (std::vector<std::string>{"silenced", "muted"}));
    EXPECT_EQ(read->shields, direct.shields);
    EXPECT_EQ(read->event_count, 300U);
  }
  EXPECT_EQ(summarize(some_alert("")).resource, "id-1");
}

TEST(alert_summary, what_is_no_map_is_malformed) {
  for (const std::string bytes : {"", "\x93", "x",
                                  "\x82\xa2"
                                  "at"}) {
    const auto read = read_summary(bytes);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.failure().code, "malformed");
  }
}

}  // namespace
}  // namespace tocsin
