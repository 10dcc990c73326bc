// SPDX-License-Identifier: Apache-2.0
// Which events a silence with scope `events` keeps out of the rules.
#include "tocsin/event_shield.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin {
namespace {

silence_ptr silence_of(std::string_view matchers) {
  silence made;
  made.scope = silence_scope::events;
  made.matchers = parse_label_matchers(matchers).value();
  return std::make_shared<const silence>(std::move(made));
}

/// A critical event of web-1 with a label of each kind, and one before it whose labels are others'.
event_batch one_of_each() {
  event_batch batch;
  batch.labels = {
      {"team", "another", 0, label::kind::text},    {"team", "web", 0, label::kind::text},
      {"port", "", 8080, label::kind::number},      {"ratio", "", 0.25, label::kind::number},
      {"canary", "", 1, label::kind::boolean},      {"spare", "", 0, label::kind::boolean},
      {"gone", "", 0, label::kind::null},           {"item", "label's", 0, label::kind::text},
      {"disk usage", "high", 0, label::kind::text}, {"value", "label's", 0, label::kind::text}};
  event before;
  before.labels_count = 1;
  event of;
  of.labels_begin = 1;
  of.labels_count = 9;
  of.set_text(event_field::source_id, "agent-7");
  of.set_text(event_field::resource_id, "web-1");
  of.set_text(event_field::item, "http_status");
  of.set_text(event_field::title, "too slow");
  of.value = 503;
  of.level = severity::critical;
  batch.events = {before, of};
  return batch;
}

bool keeps_out(std::string_view matchers, const event_batch& batch = one_of_each()) {
  const event_shield shield{{silence_of(matchers)}};
  return shield.keeps_out(batch, batch.events.back());
}

TEST(event_shield, matchers_see_the_fields_of_an_event) {
  EXPECT_TRUE(keeps_out(R"({source_id="agent-7"})"));
  EXPECT_TRUE(keeps_out(R"({resource_id=~"web-.*", item="http_status"})"));
  EXPECT_TRUE(keeps_out(R"({title!="fast"})"));
  EXPECT_FALSE(keeps_out(R"({resource_id=~"web"})")) << "expressions are anchored";
  EXPECT_FALSE(keeps_out(R"({resource_id="web-1", item="login"})")) << "all must accept";
}

TEST(event_shield, the_severity_goes_by_two_names) {
  EXPECT_TRUE(keeps_out(R"({severity="critical"})"));
  EXPECT_TRUE(keeps_out(R"({level=~"critical|error"})"));
  EXPECT_FALSE(keeps_out(R"({severity="warning"})"));
  auto batch = one_of_each();
  batch.events.back().level.reset();
  EXPECT_FALSE(keeps_out(R"({severity="critical"})", batch));
  EXPECT_TRUE(keeps_out(R"({severity="", source_id="agent-7"})", batch)) << "it has none";
}

TEST(event_shield, the_action_is_a_text) {
  EXPECT_TRUE(keeps_out(R"({action="firing"})"));
  auto batch = one_of_each();
  batch.events.back().action = event_action::resolved;
  EXPECT_TRUE(keeps_out(R"({action="resolved"})", batch));
  EXPECT_FALSE(keeps_out(R"({action="firing"})", batch));
}

TEST(event_shield, labels_are_seen_by_their_names_with_and_without_prefix) {
  EXPECT_TRUE(keeps_out(R"({team="web"})"));
  EXPECT_TRUE(keeps_out(R"({"labels.team"="web"})"));
  EXPECT_TRUE(keeps_out(R"({"disk usage"="high"})"));
  EXPECT_FALSE(keeps_out(R"({team="another"})")) << "the label of the event before it";
}

TEST(event_shield, a_known_field_wins_over_a_label_of_its_name) {
  EXPECT_FALSE(keeps_out(R"({item="label's"})"));
  EXPECT_TRUE(keeps_out(R"({"labels.item"="label's"})"));
  EXPECT_TRUE(keeps_out(R"({"labels.value"="label's"})"));
}

TEST(event_shield, numbers_and_booleans_are_their_texts) {
  EXPECT_TRUE(keeps_out(R"({port="8080"})"));
  EXPECT_TRUE(keeps_out(R"({port=~"80.+", ratio="0.25"})")) << "two numbers in one silence";
  EXPECT_TRUE(keeps_out(R"({canary="true", spare="false"})"));
  EXPECT_FALSE(keeps_out(R"({port="8080.0"})"));
}

TEST(event_shield, what_is_missing_or_null_is_an_empty_text) {
  EXPECT_TRUE(keeps_out(R"({nowhere="", team="web"})"));
  EXPECT_TRUE(keeps_out(R"({gone="", team="web"})"));
  EXPECT_TRUE(keeps_out(R"({description="", team="web"})"));
  EXPECT_FALSE(keeps_out(R"({nowhere=~".+"})"));
}

TEST(event_shield, one_silence_of_several_is_enough_and_none_keeps_nothing_out) {
  const auto batch = one_of_each();
  const event_shield two{{silence_of(R"({team="db"})"), silence_of(R"({team="web"})")}};
  EXPECT_TRUE(two.keeps_out(batch, batch.events.back()));
  EXPECT_FALSE(two.keeps_out(batch, batch.events.front()));
  const event_shield none{{}};
  EXPECT_FALSE(none.keeps_out(batch, batch.events.back()));
  EXPECT_EQ(two.silences().size(), 2U);
}

}  // namespace
}  // namespace tocsin
