// SPDX-License-Identifier: Apache-2.0
// Alertmanager's API over an alert book, against what Alertmanager itself answered.
#include "io/alertmanager_api.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "alertmanager_answers.hpp"
#include "io/alertmanager_api_syntax.hpp"
#include "io/http_routing.hpp"
#include "io/sqlite_store.hpp"
#include "support/direct_backend.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::direct_backend;

const instant began = *parse_rfc3339("2026-11-21T09:12:38.502Z");

label_matcher matcher(const std::string& text) {
  return *parse_label_matcher(text);
}

notify_route route(const std::string& receiver, const std::string& team,
                   std::vector<std::string> group_by, bool goes_on = false) {
  notify_route made;
  made.receiver = receiver;
  made.matchers = {matcher(team)};
  made.group_by = std::move(group_by);
  made.continue_matching = goes_on;
  made.key = "{}/{" + team + "}";
  return made;
}

/// The configuration that the answers were recorded with.
std::shared_ptr<const alert_policy> recorded_policy() {
  notify_policy notify;
  notify.routed = true;
  notify.original = "route:\n  receiver: default\n";
  notify.root.receiver = "default";
  notify.root.group_by = {"alertname"};
  notify.root.key = "{}";
  notify.root.routes = {route("team-x", "team=\"x\"", {"alertname", "instance"}),
                        route("both-a", "team=\"b\"", {"alertname"}, true),
                        route("both-b", "team=\"b\"", {"alertname"})};
  notify.receivers = {{"default", {}}, {"team-x", {}}, {"both-a", {}}, {"both-b", {}}};
  inhibit_rule inhibits;
  inhibits.source = {matcher("severity=\"critical\"")};
  inhibits.target = {matcher("severity=\"warning\"")};
  inhibits.equal = {"cluster"};
  notify.inhibit_rules = {inhibits};
  auto policy = std::make_shared<alert_policy>();
  policy->notify = std::make_shared<const notify_policy>(std::move(notify));
  policy->detect_flapping = false;
  return policy;
}

std::shared_ptr<const rule_set> one_rule(duration pending_for = {}) {
  rule_spec spec;
  spec.file = "test.yaml";
  spec.name.text = "errors";
  spec.where.text = "true";
  spec.group_by = {placed_text{"item"}};
  spec.window = {window_kind::sliding, 5min, 1min, {}};
  spec.having.text = "count() >= 3";
  spec.pending_for = pending_for;
  diagnostics found;
  auto rules = rule_set::compile({std::move(spec)}, found);
  if (!rules) throw std::runtime_error{"the rule of this test does not compile"};
  return rules;
}

std::unique_ptr<alert_store> store() {
  auto opened = open_sqlite_store("");
  if (!opened) throw std::runtime_error{opened.failure().message};
  return std::move(*opened);
}

class alertmanager_api : public ::testing::Test {
 protected:
  http_response ask(const std::string& method, const std::string& target,
                    const std::string& body = "",
                    const std::string& content_type = "application/json") {
    const auto question = std::min(target.find('?'), target.size());
    http_request asks;
    asks.method = method;
    asks.path = "/api/v2" + target.substr(0, question);
    asks.query = target.substr(std::min(question + 1, target.size()));
    asks.body = body;
    asks.content_type = content_type;
    auto choice = choose_route(routes_, method, asks.path);
    if (!choice.route) return choice.refused;
    asks.captured = std::move(choice.captured);
    return choice.route->answer(asks);
  }
  json listed(const std::string& target) {
    const auto told = ask("GET", target);
    EXPECT_EQ(told.status, 200U) << told.body;
    EXPECT_TRUE(told.body.ends_with('\n'));
    return json::parse(told.body);
  }
  void post(const std::string& body) {
    const auto told = ask("POST", "/alerts", body);
    EXPECT_EQ(told.status, 200U) << told.body;
  }
  std::string silence(const std::string& body) {
    const auto told = ask("POST", "/silences", body);
    EXPECT_EQ(told.status, 200U) << told.body;
    return json::parse(told.body).at("silenceID");
  }
  /// Five alerts, one silenced, one inhibited: those of the recorded queries.
  std::string post_recorded_alerts() {
    post(R"([{"labels":{"alertname":"up","instance":"i1","severity":"critical","cluster":"c"},
              "annotations":{"summary":"s"},"generatorURL":"http://p/g?x=1&y=2"},
             {"labels":{"alertname":"up","instance":"i2","severity":"warning","cluster":"c"}},
             {"labels":{"alertname":"load","team":"x","instance":"i3"}},
             {"labels":{"alertname":"both","team":"b"}},
             {"labels":{"alertname":"dn","env":"prod-1"}}])");
    return silence(
        R"({"matchers":[{"name":"alertname","value":"dn","isRegex":false}],"createdBy":"ann",)"
        R"("comment":"c","startsAt":"2020-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00Z"})");
  }

  direct_backend backend_{one_rule(), store(), began, recorded_policy()};
  std::vector<http_route> routes_ = alertmanager_routes(backend_);
};

