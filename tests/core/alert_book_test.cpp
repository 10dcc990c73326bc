// SPDX-License-Identifier: Apache-2.0
// The alerts' life cycle, state by state.
#include "tocsin/alert_book.hpp"

#include <gtest/gtest.h>

#include "support/naive_alert_book.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using kind = finding::kind;
using state = alert_state;

constexpr fingerprint disk{1, 1};
constexpr fingerprint fan{2, 2};

instant at_second(int second) {
  return from_unix_ms(second * 1000);
}

finding make(kind what, int second, fingerprint print = disk,
             std::string_view cause = "condition met") {
  finding made;
  made.what = what;
  made.print = print;
  made.at = at_second(second);
  made.position = static_cast<std::uint64_t>(second);
  made.severity = severity::error;
  made.cause = cause;
  made.proof.event_count = 3;
  made.proof.first_event_time = at_second(second - 1);
  made.proof.last_event_time = at_second(second);
  made.proof.first_event_position = 7;
  auto texts = std::make_shared<alert_texts>();
  texts->title = "at " + std::to_string(second);
  if (what == kind::met) made.texts = std::move(texts);
  return made;
}

class alert_book_test : public ::testing::Test {
 protected:
  void use(duration pending_for, duration keep_firing_for) {
    rules = testing::rules_with_delays({{pending_for, keep_firing_for}});
    book = std::make_unique<alert_book>(rules);
  }
  std::vector<transition> step(int clock, std::vector<finding> findings = {}) {
    return book->step(at_second(clock), std::move(findings)).transitions;
  }

  std::shared_ptr<const rule_set> rules;
  std::unique_ptr<alert_book> book;
};

TEST_F(alert_book_test, what_was_due_before_its_clock_is_taken_at_its_clock) {
  use(0s, 0s);
  step(20);
  const auto out = step(25, {make(kind::met, 10), make(kind::met, 22, fan)});
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0]->print, disk);
  EXPECT_EQ(out[0]->at, at_second(20));
  EXPECT_EQ(out[1]->at, at_second(22));
}

TEST_F(alert_book_test, a_met_condition_fires_at_once_without_for) {
  use(0s, 0s);
  const auto out = step(11, {make(kind::met, 10)});
  ASSERT_EQ(out.size(), 1u);
  const alert& fired = *out[0];
  EXPECT_EQ(fired.state, state::firing);
  EXPECT_EQ(fired.previous_state, state::none);
  EXPECT_EQ(fired.at, at_second(10));
  EXPECT_EQ(fired.started_at, at_second(10));
  EXPECT_EQ(fired.number, 1u);
  EXPECT_EQ(fired.cause, "condition met");
  EXPECT_EQ(fired.actor, "rule");
  EXPECT_EQ(fired.severity, severity::error);
  EXPECT_EQ(fired.print, disk);
  EXPECT_EQ(fired.rule, "rule-0");
  EXPECT_EQ(fired.revision, rules->rules()[0].revision);
  EXPECT_EQ(fired.condition, rules->rules()[0].condition);
  EXPECT_EQ(fired.alert_id, alert_id_of(alert_id_of(disk, fired.revision, 9000, 7), "", 10'000,
                                        make(kind::met, 10).position))
      << "its first event, and what made it begin";
  EXPECT_EQ(fired.texts->title, "at 10");
  EXPECT_EQ(fired.proof.event_count, 3u);
  EXPECT_FALSE(fired.resolved_at);
  EXPECT_EQ(book->active_count(), 1u);
}

TEST_F(alert_book_test, a_condition_met_at_a_windows_close_says_so) {
  use(0s, 0s);
  EXPECT_EQ(step(11, {make(kind::met, 10, disk, "window closed")})[0]->cause, "window closed");
}

TEST_F(alert_book_test, a_cleared_condition_resolves_and_keeps_the_evidence_that_held) {
  use(0s, 0s);
  (void)step(11, {make(kind::met, 10)});
  finding cleared = make(kind::cleared, 20, disk, "condition cleared");
  cleared.proof = evidence{};
  const auto out = step(21, {cleared});
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0]->state, state::resolved);
  EXPECT_EQ(out[0]->previous_state, state::firing);
  EXPECT_EQ(out[0]->number, 2u);
  EXPECT_EQ(out[0]->cause, "condition cleared");
  EXPECT_EQ(out[0]->actor, "rule");
  EXPECT_EQ(out[0]->resolved_at, at_second(20));
  EXPECT_EQ(out[0]->started_at, at_second(10));
  EXPECT_EQ(out[0]->proof.event_count, 3u);
  EXPECT_EQ(out[0]->texts->title, "at 10");
  EXPECT_EQ(book->active_count(), 0u);
}

