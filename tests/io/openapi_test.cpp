// SPDX-License-Identifier: Apache-2.0
// docs/openapi.yaml and the HTTP interfaces say the same: the same operations, and requests and
// answers of the same shape.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "io/alertmanager_api.hpp"
#include "io/tocsin_api.hpp"
#include "support/alert_api_scene.hpp"
#include "support/openapi_check.hpp"
#include "support/route_caller.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using operation = testing::openapi_check::operation;
using testing::percent_encoded;

/// What the daemon answers itself.
const std::set<operation> of_the_daemon{
    {"GET", "/metrics"}, {"GET", "/-/healthy"}, {"GET", "/-/ready"}};

constexpr std::string_view own = "/api/tocsin/v1";
constexpr std::string_view unknown_id = "00000000000000000000000000000001";
constexpr std::string_view unknown_silence = "00000000-0000-4000-8000-000000000000";

std::vector<http_route> all_routes(alert_backend& backend) {
  auto routes = tocsin_routes(backend);
  auto more = alertmanager_routes(backend);
  std::move(more.begin(), more.end(), std::back_inserter(routes));
  return routes;
}

class openapi_test : public ::testing::Test {
 protected:
  /// Asks, and holds question and answer against the document. Gives the answer's body, null when
  /// it has none.
  json ask(unsigned status, const std::string& method, const std::string& target,
           const std::string& body = "") {
    const auto called = routes.call(method, target, body);
    const operation what{method, called.path};
    EXPECT_EQ(called.response.status, status)
        << method << ' ' << target << ' ' << called.response.body;
    for (const auto& wrong : document.check_answer(
             what, called.response.status, called.response.content_type, called.response.body)) {
      ADD_FAILURE() << wrong;
    }
    if (called.response.status < 300) {
      for (const auto& wrong : document.check_request(what, body)) ADD_FAILURE() << wrong;
      asked.insert(what);
    }
    return called.response.body.empty() ? json() : json::parse(called.response.body);
  }
  json get(const std::string& target) { return ask(200, "GET", target); }
  json post(const std::string& target, const json& body) {
    return ask(200, "POST", target, body.dump());
  }
  static std::string api(std::string_view rest) { return std::string{own}.append(rest); }

  void ask_about_alerts(const std::string& id);
  void operate_on_one(const std::string& id);
  void operate_on_many();
  void ask_about_silences();
  void speak_as_alertmanager();

  testing::alert_api_scene scene;
  testing::route_caller routes{all_routes(scene.backend())};
  testing::openapi_check document =
      testing::openapi_check::of_file(TOCSIN_SOURCE_DIR "/docs/openapi.yaml");
  std::set<operation> asked;  ///< and answered well
};

void openapi_test::ask_about_alerts(const std::string& id) {
  EXPECT_GT(get(api("/alerts")).size(), 3u);
  get(api("/alerts/" + id));
  get(api("/alerts/" + id + "/explain"));
  const auto incidents = get(api("/incidents"));
  ASSERT_EQ(incidents.size(), 1u);
  get(api("/alerts/" + incidents[0]["incident"]["alert_id"].get<std::string>() + "/explain"));
  EXPECT_GT(get(api("/history?limit=2"))["alerts"].size(), 1u);
  get(api("/stats?days=2"));
  EXPECT_EQ(get(api("/rules")).size(), 2u);
  EXPECT_GT(get(api("/groups")).size(), 0u);
}

void openapi_test::operate_on_one(const std::string& id) {
  const auto path = api("/alerts/" + id);
  post(path + "/acknowledge", {{"by", "ann"}, {"note", "on it"}, {"for", "1h"}});
  get(path + "/explain");
  ask(409, "POST", path + "/acknowledge", R"({"by":"bob"})");
  post(path + "/unacknowledge", {{"by", "ann"}});
  ask(409, "POST", path + "/unacknowledge", R"({"by":"ann"})");
  post(path + "/notes", {{"by", "ann"}, {"note", "look"}});
  post(path + "/assign", {{"by", "ann"}, {"to", "bob"}});
  get(path);
  post(path + "/close", {{"by", "ann"}});
  get(path + "/explain");
  ask(404, "POST", path + "/close", R"({"by":"ann"})");
  ask(400, "POST", path + "/close", "{}");
}

void openapi_test::operate_on_many() {
  const json matchers{"alertname=\"disk-full\""};
  post(api("/acknowledge?verbose=true"), {{"by", "ann"}, {"matchers", matchers}, {"for", "1h"}});
  post(api("/unacknowledge"), {{"by", "ann"}, {"matchers", matchers}});
  post(api("/notes"), {{"by", "ann"}, {"matchers", matchers}, {"note", "all"}});
  post(api("/assign"), {{"by", "ann"}, {"matchers", matchers}, {"to", "bob"}});
  const auto refused = post(api("/close"), {{"by", "ann"}, {"ids", {unknown_id}}});
  EXPECT_EQ(refused["refused"].size(), 1u);
  ask(400, "POST", api("/close"), R"({"by":"ann"})");
}

void openapi_test::ask_about_silences() {
  const json wanted{{"matchers", {"team=\"web\""}},
                    {"created_by", "ann"},
                    {"comment", "works"},
                    {"starts_at", to_unix_ms(scene.backend().now())},
                    {"duration", "1h"},
                    {"scope", "alerts"},
                    {"recurs", {{{"times", {{{"start_time", "00:00"}, {"end_time", "24:00"}}}}}}}};
  post(api("/silences/preview"), wanted);
  const std::string id = post(api("/silences"), wanted)["id"];
  EXPECT_EQ(get(api("/silences")).size(), 1u);
  get(api("/silences/" + id));
  ask(200, "DELETE", api("/silences/" + id + "?by=ann"));
  ask(409, "DELETE", api("/silences/" + id));
  ask(404, "GET", api("/silences/nobody"));
  ask(400, "POST", api("/silences"), "{}");
}