std::string without_line_feed(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

std::string short_name(const json& alert) {
  return alert.at("labels").at("alertname").get<std::string>() +
         alert.at("labels").value("instance", "");
}

std::string short_names(const json& alerts) {
  std::vector<std::string> names;
  for (const json& each : alerts) names.push_back(short_name(each));
  return fmt::format("{}", fmt::join(names, " "));
}

std::string short_groups(const json& groups) {
  std::vector<std::string> texts;
  for (const json& each : groups) {
    std::vector<std::string> labels;
    for (const auto& [name, value] : each.at("labels").items())
      labels.push_back(name + "=" + value.get<std::string>());
    texts.push_back(fmt::format("{} {{{}}} {}", each.at("receiver").at("name").get<std::string>(),
                                fmt::join(labels, ","), short_names(each.at("alerts"))));
  }
  return fmt::format("{}", fmt::join(texts, "; "));
}

TEST_F(alertmanager_api, posts_are_refused_as_alertmanager_does) {
  for (const auto& each : testing::refused_posts) {
    const auto told = ask("POST", "/alerts", each.body, each.content_type);
    EXPECT_EQ(told.status, each.status) << each.body;
    EXPECT_EQ(without_line_feed(told.body), each.answer) << each.body;
    EXPECT_EQ(told.content_type, "application/json");
  }
}

TEST_F(alertmanager_api, posts_are_taken_as_alertmanager_does) {
  for (const auto& each : testing::taken_posts) {
    const auto told = ask("POST", "/alerts", each.body, each.content_type);
    EXPECT_EQ(told.status, each.status) << each.body << told.body;
    EXPECT_EQ(told.body, each.answer) << each.body;
    EXPECT_EQ(told.content_type, "") << "there is nothing to have one";
  }
}

TEST_F(alertmanager_api, a_null_for_an_alert_or_matcher_lacks_what_must_be_there) {
  // Alertmanager itself ends the connection without an answer.
  const auto alert = ask("POST", "/alerts", "[null]");
  EXPECT_EQ(alert.status, 422U);
  EXPECT_EQ(alert.body, R"({"code":602,"message":"0.labels in body is required"})");
  const auto silence = ask(
      "POST", "/silences",
      R"({"matchers":[null],"createdBy":"a","comment":"c","startsAt":"2020-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00Z"})");
  EXPECT_EQ(silence.status, 422U);
  EXPECT_EQ(silence.body, R"({"code":602,"message":"matchers.0.isRegex in body is required"})");
}

TEST_F(alertmanager_api, silences_are_refused_as_alertmanager_does) {
  for (const auto& each : testing::refused_silences) {
    const auto told = ask("POST", "/silences", each.body, each.content_type);
    EXPECT_EQ(told.status, each.status) << each.body;
    EXPECT_EQ(without_line_feed(told.body), each.answer) << each.body;
  }
  EXPECT_EQ(listed("/silences"), json::array());
}

TEST_F(alertmanager_api, only_json_is_taken) {
  for (const std::string path : {"/alerts", "/silences"}) {
    for (const auto& [type, named] : std::vector<std::pair<std::string, std::string>>{
             {"text/plain", "text/plain"},
             {"application/x-www-form-urlencoded", "application/x-www-form-urlencoded"},
             {"nonsense", "nonsense"},
             {"", "application/octet-stream"}}) {
      const auto told = ask("POST", path, "[]", type);
      EXPECT_EQ(told.status, 415U) << type;
      EXPECT_EQ(told.body, R"({"code":415,"message":"unsupported media type \")" + named +
                               R"(\", only [application/json] are allowed"})");
    }
    EXPECT_EQ(ask("POST", path, "", "text/plain").status, 422U) << "no body has no type";
  }
  for (const std::string type : {"application/json; charset=utf-8", "application/JSON",
                                 "application/json;", " application/json "})
    EXPECT_EQ(ask("POST", "/alerts", "[]", type).status, 200U) << type;
}

