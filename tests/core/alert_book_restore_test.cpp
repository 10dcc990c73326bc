// SPDX-License-Identifier: Apache-2.0
// What a restart does to alerts, and incidents as the book keeps them.
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "support/alert_book_driver.hpp"

namespace tocsin::testing {
namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

class alert_book_restore : public alert_book_driver {
 protected:
  /// A new book over the rules and the policy as they are now goes on.
  book_changes restart(int clock, bool windows_kept = false) {
    start();
    book_changes changes = book->restore(store.state(), at_second(clock), windows_kept);
    store.take(changes);
    return changes;
  }
  void raise_incidents() {
    incident_rule storm;
    storm.name = "storm";
    storm.matchers = matchers_of("alertname=~\"rule-.*\"");
    storm.group_by = {"site"};
    storm.within = 10min;
    storm.min_alerts = 2;
    storm.value = "load";
    policy->incidents = {storm};
  }
  alert incident() {
    for (const transition& each : book->active()) {
      if (each->origin == alert_origin::incident) return *each;
    }
    ADD_FAILURE() << "there is no incident";
    return {};
  }
};

TEST_F(alert_book_restore, numbers_go_on_where_they_were) {
  use();
  (void)step(10, {about(1, kind::met, 10)});
  EXPECT_TRUE(restart(20, true).transitions.empty());
  EXPECT_EQ(book->clock(), at_second(20));
  const auto over = step(30, {about(1, kind::cleared, 30)});
  ASSERT_EQ(over.transitions.size(), 1u);
  EXPECT_EQ(over.transitions[0]->seq, 2u);
  EXPECT_EQ(over.transitions[0]->number, 2u);
}

TEST_F(alert_book_restore,
       a_book_that_nobody_goes_on_with_makes_no_records_and_is_otherwise_the_same) {
  raise_incidents();
  auto notify = std::make_shared<notify_policy>();
  notify->routed = true;
  notify->root.receiver = "ops";
  policy->notify = notify;
  use();
  alert_book with{rules, policy};
  book->make_no_records();
  std::size_t records = 0;
  for (int second = 10; second < 200; second += 10) {
    std::vector<finding> found{about(static_cast<std::uint64_t>(second), kind::met, second)};
    if (second > 100)
      found.push_back(about(static_cast<std::uint64_t>(second - 90), kind::cleared, second));
    const book_changes kept = with.step(at_second(second + 5), found);
    const book_changes made = book->step(at_second(second + 5), found);
    records += kept.groups.size() + kept.facts.size();
    EXPECT_TRUE(made.groups.empty());
    EXPECT_TRUE(made.facts.empty());
    ASSERT_EQ(made.alerts.size(), kept.alerts.size());
    for (std::size_t i = 0; i < made.alerts.size(); ++i) {
      EXPECT_TRUE(made.alerts[i].bytes.empty());
      EXPECT_EQ(alert_bytes(*made.alerts[i].now), alert_bytes(*kept.alerts[i].now));
    }
    ASSERT_EQ(made.transitions.size(), kept.transitions.size());
    for (std::size_t i = 0; i < made.transitions.size(); ++i)
      EXPECT_EQ(alert_bytes(*made.transitions[i]), alert_bytes(*kept.transitions[i]));
    ASSERT_EQ(made.notices.size(), kept.notices.size());
    for (std::size_t i = 0; i < made.notices.size(); ++i)
      EXPECT_EQ(notice_bytes(*made.notices[i]), notice_bytes(*kept.notices[i]));
  }
  EXPECT_GT(records, 0u);
}

TEST_F(alert_book_restore, alerts_with_the_same_first_event_have_ids_of_their_own) {
  use();
  std::set<fingerprint> ids;
  for (int second = 10; second < 50; second += 10) {
    finding begins = about(1, kind::met, second);
    begins.proof.first_event_time = at_second(1);
    const auto out = step(second + 5, {begins, about(1, kind::cleared, second + 5)});
    ASSERT_EQ(out.transitions.size(), 2u);
    ids.insert(out.transitions[0]->alert_id);
    EXPECT_EQ(out.transitions[0]->number, 1u);
    (void)restart(second + 5, true);
  }
  EXPECT_EQ(ids.size(), 4u);
}

TEST_F(alert_book_restore, an_alert_whose_rule_is_gone_is_closed) {
  use({{0s, 0s}, {0s, 0s}});
  (void)step(10, {about(1, kind::met, 10), about(2, kind::met, 10, severity::error, "a", 1)});
  rules = rules_with_delays({{0s, 0s}});
  const auto out = restart(20);
  ASSERT_EQ(told(out), (lines{"2 closed rule removed"}));
  EXPECT_EQ(out.transitions[0]->at, at_second(20));
  EXPECT_EQ(out.transitions[0]->actor, "checker");
  EXPECT_EQ(book->active_count(), 1u);
}

TEST_F(alert_book_restore, an_alert_whose_rule_has_changed_goes_on_by_the_new_one) {
  use({{60s, 0s}});
  (void)step(10, {about(1, kind::met, 10)});
  const std::string before = now(1).revision;
  rules = rules_with_delays({{30s, 0s}});
  const auto out = restart(20, true);
  ASSERT_EQ(told(out), (lines{"1 pending rule changed"}));
  EXPECT_EQ(out.transitions[0]->revision, rules->rules()[0].revision);
  EXPECT_NE(out.transitions[0]->revision, before);
  // Its windows are other ones than those that met the old rule.
  EXPECT_TRUE(step(60).transitions.empty());
  EXPECT_EQ(told(step(70, {about(1, kind::met, 70)})), (lines{"1 firing condition held for 30s"}));
}

TEST_F(alert_book_restore, what_is_not_met_again_in_time_is_resolved) {
  use({{0s, 60s}});
  (void)step(10, {about(1, kind::met, 10), about(2, kind::met, 10)});
  EXPECT_TRUE(restart(100).transitions.empty());
  // 5 min window, 5 s lateness, 1 min keep_firing_for, 1 s.
  EXPECT_TRUE(step(466, {about(2, kind::met, 300)}).transitions.empty());
  const auto out = step(10'000);
  ASSERT_EQ(told(out), (lines{"1 resolved not met since the restart"}));
  EXPECT_EQ(out.transitions[0]->at, at_second(466));
  EXPECT_EQ(out.transitions[0]->actor, "checker");
}

TEST_F(alert_book_restore, with_its_windows_nothing_needs_to_be_met_again) {
  use();
  (void)step(10, {about(1, kind::met, 10)});
  (void)restart(100, true);
  EXPECT_TRUE(step(100'000).transitions.empty());
}

TEST_F(alert_book_restore, a_pending_alert_fires_only_when_it_is_met_again) {
  use({{60s, 0s}});
  (void)step(10, {about(1, kind::met, 10)});
  (void)restart(20);
  EXPECT_TRUE(step(100).transitions.empty());
  const auto out = step(110, {about(1, kind::met, 105)});
  ASSERT_EQ(told(out), (lines{"1 firing condition held for 1m"}));
  EXPECT_EQ(out.transitions[0]->at, at_second(105));
}

TEST_F(alert_book_restore, clocks_that_ran_out_meanwhile_take_effect_at_their_times) {
  use({{0s, 60s}});
  (void)step(20, {about(1, kind::met, 10), about(1, kind::cleared, 20), about(2, kind::met, 20)});
  (void)operate(acknowledge_alerts{only(2), "ann", "", at_second(50), false});
  const auto out = restart(500);
  ASSERT_EQ(told(out), (lines{"2 firing acknowledge expired", "1 resolved condition cleared"}));
  EXPECT_EQ(out.transitions[0]->at, at_second(50));
  EXPECT_EQ(out.transitions[1]->at, at_second(80));
}

TEST_F(alert_book_restore, settings_that_shield_otherwise_are_seen) {
  auto notify = std::make_shared<notify_policy>();
  notify->inhibit_rules = {
      {matchers_of("severity=\"critical\""), matchers_of("severity=\"warning\""), {}}};
  policy->notify = notify;
  use();
  (void)step(10, {about(1, kind::met, 10, severity::warning),
                  about(2, kind::met, 10, severity::critical)});
  ASSERT_TRUE(now(1).shields.any());
  policy->notify = std::make_shared<notify_policy>();
  EXPECT_EQ(told(restart(20, true)), (lines{"1 firing no longer inhibited"}));
}

TEST_F(alert_book_restore, bytes_of_another_version_are_counted_and_the_alert_goes_on) {
  use({{0s, 60s}});
  (void)step(20, {about(1, kind::met, 10), about(1, kind::cleared, 20)});
  book_state stored = store.state();
  stored.alerts[0].bytes = "?";
  stored.facts.emplace_back("turn of nobody", "1");
  start();
  const auto changes = book->restore(stored, at_second(30), true);
  EXPECT_EQ(book->failed_checks().at("restore"), 1u);
  EXPECT_EQ(book->active_count(), 1u);
  ASSERT_EQ(changes.facts.size(), 1u);
  EXPECT_EQ(changes.facts[0], (std::pair<std::string, std::string>{"turn of nobody", ""}));
}

TEST_F(alert_book_restore, an_incident_that_is_over_and_raised_again_at_once_has_two_alerts) {
  raise_incidents();
  policy->incidents[0].min_alerts = 1;
  use();
  (void)step(10, {about(1, kind::met, 10)});
  // That it ended is told to nobody before the next of its name is there.
  int fails = 2;
  book->on_check([&](std::string_view check) {
    if (check == "notification" && fails-- > 0) throw std::runtime_error("planted");
  });
  (void)step(20, {about(1, kind::cleared, 20)});
  const fingerprint before = incident().alert_id;
  const auto out = step(30, {about(1, kind::met, 30)});
  EXPECT_EQ(told(out),
            (lines{"1 firing condition met", "incident resolved all its alerts ended",
                   "incident firing 1 alerts within 10m", "1 firing joined incident storm"}));
  EXPECT_NE(incident().alert_id, before);
  EXPECT_EQ(now(1).incident_id, incident().alert_id);
}

TEST_F(alert_book_restore, enough_alerts_raise_an_incident_that_ends_with_them) {
  raise_incidents();
  use();
  (void)step(10, {about(1, kind::met, 10, severity::warning)});
  const auto raised = step(20, {about(2, kind::met, 20, severity::error)});
  ASSERT_EQ(told(raised),
            (lines{"2 firing condition met", "incident firing 2 alerts within 10m",
                   "1 firing joined incident storm", "2 firing joined incident storm"}));
  const alert begun = incident();
  EXPECT_EQ(begun.rule, "storm");
  EXPECT_EQ(begun.severity, severity::error) << "the worst of its members";
  EXPECT_EQ(begun.condition, "at least 2 alerts within 10m");
  EXPECT_EQ(begun.texts->title, "storm: 2 alerts (site=a)");
  EXPECT_EQ(begun.texts->labels, (text_map{{"site", "a"}}));
  EXPECT_EQ(begun.alert_id, alert_id_of(begun.print, "incident", 10'000, 20'000));
  EXPECT_EQ(now(1).incident_id, begun.alert_id);
  const auto joins = step(30, {about(3, kind::met, 30, severity::critical)});
  EXPECT_EQ(told(joins), (lines{"3 firing condition met", "incident firing severity upgraded"}));
  EXPECT_EQ(joins.transitions[0]->incident_id, begun.alert_id) << "the first transition has it";
  EXPECT_EQ(incident().texts->title, "storm: 3 alerts (site=a)");
  EXPECT_TRUE(restart(35, true).transitions.empty());
  EXPECT_EQ(told(step(40, {about(1, kind::cleared, 40), about(3, kind::cleared, 40)})),
            (lines{"1 resolved condition cleared", "3 resolved condition cleared",
                   "incident firing severity downgraded"}));
  EXPECT_EQ(told(step(50, {about(2, kind::cleared, 50)})),
            (lines{"2 resolved condition cleared", "incident resolved all its alerts ended"}));
}

TEST_F(alert_book_restore, an_incident_that_an_operator_closed_is_not_raised_by_its_members) {
  raise_incidents();
  use();
  (void)step(10, {about(1, kind::met, 10), about(2, kind::met, 10)});
  const auto closed = operate(close_alerts{{{incident().alert_id}, {}}, "ann", "noise"});
  EXPECT_EQ(told(closed.changes), (lines{"incident closed closed by an operator"}));
  EXPECT_TRUE(restart(20, true).transitions.empty());
  EXPECT_TRUE(
      step(30, {about(1, kind::updated, 30), about(2, kind::updated, 30)}).transitions.empty());
  EXPECT_EQ(told(step(40, {about(3, kind::met, 40)})), (lines{"3 firing condition met"}));
}

TEST_F(alert_book_restore, an_incident_whose_rule_is_gone_is_closed) {
  raise_incidents();
  use();
  (void)step(10, {about(1, kind::met, 10), about(2, kind::met, 10)});
  policy->incidents.clear();
  EXPECT_EQ(told(restart(20, true)), (lines{"incident closed rule removed"}));
  EXPECT_EQ(book->active_count(), 2u);
}

TEST_F(alert_book_restore, groups_keep_their_timers_and_tell_nothing_twice) {
  auto notify = std::make_shared<notify_policy>();
  notify->routed = true;
  notify->receivers = {{"team", {{"http://127.0.0.1/", true, 0, 10s, ""}}}};
  notify->root.receiver = "team";
  notify->root.key = "{}";
  notify->root.group_wait = 30s;
  policy->notify = notify;
  use();
  (void)step(10, {about(1, kind::met, 10)});
  (void)restart(20, true);
  EXPECT_TRUE(step(40).notices.empty());
  EXPECT_EQ(step(41).notices.size(), 1u);
  (void)restart(60, true);
  EXPECT_TRUE(step(1000).notices.empty());
}

}  // namespace
}  // namespace tocsin::testing
