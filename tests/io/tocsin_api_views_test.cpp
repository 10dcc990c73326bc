// SPDX-License-Identifier: Apache-2.0
// tocsin's own HTTP interface: explanations, history, and what there is beside single alerts.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/tocsin_api_fixture.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::percent_encoded;

class tocsin_api_views_test : public testing::tocsin_api_fixture {};

TEST_F(tocsin_api_views_test, an_explanation_puts_the_numbers_into_the_condition) {
  const auto id = scene.disk_full("web1", 5);
  const auto seen = get("/alerts/" + id + "/explain").body;
  EXPECT_EQ(seen["alert"]["alert_id"], id);
  EXPECT_EQ(seen["condition"], "failures >= 3");
  EXPECT_EQ(seen["condition_with_values"], "5 >= 3");
  EXPECT_EQ(seen["values"], (json{{"failures", 5}}));
  EXPECT_EQ(seen["events"]["count"], 5);
  EXPECT_EQ(seen["events"]["ids"], (json{"e-1", "e-2"}));
  EXPECT_EQ(seen["events"]["truncated"], true);
  EXPECT_EQ(seen["events"]["first"].get<long long>() + 30'000, seen["events"]["last"]);
  EXPECT_EQ(seen["window"]["kind"], "sliding");
  EXPECT_EQ(seen["incident"], nullptr);
}

TEST_F(tocsin_api_views_test, an_explanation_lists_all_transitions_and_who_made_them) {
  const auto id = scene.disk_full("web1");
  post("/alerts/" + id + "/acknowledge", {{"by", "ann"}, {"note", "on it"}});
  scene.disk_well("web1");
  const auto seen = get("/alerts/" + id + "/explain").body;
  ASSERT_EQ(seen["transitions"].size(), 3u);
  EXPECT_EQ(seen["transitions"][0]["state"], "firing");
  EXPECT_EQ(seen["transitions"][1]["actor"], "ann");
  EXPECT_EQ(seen["transitions"][1]["note"], "on it");
  EXPECT_EQ(seen["transitions"][2]["state"], "resolved");
  EXPECT_EQ(seen["transitions"][2]["number"], 3);
  EXPECT_EQ(seen["alert"]["state"], "resolved");
}

TEST_F(tocsin_api_views_test, an_explanation_tells_of_shields_and_of_who_is_told) {
  const auto id = scene.disk_full("web1");
  const auto silence = post("/silences", {{"matchers", {"team=\"web\""}},
                                          {"created_by", "ann"},
                                          {"comment", "works"},
                                          {"duration", "1h"}})
                           .body;
  const auto seen = get("/alerts/" + id + "/explain").body;
  ASSERT_EQ(seen["shields"]["silenced_by"].size(), 1u);
  EXPECT_EQ(seen["shields"]["silenced_by"][0]["id"], silence["id"]);
  EXPECT_EQ(seen["shields"]["silenced_by"][0]["comment"], "works");
  EXPECT_EQ(seen["shields"]["silenced_by"][0]["ends_at"], silence["ends_at"]);
  ASSERT_EQ(seen["routes"].size(), 1u);
  EXPECT_EQ(seen["routes"][0]["route"], "{}/{team=\"web\"}");
  EXPECT_EQ(seen["routes"][0]["receiver"], "web-pager");
  EXPECT_EQ(seen["routes"][0]["group_labels"], (json{{"alertname", "disk-full"}}));
  EXPECT_EQ(seen["routes"][0]["group_wait"], "30s");
  EXPECT_EQ(seen["receivers"], json{"web-pager"});
}

TEST_F(tocsin_api_views_test, an_explanation_names_the_alert_that_inhibits) {
  const auto source = scene.disk_full("db1");
  const auto target = scene.fan_slow("db1");
  const auto seen = get("/alerts/" + target + "/explain").body;
  EXPECT_EQ(seen["shields"]["inhibited_by"],
            (json{{{"alert_id", source}, {"rule", "disk-full"}, {"title", "disk full on db1"}}}));
}

TEST_F(tocsin_api_views_test, an_explanation_names_the_incident_and_an_incidents_its_members) {
  const auto id = scene.disk_full("db1");
  scene.disk_full("db2");
  scene.disk_full("db3");
  const auto member = get("/alerts/" + id + "/explain").body;
  ASSERT_TRUE(member["incident"].is_object()) << member;
  EXPECT_EQ(member["incident"]["rule"], "zone-down");
  const std::string incident = member["incident"]["alert_id"];
  const auto whole = get("/alerts/" + incident + "/explain").body;
  EXPECT_EQ(whole["members"].size(), 3u);
  EXPECT_EQ(whole["condition_with_values"], whole["condition"]);
}

TEST_F(tocsin_api_views_test, history_goes_back_page_by_page_newest_first) {
  scene.disk_full("db1");
  scene.disk_full("db2", 5, "b");
  scene.disk_well("db1");
  scene.fan_slow("db3");
  const auto first = get("/history?limit=2").body;
  EXPECT_EQ(titles(first["alerts"]), (texts{"fan slow on db3", "disk full on db2"}));
  ASSERT_NE(first["next"], "");
  const auto last =
      get("/history?limit=2&after=" + percent_encoded(first["next"].get<std::string>())).body;
  EXPECT_EQ(titles(last["alerts"]), texts{"disk full on db1"});
  EXPECT_EQ(last["next"], "");
}

TEST_F(tocsin_api_views_test, history_is_chosen_by_each_of_its_parameters) {
  scene.disk_full("db1");
  const auto between = scene.backend().now() + 500ms;
  const auto second = scene.disk_full("web1", 5, "b");
  scene.fan_slow("db3");
  scene.disk_well("db1");
  post("/alerts/" + second + "/acknowledge", {{"by", "ann"}, {"note", "zebra crossing"}});
  static_cast<void>(scene.backend().stored().maintain(from_unix_ms(0)));
  const auto found = [this](const std::string& query) {
    return titles(get("/history?" + query).body["alerts"]);
  };
  EXPECT_EQ(found("until=" + percent_encoded(format_rfc3339(between))), texts{"disk full on db1"});
  EXPECT_EQ(found(fmt::format("from={}&rule=disk-full", to_unix_ms(between))),
            texts{"disk full on web1"});
  EXPECT_EQ(found("severity=warning"), texts{"fan slow on db3"});
  EXPECT_EQ(found("state=resolved"), texts{"disk full on db1"});
  EXPECT_EQ(found("state=resolved&state=pending").size(), 2u);
  EXPECT_EQ(found("filter=" + percent_encoded("team=\"web\"")), texts{"disk full on web1"});
  EXPECT_EQ(found("text=zebra"), texts{"disk full on web1"});
  EXPECT_EQ(found("unacknowledged=true").size(), 2u);
}

TEST_F(tocsin_api_views_test, a_history_that_cannot_be_read_is_told_with_its_parameter) {
  EXPECT_EQ(told(get("/history?from=yesterday")), "400 bad_field from");
  EXPECT_EQ(told(get("/history?severity=bad")), "400 bad_field severity");
  EXPECT_EQ(told(get("/history?severity=info&severity=error")), "400 bad_field severity");
  EXPECT_EQ(told(get("/history?state=none")), "400 bad_field state");
  EXPECT_EQ(told(get("/history?limit=10001")), "400 bad_field limit");
  EXPECT_EQ(told(get("/history?page=2")), "400 unknown_field page");
  EXPECT_EQ(get("/history?after=nonsense").status, 400u);
}

TEST_F(tocsin_api_views_test, statistics_tell_of_the_last_days) {
  const auto id = scene.disk_full("db1");
  post("/alerts/" + id + "/acknowledge", {{"by", "ann"}});
  scene.pass(59s);
  scene.disk_well("db1");
  scene.disk_full("web1", 5, "b");
  const auto seen = get("/stats?days=3").body;
  EXPECT_EQ(seen["until"].get<long long>() - seen["from"].get<long long>(), 3 * 86'400'000LL);
  EXPECT_EQ(seen["total"], 2);
  EXPECT_EQ(seen["active"], 1);
  EXPECT_EQ(seen["acknowledged"], 1);
  EXPECT_EQ(seen["resolved"], 1);
  EXPECT_EQ(seen["closed"], 0);
  EXPECT_TRUE(seen["mean_time_to_acknowledge_ms"].is_number());
  ASSERT_EQ(seen["rules"].size(), 1u);
  EXPECT_EQ(seen["rules"][0]["rule"], "disk-full");
  EXPECT_EQ(seen["rules"][0]["self_resolved"], 0);
  ASSERT_EQ(seen["days"].size(), 3u);
  EXPECT_EQ(seen["days"][2], (json{{"start", 1'772'409'600'000LL},
                                   {"critical", 0},
                                   {"error", 2},
                                   {"warning", 0},
                                   {"info", 0}}));
  EXPECT_EQ(get("/stats").body["days"].size(), 7u);
}

TEST_F(tocsin_api_views_test, statistics_may_be_of_any_range) {
  scene.disk_full("db1");
  const auto range = fmt::format("from={}&until={}", now_ms() - 60'000, now_ms() + 60'000);
  EXPECT_EQ(get("/stats?" + range).body["total"], 1);
  EXPECT_EQ(told(get("/stats?days=1&" + range)), "400 bad_field days");
  EXPECT_EQ(told(get("/stats?from=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z")),
            "400 bad_field until");
  EXPECT_EQ(told(get("/stats?from=0")), "400 bad_field from");
  EXPECT_EQ(told(get("/stats?days=0")), "400 bad_field days");
}

TEST_F(tocsin_api_views_test, incidents_come_with_their_members) {
  EXPECT_EQ(get("/incidents").body, json::array());
  const auto ended = scene.disk_full("db1");
  scene.disk_full("db2");
  scene.disk_full("db3");
  scene.disk_well("db1");
  const auto seen = get("/incidents").body;
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0]["incident"]["origin"], "incident");
  EXPECT_EQ(titles(seen[0]["members"]), (texts{"disk full on db2", "disk full on db3"}));
  EXPECT_EQ(seen[0]["ended_members"], json{ended});
}