TEST_F(alertmanager_api, what_is_right_of_a_post_is_taken_with_the_rest_refused) {
  const auto told = ask(
      "POST", "/alerts",
      R"([{"labels":{"a":""}},{"labels":{"":"x"}},{"labels":{"b":"y","c":""}},{"labels":{"b":"z"}}])");
  EXPECT_EQ(told.status, 400U);
  EXPECT_EQ(told.body,
            "\"at least one label pair required; invalid label set: invalid name \\\"\\\"\"\n");
  const auto alerts = listed("/alerts");
  ASSERT_EQ(alerts.size(), 2U);
  EXPECT_EQ(alerts[0].at("labels"), json({{"b", "z"}}));
  EXPECT_EQ(alerts[1].at("labels"), json({{"b", "y"}})) << "without the label that has no value";
}

TEST_F(alertmanager_api, a_posted_alert_is_listed_with_all_that_alertmanager_has) {
  const auto silence_id = post_recorded_alerts();
  const auto alerts = listed("/alerts");
  ASSERT_EQ(alerts.size(), 5U);
  // Recorded, but for the silence's id.
  EXPECT_EQ(alerts[0], json::parse(R"({"annotations":{},"endsAt":"2026-11-21T09:17:38.502Z",
      "fingerprint":"2993d20a1d861183","receivers":[{"name":"default"}],
      "startsAt":"2026-11-21T09:12:38.502Z",
      "status":{"inhibitedBy":["a0dfd7dcc7676a0f"],"silencedBy":[],"state":"suppressed"},
      "updatedAt":"2026-11-21T09:12:38.502Z",
      "labels":{"alertname":"up","cluster":"c","instance":"i2","severity":"warning"}})"));
  EXPECT_EQ(alerts[1].at("fingerprint"), "5af29de74c1d813e");
  EXPECT_EQ(alerts[1].at("status"), json({{"inhibitedBy", json::array()},
                                          {"silencedBy", {silence_id}},
                                          {"state", "suppressed"}}));
  EXPECT_EQ(alerts[2], json::parse(R"({"annotations":{"summary":"s"},
      "endsAt":"2026-11-21T09:17:38.502Z","fingerprint":"a0dfd7dcc7676a0f",
      "generatorURL":"http://p/g?x=1&y=2","receivers":[{"name":"default"}],
      "startsAt":"2026-11-21T09:12:38.502Z",
      "status":{"inhibitedBy":[],"silencedBy":[],"state":"active"},
      "updatedAt":"2026-11-21T09:12:38.502Z",
      "labels":{"alertname":"up","cluster":"c","instance":"i1","severity":"critical"}})"));
  EXPECT_EQ(alerts[3].at("fingerprint"), "aa61f178d702fa7e");
  EXPECT_EQ(alerts[3].at("receivers"), json::parse(R"([{"name":"both-a"},{"name":"both-b"}])"));
  EXPECT_EQ(alerts[4].at("fingerprint"), "c5e37cbd366512e0");
}

TEST_F(alertmanager_api, queries_of_alerts_give_what_alertmanager_gives) {
  post_recorded_alerts();
  for (const auto& each : testing::alert_queries) {
    const auto told = ask("GET", "/alerts?" + each.query);
    EXPECT_EQ(told.status, each.status) << each.query;
    const auto text = without_line_feed(told.body);
    EXPECT_EQ(told.status == 200 ? short_names(json::parse(text)) : text, each.answer)
        << each.query;
  }
}

