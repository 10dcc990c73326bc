// SPDX-License-Identifier: Apache-2.0
// Under which name it is recorded what the bearer of a token does.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "io/alertmanager_api.hpp"
#include "support/tocsin_api_fixture.hpp"

namespace tocsin {
namespace {

using nlohmann::json;

class tocsin_api_caller_test : public testing::tocsin_api_fixture {
 protected:
  /// The actor of the last transition of an alert.
  std::string last_actor(const std::string& id) {
    return get("/alerts/" + id + "/explain").body.at("transitions").back().at("actor");
  }
};

TEST_F(tocsin_api_caller_test, the_tokens_name_is_recorded_when_none_is_given) {
  const auto id = scene.disk_full("db1");
  caller = "ops";
  EXPECT_EQ(post("/alerts/" + id + "/acknowledge", json::object()).status, 200u);
  EXPECT_EQ(get("/alerts/" + id).body["acknowledged_by"], "ops");
  EXPECT_EQ(post("/alerts/" + id + "/notes", {{"note", "x"}}).status, 200u);
  EXPECT_EQ(last_actor(id), "ops");
  EXPECT_EQ(post("/unacknowledge", {{"ids", {id}}}).body["changed"], 1);
  EXPECT_EQ(last_actor(id), "ops");
  caller.clear();
  EXPECT_EQ(told(post("/alerts/" + id + "/acknowledge", json::object())), "400 missing_field by");
}

TEST_F(tocsin_api_caller_test, a_name_that_is_given_is_recorded_with_the_tokens) {
  const auto id = scene.disk_full("db1");
  caller = "ops";
  EXPECT_EQ(post("/alerts/" + id + "/acknowledge", {{"by", "ann"}}).body["acknowledged_by"],
            "ann (via ops)");
  EXPECT_EQ(post("/alerts/" + id + "/assign", {{"by", "ops"}, {"to", "bob"}}).body["assignee"],
            "bob");
  EXPECT_EQ(last_actor(id), "ops");
  EXPECT_EQ(told(post("/alerts/" + id + "/close", {{"by", "rule"}})), "400 bad_field by");
  EXPECT_EQ(told(post("/alerts/" + id + "/close", {{"by", 7}})), "400 bad_field by");
}

TEST_F(tocsin_api_caller_test, a_silence_is_its_creators_and_an_edit_does_not_pile_names_up) {
  caller = "ops";
  json wanted{{"matchers", {"a=\"b\""}}, {"comment", "x"}, {"duration", "1h"}};
  EXPECT_EQ(post("/silences", wanted).body["created_by"], "ops");
  wanted["created_by"] = "ann";
  json made = post("/silences", wanted).body;
  EXPECT_EQ(made["created_by"], "ann (via ops)");
  wanted["created_by"] = made["created_by"];
  wanted["id"] = made["id"];
  EXPECT_EQ(post("/silences", wanted).body["created_by"], "ann (via ops)");
}

TEST_F(tocsin_api_caller_test, alertmanagers_silences_name_the_token_too) {
  const testing::route_caller alertmanager{alertmanager_routes(scene.backend())};
  const json wanted{{"matchers", {{{"name", "a"}, {"value", "b"}, {"isRegex", false}}}},
                    {"startsAt", format_rfc3339(scene.backend().now())},
                    {"endsAt", format_rfc3339(scene.backend().now() + std::chrono::hours{1})},
                    {"createdBy", "ann"},
                    {"comment", "x"}};
  const auto made =
      alertmanager.call("POST", "/api/v2/silences", wanted.dump(), "application/json", "ops");
  ASSERT_EQ(made.response.status, 200u) << made.response.body;
  const std::string id = json::parse(made.response.body)["silenceID"];
  EXPECT_EQ(get("/silences/" + id).body["created_by"], "ann (via ops)");
  EXPECT_EQ(alertmanager.call("DELETE", "/api/v2/silence/" + id, "", "", "ops").response.status,
            200u);
}

}  // namespace
}  // namespace tocsin
