// SPDX-License-Identifier: Apache-2.0
// tocsin's own HTTP interface over a real book and store: explanations, history, silences, and what
// there is beside single alerts.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/tocsin_api.hpp"
#include "io/tocsin_api_condition.hpp"
#include "support/alert_api_scene.hpp"
#include "support/route_caller.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::alert_api_scene;
using testing::percent_encoded;

struct answer {
  unsigned status = 0;
  json body;
};

class tocsin_api_views_test : public ::testing::Test {
 protected:
  answer get(const std::string& rest) { return ask("GET", rest, ""); }
  answer post(const std::string& rest, const json& body) { return ask("POST", rest, body.dump()); }
  answer ask(const std::string& method, const std::string& rest, const std::string& body) {
    const auto called = routes.call(method, "/api/tocsin/v1" + rest, body);
    EXPECT_EQ(called.response.content_type, "application/json");
    return {called.response.status, json::parse(called.response.body)};
  }
  static std::string told(const answer& of) {
    return fmt::format("{} {}{}", of.status, of.body.value("code", "?"),
                       of.body.contains("field") ? " " + of.body.value("field", "") : "");
  }
  using texts = std::vector<std::string>;
  static texts titles(const json& alerts) {
    texts all;
    for (const json& each : alerts) all.push_back(each.at("title"));
    return all;
  }
  [[nodiscard]] long long now_ms() { return to_unix_ms(scene.backend().now()); }
  /// A silence of these matchers for an hour, made.
  json silenced(const json& matchers, const json& more = json::object()) {
    json body{{"matchers", matchers}, {"created_by", "ann"}, {"comment", "works"}};
    if (!more.contains("ends_at")) body["duration"] = "1h";
    body.update(more);
    const auto made = post("/silences", body);
    EXPECT_EQ(made.status, 200u) << made.body;
    return made.body;
  }

  alert_api_scene scene;
  testing::route_caller routes{tocsin_routes(scene.backend())};
};

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
  const auto silence = silenced({"team=\"web\""});
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

alert with_condition(std::string condition) {
  alert made;
  made.rule = "disk-full";
  made.condition = std::move(condition);
  made.proof.event_count = 7;
  made.proof.first_event_time = from_unix_ms(1'772'445'600'000);
  made.proof.last_event_time = from_unix_ms(1'772'445'690'000);
  made.proof.window = {window_kind::fixed, from_unix_ms(1'772'445'600'000),
                       from_unix_ms(1'772'445'900'000)};
  made.proof.values = {{"fail", 5}, {"failures", 2.5}, {"rate", -1}};
  return made;
}

TEST(condition_with_values, puts_values_in_the_place_of_whole_names_alone) {
  const auto shown = [](std::string condition) {
    return condition_with_values(with_condition(std::move(condition)));
  };
  EXPECT_EQ(shown("fail >= 3 && failures < 4 && failures_2 > 1"),
            "5 >= 3 && 2.5 < 4 && failures_2 > 1");
  EXPECT_EQ(shown("event_count >= 3 && duration > 1m"), "7 >= 3 && 1m30s > 1m");
  EXPECT_EQ(shown("rule == \"fail\" || rate < 0"), "\"disk-full\" == \"fail\" || -1 < 0");
  EXPECT_EQ(shown("labels.fail == 'x' && labels[\"fail\"] != \"fail\""),
            "labels.fail == 'x' && labels[\"fail\"] != \"fail\"");
  EXPECT_EQ(shown("max(fail) > fail && (fail + 1) * 2 > 3"), "max(fail) > 5 && (5 + 1) * 2 > 3");
  EXPECT_EQ(shown("count_if(value > fail && (fail < 2)) > fail"),
            "count_if(value > fail && (fail < 2)) > 5");
  EXPECT_EQ(shown("has(fail) && size(rule) > 2"), "has(fail) && size(\"disk-full\") > 2");
  EXPECT_EQ(shown("rule.startsWith(\"fail\") && fail in [fail, 1]"),
            "\"disk-full\".startsWith(\"fail\") && 5 in [5, 1]");
  EXPECT_EQ(shown("window.end > first_event_time && window.size > 1m"),
            "\"2026-03-02T10:05:00.000Z\" > \"2026-03-02T10:00:00.000Z\" && window.size > 1m");
  EXPECT_EQ(shown("max_severity == \"error\" && idle > 5m"),
            "max_severity == \"error\" && idle > 5m");
}