TEST_F(alertmanager_api, queries_of_groups_give_what_alertmanager_gives) {
  post_recorded_alerts();
  for (const auto& each : testing::group_queries) {
    const auto told = ask("GET", "/alerts/groups?" + each.query);
    EXPECT_EQ(told.status, each.status) << each.query;
    const auto text = without_line_feed(told.body);
    EXPECT_EQ(told.status == 200 ? short_groups(json::parse(text)) : text, each.answer)
        << each.query;
  }
}

TEST_F(alertmanager_api, a_group_lists_alerts_whole_with_the_receivers_that_were_asked_for) {
  post(R"([{"labels":{"alertname":"both","team":"b"}}])");
  const auto both = listed("/alerts/groups");
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0].at("alerts"), listed("/alerts"));
  const auto one = listed("/alerts/groups?receiver=both-b");
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].at("receiver"), json({{"name", "both-b"}}));
  EXPECT_EQ(one[0].at("alerts")[0].at("receivers"), json::parse(R"([{"name":"both-b"}])"));
}

TEST_F(alertmanager_api, alerts_of_a_group_stand_by_job_then_instance_then_labels) {
  post(R"([{"labels":{"alertname":"x"}},{"labels":{"alertname":"x","instance":"2"}},
           {"labels":{"alertname":"x","instance":"1"}},{"labels":{"alertname":"x","job":"z"}}])");
  const auto groups = listed("/alerts/groups");
  ASSERT_EQ(groups.size(), 1U);
  std::vector<std::string> order;
  for (const json& each : groups[0].at("alerts")) order.push_back(each.at("labels").dump());
  EXPECT_EQ(order, (std::vector<std::string>{
                       R"({"alertname":"x","job":"z"})", R"({"alertname":"x","instance":"1"})",
                       R"({"alertname":"x","instance":"2"})", R"({"alertname":"x"})"}));
}

TEST_F(alertmanager_api, times_are_kept_as_they_were_posted) {
  post(
      R"([{"labels":{"a":"x"},"startsAt":"2026-11-21T09:00:00.123456789+02:00","endsAt":"2026-11-21T09:30:00Z"},
           {"labels":{"b":"x"},"startsAt":""},
           {"labels":{"c":"x"},"startsAt":"0001-01-01T00:00:00Z","endsAt":"0001-01-01T00:00:00Z"}])");
  std::map<std::string, std::string> times;
  for (const json& each : listed("/alerts")) {
    times[each.at("labels").begin().key()] =
        each.at("startsAt").get<std::string>() + " " + each.at("endsAt").get<std::string>();
  }
  EXPECT_EQ(times["a"], "2026-11-21T07:00:00.123Z 2026-11-21T09:30:00.000Z");
  EXPECT_EQ(times["b"], "1970-01-01T00:00:00.000Z 2026-11-21T09:17:38.502Z");
  EXPECT_EQ(times["c"], "2026-11-21T09:12:38.502Z 2026-11-21T09:17:38.502Z");
}

TEST_F(alertmanager_api, an_alert_posted_with_an_end_in_the_past_is_gone) {
  post(R"([{"labels":{"a":"x"}},{"labels":{"b":"y"}}])");
  post(
      R"([{"labels":{"a":"x"},"endsAt":"2026-11-21T09:00:00Z"},{"labels":{"c":"z"},"endsAt":""}])");
  const auto alerts = listed("/alerts");
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].at("labels"), json({{"b", "y"}}));
  EXPECT_EQ(listed("/alerts/groups").size(), 1U) << "a group lists no alert that has ended";
}

TEST_F(alertmanager_api, texts_of_any_kind_come_back_as_they_were_posted) {
  const std::string odd = "\"\\\n\t\x01 \u00e9 \u2028 \U0001f600 <b>&";
  post(json::array({{{"labels", {{"a", odd}}}, {"annotations", {{"b", odd}, {"empty", ""}}}}})
           .dump());
  const auto alerts = listed("/alerts");
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].at("labels").at("a"), odd);
  EXPECT_EQ(alerts[0].at("annotations"), json({{"b", odd}, {"empty", ""}}));
}