TEST_F(alert_book_test, a_condition_met_again_after_resolving_is_another_alert) {
  use(0s, 0s);
  const auto first = step(11, {make(kind::met, 10)});
  (void)step(21, {make(kind::cleared, 20)});
  const auto second = step(31, {make(kind::met, 30)});
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0]->number, 1u);
  EXPECT_EQ(second[0]->previous_state, state::none);
  EXPECT_NE(second[0]->alert_id, first[0]->alert_id);
  EXPECT_FALSE(second[0]->resolved_at);
}

TEST_F(alert_book_test, with_for_an_alert_is_pending_until_its_condition_has_held) {
  use(300s, 0s);
  const auto pending = step(10, {make(kind::met, 10)});
  ASSERT_EQ(pending.size(), 1u);
  EXPECT_EQ(pending[0]->state, state::pending);
  EXPECT_EQ(pending[0]->cause, "condition met");
  EXPECT_TRUE(step(310).empty()) << "of equal time an event comes before a timer";
  const auto fired = step(311);
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_EQ(fired[0]->state, state::firing);
  EXPECT_EQ(fired[0]->previous_state, state::pending);
  EXPECT_EQ(fired[0]->cause, "condition held for 5m");
  EXPECT_EQ(fired[0]->at, at_second(310));
  EXPECT_EQ(fired[0]->started_at, at_second(10));
  EXPECT_EQ(fired[0]->number, 2u);
}

TEST_F(alert_book_test, a_pending_alert_whose_condition_clears_is_resolved_and_never_fires) {
  use(300s, 60s);
  (void)step(10, {make(kind::met, 10)});
  const auto out = step(310, {make(kind::cleared, 310, disk, "condition cleared")});
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0]->state, state::resolved);
  EXPECT_EQ(out[0]->previous_state, state::pending);
  EXPECT_EQ(out[0]->cause, "condition cleared before it held for 5m");
  EXPECT_TRUE(step(10'000).empty());
}

TEST_F(alert_book_test, a_timer_that_was_due_before_a_finding_runs_before_it) {
  use(300s, 0s);
  (void)step(10, {make(kind::met, 10)});
  const auto out = step(400, {make(kind::cleared, 311, disk, "condition cleared")});
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0]->state, state::firing);
  EXPECT_EQ(out[0]->at, at_second(310));
  EXPECT_EQ(out[1]->state, state::resolved);
  EXPECT_EQ(out[1]->previous_state, state::firing);
}

TEST_F(alert_book_test, keep_firing_for_delays_the_resolving) {
  use(0s, 60s);
  (void)step(10, {make(kind::met, 10)});
  EXPECT_TRUE(step(20, {make(kind::cleared, 20)}).empty());
  EXPECT_EQ(book->active_count(), 1u);
  EXPECT_TRUE(step(80).empty());
  const auto out = step(200);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0]->state, state::resolved);
  EXPECT_EQ(out[0]->at, at_second(80));
  EXPECT_EQ(out[0]->resolved_at, at_second(80));
  EXPECT_EQ(out[0]->cause, "condition cleared");
}

TEST_F(alert_book_test, a_condition_met_again_in_time_stops_keep_firing_for_silently) {
  use(0s, 60s);
  const auto first = step(10, {make(kind::met, 10)});
  (void)step(20, {make(kind::cleared, 20)});
  EXPECT_TRUE(step(80, {make(kind::met, 80)}).empty());
  EXPECT_TRUE(step(1000).empty());
  ASSERT_EQ(book->active_count(), 1u);
  const alert now = *book->active()[0];
  EXPECT_EQ(now.alert_id, first[0]->alert_id);
  EXPECT_EQ(now.number, 1u);
  EXPECT_EQ(now.proof.last_event_time, at_second(80));
  EXPECT_EQ(now.texts->title, "at 80");
}