TEST(condition_with_values, leaves_what_is_no_expression) {
  auto incident = with_condition("at least 3 fail alerts within 10m");
  incident.origin = alert_origin::incident;
  EXPECT_EQ(condition_with_values(incident), "at least 3 fail alerts within 10m");
  EXPECT_EQ(condition_with_values(with_condition("")), "");
  EXPECT_EQ(condition_with_values(with_condition("fail = 3")), "fail = 3");
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

TEST_F(tocsin_api_views_test, a_silence_is_made_listed_edited_and_ended) {
  const auto made = silenced({"team=\"web\"", "zone=~\"a|b\""});
  EXPECT_EQ(made["state"], "active");
  EXPECT_EQ(made["in_force"], true);
  EXPECT_EQ(made["matchers"], (json{"team=\"web\"", "zone=~\"a|b\""}));
  EXPECT_EQ(made["starts_at"], now_ms());
  EXPECT_EQ(made["ends_at"], now_ms() + 3'600'000);
  EXPECT_EQ(made["scope"], "alerts");
  EXPECT_EQ(made["recurs"], json::array());
  EXPECT_EQ(get("/silences").body, json::array({made}));
  const std::string id = made["id"];
  EXPECT_EQ(get("/silences/" + id).body, made);

  const auto longer = silenced(made["matchers"], {{"id", id}, {"duration", "2h"}});
  EXPECT_EQ(longer["id"], id);
  EXPECT_EQ(longer["starts_at"], made["starts_at"]);
  EXPECT_EQ(longer["ends_at"], now_ms() + 7'200'000);

  const auto ended = ask("DELETE", "/silences/" + id + "?by=bob", "");
  EXPECT_EQ(ended.status, 200u);
  EXPECT_EQ(ended.body["state"], "expired");
  EXPECT_EQ(told(ask("DELETE", "/silences/" + id, "")), "409 silence_expired");
  EXPECT_EQ(get("/silences?state=active").body, json::array());
  EXPECT_EQ(get("/silences?state=expired").body.size(), 1u);
  EXPECT_EQ(told(ask("DELETE", "/silences/nobody", "")), "404 silence_not_found");
  EXPECT_EQ(told(get("/silences/nobody")), "404 silence_not_found");
}

TEST_F(tocsin_api_views_test, a_silence_may_begin_later_and_recur) {
  const json nights = {{{"times", {{{"start_time", "22:00"}, {"end_time", "24:00"}}}},
                        {"weekdays", {"monday:friday", "sunday"}},
                        {"days_of_month", {"1:5", "-1"}},
                        {"months", {"january:march", "december"}},
                        {"years", {"2026:2028"}},
                        {"location", "Europe/Berlin"}}};
  const auto made = silenced({"team=\"web\""}, {{"recurs", nights}, {"scope", "events"}});
  EXPECT_EQ(made["recurs"], nights);
  EXPECT_EQ(made["scope"], "events");
  EXPECT_EQ(made["state"], "active");
  EXPECT_EQ(made["in_force"], false);
  const auto later = silenced({"team=\"web\""}, {{"starts_at", "2026-03-03T10:00:00Z"},
                                                 {"ends_at", "2026-03-03T11:00:00Z"}});
  EXPECT_EQ(later["state"], "pending");
  EXPECT_EQ(get("/silences?in_force=false").body.size(), 2u);
  EXPECT_EQ(get("/silences?in_force=true").body.size(), 0u);
}

TEST_F(tocsin_api_views_test, a_length_counts_from_now_or_from_a_start_to_come) {
  const auto now = now_ms();
  const auto begun = silenced({"team=\"web\""}, {{"starts_at", "2020-01-01T00:00:00Z"}});
  EXPECT_EQ(begun["starts_at"], now);
  EXPECT_EQ(begun["ends_at"], now + 3'600'000);
  const auto later = silenced({"team=\"web\""}, {{"starts_at", now + 60'000}});
  EXPECT_EQ(later["ends_at"], now + 60'000 + 3'600'000);
  scene.pass(10min);
  const auto longer = silenced(begun["matchers"], {{"id", begun["id"]}});
  EXPECT_EQ(longer["id"], begun["id"]);
  EXPECT_EQ(longer["starts_at"], now);
  EXPECT_EQ(longer["ends_at"], now_ms() + 3'600'000);
}

TEST_F(tocsin_api_views_test, a_silence_that_cannot_be_made_is_told_with_its_field) {
  const json good{
      {"matchers", {"a=\"b\""}}, {"created_by", "ann"}, {"comment", "x"}, {"duration", "1h"}};
  const auto with = [&](const json& more) {
    json body = good;
    body.update(more);
    return told(post("/silences", body));
  };
  const auto without = [&](const std::string& field) {
    json body = good;
    body.erase(field);
    return told(post("/silences", body));
  };
  EXPECT_EQ(post("/silences", good).status, 200u);
  EXPECT_EQ(without("matchers"), "400 missing_field matchers");
  EXPECT_EQ(without("created_by"), "400 missing_field created_by");
  EXPECT_EQ(without("comment"), "400 missing_field comment");
  EXPECT_EQ(without("duration"), "400 missing_field ends_at");
  EXPECT_EQ(with({{"ends_at", now_ms() + 9}}), "400 bad_field duration");
  EXPECT_EQ(with({{"duration", nullptr}, {"ends_at", now_ms() - 9}}), "400 bad_field ends_at");
  EXPECT_EQ(with({{"duration", "0"}}), "400 bad_field duration");
  EXPECT_EQ(with({{"matchers", {"a"}}}), "400 bad_matcher matchers[0]");
  EXPECT_EQ(with({{"matchers", {"a=~\".*\""}}}).substr(0, 15), "400 bad_silence");
  EXPECT_EQ(with({{"scope", "all"}}), "400 bad_field scope");
  EXPECT_EQ(with({{"recurs", {{{"weekdays", {"monday", "noday"}}}}}}),
            "400 bad_field recurs[0].weekdays[1]");
  EXPECT_EQ(with({{"recurs", {{{"times", {{{"start_time", "10:00"}}}}}}}}),
            "400 missing_field recurs[0].times[0].end_time");
  EXPECT_EQ(with({{"recurs", {{{"location", "Mars/Olympus"}}}}}),
            "400 bad_field recurs[0].location");
  EXPECT_EQ(with({{"recurs", {{{"hours", "9"}}}}}), "400 unknown_field recurs[0].hours");
  EXPECT_EQ(with({{"id", "nobody"}}), "404 silence_not_found");
}

TEST_F(tocsin_api_views_test, a_preview_shows_what_a_silence_would_match_and_makes_none) {
  scene.disk_full("web1");
  scene.disk_full("web2", 5, "b");
  scene.disk_full("db1");
  const auto seen = post(
      "/silences/preview",
      {{"matchers", {"team=\"web\""}}, {"created_by", "ann"}, {"duration", "1h"}, {"limit", 1}});
  EXPECT_EQ(seen.status, 200u);
  EXPECT_EQ(seen.body["count"], 2);
  EXPECT_EQ(seen.body["alerts"].size(), 1u);
  EXPECT_EQ(get("/silences").body, json::array());
  EXPECT_EQ(told(post("/silences/preview", json::object())), "400 missing_field matchers");
  EXPECT_EQ(told(post("/silences/preview", {{"matchers", {"a=\"b\""}}, {"limit", 0}})),
            "400 bad_field limit");
}

}  // namespace
}  // namespace tocsin