TEST_F(alertmanager_api, what_is_not_utf8_is_replaced) {
  post(
      "[{\"labels\":{\"a\":\"x\xff\xc3\xa9\xe2\x82\"}},{\"labels\":{\"b\":"
      "\"\\ud800\\ud83d\\ude00\\udc00\"}}]");
  std::map<std::string, std::string> values;
  for (const json& each : listed("/alerts"))
    values[each.at("labels").begin().key()] = each.at("labels").begin().value();
  EXPECT_EQ(values["a"], "x\ufffd\u00e9\ufffd\ufffd");
  EXPECT_EQ(values["b"], "\ufffd\U0001f600\ufffd");
}

finding met(instant at, const std::string& host, severity level) {
  auto texts = std::make_shared<alert_texts>();
  texts->title = "Errors on " + host;
  texts->description = "Many of them.";
  texts->labels = {{"team", "x"}};
  texts->annotations = {{"runbook", "r"}, {"description", "own"}};
  texts->group = {{"host", host}};
  texts->item = "cpu";
  finding made;
  made.at = at;
  made.severity = level;
  made.print = {1, host.size()};
  made.cause = "condition met";
  made.texts = std::move(texts);
  made.proof.first_event_time = at;
  made.proof.last_event_time = at;
  return made;
}

TEST_F(alertmanager_api, alerts_of_rules_are_listed_with_those_that_were_posted) {
  (void)backend_.step(began + 1s, {met(began + 1s, "h1", severity::error)});
  (void)backend_.step(began + 10s, {});
  const auto alerts = listed("/alerts");
  ASSERT_EQ(alerts.size(), 1U);
  const json& one = alerts[0];
  EXPECT_EQ(one.at("labels"), json({{"alertname", "errors"},
                                    {"host", "h1"},
                                    {"item", "cpu"},
                                    {"severity", "error"},
                                    {"team", "x"}}));
  EXPECT_EQ(one.at("annotations"),
            json({{"runbook", "r"}, {"description", "own"}, {"summary", "Errors on h1"}}));
  EXPECT_EQ(one.at("startsAt"), "2026-11-21T09:12:39.502Z");
  EXPECT_EQ(one.at("updatedAt"), "2026-11-21T09:12:39.502Z");
  EXPECT_EQ(one.at("endsAt"), "2026-11-21T09:17:48.502Z") << "resolve_timeout from now";
  EXPECT_EQ(one.at("receivers"), json::parse(R"([{"name":"team-x"}])"));
  EXPECT_FALSE(one.contains("generatorURL"));
  EXPECT_EQ(listed("/alerts?filter=host%3Dh1").size(), 1U);
  EXPECT_EQ(listed("/alerts?filter=host%3Dh2").size(), 0U);
}

TEST_F(alertmanager_api, an_acknowledged_alert_is_active) {
  (void)backend_.step(began + 1s, {met(began + 1s, "h1", severity::error)});
  acknowledge_alerts wanted;
  wanted.which.matchers = {matcher("host=\"h1\"")};
  wanted.by = "ann";
  ASSERT_TRUE(backend_.operate(wanted));
  EXPECT_EQ(listed("/alerts?active=true")[0].at("status").at("state"), "active");
  EXPECT_EQ(listed("/alerts?active=false"), json::array());
}

TEST(alertmanager_api_rules, a_pending_alert_is_left_out) {
  direct_backend backend{one_rule(1min), store(), began, recorded_policy()};
  (void)backend.step(began + 1s, {met(began + 1s, "h1", severity::error)});
  bool pending = false;
  ASSERT_TRUE(backend.inspect([&](const alert_book& book) {
    pending = book.active_count() == 1 && book.active()[0]->state == alert_state::pending;
  }));
  ASSERT_TRUE(pending);
  const auto routes = alertmanager_routes(backend);
  for (const std::string path : {"/api/v2/alerts", "/api/v2/alerts/groups"}) {
    const auto choice = choose_route(routes, "GET", path);
    ASSERT_TRUE(choice.route);
    http_request asks;
    EXPECT_EQ(choice.route->answer(asks).body, "[]\n");
  }
}

