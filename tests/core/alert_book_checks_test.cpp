// SPDX-License-Identifier: Apache-2.0
// The chain of checks: each by itself, and what shields alerts.
#include <gtest/gtest.h>

#include <stdexcept>

#include "support/alert_book_driver.hpp"

namespace tocsin::testing {
namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

class alert_book_checks : public alert_book_driver {
 protected:
  /// One route for all, told at once.
  std::shared_ptr<notify_policy> told_to_team() {
    auto notify = std::make_shared<notify_policy>();
    notify->routed = true;
    notify->receivers = {{"team", {{"http://127.0.0.1/", true, 0, 10s, ""}}}};
    notify->root.receiver = "team";
    notify->root.key = "{}";
    notify->root.group_wait = 0s;
    notify->root.group_interval = 10s;
    policy->notify = notify;
    return notify;
  }
};

TEST_F(alert_book_checks, run_in_their_order) {
  use();
  (void)step(10, {about(1, kind::met, 10)});
  std::vector<std::string> seen;
  book->on_check([&](std::string_view check) { seen.emplace_back(check); });
  (void)step(20, {about(1, kind::updated, 20)});
  EXPECT_EQ(seen, (lines{"next_state", "close", "recover", "shield", "acknowledge_expiry",
                         "severity", "notification"}));
}

TEST_F(alert_book_checks, one_that_throws_is_counted_and_the_others_go_on) {
  told_to_team();
  use();
  (void)step(10, {about(1, kind::met, 10)});
  for (const std::string bad : {"next_state", "close", "recover", "shield", "acknowledge_expiry"}) {
    const auto level = now(1).severity == severity::error ? severity::critical : severity::error;
    book->on_check([&](std::string_view check) {
      if (check == bad) throw std::runtime_error("no");
    });
    const int second = static_cast<int>(to_unix_ms(book->clock()) / 1000) + 5;
    const auto changes = step(second, {about(1, kind::updated, second, level)});
    EXPECT_EQ(changes.transitions.size(), 1u) << bad;
    EXPECT_GE(book->failed_checks().at(bad), 1u);
    book->on_check({});
    (void)step(second + 2);
  }
}

TEST_F(alert_book_checks, one_that_threw_is_tried_again_a_second_later) {
  use({{5s, 0s}});
  (void)step(10, {about(1, kind::met, 10)});
  book->on_check([](std::string_view check) {
    if (check == "next_state") throw std::runtime_error("no");
  });
  EXPECT_TRUE(step(17).transitions.empty());
  EXPECT_EQ(book->failed_checks().at("next_state"), 2u);
  book->on_check({});
  const auto fired = step(30);
  ASSERT_EQ(told(fired), (lines{"1 firing condition held for 5s"}));
  EXPECT_EQ(fired.transitions[0]->at, at_second(17));
}

TEST_F(alert_book_checks, an_end_that_groups_were_not_told_of_is_told_later) {
  told_to_team();
  use();
  (void)step(10, {about(1, kind::met, 10)});
  EXPECT_EQ(step(11).notices.size(), 1u);
  book->on_check([](std::string_view check) {
    if (check == "notification") throw std::runtime_error("no");
  });
  (void)step(12, {about(1, kind::cleared, 12)});
  book->on_check({});
  const auto later = step(40);
  ASSERT_EQ(later.notices.size(), 1u);
  EXPECT_EQ(later.notices[0]->alerts[0]->state, state::resolved);
}

TEST_F(alert_book_checks, close_what_had_no_data) {
  use({{0s, 10s, 60s}});
  (void)step(10, {about(1, kind::met, 10)});
  (void)step(50, {about(1, kind::updated, 50)});
  EXPECT_TRUE(step(110).transitions.empty());
  const auto closed = step(200);
  ASSERT_EQ(told(closed), (lines{"1 closed no data for 1m"}));
  EXPECT_EQ(closed.transitions[0]->at, at_second(110));
  EXPECT_EQ(closed.transitions[0]->actor, "checker");
}

TEST_F(alert_book_checks, closing_comes_before_recovering) {
  use({{0s, 50s, 60s}});
  (void)step(20, {about(1, kind::met, 10), about(1, kind::cleared, 20)});
  EXPECT_EQ(told(step(200)), (lines{"1 closed no data for 1m"}));
}

TEST_F(alert_book_checks, a_source_inhibits_its_targets_while_it_fires) {
  auto notify = told_to_team();
  notify->inhibit_rules = {
      {matchers_of("severity=\"critical\""), matchers_of("severity=\"warning\""), {"site"}}};
  use();
  (void)step(10, {about(1, kind::met, 10, severity::warning),
                  about(2, kind::met, 10, severity::warning, "b")});
  const auto began = step(20, {about(3, kind::met, 20, severity::critical)});
  ASSERT_EQ(told(began), (lines{"3 firing condition met", "1 firing inhibited"}));
  EXPECT_EQ(began.transitions[1]->shields.inhibited_by,
            std::vector<std::string>{to_text(now(3).alert_id)});
  const auto born = step(30, {about(4, kind::met, 30, severity::warning)});
  ASSERT_EQ(told(born), (lines{"4 firing condition met"}));
  EXPECT_EQ(born.transitions[0]->shields, now(1).shields);
  (void)operate(acknowledge_alerts{only(3), "ann", "", std::nullopt, false});
  EXPECT_TRUE(now(1).shields.any()) << "what is acknowledged still inhibits";
  EXPECT_EQ(told(step(40, {about(3, kind::cleared, 40)})),
            (lines{"3 resolved condition cleared", "1 firing no longer inhibited",
                   "4 firing no longer inhibited"}));
}

TEST_F(alert_book_checks, a_pending_alert_inhibits_nobody_until_it_fires) {
  auto notify = told_to_team();
  notify->inhibit_rules = {
      {matchers_of("severity=\"critical\""), matchers_of("severity=\"warning\""), {}}};
  use({{0s, 0s}, {10s, 0s}});
  (void)step(10, {about(1, kind::met, 10, severity::warning),
                  about(2, kind::met, 10, severity::critical, "a", 1)});
  EXPECT_FALSE(now(1).shields.any());
  EXPECT_EQ(told(step(30)), (lines{"2 firing condition held for 10s", "1 firing inhibited"}));
}

TEST_F(alert_book_checks, a_mute_interval_mutes_from_minute_to_minute) {
  auto notify = told_to_team();
  time_interval from_two_to_three;
  from_two_to_three.times = {{2, 3}};
  notify->time_intervals = {{"lunch", {from_two_to_three}}};
  notify->root.mute_time_intervals = {"lunch"};
  use();
  (void)step(100, {about(1, kind::met, 100)});
  const auto muted = step(130, {about(2, kind::met, 125)});
  ASSERT_EQ(told(muted), (lines{"1 firing muted", "2 firing condition met"}));
  EXPECT_EQ(muted.transitions[0]->at, at_second(120));
  EXPECT_EQ(muted.transitions[1]->shields.muted_by, std::vector<std::string>{"lunch"});
  const auto over = step(1000);
  EXPECT_EQ(told(over), (lines{"1 firing no longer muted", "2 firing no longer muted"}));
  EXPECT_EQ(over.transitions[0]->at, at_second(180));
}

TEST_F(alert_book_checks, an_alert_that_comes_and_goes_is_said_to_flap) {
  use();
  int second = 10;
  std::vector<std::string> flapping;
  for (int i = 0; i < 15; ++i, second += 4) {
    const auto out =
        step(second + 3, {about(1, kind::met, second), about(1, kind::cleared, second + 2)});
    ASSERT_EQ(out.transitions.size(), 2u);
    for (const transition& each : out.transitions) flapping.push_back(each->flapping ? "1" : "0");
  }
  EXPECT_EQ(flapping.front(), "0");
  EXPECT_EQ(flapping.back(), "1");
  EXPECT_TRUE(std::is_sorted(flapping.begin(), flapping.end()));
  // It fires and goes on to fire.
  (void)step(second, {about(1, kind::met, second)});
  lines seen;
  for (int i = 1; i < 40 && seen.empty(); ++i)
    seen = told(step(second + i, {about(1, kind::updated, second + i)}));
  EXPECT_EQ(seen, (lines{"1 firing flapping ended"}));
  EXPECT_FALSE(now(1).flapping);
}

TEST_F(alert_book_checks, evaluations_within_a_second_count_once_while_they_agree) {
  use();
  (void)step(10, {about(1, kind::met, 10)});
  finding same = about(1, kind::updated, 10);
  same.at += 500ms;
  const auto before = book->step(at_second(10), {}).alerts.size();
  EXPECT_EQ(before, 0u);
  const auto half = book->step(at_second(11), {same});
  const auto whole = book->step(at_second(12), {about(1, kind::updated, 12)});
  ASSERT_EQ(half.alerts.size(), 1u);
  ASSERT_EQ(whole.alerts.size(), 1u);
  const auto bits = [](const book_changes& changes) {
    return changes.alerts[0].bytes.substr(changes.alerts[0].bytes.size() - 4);
  };
  EXPECT_EQ(bits(half), std::string("\1\0\0\0", 4));
  EXPECT_EQ(bits(whole), std::string("\3\0\0\0", 4));
}

TEST_F(alert_book_checks, what_ended_is_forgotten_after_a_while) {
  policy->flap_memory = 10min;
  use();
  const auto ended = step(20, {about(1, kind::met, 10), about(1, kind::cleared, 20)});
  ASSERT_EQ(ended.facts.size(), 1u);
  EXPECT_EQ(ended.facts[0].first, "ended/" + to_text(fingerprint{1, 1}));
  EXPECT_FALSE(ended.facts[0].second.empty());
  EXPECT_TRUE(step(620).facts.empty());
  const auto forgotten = step(621);
  ASSERT_EQ(forgotten.facts.size(), 1u);
  EXPECT_EQ(forgotten.facts[0].second, "");
}

TEST_F(alert_book_checks, a_change_without_a_transition_is_among_the_alerts) {
  use();
  (void)step(10, {about(1, kind::met, 10)});
  finding more = about(1, kind::updated, 20);
  more.proof.event_count = 9;
  const auto changes = step(20, {more});
  EXPECT_TRUE(changes.transitions.empty());
  ASSERT_EQ(changes.alerts.size(), 1u);
  EXPECT_EQ(changes.alerts[0].now->proof.event_count, 9u);
  EXPECT_EQ(changes.alerts[0].now->number, 1u);
  EXPECT_TRUE(step(30).empty());
}

}  // namespace
}  // namespace tocsin::testing
