// SPDX-License-Identifier: Apache-2.0
// tocsin's own HTTP interface over a real book and store: alerts and what operators do to them.
#include "io/tocsin_api.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "support/tocsin_api_fixture.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::percent_encoded;

constexpr std::string_view unknown_id = "00000000000000000000000000000001";

class tocsin_api_test : public testing::tocsin_api_fixture {
 protected:
  static texts sorted_titles(const json& alerts) {
    auto all = titles(alerts);
    std::sort(all.begin(), all.end());
    return all;
  }
};

TEST_F(tocsin_api_test, the_active_alerts_are_a_plain_list_by_fingerprint) {
  EXPECT_EQ(get("/alerts").body, json::array());
  const auto first = scene.disk_full("db1");
  const auto second = scene.disk_full("web1");
  const auto listed = get("/alerts");
  EXPECT_EQ(listed.status, 200u);
  ASSERT_EQ(listed.body.size(), 2u);
  EXPECT_LT(listed.body[0]["fingerprint"], listed.body[1]["fingerprint"]);
  EXPECT_EQ(sorted_titles(listed.body), (texts{"disk full on db1", "disk full on web1"}));
  scene.disk_well("db1");
  EXPECT_EQ(sorted_titles(get("/alerts").body), texts{"disk full on web1"});
  EXPECT_NE(first, second);
}

TEST_F(tocsin_api_test, alerts_are_chosen_by_matchers_states_and_acknowledge) {
  const auto db = scene.disk_full("db1");
  scene.disk_full("web1");
  scene.fan_slow("db2");
  post("/alerts/" + db + "/acknowledge", {{"by", "ann"}});
  const auto chosen = [this](const std::string& query) {
    return sorted_titles(get("/alerts?" + query).body);
  };
  EXPECT_EQ(chosen("filter=" + percent_encoded("team=\"web\"")), texts{"disk full on web1"});
  EXPECT_EQ(chosen("filter=" + percent_encoded("alertname=\"disk-full\"") +
                   "&filter=" + percent_encoded("resource_id=~\"db.*\"")),
            texts{"disk full on db1"});
  EXPECT_EQ(chosen("filter=" + percent_encoded("{alertname=\"disk-full\",resource_id!~\"db.*\"}")),
            texts{"disk full on web1"});
  EXPECT_EQ(chosen("state=pending"), texts{"fan slow on db2"});
  EXPECT_EQ(chosen("state=pending&state=firing"), (texts{"disk full on web1", "fan slow on db2"}));
  EXPECT_EQ(chosen("acknowledged=true"), texts{"disk full on db1"});
  EXPECT_EQ(chosen("acknowledged=false").size(), 2u);
  EXPECT_EQ(chosen("limit=1").size(), 1u);
}

TEST_F(tocsin_api_test, a_query_that_cannot_be_read_is_told_with_its_parameter) {
  EXPECT_EQ(told(get("/alerts?filter=%7Bbad")), "400 bad_matcher filter");
  EXPECT_EQ(told(get("/alerts?state=broken")), "400 bad_field state");
  EXPECT_EQ(told(get("/alerts?acknowledged=yes")), "400 bad_field acknowledged");
  EXPECT_EQ(told(get("/alerts?acknowledged")), "400 bad_field acknowledged");
  EXPECT_EQ(told(get("/alerts?limit=0")), "400 bad_field limit");
  EXPECT_EQ(told(get("/alerts?limit=1&limit=2")), "400 bad_field limit");
  const auto slip = get("/alerts?filtre=x");
  EXPECT_EQ(told(slip), "400 unknown_field filtre");
  EXPECT_NE(slip.body["message"].get<std::string>().find("did you mean filter?"),
            std::string::npos);
}

TEST_F(tocsin_api_test, an_alert_is_found_by_its_id_while_it_is_active_and_afterwards) {
  const auto id = scene.disk_full("db1");
  EXPECT_EQ(get("/alerts/" + id).body["state"], "firing");
  scene.disk_well("db1");
  const auto past = get("/alerts/" + id);
  EXPECT_EQ(past.status, 200u);
  EXPECT_EQ(past.body["alert_id"], id);
  EXPECT_EQ(past.body["state"], "resolved");
}