TEST_F(alertmanager_api, a_silence_lives_as_alertmanagers_do) {
  const std::string head = R"({"createdBy":"ann",)";
  const std::string matchers = R"("matchers":[{"name":"a","value":"b","isRegex":false}],)";
  const auto body = [&](const std::string& comment, const std::string& end,
                        const std::string& more) {
    return head + matchers + more + R"("comment":")" + comment +
           R"(","startsAt":"2020-01-01T00:00:00Z","endsAt":")" + end + "\"}";
  };
  const auto first = silence(body("one", "2099-01-01T00:00:00Z", ""));
  EXPECT_EQ(listed("/silence/" + first), json::parse(R"({"id":")" + first + R"(",
      "status":{"state":"active"},"updatedAt":"2026-11-21T09:12:38.502Z","comment":"one",
      "createdBy":"ann","startsAt":"2026-11-21T09:12:38.502Z","endsAt":"2099-01-01T00:00:00.000Z",
      "matchers":[{"isEqual":true,"isRegex":false,"name":"a","value":"b"}]})"));

  (void)backend_.set_now(began + 10s);
  const auto second = silence(body("two", "2098-01-01T00:00:00Z", R"("id":")" + first + "\","));
  EXPECT_NE(second, first) << "the start differs: a new one takes its place";
  const auto old = listed("/silence/" + first);
  EXPECT_EQ(old.at("status"), json({{"state", "expired"}}));
  EXPECT_EQ(old.at("endsAt"), "2026-11-21T09:12:48.502Z");

  EXPECT_EQ(ask("DELETE", "/silence/" + second).status, 200U);
  EXPECT_EQ(listed("/silence/" + second).at("status"), json({{"state", "expired"}}));
  const auto again = ask("DELETE", "/silence/" + second);
  EXPECT_EQ(again.status, 200U) << "one that has expired may be expired";
  EXPECT_EQ(again.body, "");
  const auto third = silence(body("three", "2098-01-01T00:00:00Z", R"("id":")" + second + "\","));
  EXPECT_NE(third, second) << "an expired one is not edited but made anew";
}

TEST_F(alertmanager_api, a_pending_silence_is_edited_in_place_and_may_be_ended) {
  const auto body = [](const std::string& start, const std::string& more) {
    return R"({"createdBy":"ann","comment":"c",)" + more +
           R"("matchers":[{"name":"a","value":"b","isRegex":false}],"startsAt":")" + start +
           R"(","endsAt":"2099-01-01T00:00:00Z"})";
  };
  const auto id = silence(body("2098-01-01T00:00:00Z", ""));
  EXPECT_EQ(listed("/silence/" + id).at("status"), json({{"state", "pending"}}));
  EXPECT_EQ(silence(body("2097-01-01T00:00:00Z", R"("id":")" + id + "\",")), id);
  EXPECT_EQ(listed("/silence/" + id).at("startsAt"), "2097-01-01T00:00:00.000Z");
  EXPECT_EQ(ask("DELETE", "/silence/" + id).status, 200U);
  EXPECT_EQ(listed("/silence/" + id).at("status"), json({{"state", "expired"}}));
}

TEST_F(alertmanager_api, an_unknown_silence_is_told_as_alertmanager_does) {
  for (const std::string known_form :
       {"11111111-2222-3333-4444-555555555555", "1111111122223333444455555555555A",
        "11111111-2222-3333-4444-55555555555A"}) {
    const auto shown = ask("GET", "/silence/" + known_form);
    EXPECT_EQ(shown.status, 404U);
    EXPECT_EQ(shown.body, "");
    EXPECT_EQ(shown.content_type, "");
    const auto ended = ask("DELETE", "/silence/" + known_form);
    EXPECT_EQ(ended.status, 500U);
    EXPECT_EQ(ended.body, "\"silence not found\"\n");
  }
  for (const std::string method : {"GET", "DELETE"}) {
    for (const auto& [sent, named] : std::vector<std::pair<std::string, std::string>>{
             {"nope", "nope"},
             {"%31", "1"},
             {"11111111-2222-3333-4444-55555555555g", "11111111-2222-3333-4444-55555555555g"}}) {
      const auto told = ask(method, "/silence/" + sent);
      EXPECT_EQ(told.status, 422U);
      EXPECT_EQ(told.body, R"({"code":601,"message":"silenceID in path must be of type uuid: \")" +
                               named + R"(\""})");
    }
    EXPECT_EQ(ask(method, "/silence/").status, 404U);
    EXPECT_EQ(ask(method, "/silence/x/y").status, 404U);
  }
}

