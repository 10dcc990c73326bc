// SPDX-License-Identifier: Apache-2.0
// What operators do to alerts and silences.
#include <gtest/gtest.h>

#include "support/alert_book_driver.hpp"

namespace tocsin::testing {
namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

class alert_book_operations : public alert_book_driver {
 protected:
  /// The one alert of an operation.
  static const operation_outcome& one(const alert_book::operated& done) {
    static const operation_outcome none;
    if (!done.outcome || done.outcome->alerts.size() != 1) {
      ADD_FAILURE() << "not one alert";
      return none;
    }
    return done.outcome->alerts[0];
  }
  static silence for_site(std::string_view site, int from, int until) {
    silence wanted;
    wanted.matchers = matchers_of("site=\"" + std::string{site} + "\"");
    wanted.starts_at = at_second(from);
    wanted.ends_at = at_second(until);
    wanted.created_by = "ann";
    wanted.comment = "repairs";
    return wanted;
  }
};

TEST_F(alert_book_operations, an_acknowledge_says_who_when_and_why) {
  use();
  (void)step(10, {about(1, kind::met, 10)});
  (void)step(20);
  const auto done = operate(acknowledge_alerts{only(1), "ann", "on it", std::nullopt, false});
  ASSERT_EQ(done.changes.transitions.size(), 1u);
  const alert& after = *done.changes.transitions[0];
  EXPECT_EQ(after.state, state::acknowledged);
  EXPECT_EQ(after.previous_state, state::firing);
  EXPECT_EQ(after.cause, "acknowledged");
  EXPECT_EQ(after.actor, "ann");
  EXPECT_EQ(after.note, "on it");
  EXPECT_EQ(after.number, 2u);
  EXPECT_EQ(after.seq, 2u);
  EXPECT_EQ(after.acknowledged, (acknowledgement{"ann", at_second(20), std::nullopt}));
  EXPECT_EQ(one(done).now, done.changes.transitions[0]);
  EXPECT_EQ(book->find(after.alert_id), one(done).now);
}

TEST_F(alert_book_operations, what_is_acknowledged_stays_so_until_it_resolves) {
  use();
  (void)step(10, {about(1, kind::met, 10)});
  (void)operate(acknowledge_alerts{only(1), "ann", "", std::nullopt, false});
  EXPECT_TRUE(step(20, {about(1, kind::updated, 20)}).transitions.empty());
  const auto over = step(30, {about(1, kind::cleared, 30)});
  ASSERT_EQ(told(over), (lines{"1 resolved condition cleared"}));
  EXPECT_EQ(over.transitions[0]->previous_state, state::acknowledged);
  EXPECT_EQ(over.transitions[0]->acknowledged->by, "ann");
  EXPECT_EQ(over.transitions[0]->note, "") << "a note is of its transition";
}

TEST_F(alert_book_operations, who_has_an_alert_is_said_to_the_next_unless_they_replace) {
  use();
  (void)step(10, {about(1, kind::met, 10)});
  (void)operate(acknowledge_alerts{only(1), "ann", "", std::nullopt, false});
  const auto refused = operate(acknowledge_alerts{only(1), "bob", "", std::nullopt, false});
  ASSERT_TRUE(one(refused).refused);
  EXPECT_EQ(one(refused).refused->code, "already_acknowledged");
  EXPECT_EQ(
      one(refused).refused->message,
      "alert " + to_text(now(1).alert_id) +
          " is acknowledged by ann since 1970-01-01T00:00:10.000Z; say replace to take it over");
  EXPECT_EQ(one(refused).now->acknowledged->by, "ann");
  EXPECT_TRUE(refused.changes.empty());
  const auto taken = operate(acknowledge_alerts{only(1), "bob", "", std::nullopt, true});
  EXPECT_EQ(told(taken.changes), (lines{"1 acknowledged acknowledged"}));
  EXPECT_EQ(now(1).acknowledged->by, "bob");
}

TEST_F(alert_book_operations, an_acknowledge_that_has_run_out_is_lifted) {
  use();
  (void)step(10, {about(1, kind::met, 10)});
  (void)operate(acknowledge_alerts{only(1), "ann", "", at_second(60), false});
  EXPECT_TRUE(step(60).transitions.empty()) << "of equal time an event comes before a timer";
  const auto lifted = step(100);
  ASSERT_EQ(told(lifted), (lines{"1 firing acknowledge expired"}));
  EXPECT_EQ(lifted.transitions[0]->at, at_second(60));
  EXPECT_EQ(lifted.transitions[0]->actor, "checker");
  EXPECT_FALSE(lifted.transitions[0]->acknowledged);
  const auto past = operate(acknowledge_alerts{only(1), "ann", "", at_second(100), false});
  ASSERT_FALSE(past.outcome);
  EXPECT_EQ(past.outcome.failure().code, "bad_operation");
}

TEST_F(alert_book_operations, taking_an_acknowledge_back_restores_firing) {
  use();
  (void)step(10, {about(1, kind::met, 10)});
  const auto none = operate(unacknowledge_alerts{only(1), "ann", ""});
  EXPECT_EQ(one(none).refused->code, "illegal_transition");
  (void)operate(acknowledge_alerts{only(1), "ann", "", std::nullopt, false});
  const auto back = operate(unacknowledge_alerts{only(1), "bob", "mine"});
  ASSERT_EQ(told(back.changes), (lines{"1 firing unacknowledged"}));
  EXPECT_EQ(back.changes.transitions[0]->actor, "bob");
  EXPECT_FALSE(now(1).acknowledged);
}

TEST_F(alert_book_operations, a_worse_severity_lifts_an_acknowledge_and_a_better_one_does_not) {
  use();
  (void)step(10, {about(1, kind::met, 10)});
  (void)operate(acknowledge_alerts{only(1), "ann", "", std::nullopt, false});
  EXPECT_EQ(told(step(20, {about(1, kind::updated, 20, severity::warning)})),
            (lines{"1 acknowledged severity downgraded"}));
  const auto worse = step(30, {about(1, kind::updated, 30, severity::critical)});
  ASSERT_EQ(told(worse), (lines{"1 firing severity upgraded"}));
  EXPECT_EQ(worse.transitions[0]->previous_state, state::acknowledged);
  EXPECT_FALSE(worse.transitions[0]->acknowledged);
}

TEST_F(alert_book_operations, a_pending_alert_cannot_be_acknowledged_but_closed) {
  use({{60s, 0s}});
  (void)step(10, {about(1, kind::met, 10)});
  const auto refused = operate(acknowledge_alerts{only(1), "ann", "", std::nullopt, false});
  EXPECT_EQ(one(refused).refused->code, "illegal_transition");
  EXPECT_EQ(one(refused).now->state, state::pending);
  const auto closed = operate(close_alerts{only(1), "ann", "no"});
  ASSERT_EQ(told(closed.changes), (lines{"1 closed closed by an operator"}));
  EXPECT_EQ(one(closed).now->closed_at, at_second(10));
  EXPECT_TRUE(step(1000).transitions.empty());
}

TEST_F(alert_book_operations, what_an_operator_closed_begins_again_only_with_a_new_condition) {
  use();
  (void)step(10, {about(1, kind::met, 10)});
  (void)operate(close_alerts{only(1), "ann", ""});
  EXPECT_EQ(book->active_count(), 0u);
  EXPECT_TRUE(step(20, {about(1, kind::updated, 20)}).transitions.empty());
  EXPECT_EQ(told(step(30, {about(1, kind::met, 30)})), (lines{"1 firing condition met"}));
}

TEST_F(alert_book_operations, ids_that_are_not_of_active_alerts_are_answered_each) {
  use();
  (void)step(10, {about(1, kind::met, 10)});
  const fingerprint unknown{7, 7};
  const auto done =
      operate(note_on_alerts{{{unknown, now(1).alert_id}, {}}, "ann", "look at the fan"});
  ASSERT_EQ(done.outcome->alerts.size(), 2u);
  EXPECT_EQ(done.outcome->alerts[0].refused->code, "not_found");
  EXPECT_EQ(done.outcome->alerts[0].alert_id, unknown);
  EXPECT_EQ(done.outcome->alerts[0].now, nullptr);
  EXPECT_EQ(done.outcome->alerts[1].now->cause, "note");
  EXPECT_EQ(done.outcome->alerts[1].now->note, "look at the fan");
}

TEST_F(alert_book_operations, matchers_choose_what_the_operation_is_legal_for) {
  use({{0s, 0s}, {60s, 0s}});
  (void)step(10, {about(1, kind::met, 10), about(2, kind::met, 10, severity::error, "b"),
                  about(3, kind::met, 10, severity::error, "a", 1), about(4, kind::met, 10)});
  (void)operate(acknowledge_alerts{only(4), "bob", "", std::nullopt, false});
  const auto done =
      operate(acknowledge_alerts{all_of("site=\"a\""), "ann", "", std::nullopt, false});
  EXPECT_EQ(told(done.changes), (lines{"1 acknowledged acknowledged"}));
  const auto replaced =
      operate(acknowledge_alerts{all_of("site=\"a\""), "cy", "", std::nullopt, true});
  EXPECT_EQ(told(replaced.changes),
            (lines{"1 acknowledged acknowledged", "4 acknowledged acknowledged"}));
  const auto none = operate(unacknowledge_alerts{all_of("site=\"c\""), "ann", ""});
  ASSERT_TRUE(none.outcome);
  EXPECT_TRUE(none.outcome->alerts.empty());
}

TEST_F(alert_book_operations, an_operation_without_choice_or_name_is_refused_whole) {
  use();
  const auto nobody = operate(close_alerts{{}, "ann", ""});
  EXPECT_EQ(nobody.outcome.failure().code, "nothing_chosen");
  const auto nameless = operate(close_alerts{all_of("site=\"a\""), "", ""});
  EXPECT_EQ(nameless.outcome.failure().code, "bad_operation");
  const auto noteless = operate(note_on_alerts{all_of("site=\"a\""), "ann", ""});
  EXPECT_EQ(noteless.outcome.failure().code, "bad_operation");
}

TEST_F(alert_book_operations, an_alert_is_assigned_and_given_back) {
  use();
  (void)step(10, {about(1, kind::met, 10)});
  const auto given = operate(assign_alerts{only(1), "ann", "", "bob"});
  ASSERT_EQ(told(given.changes), (lines{"1 firing assigned to bob"}));
  EXPECT_EQ(given.changes.transitions[0]->actor, "ann");
  EXPECT_EQ(now(1).assignee, "bob");
  EXPECT_TRUE(operate(assign_alerts{only(1), "ann", "", "bob"}).changes.transitions.empty());
  const auto back = operate(assign_alerts{only(1), "ann", "", ""});
  EXPECT_EQ(told(back.changes), (lines{"1 firing unassigned"}));
  EXPECT_EQ(now(1).assignee, "");
}

TEST_F(alert_book_operations, who_handled_an_alert_gets_the_next_of_its_kind) {
  assignment_rule again;
  again.name = "again";
  again.by = assign_by::last_handler;
  policy->assignment.rules = {again};
  policy->assignment.fallback = "desk";
  use();
  const auto first = step(10, {about(1, kind::met, 10)});
  EXPECT_EQ(first.transitions[0]->assignee, "desk") << "the first transition has it";
  ASSERT_EQ(first.transitions.size(), 1u);
  (void)operate(close_alerts{only(1), "ann", ""});
  EXPECT_EQ(step(20, {about(1, kind::met, 20)}).transitions[0]->assignee, "ann");
}

TEST_F(alert_book_operations, a_silence_is_seen_by_those_it_matches_when_it_begins_and_ends) {
  use();
  (void)step(10, {about(1, kind::met, 10), about(2, kind::met, 10, severity::error, "b")});
  const auto put = operate(put_silence{for_site("a", 20, 40)});
  ASSERT_TRUE(put.outcome);
  const std::string id = put.outcome->silence->id;
  EXPECT_TRUE(put.changes.transitions.empty());
  ASSERT_EQ(put.changes.silences.size(), 1u);
  const auto began = step(30, {about(3, kind::met, 25)});
  ASSERT_EQ(told(began), (lines{"1 firing silenced", "3 firing condition met"}));
  EXPECT_EQ(began.transitions[0]->at, at_second(20));
  EXPECT_EQ(began.transitions[0]->shields.silenced_by, std::vector<std::string>{id});
  EXPECT_EQ(began.transitions[0]->actor, "checker");
  EXPECT_EQ(began.transitions[1]->shields.silenced_by, std::vector<std::string>{id})
      << "the first transition has it";
  const auto ended = step(50);
  EXPECT_EQ(told(ended), (lines{"1 firing no longer silenced", "3 firing no longer silenced"}));
  EXPECT_EQ(ended.transitions[0]->at, at_second(40));
}

TEST_F(alert_book_operations, a_silence_takes_effect_at_once_and_ends_when_it_is_expired) {
  use();
  (void)step(10, {about(1, kind::met, 10)});
  const auto put = operate(put_silence{for_site("a", 10, 100)});
  EXPECT_EQ(told(put.changes), (lines{"1 firing silenced"}));
  (void)step(20);
  const auto gone = operate(expire_silence{put.outcome->silence->id, "ann"});
  EXPECT_EQ(told(gone.changes), (lines{"1 firing no longer silenced"}));
  EXPECT_EQ(operate(expire_silence{put.outcome->silence->id, "ann"}).outcome.failure().code,
            "silence_expired");
  EXPECT_EQ(operate(expire_silence{"none", "ann"}).outcome.failure().code, "silence_not_found");
}

TEST_F(alert_book_operations, a_silence_in_place_of_another_is_one_change_of_shields) {
  use();
  (void)step(10, {about(1, kind::met, 10)});
  const auto put = operate(put_silence{for_site("a", 10, 100)});
  silence wider = *put.outcome->silence;
  wider.matchers = matchers_of("site=~\"a|b\"");
  const auto edited = operate(put_silence{wider});
  EXPECT_EQ(told(edited.changes), (lines{"1 firing shields changed"}));
  EXPECT_EQ(now(1).shields.silenced_by, std::vector<std::string>{edited.outcome->silence->id});
  EXPECT_EQ(edited.changes.silences.size(), 2u);
}

TEST_F(alert_book_operations, what_a_silence_matches_follows_the_severity) {
  use();
  (void)step(10, {about(1, kind::met, 10, severity::warning)});
  silence wanted = for_site("a", 10, 100);
  wanted.matchers = matchers_of("severity=\"warning\"");
  (void)operate(put_silence{wanted});
  EXPECT_EQ(told(step(20, {about(1, kind::updated, 20, severity::critical)})),
            (lines{"1 firing severity upgraded", "1 firing no longer silenced"}));
}

TEST_F(alert_book_operations, expired_silences_are_forgotten_after_a_while) {
  policy->keep_expired_silences = 60s;
  use();
  (void)step(10);
  const auto put = operate(put_silence{for_site("a", 10, 20)});
  EXPECT_TRUE(step(80).silences_gone.empty());
  EXPECT_EQ(step(81).silences_gone, std::vector<std::string>{put.outcome->silence->id});
  EXPECT_EQ(book->silences().size(), 0u);
}

}  // namespace
}  // namespace tocsin::testing