TEST_F(tocsin_api_test, an_alert_that_there_never_was_is_not_found) {
  EXPECT_EQ(told(get(fmt::format("/alerts/{}", unknown_id))), "404 not_found");
  EXPECT_EQ(told(get(fmt::format("/alerts/{}/explain", unknown_id))), "404 not_found");
  EXPECT_EQ(told(post(fmt::format("/alerts/{}/close", unknown_id), {{"by", "ann"}})),
            "404 not_found");
  EXPECT_EQ(told(get("/alerts/abc")), "400 bad_field alert_id");
  EXPECT_EQ(told(get("/alerts/0000000000000000000000000000000g")), "400 bad_field alert_id");
  EXPECT_EQ(told(post("/alerts/abc/close", {{"by", "ann"}})), "400 bad_field alert_id");
}

TEST_F(tocsin_api_test, an_acknowledge_is_seen_at_once_and_taken_over_only_with_replace) {
  const auto path = "/alerts/" + scene.disk_full("db1") + "/acknowledge";
  const auto first = post(path, {{"by", "ann"}, {"note", "on it"}});
  EXPECT_EQ(first.status, 200u);
  EXPECT_EQ(first.body["state"], "acknowledged");
  EXPECT_EQ(first.body["acknowledged_by"], "ann");
  EXPECT_EQ(first.body["acknowledged_until"], nullptr);
  EXPECT_EQ(first.body["note"], "on it");
  EXPECT_EQ(first.body["actor"], "ann");
  const auto second = post(path, {{"by", "bob"}});
  EXPECT_EQ(told(second), "409 already_acknowledged");
  EXPECT_NE(second.body["message"].get<std::string>().find("ann"), std::string::npos);
  EXPECT_EQ(post(path, {{"by", "bob"}, {"replace", true}}).body["acknowledged_by"], "bob");
}