TEST_F(tocsin_api_views_test, rules_tell_what_they_are_and_how_many_alerts_they_have) {
  const auto id = scene.disk_full("db1");
  scene.disk_full("web1", 5, "b");
  scene.fan_slow("db2");
  post("/alerts/" + id + "/acknowledge", {{"by", "ann"}});
  const auto seen = get("/rules").body;
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0]["name"], "disk-full");
  EXPECT_EQ(seen[0]["condition"], "failures >= 3");
  EXPECT_EQ(seen[0]["group_by"], json{"resource_id"});
  EXPECT_EQ(seen[0]["window"],
            (json{{"kind", "sliding"}, {"size", "5m"}, {"every", "1m"}, {"time_zone", ""}}));
  EXPECT_EQ(seen[0]["active"], (json{{"pending", 0}, {"firing", 1}, {"acknowledged", 1}}));
  EXPECT_EQ(seen[1]["for"], "1m");
  EXPECT_EQ(seen[1]["active"], (json{{"pending", 1}, {"firing", 0}, {"acknowledged", 0}}));
}

TEST_F(tocsin_api_views_test, groups_are_listed_by_receiver) {
  scene.disk_full("db1");
  scene.disk_full("web1", 5, "b");
  const auto all = get("/groups").body;
  ASSERT_EQ(all.size(), 2u);
  const auto web = get("/groups?receiver=web-pager").body;
  ASSERT_EQ(web.size(), 1u);
  EXPECT_EQ(web[0]["labels"], (json{{"alertname", "disk-full"}}));
  EXPECT_EQ(titles(web[0]["alerts"]), texts{"disk full on web1"});
}

}  // namespace
}  // namespace tocsin
