// SPDX-License-Identifier: Apache-2.0
// What webhooks are sent, byte for byte, and what is common to a group.
#include "io/webhook_body.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {
namespace {

const instant noon = *parse_rfc3339("2026-03-02T12:00:00Z");
const std::string external = "http://tocsin.example:9093";

alert alert_of_rule(std::uint64_t number) {
  alert made;
  made.rule = "DiskFull";
  made.print = {0x0123456789abcdef, number};
  made.alert_id = {0xfedcba9876543210, number};
  made.state = alert_state::firing;
  made.severity = severity::critical;
  made.started_at = noon + std::chrono::seconds{number};
  made.at = made.started_at;
  alert_texts texts;
  texts.title = "Disk full";
  texts.description = "Disk " + std::to_string(number) + " is \"full\"";
  texts.labels = {{"team", "storage"}, {"disk", std::to_string(number)}};
  texts.annotations = {{"runbook", "https://example.com/disk"}};
  texts.resource_id = "web-1";
  made.texts = std::make_shared<const alert_texts>(std::move(texts));
  return made;
}

void end(alert& of, alert_state how) {
  of.state = how;
  of.at = noon + std::chrono::minutes{5};
}

notice notice_of(std::vector<alert> alerts) {
  notice made;
  made.id = "00112233445566778899aabbccddeeff";
  made.receiver = "ops";
  made.group_key = R"({}/{team="storage"}:{alertname="DiskFull"})";
  made.group_labels = {{"alertname", "DiskFull"}};
  made.at = noon;
  for (alert& each : alerts) made.alerts.push_back(std::make_shared<const alert>(std::move(each)));
  return made;
}

nlohmann::json body_of(const notice& of, std::size_t max_alerts = 0) {
  return nlohmann::json::parse(webhook_body(of, max_alerts, external));
}

TEST(webhook_body, is_alertmanagers_of_version_4) {
  auto over = alert_of_rule(2);
  end(over, alert_state::resolved);
  const auto body = webhook_body(notice_of({alert_of_rule(1), over}), 0, external);
  EXPECT_EQ(
      body,
      R"({"version":"4","groupKey":"{}/{team=\"storage\"}:{alertname=\"DiskFull\"}",)"
      R"("truncatedAlerts":0,"status":"firing","receiver":"ops",)"
      R"("groupLabels":{"alertname":"DiskFull"},)"
      R"("commonLabels":{"alertname":"DiskFull","resource_id":"web-1","severity":"critical","team":"storage"},)"
      R"("commonAnnotations":{"runbook":"https://example.com/disk","summary":"Disk full"},)"
      R"("externalURL":"http://tocsin.example:9093","alerts":[)"
      R"({"status":"firing","labels":{"alertname":"DiskFull","disk":"1","resource_id":"web-1","severity":"critical","team":"storage"},)"
      R"("annotations":{"description":"Disk 1 is \"full\"","runbook":"https://example.com/disk","summary":"Disk full"},)"
      R"("startsAt":"2026-03-02T12:00:01.000Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"",)"
      R"("fingerprint":"0123456789abcdef0000000000000001","alertID":"fedcba98765432100000000000000001"},)"
      R"({"status":"resolved","labels":{"alertname":"DiskFull","disk":"2","resource_id":"web-1","severity":"critical","team":"storage"},)"
      R"("annotations":{"description":"Disk 2 is \"full\"","runbook":"https://example.com/disk","summary":"Disk full"},)"
      R"("startsAt":"2026-03-02T12:00:02.000Z","endsAt":"2026-03-02T12:05:00.000Z","generatorURL":"",)"
      R"("fingerprint":"0123456789abcdef0000000000000002","alertID":"fedcba98765432100000000000000002"}]})");
}

TEST(webhook_body, a_group_is_resolved_when_none_of_its_alerts_is_active) {
  auto resolved = alert_of_rule(1);
  end(resolved, alert_state::resolved);
  auto closed = alert_of_rule(2);
  end(closed, alert_state::closed);
  const auto over = notice_of({resolved, closed});
  EXPECT_TRUE(is_all_resolved(over));
  const auto body = body_of(over);
  EXPECT_EQ(body["status"], "resolved");
  EXPECT_EQ(body["alerts"][1]["status"], "resolved") << "closed is an end, too";
  EXPECT_EQ(body["alerts"][1]["endsAt"], "2026-03-02T12:05:00.000Z");
}

