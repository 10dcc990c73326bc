// SPDX-License-Identifier: Apache-2.0
// When incidents are raised, who is in them, and when they are over.
#include "tocsin/incident.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <string>
#include <vector>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using kind = incident_news::kind;

const instant noon = *parse_rfc3339("2026-03-02T12:00:00Z");

alert alert_of(std::uint64_t number, duration began, std::string rack = "r1",
               severity level = severity::warning) {
  alert made;
  made.print = {0, number};
  made.alert_id = {1, number};
  made.rule = "hot";
  made.state = alert_state::firing;
  made.started_at = noon + began;
  made.severity = level;
  alert_texts texts;
  texts.labels = {{"rack", std::move(rack)}};
  made.texts = std::make_shared<const alert_texts>(std::move(texts));
  return made;
}

alert ended(alert what, alert_state how = alert_state::resolved) {
  what.state = how;
  return what;
}

alert with_value(alert what, double degrees) {
  what.proof.values = {{"degrees", degrees}};
  return what;
}

incident_rule by_rack() {
  incident_rule made;
  made.name = "rack-down";
  made.group_by = {"rack"};
  made.within = 10min;
  made.min_alerts = 3;
  return made;
}

fingerprint incident_of(std::string_view rule, std::string_view rack) {
  const std::vector<key_part> key{{"rack", rack}};
  return fingerprint_of(rule, key);
}

using numbers = std::vector<std::pair<std::string, double>>;
using prints = std::vector<fingerprint>;

TEST(incident_book, enough_alerts_close_together_raise_one_incident_of_them) {
  incident_book book({by_rack()});
  EXPECT_TRUE(book.update(noon, alert_of(1, 0min)).empty());
  EXPECT_TRUE(book.update(noon + 5min, alert_of(2, 5min, "r1", severity::error)).empty());
  EXPECT_TRUE(book.update(noon + 6min, alert_of(9, 6min, "r2")).empty());
  const auto news = book.update(noon + 10min, alert_of(3, 10min));
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0].what, kind::raised);
  EXPECT_EQ(news[0].rule, 0U);
  EXPECT_EQ(news[0].print, incident_of("rack-down", "r1"));
  EXPECT_EQ(news[0].at, noon + 10min);
  EXPECT_EQ(news[0].severity, severity::error);
  EXPECT_EQ(news[0].values, (numbers{{"count", 3}, {"members", 3}}));
  EXPECT_EQ(news[0].members, (prints{{1, 1}, {1, 2}, {1, 3}}));
  EXPECT_EQ(news[0].joined, (prints{{0, 1}, {0, 2}, {0, 3}}));
  EXPECT_EQ(news[0].first_started_at, noon);
  EXPECT_EQ(news[0].group, (std::vector<std::pair<std::string, std::string>>{{"rack", "r1"}}));
  EXPECT_EQ(book.members_of(incident_of("rack-down", "r1")), (prints{{1, 1}, {1, 2}, {1, 3}}));
}

TEST(incident_book, a_millisecond_too_far_apart_is_too_far) {
  incident_book book({by_rack()});
  (void)book.update(noon, alert_of(1, 0min));
  (void)book.update(noon, alert_of(2, 5min));
  EXPECT_TRUE(book.update(noon, alert_of(3, 10min + 1ms)).empty());
  // With the second and the third one it is close enough; the first one stays outside.
  const auto news = book.update(noon, alert_of(4, 10min + 2ms));
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0].members, (prints{{1, 2}, {1, 3}, {1, 4}}));
  EXPECT_EQ(news[0].first_started_at, noon + 5min);
}

TEST(incident_book, pending_alerts_and_incidents_do_not_count) {
  incident_book book({by_rack()});
  alert pending = alert_of(1, 0min);
  pending.state = alert_state::pending;
  alert incident = alert_of(2, 0min);
  incident.origin = alert_origin::incident;
  (void)book.update(noon, pending);
  (void)book.update(noon, incident);
  (void)book.update(noon, alert_of(3, 0min));
  EXPECT_TRUE(book.update(noon, alert_of(4, 0min)).empty());
  EXPECT_EQ(book.update(noon, alert_of(1, 0min)).size(), 1U);
}