void openapi_test::speak_as_alertmanager() {
  post("/api/v2/alerts", json::array({{{"labels", {{"alertname", "posted"}, {"severity", "error"}}},
                                       {"annotations", {{"summary", "it was posted"}}},
                                       {"generatorURL", "http://localhost/graph"}}}));
  ask(400, "POST", "/api/v2/alerts", "{");
  ask(400, "GET", "/api/v2/alerts?filter=%7Bbad");
  EXPECT_GT(get("/api/v2/alerts").size(), 1u);
  EXPECT_GT(get("/api/v2/alerts/groups").size(), 0u);
  get("/api/v2/status");
  EXPECT_GT(get("/api/v2/receivers").size(), 0u);
  const auto now = scene.backend().now();
  const json wanted{{"matchers", {{{"name", "team"}, {"value", "web"}, {"isRegex", false}}}},
                    {"startsAt", format_rfc3339(now)},
                    {"endsAt", format_rfc3339(now + 1h)},
                    {"createdBy", "ann"},
                    {"comment", "works"}};
  const std::string id = post("/api/v2/silences", wanted)["silenceID"];
  EXPECT_GT(get("/api/v2/silences").size(), 0u);
  get("/api/v2/silence/" + id);
  EXPECT_GT(get("/api/v2/alerts").size(), 1u) << "suppressed ones too";
  ask(200, "DELETE", "/api/v2/silence/" + id);
  ask(404, "GET", fmt::format("/api/v2/silence/{}", unknown_silence));
  ask(422, "GET", "/api/v2/silence/nobody");
  ask(400, "POST", "/api/v2/silences", "{");
}

TEST_F(openapi_test, the_document_is_sound) {
  EXPECT_EQ(document.faults(), std::vector<std::string>{});
}

TEST_F(openapi_test, the_document_has_the_operations_that_are_served_and_no_others) {
  std::set<operation> served = of_the_daemon;
  for (const http_route& each : routes.routes()) served.insert({each.method, each.path});
  const auto listed = document.operations();
  const std::set<operation> documented(listed.begin(), listed.end());
  for (const operation& each : served) {
    EXPECT_TRUE(documented.contains(each))
        << "not in the document: " << each.method << ' ' << each.path;
  }
  for (const operation& each : documented) {
    EXPECT_TRUE(served.contains(each)) << "not served: " << each.method << ' ' << each.path;
  }
}

TEST_F(openapi_test, what_is_asked_and_answered_has_the_shape_that_the_document_gives) {
  scene.disk_full("db1");
  const auto id = scene.disk_full("db2");
  scene.disk_full("web1");
  scene.fan_slow("web2");
  scene.disk_well("db1");
  ask_about_alerts(id);
  operate_on_one(id);
  operate_on_many();
  ask_about_silences();
  speak_as_alertmanager();
  get(api("/alerts"));
  get(api("/history"));
  for (const operation& each : document.operations()) {
    if (of_the_daemon.contains(each)) continue;
    EXPECT_TRUE(asked.contains(each)) << "was not asked: " << each.method << ' ' << each.path;
  }
}

TEST_F(openapi_test, refusals_have_the_shape_that_the_document_gives) {
  const auto id = scene.disk_full("db1");
  ask(404, "GET", fmt::format("{}/alerts/{}", own, unknown_id));
  ask(404, "GET", fmt::format("{}/alerts/{}/explain", own, unknown_id));
  for (const http_route& each : routes.routes()) {
    if (!each.path.starts_with(own)) continue;
    auto target = each.path;
    if (const auto at = target.find("{alert_id}"); at != std::string::npos) {
      target.replace(at, std::string_view{"{alert_id}"}.size(), id);
    }
    ask(400, each.method, target + "?nonsense=1", each.method == "POST" ? "{}" : "");
    if (each.method != "POST") continue;
    const auto called = routes.call("POST", target, "{}", "text/plain");
    EXPECT_EQ(called.response.status, 415u) << target;
    EXPECT_EQ(document.check_answer({"POST", each.path}, 415, called.response.content_type,
                                    called.response.body),
              std::vector<std::string>{});
  }
}

TEST_F(openapi_test, the_parameters_of_the_document_are_known) {
  scene.disk_full("db1");
  for (const operation& each : document.operations()) {
    if (each.method != "GET" || each.path.find('{') != std::string::npos) continue;
    if (of_the_daemon.contains(each)) continue;
    for (const auto& [name, value] : document.query_examples(each)) {
      get(each.path + "?" + name + "=" + percent_encoded(value));
    }
  }
}

/// The names in "there is no parameter x; there are: a, b".
std::set<std::string> names_told(const std::string& message) {
  constexpr std::string_view word = "there are: ";
  std::set<std::string> names;
  auto at = message.find(word);
  while (at != std::string::npos) {
    at += names.empty() ? word.size() : 2;
    const auto comma = message.find(", ", at);
    names.insert(message.substr(at, comma - at));
    at = comma;
  }
  return names;
}

TEST_F(openapi_test, no_parameter_is_known_that_the_document_does_not_have) {
  for (const http_route& each : routes.routes()) {
    if (each.method != "GET" || each.path.find('{') != std::string::npos) continue;
    if (!each.path.starts_with(own)) continue;
    const auto called = routes.call("GET", each.path + "?a-parameter-of-no-route=1");
    const auto listed = document.query_parameters({each.method, each.path});
    EXPECT_EQ(names_told(json::parse(called.response.body)["message"]),
              std::set<std::string>(listed.begin(), listed.end()))
        << each.path;
  }
}

}  // namespace
}  // namespace tocsin