TEST(webhook_body, an_acknowledged_alert_is_still_firing) {
  auto acknowledged = alert_of_rule(1);
  acknowledged.state = alert_state::acknowledged;
  const auto of = notice_of({acknowledged});
  EXPECT_FALSE(is_all_resolved(of));
  const auto body = body_of(of);
  EXPECT_EQ(body["status"], "firing");
  EXPECT_EQ(body["alerts"][0]["status"], "firing");
}

TEST(webhook_body, alerts_beyond_the_bound_are_counted_and_still_decide_what_is_common) {
  auto third = alert_of_rule(3);
  auto texts = *third.texts;
  texts.labels = {{"team", "databases"}};
  third.texts = std::make_shared<const alert_texts>(texts);
  const auto of = notice_of({alert_of_rule(1), alert_of_rule(2), third});
  const auto body = body_of(of, 2);
  EXPECT_EQ(body["alerts"].size(), 2U);
  EXPECT_EQ(body["alerts"][1]["labels"]["disk"], "2");
  EXPECT_EQ(body["truncatedAlerts"], 1);
  EXPECT_FALSE(body["commonLabels"].contains("team"));
  EXPECT_TRUE(body["commonLabels"].contains("alertname"));
  EXPECT_EQ(body_of(of, 3)["truncatedAlerts"], 0);
  EXPECT_EQ(body_of(of, 4)["alerts"].size(), 3U);
  EXPECT_EQ(body_of(of, 0)["alerts"].size(), 3U);
}

TEST(webhook_body, a_label_that_one_alert_lacks_is_not_common) {
  auto bare = alert_of_rule(2);
  bare.texts = nullptr;
  const auto body = body_of(notice_of({alert_of_rule(1), bare}));
  EXPECT_EQ(body["commonLabels"],
            (nlohmann::json{{"alertname", "DiskFull"}, {"severity", "critical"}}));
  EXPECT_EQ(body["commonAnnotations"], nlohmann::json::object());
}

TEST(webhook_body, annotations_of_ones_own_win_over_title_and_description) {
  auto of = alert_of_rule(1);
  auto texts = *of.texts;
  texts.annotations = {{"summary", "mine"}, {"description", ""}};
  of.texts = std::make_shared<const alert_texts>(texts);
  const auto body = body_of(notice_of({of}));
  EXPECT_EQ(body["alerts"][0]["annotations"],
            (nlohmann::json{{"summary", "mine"}, {"description", ""}}));
}

TEST(webhook_body, a_posted_alert_keeps_its_own_start_and_generator) {
  auto posted = alert_of_rule(1);
  posted.origin = alert_origin::posted;
  posted.posted = std::make_shared<const posted_facts>(
      posted_facts{noon - std::chrono::hours{1}, noon + std::chrono::hours{1}, false,
                   "http://prometheus/graph"});
  const auto body = body_of(notice_of({posted}));
  EXPECT_EQ(body["alerts"][0]["startsAt"], "2026-03-02T11:00:00.000Z");
  EXPECT_EQ(body["alerts"][0]["generatorURL"], "http://prometheus/graph");
  EXPECT_EQ(body["alerts"][0]["labels"], (nlohmann::json{{"disk", "1"}, {"team", "storage"}}));
}

TEST(webhook_body, an_escalation_says_its_level) {
  auto of = notice_of({alert_of_rule(1)});
  EXPECT_FALSE(body_of(of).contains("escalationLevel"));
  of.kind = notice_kind::escalation;
  of.level = 2;
  EXPECT_EQ(body_of(of)["escalationLevel"], 2);
}

TEST(webhook_body, texts_that_are_not_utf8_are_replaced) {
  auto of = alert_of_rule(1);
  auto texts = *of.texts;
  texts.title = "b\xff\nd";
  of.texts = std::make_shared<const alert_texts>(texts);
  EXPECT_EQ(body_of(notice_of({of}))["alerts"][0]["annotations"]["summary"], "b\xef\xbf\xbd\nd");
}

}  // namespace
}  // namespace tocsin