TEST(incident_book, an_alert_counts_from_the_start_that_it_says_now) {
  incident_rule rule = by_rack();
  rule.min_alerts = 2;
  incident_book book({rule});
  (void)book.update(noon, alert_of(1, 0min));
  (void)book.update(noon, alert_of(2, 60min));
  // An alert that is posted again may have begun earlier than was known.
  const auto news = book.update(noon, alert_of(2, 5min));
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0].members, (prints{{1, 1}, {1, 2}}));
}

TEST(incident_book, an_alert_that_goes_to_another_group_counts_there) {
  incident_rule rule = by_rack();
  rule.min_alerts = 2;
  incident_book book({rule});
  (void)book.update(noon, alert_of(1, 0min, "r1"));
  (void)book.update(noon, alert_of(2, 0min, "r2"));
  const auto news = book.update(noon, alert_of(2, 0min, "r1"));
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0].print, incident_of("rack-down", "r1"));
  EXPECT_TRUE(book.update(noon, alert_of(3, 0min, "r2")).empty());
}

TEST(incident_book, alerts_that_have_ended_do_not_count) {
  incident_book book({by_rack()});
  (void)book.update(noon, alert_of(1, 0min));
  (void)book.update(noon, alert_of(2, 0min));
  EXPECT_TRUE(book.update(noon, ended(alert_of(1, 0min))).empty());
  EXPECT_TRUE(book.update(noon, alert_of(3, 0min)).empty());
}

TEST(incident_book, only_alerts_that_the_matchers_accept_count) {
  incident_rule rule = by_rack();
  rule.matchers = *parse_label_matchers(R"({severity="critical"})");
  incident_book book({rule});
  (void)book.update(noon, alert_of(1, 0min, "r1", severity::critical));
  (void)book.update(noon, alert_of(2, 0min, "r1", severity::critical));
  EXPECT_TRUE(book.update(noon, alert_of(3, 0min)).empty());
  // It counts when it becomes worse.
  const auto news = book.update(noon, alert_of(3, 0min, "r1", severity::critical));
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0].what, kind::raised);
  // A member stays one when it becomes better.
  const auto better = book.update(noon, alert_of(3, 0min));
  EXPECT_TRUE(better.empty());
}

TEST(incident_book, alerts_join_and_leave_an_open_incident_and_the_last_one_ends_it) {
  incident_book book({by_rack()});
  for (std::uint64_t i = 1; i <= 3; ++i) (void)book.update(noon, alert_of(i, 0min));
  auto news = book.update(noon + 5h, alert_of(4, 5h, "r1", severity::critical));
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0].what, kind::changed);
  EXPECT_EQ(news[0].joined, (prints{{0, 4}}));
  EXPECT_EQ(news[0].severity, severity::critical);
  EXPECT_EQ(news[0].values, (numbers{{"count", 4}, {"members", 4}}));
  news = book.update(noon + 6h, ended(alert_of(4, 5h), alert_state::closed));
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0].what, kind::changed);
  EXPECT_EQ(news[0].severity, severity::warning);
  EXPECT_EQ(news[0].values, (numbers{{"count", 3}, {"members", 4}}));
  EXPECT_TRUE(news[0].joined.empty());
  EXPECT_EQ(book.update(noon, ended(alert_of(1, 0min)))[0].what, kind::changed);
  EXPECT_EQ(book.update(noon, ended(alert_of(2, 0min)))[0].what, kind::changed);
  news = book.update(noon, ended(alert_of(3, 0min)));
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0].what, kind::over);
  EXPECT_EQ(news[0].values, (numbers{{"count", 0}, {"members", 4}}));
  EXPECT_EQ(news[0].severity, severity::warning);
  EXPECT_EQ(news[0].members.size(), 4U);
  EXPECT_TRUE(book.members_of(news[0].print).empty());
  EXPECT_EQ(book.bytes_of(news[0].print), "");
}

TEST(incident_book, a_change_that_the_incident_does_not_show_is_no_news) {
  incident_book book({by_rack()});
  for (std::uint64_t i = 1; i <= 3; ++i) (void)book.update(noon, alert_of(i, 0min));
  EXPECT_TRUE(book.update(noon, alert_of(1, 0min)).empty());
  EXPECT_TRUE(book.update(noon, with_value(alert_of(1, 0min), 5)).empty());
  EXPECT_TRUE(book.update(noon, alert_of(1, 0min, "r1", severity::info)).empty());
  EXPECT_EQ(book.update(noon, alert_of(1, 0min, "r1", severity::error)).size(), 1U);
}