TEST_F(alertmanager_api, silences_are_listed_by_urgency_and_chosen_by_their_matchers) {
  const auto make = [&](const std::string& comment, const std::string& matchers,
                        const std::string& start, const std::string& end) {
    return silence(R"({"createdBy":"ann","comment":")" + comment + R"(","matchers":[)" + matchers +
                   R"(],"startsAt":")" + start + R"(","endsAt":")" + end + "\"}");
  };
  const std::string past = "2020-01-01T00:00:00Z";
  const std::string ab = R"({"name":"a","value":"b","isRegex":false})";
  make("later", ab + R"(,{"name":"c","value":"x.*","isRegex":true,"isEqual":true})", past,
       "2099-01-01T00:00:00Z");
  make("sooner", R"({"name":"a","value":"b","isRegex":false,"isEqual":false})", past,
       "2098-01-01T00:00:00Z");
  make("last", R"({"name":"a","value":"b.*","isRegex":true,"isEqual":false})",
       "2098-01-01T00:00:00Z", "2099-01-01T00:00:00Z");
  make("next", R"({"name":"a","value":"b.*","isRegex":true})", "2097-01-01T00:00:00Z",
       "2099-01-01T00:00:00Z");
  const auto gone = make("gone", ab, past, "2099-01-01T00:00:00Z");
  const auto gone_later = make("gone later", ab, past, "2099-01-01T00:00:00Z");
  (void)backend_.set_now(began + 1s);
  EXPECT_EQ(ask("DELETE", "/silence/" + gone).status, 200U);
  (void)backend_.set_now(began + 2s);
  EXPECT_EQ(ask("DELETE", "/silence/" + gone_later).status, 200U);
  const auto comments = [&](const std::string& filter) {
    std::vector<std::string> found;
    for (const json& each : listed("/silences" + filter)) found.push_back(each.at("comment"));
    return found;
  };
  using texts = std::vector<std::string>;
  EXPECT_EQ(comments(""), (texts{"sooner", "later", "next", "last", "gone later", "gone"}));
  EXPECT_EQ(comments("?filter=a%3Db"), (texts{"later", "gone later", "gone"}));
  EXPECT_EQ(comments("?filter=a%3Db&filter=c%3D~%22x.*%22"), texts{"later"});
  EXPECT_EQ(comments("?filter=a!%3Db"), texts{"sooner"});
  EXPECT_EQ(comments("?filter=a%3D~%22b.*%22"), texts{"next"});
  EXPECT_EQ(comments("?filter=a!~%22b.*%22"), texts{"last"});
  EXPECT_EQ(comments("?filter=a%3D~b"), texts{}) << "the very matcher is asked for";
  EXPECT_EQ(comments("?filter=z%3D%22%22"), texts{});
  EXPECT_EQ(listed("/silences")[1].at("matchers"), json::parse(R"([
      {"isEqual":true,"isRegex":false,"name":"a","value":"b"},
      {"isEqual":true,"isRegex":true,"name":"c","value":"x.*"}])"));
  const auto refused = ask("GET", "/silences?filter=bad");
  EXPECT_EQ(refused.status, 400U);
  EXPECT_EQ(refused.body, "\"bad matcher format: bad\"\n");
}

