// SPDX-License-Identifier: Apache-2.0
// tocsin's own HTTP interface: silences.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/tocsin_api_fixture.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class tocsin_api_silences_test : public testing::tocsin_api_fixture {
 protected:
  /// A silence of these matchers for an hour, made.
  json silenced(const json& matchers, const json& more = json::object()) {
    json body{{"matchers", matchers}, {"created_by", "ann"}, {"comment", "works"}};
    if (!more.contains("ends_at")) body["duration"] = "1h";
    body.update(more);
    const auto made = post("/silences", body);
    EXPECT_EQ(made.status, 200u) << made.body;
    return made.body;
  }
};

TEST_F(tocsin_api_silences_test, a_silence_is_made_listed_edited_and_ended) {
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

TEST_F(tocsin_api_silences_test, a_silence_may_begin_later_and_recur) {
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

TEST_F(tocsin_api_silences_test, a_length_counts_from_now_or_from_a_start_to_come) {
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

TEST_F(tocsin_api_silences_test, a_silence_that_cannot_be_made_is_told_with_its_field) {
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

TEST_F(tocsin_api_silences_test, a_preview_shows_what_a_silence_would_match_and_makes_none) {
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