TEST(incident_book, aggregates_the_value_of_the_members_that_have_it) {
  incident_rule rule = by_rack();
  rule.value = "degrees";
  incident_book book({rule});
  (void)book.update(noon, with_value(alert_of(1, 0min), 40));
  (void)book.update(noon, alert_of(2, 0min));
  auto news = book.update(noon, with_value(alert_of(3, 0min), 50));
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(
      news[0].values,
      (numbers{{"count", 3}, {"members", 3}, {"sum", 90}, {"avg", 45}, {"max", 50}, {"min", 40}}));
  news = book.update(noon, with_value(alert_of(1, 0min), 60));
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0].values[2], (std::pair<std::string, double>{"sum", 110}));
  (void)book.update(noon, ended(alert_of(1, 0min)));
  news = book.update(noon, with_value(alert_of(3, 0min), std::nan("")));
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0].values, (numbers{{"count", 2}, {"members", 3}}));
}

TEST(incident_book, an_alert_that_waited_too_far_apart_stays_outside_and_counts_again_later) {
  incident_rule rule = by_rack();
  rule.min_alerts = 2;
  incident_book book({rule});
  (void)book.update(noon, alert_of(1, 0min));
  (void)book.update(noon + 1h, alert_of(2, 60min));
  EXPECT_EQ(book.update(noon + 1h, alert_of(3, 60min))[0].members, (prints{{1, 2}, {1, 3}}));
  EXPECT_TRUE(book.update(noon + 2h, alert_of(1, 0min)).empty());
  (void)book.update(noon + 2h, ended(alert_of(2, 60min)));
  EXPECT_EQ(book.update(noon + 2h, ended(alert_of(3, 60min)))[0].what, kind::over);
  const auto news = book.update(noon + 2h, alert_of(4, 10min));
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0].members, (prints{{1, 1}, {1, 4}}));
}

TEST(incident_book, rules_are_apart_and_answer_in_their_order) {
  incident_rule all;
  all.name = "site-down";
  all.min_alerts = 2;
  incident_rule rack = by_rack();
  rack.min_alerts = 2;
  incident_book book({rack, all});
  (void)book.update(noon, alert_of(1, 0min));
  const auto news = book.update(noon, alert_of(2, 0min));
  ASSERT_EQ(news.size(), 2U);
  EXPECT_EQ(news[0].rule, 0U);
  EXPECT_EQ(news[1].rule, 1U);
  EXPECT_EQ(news[1].print, fingerprint_of("site-down", {}));
  EXPECT_TRUE(news[1].group.empty());
}

TEST(incident_book, an_incident_that_was_closed_by_hand_is_not_raised_again_by_its_members) {
  incident_book book({by_rack()});
  for (std::uint64_t i = 1; i <= 3; ++i) (void)book.update(noon, alert_of(i, 0min));
  const fingerprint incident = incident_of("rack-down", "r1");
  book.forget(incident);
  EXPECT_TRUE(book.members_of(incident).empty());
  EXPECT_TRUE(book.update(noon, alert_of(1, 0min, "r1", severity::critical)).empty());
  EXPECT_TRUE(book.update(noon, alert_of(4, 0min)).empty());
  EXPECT_TRUE(book.update(noon, alert_of(5, 0min)).empty());
  const auto news = book.update(noon, alert_of(6, 0min));
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0].members, (prints{{1, 4}, {1, 5}, {1, 6}}));
  EXPECT_TRUE(book.update(noon, ended(alert_of(1, 0min))).empty());
}

TEST(incident_book, a_closed_incident_stays_closed_after_a_restart_until_its_members_are_gone) {
  incident_book first({by_rack()});
  for (std::uint64_t i = 1; i <= 3; ++i) (void)first.update(noon, alert_of(i, 0min));
  const fingerprint incident = incident_of("rack-down", "r1");
  first.forget(incident);
  incident_book second({by_rack()});
  ASSERT_TRUE(second.restore(first.bytes_of(incident)));
  for (std::uint64_t i = 1; i <= 3; ++i) {
    EXPECT_TRUE(second.update(noon, alert_of(i, 0min)).empty());
  }
  (void)second.take_changed();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    EXPECT_TRUE(second.update(noon, ended(alert_of(i, 0min))).empty());
  }
  const std::vector<std::pair<fingerprint, std::string>> gone{{incident, ""}};
  EXPECT_EQ(second.take_changed(), gone);
}