TEST_F(tocsin_api_test, an_acknowledge_may_have_an_end) {
  const auto id = scene.disk_full("db1");
  const auto now = to_unix_ms(scene.backend().now());
  const auto path = "/alerts/" + id + "/acknowledge";
  EXPECT_EQ(post(path, {{"by", "ann"}, {"for", "2h"}}).body["acknowledged_until"],
            now + 2 * 3'600'000);
  EXPECT_EQ(post(path, {{"by", "ann"}, {"until", now + 60'000}, {"replace", true}})
                .body["acknowledged_until"],
            now + 60'000);
  scene.pass(61s);
  EXPECT_EQ(get("/alerts/" + id).body["state"], "firing");
}

TEST_F(tocsin_api_test, alerts_are_unacknowledged_noted_assigned_and_closed) {
  const auto id = scene.disk_full("db1");
  const auto path = "/alerts/" + id;
  post(path + "/acknowledge", {{"by", "ann"}});
  const auto back = post(path + "/unacknowledge", {{"by", "bob"}, {"note", "not mine"}});
  EXPECT_EQ(back.body["state"], "firing");
  EXPECT_EQ(back.body["actor"], "bob");
  EXPECT_EQ(post(path + "/notes", {{"by", "ann"}, {"note", "look"}}).body["note"], "look");
  EXPECT_EQ(post(path + "/assign", {{"by", "ann"}, {"to", "bob"}}).body["assignee"], "bob");
  EXPECT_EQ(post(path + "/assign", {{"by", "ann"}, {"to", ""}}).body["assignee"], nullptr);
  const auto closed = post(path + "/close", {{"by", "ann"}, {"note", "done"}});
  EXPECT_EQ(closed.body["state"], "closed");
  EXPECT_EQ(closed.body["cause"], "closed by an operator");
  EXPECT_EQ(told(post(path + "/close", {{"by", "ann"}})), "404 not_found");
}

TEST_F(tocsin_api_test, what_is_illegal_in_a_state_is_a_conflict) {
  EXPECT_EQ(told(post("/alerts/" + scene.disk_full("db1") + "/unacknowledge", {{"by", "ann"}})),
            "409 illegal_transition");
  EXPECT_EQ(told(post("/alerts/" + scene.fan_slow("db1") + "/acknowledge", {{"by", "ann"}})),
            "409 illegal_transition");
}

TEST_F(tocsin_api_test, a_wrong_body_is_told_with_its_field_and_changes_nothing) {
  const auto path = "/alerts/" + scene.disk_full("db1");
  const auto past = to_unix_ms(scene.backend().now());
  const auto refused = [&](const std::string& verb, const json& body) {
    return told(post(path + verb, body));
  };
  EXPECT_EQ(refused("/acknowledge", json::object()), "400 missing_field by");
  EXPECT_EQ(refused("/acknowledge", {{"by", ""}}), "400 missing_field by");
  EXPECT_EQ(refused("/acknowledge", {{"by", 7}}), "400 bad_field by");
  EXPECT_EQ(refused("/acknowledge", {{"by", "checker"}}), "400 bad_field by");
  EXPECT_EQ(refused("/acknowledge", {{"by", "a\nb"}}), "400 bad_field by");
  EXPECT_EQ(refused("/acknowledge", {{"by", std::string(257, 'a')}}), "400 bad_field by");
  EXPECT_EQ(refused("/acknowledge", {{"by", "ann"}, {"note", std::string(16'385, 'a')}}),
            "400 bad_field note");
  EXPECT_EQ(refused("/acknowledge", {{"by", "ann"}, {"until", past}}), "400 bad_field until");
  EXPECT_EQ(refused("/acknowledge", {{"by", "ann"}, {"for", "0"}}), "400 bad_field for");
  EXPECT_EQ(refused("/acknowledge", {{"by", "ann"}, {"for", "1h"}, {"until", past + 9}}),
            "400 bad_field for");
  EXPECT_EQ(refused("/acknowledge", {{"by", "ann"}, {"replace", "yes"}}), "400 bad_field replace");
  EXPECT_EQ(refused("/acknowledge", {{"by", "ann"}, {"matchers", json::array()}}),
            "400 unknown_field matchers");
  EXPECT_EQ(refused("/notes", {{"by", "ann"}}), "400 missing_field note");
  EXPECT_EQ(refused("/assign", {{"by", "ann"}}), "400 missing_field to");
  EXPECT_EQ(refused("/close", {{"by", "ann"}, {"to", "bob"}}), "400 unknown_field to");
  EXPECT_EQ(told(ask("POST", path + "/close", "by=ann")), "400 malformed");
  EXPECT_EQ(get(path).body["number"], 1);
}

TEST_F(tocsin_api_test, a_body_must_be_said_to_be_json) {
  const auto path = "/alerts/" + scene.disk_full("db1") + "/close";
  EXPECT_EQ(told(ask("POST", path, R"({"by":"ann"})", "text/plain")), "415 unsupported_media_type");
  EXPECT_EQ(told(ask("POST", path, R"({"by":"ann"})", "")), "415 unsupported_media_type");
  EXPECT_EQ(ask("POST", path, R"({"by":"ann"})", "application/json; charset=utf-8").status, 200u);
}

TEST_F(tocsin_api_test, many_alerts_are_chosen_by_matchers) {
  scene.disk_full("web1");
  scene.disk_full("web2");
  scene.disk_full("db1", 5, "b");
  const auto done = post("/acknowledge",
                         {{"by", "ann"}, {"matchers", {"team=\"web\"", "resource_id=~\"web.*\""}}});
  EXPECT_EQ(done.status, 200u);
  EXPECT_EQ(done.body, (json{{"changed", 2}, {"refused", json::array()}}));
  EXPECT_EQ(sorted_titles(get("/alerts?acknowledged=false").body), texts{"disk full on db1"});
  const auto none = post("/acknowledge", {{"by", "ann"}, {"matchers", {"team=\"nobody\""}}});
  EXPECT_EQ(none.body, (json{{"changed", 0}, {"refused", json::array()}}));
}

TEST_F(tocsin_api_test, many_alerts_are_chosen_by_ids_and_each_refusal_is_told) {
  const auto first = scene.disk_full("web1");
  const auto second = scene.disk_full("db1");
  post("/alerts/" + second + "/acknowledge", {{"by", "ann"}});
  const auto done = post("/acknowledge?verbose=true",
                         {{"by", "bob"}, {"ids", {first, second, std::string{unknown_id}, first}}});
  EXPECT_EQ(done.body["changed"], 1);
  ASSERT_EQ(done.body["refused"].size(), 2u);
  EXPECT_EQ(done.body["refused"][0]["alert_id"], second);
  EXPECT_EQ(done.body["refused"][0]["code"], "already_acknowledged");
  EXPECT_EQ(done.body["refused"][1]["alert_id"], unknown_id);
  EXPECT_EQ(done.body["refused"][1]["code"], "not_found");
  EXPECT_EQ(sorted_titles(done.body["alerts"]), texts{"disk full on web1"});
}

TEST_F(tocsin_api_test, every_verb_works_on_many) {
  scene.disk_full("db1");
  scene.disk_full("web1");
  const json all{"alertname=\"disk-full\""};
  const auto changed = [&](const std::string& verb, json body) {
    body["matchers"] = all;
    body["by"] = "ann";
    return post("/" + verb, body).body.value("changed", -1);
  };
  EXPECT_EQ(changed("notes", {{"note", "both"}}), 2);
  EXPECT_EQ(changed("assign", {{"to", "bob"}}), 2);
  EXPECT_EQ(changed("acknowledge", {{"for", "1h"}}), 2);
  EXPECT_EQ(changed("unacknowledge", json::object()), 2);
  EXPECT_EQ(changed("close", json::object()), 2);
  EXPECT_EQ(get("/alerts").body, json::array());
}

TEST_F(tocsin_api_test, a_choice_that_is_none_or_cannot_be_read_is_told_with_its_field) {
  const auto refused = [&](const json& body) { return told(post("/close", body)); };
  EXPECT_EQ(refused({{"by", "ann"}}), "400 nothing_chosen matchers");
  EXPECT_EQ(refused({{"by", "ann"}, {"matchers", json::array()}}), "400 nothing_chosen matchers");
  EXPECT_EQ(refused({{"by", "ann"}, {"ids", json::array()}}), "400 nothing_chosen ids");
  EXPECT_EQ(refused({{"by", "ann"}, {"ids", {unknown_id}}, {"matchers", {"a=\"b\""}}}),
            "400 bad_field ids");
  EXPECT_EQ(refused({{"by", "ann"}, {"ids", {unknown_id, "x"}}}), "400 bad_field ids[1]");
  EXPECT_EQ(refused({{"by", "ann"}, {"matchers", {"a=\"b\"", "c"}}}),
            "400 bad_matcher matchers[1]");
  EXPECT_EQ(refused({{"by", "ann"}, {"matchers", "a=\"b\""}}), "400 bad_field matchers");
}

TEST_F(tocsin_api_test, a_pipeline_that_has_ended_is_unavailable) {
  const auto id = scene.disk_full("db1");
  scene.backend().set_gone(true);
  for (const char* path : {"/alerts", "/incidents", "/rules", "/groups", "/silences"}) {
    EXPECT_EQ(told(get(path)), "503 unavailable") << path;
  }
  EXPECT_EQ(told(get("/alerts/" + id)), "503 unavailable");
  EXPECT_EQ(told(get("/alerts/" + id + "/explain")), "503 unavailable");
  EXPECT_EQ(told(post("/alerts/" + id + "/close", {{"by", "ann"}})), "503 unavailable");
  EXPECT_EQ(told(post("/silences/preview", {{"matchers", {"a=\"b\""}}})), "503 unavailable");
  EXPECT_EQ(get("/history").status, 200u) << "the store is still there";
}

}  // namespace
}  // namespace tocsin