TEST_F(alert_book_test, a_recovery_resolves_at_once_even_a_pending_or_kept_alert) {
  use(300s, 60s);
  const auto out =
      step(30, {make(kind::met, 10), make(kind::recovered, 20, disk, "resolved by an event")});
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[1]->state, state::resolved);
  EXPECT_EQ(out[1]->previous_state, state::pending);
  EXPECT_EQ(out[1]->actor, "event");
  EXPECT_EQ(out[1]->cause, "resolved by an event");
  EXPECT_TRUE(step(10'000).empty()) << "its timer must be gone";
}

TEST_F(alert_book_test, a_dismissal_closes) {
  use(0s, 60s);
  (void)step(10, {make(kind::met, 10)});
  (void)step(20, {make(kind::cleared, 20)});
  const auto out = step(30, {make(kind::dismissed, 30, disk, "closed by an event")});
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0]->state, state::closed);
  EXPECT_EQ(out[0]->actor, "event");
  EXPECT_EQ(out[0]->closed_at, at_second(30));
  EXPECT_FALSE(out[0]->resolved_at);
  EXPECT_TRUE(step(10'000).empty());
}

TEST_F(alert_book_test, findings_about_alerts_that_are_not_there_change_nothing) {
  use(0s, 0s);
  EXPECT_TRUE(step(50, {make(kind::cleared, 10), make(kind::updated, 20), make(kind::recovered, 30),
                        make(kind::dismissed, 40)})
                  .empty());
  EXPECT_EQ(book->active_count(), 0u);
}

TEST_F(alert_book_test, a_worse_and_a_better_severity_are_transitions) {
  use(0s, 0s);
  (void)step(10, {make(kind::met, 10)});
  finding worse = make(kind::updated, 20);
  worse.severity = severity::critical;
  auto texts = std::make_shared<alert_texts>();
  texts->title = "worse";
  worse.texts = texts;
  worse.proof.event_count = 9;
  const auto out = step(20, {worse});
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0]->state, state::firing);
  EXPECT_EQ(out[0]->previous_state, state::firing);
  EXPECT_EQ(out[0]->cause, "severity upgraded");
  EXPECT_EQ(out[0]->severity, severity::critical);
  EXPECT_EQ(out[0]->texts->title, "worse");
  EXPECT_EQ(out[0]->proof.event_count, 9u);
  finding better = make(kind::updated, 30);
  better.severity = severity::warning;
  const auto down = step(30, {better});
  ASSERT_EQ(down.size(), 1u);
  EXPECT_EQ(down[0]->state, state::firing);
  EXPECT_EQ(down[0]->cause, "severity downgraded");
  EXPECT_EQ(down[0]->severity, severity::warning);
  EXPECT_EQ(down[0]->number, 3u);
  EXPECT_EQ(book->active()[0]->texts->title, "worse");
}

TEST_F(alert_book_test, a_pending_alert_takes_a_worse_severity_silently) {
  use(300s, 0s);
  (void)step(10, {make(kind::met, 10)});
  finding worse = make(kind::updated, 20);
  worse.severity = severity::critical;
  EXPECT_TRUE(step(20, {worse}).empty());
  EXPECT_EQ(step(400)[0]->severity, severity::critical);
}

TEST_F(alert_book_test, a_transition_stays_as_it_was_when_the_alert_goes_on) {
  use(0s, 0s);
  const auto out = step(10, {make(kind::met, 10)});
  finding newer = make(kind::updated, 20);
  newer.proof.event_count = 9;
  (void)step(20, {newer});
  EXPECT_EQ(out[0]->proof.event_count, 3u);
}

TEST_F(alert_book_test, findings_take_effect_by_time_position_rule_and_fingerprint) {
  use(0s, 0s);
  finding closing = make(kind::met, 10, disk);
  closing.position = no_position;
  const auto out = step(20, {make(kind::met, 12, fingerprint{0, 1}), closing,
                             make(kind::met, 10, fan), make(kind::met, 12, fingerprint{0, 0})});
  ASSERT_EQ(out.size(), 4u);
  EXPECT_EQ(out[0]->print, fan) << "of equal time an event comes before a timer";
  EXPECT_EQ(out[1]->print, disk);
  EXPECT_EQ(out[2]->print, (fingerprint{0, 0}));
  EXPECT_EQ(out[3]->print, (fingerprint{0, 1}));
}

TEST_F(alert_book_test, active_alerts_come_by_fingerprint) {
  use(0s, 0s);
  (void)step(20, {make(kind::met, 10, fan), make(kind::met, 11, disk)});
  const auto active = book->active();
  ASSERT_EQ(active.size(), 2u);
  EXPECT_EQ(active[0]->print, disk);
  EXPECT_EQ(active[1]->print, fan);
}

}  // namespace
}  // namespace tocsin