TEST(incident_book, an_alert_that_begins_again_joins_again) {
  incident_book book({by_rack()});
  for (std::uint64_t i = 1; i <= 3; ++i) (void)book.update(noon, alert_of(i, 0min));
  alert again = alert_of(1, 1h);
  again.alert_id = {2, 1};
  // Its end was not told.
  const auto news = book.update(noon + 1h, again);
  ASSERT_EQ(news.size(), 2U);
  EXPECT_EQ(news[0].values[0].second, 2);
  EXPECT_EQ(news[1].joined, (prints{{0, 1}}));
  EXPECT_EQ(news[1].values, (numbers{{"count", 3}, {"members", 4}}));
  // The end of the one before comes late and ends nothing.
  EXPECT_TRUE(book.update(noon + 1h, ended(alert_of(1, 0min))).empty());
}

TEST(incident_book, only_the_first_thousand_members_are_listed_and_all_are_counted) {
  incident_book book({by_rack()});
  std::vector<incident_news> news;
  for (std::uint64_t i = 1; i <= 1200; ++i) news = book.update(noon, alert_of(i, 0min));
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0].values, (numbers{{"count", 1200}, {"members", 1200}}));
  EXPECT_EQ(news[0].members.size(), incident_book::members_listed_max);
  EXPECT_EQ(news[0].members.back(), (fingerprint{1, 1000}));
}

TEST(incident_book, restored_members_give_no_news_and_the_incident_goes_on) {
  incident_rule rule = by_rack();
  rule.value = "degrees";
  incident_book first({rule});
  for (std::uint64_t i = 1; i <= 3; ++i) {
    (void)first.update(noon, with_value(alert_of(i, 0min), 1));
  }
  const fingerprint incident = incident_of("rack-down", "r1");
  incident_book second({rule});
  ASSERT_TRUE(second.restore(first.bytes_of(incident)));
  EXPECT_FALSE(second.restore(first.bytes_of(incident)));
  EXPECT_EQ(second.members_of(incident), first.members_of(incident));
  // What they say may have changed since it was stored.
  for (std::uint64_t i = 1; i <= 3; ++i) {
    EXPECT_TRUE(second.update(noon, with_value(alert_of(i, 0min), 2)).empty());
  }
  EXPECT_TRUE(second.update(noon, with_value(alert_of(3, 0min), 2)).empty());
  const auto news = second.update(noon, ended(alert_of(3, 0min)));
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0].values[2], (std::pair<std::string, double>{"sum", 4}));
  EXPECT_EQ(news[0].first_started_at, noon);
}

TEST(incident_book, bytes_of_a_rule_that_is_gone_or_of_something_else_are_not_taken) {
  incident_book first({by_rack()});
  for (std::uint64_t i = 1; i <= 3; ++i) (void)first.update(noon, alert_of(i, 0min));
  const std::string bytes = first.bytes_of(incident_of("rack-down", "r1"));
  incident_rule renamed = by_rack();
  renamed.name = "rack-dark";
  EXPECT_FALSE(incident_book({renamed}).restore(bytes));
  EXPECT_FALSE(incident_book({by_rack()}).restore(""));
  EXPECT_FALSE(incident_book({by_rack()}).restore(bytes + "x"));
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(incident_book({by_rack()}).restore(bytes.substr(0, cut))) << cut;
  }
  EXPECT_TRUE(incident_book({by_rack()}).restore(bytes));
}

TEST(incident_book, changes_are_told_once) {
  incident_book book({by_rack()});
  for (std::uint64_t i = 1; i <= 3; ++i) (void)book.update(noon, alert_of(i, 0min));
  const fingerprint incident = incident_of("rack-down", "r1");
  const std::vector<std::pair<fingerprint, std::string>> raised{
      {incident, book.bytes_of(incident)}};
  EXPECT_EQ(book.take_changed(), raised);
  EXPECT_TRUE(book.take_changed().empty());
}

}  // namespace
}  // namespace tocsin