TEST_F(alertmanager_api, an_edit_keeps_what_this_api_knows_nothing_of) {
  put_silence wanted;
  wanted.wanted.matchers = {matcher("a=\"b\"")};
  wanted.wanted.starts_at = began;
  wanted.wanted.ends_at = began + 24h;
  wanted.wanted.created_by = "ann";
  wanted.wanted.comment = "nightly";
  wanted.wanted.scope = silence_scope::events;
  wanted.wanted.recurs = {time_interval{{{60, 120}}, {}, {}, {}, {}, ""}};
  const auto made = backend_.operate(wanted);
  ASSERT_TRUE(made) << made.failure().message;
  const auto listed_one = listed("/silences");
  ASSERT_EQ(listed_one.size(), 1U) << "listed like others";
  const auto id = silence(
      R"({"id":")" + made->silence->id +
      R"(","matchers":[{"name":"a","value":"c","isRegex":false}],"createdBy":"bob","comment":"n",)"
      R"("startsAt":"2026-11-21T09:12:38.502Z","endsAt":"2026-11-22T00:00:00Z"})");
  silence_ptr edited;
  ASSERT_TRUE(backend_.inspect([&](const alert_book& book) { edited = book.silences().find(id); }));
  ASSERT_TRUE(edited);
  EXPECT_EQ(edited->scope, silence_scope::events);
  EXPECT_EQ(edited->recurs, wanted.wanted.recurs);
  EXPECT_EQ(edited->created_by, "bob");
}

TEST_F(alertmanager_api, status_says_what_clients_look_for) {
  EXPECT_EQ(listed("/status"), json::parse(R"({"cluster":{"peers":[],"status":"disabled"},
      "config":{"original":"route:\n  receiver: default\n"},"uptime":"2026-11-21T09:12:38.502Z",
      "versionInfo":{"branch":"","buildDate":"","buildUser":"","goVersion":"","revision":"",
      "version":"1.2.3"}})"));
  EXPECT_EQ(
      listed("/receivers"),
      json::parse(R"([{"name":"default"},{"name":"team-x"},{"name":"both-a"},{"name":"both-b"}])"));
}

TEST_F(alertmanager_api, lists_are_empty_and_never_null) {
  for (const std::string path : {"/alerts", "/alerts/groups", "/silences"})
    EXPECT_EQ(listed(path), json::array()) << path;
}

TEST_F(alertmanager_api, nothing_is_notified_where_there_is_no_route) {
  direct_backend unrouted{one_rule(), store(), began};
  const auto routes = alertmanager_routes(unrouted);
  const auto asked = [&](const std::string& method, const std::string& path,
                         const std::string& body) {
    http_request asks;
    asks.body = body;
    asks.content_type = "application/json";
    return choose_route(routes, method, path).route->answer(asks).body;
  };
  EXPECT_EQ(asked("GET", "/api/v2/receivers", ""), "[]\n");
  EXPECT_EQ(asked("POST", "/api/v2/alerts", R"([{"labels":{"a":"b"}}])"), "");
  EXPECT_EQ(json::parse(asked("GET", "/api/v2/alerts", ""))[0].at("receivers"), json::array());
}

TEST_F(alertmanager_api, a_pipeline_that_has_ended_is_unavailable) {
  backend_.set_gone(true);
  const std::string id = "11111111-2222-3333-4444-555555555555";
  const std::string new_silence =
      R"("matchers":[{"name":"a","value":"b","isRegex":false}],"createdBy":"a","comment":"c",)"
      R"("startsAt":"2020-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00Z"})";
  const std::vector<http_response> all = {ask("GET", "/status"),
                                          ask("GET", "/receivers"),
                                          ask("GET", "/alerts"),
                                          ask("GET", "/alerts/groups"),
                                          ask("GET", "/silences"),
                                          ask("GET", "/silence/" + id),
                                          ask("DELETE", "/silence/" + id),
                                          ask("POST", "/silences", "{" + new_silence),
                                          ask("POST", "/silences", R"({"id":"x",)" + new_silence),
                                          ask("POST", "/alerts", R"([{"labels":{"a":"b"}}])")};
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].status, 503U) << i;
    EXPECT_TRUE(json::parse(all[i].body).is_string()) << i;
  }
}

TEST_F(alertmanager_api, a_body_of_16_mib_may_be_posted) {
  EXPECT_EQ(choose_route(routes_, "POST", "/api/v2/alerts").route->body_bytes, 16U * 1024 * 1024);
}

TEST(json_syntax_error, nothing_is_wrong_with_what_is_json) {
  for (const std::string fine :
       {"null", " [1,-0.5e+3,{\"a\\u00e9\\n\":[true,false,{}]},[]] x", "0", "\"\""})
    EXPECT_EQ(alertmanager::json_syntax_error(fine), "") << fine;
}

}  // namespace
}  // namespace tocsin
