// SPDX-License-Identifier: Apache-2.0
// Alerts that Prometheus posts: identity, times and merging as in Alertmanager.
#include <gtest/gtest.h>

#include "support/alert_book_driver.hpp"

namespace tocsin::testing {
namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

class alert_book_posted : public alert_book_driver {
 protected:
  void SetUp() override {
    use();
    (void)step(1000);
  }
  static posted_alert down(std::optional<int> starts = {}, std::optional<int> ends = {}) {
    posted_alert made;
    made.labels = {{"severity", "critical"},
                   {"alertname", "Down"},
                   {"job", "api"},
                   {"instance", "db1"},
                   {"empty", ""}};
    made.annotations = {{"summary", "db1 is down"}, {"description", "no answer"}};
    made.generator_url = "http://p/1";
    if (starts) made.starts_at = at_second(*starts);
    if (ends) made.ends_at = at_second(*ends);
    return made;
  }
  book_changes post(const posted_alert& wanted) {
    const auto done = operate(post_alerts{{wanted}, "api"});
    EXPECT_TRUE(done.outcome);
    EXPECT_EQ(done.outcome->alerts.size(), 1u);
    last = done.outcome->alerts[0];
    return done.changes;
  }
  operation_outcome last;
};

TEST_F(alert_book_posted, an_alert_begins_with_its_first_posting) {
  const auto out = post(down());
  ASSERT_EQ(out.transitions.size(), 1u);
  const alert& fired = *out.transitions[0];
  EXPECT_EQ(fired.state, state::firing);
  EXPECT_EQ(fired.cause, "posted");
  EXPECT_EQ(fired.actor, "api");
  EXPECT_EQ(fired.origin, alert_origin::posted);
  EXPECT_EQ(fired.rule, "Down");
  EXPECT_EQ(fired.severity, severity::critical);
  EXPECT_EQ(fired.texts->title, "db1 is down");
  EXPECT_EQ(fired.texts->description, "no answer");
  EXPECT_EQ(fired.texts->resource_id, "db1");
  EXPECT_EQ(fired.texts->item, "Down");
  EXPECT_EQ(fired.texts->source_id, "api");
  EXPECT_EQ(
      fired.texts->labels,
      (text_map{
          {"alertname", "Down"}, {"instance", "db1"}, {"job", "api"}, {"severity", "critical"}}));
  EXPECT_EQ(fired.posted->starts_at, at_second(1000));
  EXPECT_EQ(fired.posted->ends_at, at_second(1300)) << "now and the resolve timeout";
  EXPECT_TRUE(fired.posted->times_out);
  EXPECT_EQ(fired.posted->generator_url, "http://p/1");
  EXPECT_EQ(fired.alert_id, alert_id_of(fired.print, "posted", 1'000'000, fired.seq))
      << "its start, and the place of its first transition";
  EXPECT_EQ(last.alert_id, fired.alert_id);
}

TEST_F(alert_book_posted, it_resolves_when_it_is_not_posted_again) {
  (void)post(down());
  (void)step(1200);
  EXPECT_TRUE(post(down()).transitions.empty());
  EXPECT_EQ(last.now->proof.event_count, 2u);
  EXPECT_EQ(last.now->proof.last_event_time, at_second(1200));
  EXPECT_EQ(last.now->proof.first_event_time, at_second(1000));
  EXPECT_TRUE(step(1500).transitions.empty());
  const auto over = step(1501);
  ASSERT_EQ(told(over), (lines{"posted resolved end time passed"}));
  EXPECT_EQ(over.transitions[0]->at, at_second(1500));
}

TEST_F(alert_book_posted, an_end_that_has_passed_resolves_it_or_is_nothing) {
  EXPECT_TRUE(post(down(900, 950)).empty());
  EXPECT_EQ(last.now, nullptr);
  EXPECT_FALSE(last.refused);
  (void)post(down(990));
  const auto over = post(down(990, 1000));
  ASSERT_EQ(told(over), (lines{"posted resolved posted as resolved"}));
  EXPECT_EQ(over.transitions[0]->at, at_second(1000));
  EXPECT_EQ(last.now->state, state::resolved);
  EXPECT_EQ(book->active_count(), 0u);
}

TEST_F(alert_book_posted, a_later_end_that_was_said_outlives_one_that_was_made_up) {
  (void)post(down(1000, 5000));
  (void)post(down());
  EXPECT_EQ(last.now->posted->ends_at, at_second(5000));
  (void)post(down({}, 2000));
  EXPECT_EQ(last.now->posted->ends_at, at_second(5000));
  (void)post(down({}, 6000));
  EXPECT_EQ(last.now->posted->ends_at, at_second(6000));
}

TEST_F(alert_book_posted, the_earliest_start_and_the_newest_words_win) {
  (void)post(down(990));
  posted_alert again = down(980);
  again.annotations = {{"summary", "still down"}};
  again.generator_url = "http://p/2";
  (void)post(again);
  EXPECT_EQ(last.now->started_at, at_second(980));
  EXPECT_EQ(last.now->posted->starts_at, at_second(980));
  EXPECT_EQ(last.now->texts->title, "still down");
  EXPECT_EQ(last.now->texts->description, "");
  EXPECT_EQ(last.now->posted->generator_url, "http://p/2");
  (void)post(down(995));
  EXPECT_EQ(last.now->started_at, at_second(980));
}

TEST_F(alert_book_posted, labels_alone_tell_alerts_apart) {
  (void)post(down());
  posted_alert same = down();
  std::reverse(same.labels.begin(), same.labels.end());
  (void)post(same);
  EXPECT_EQ(book->active_count(), 1u);
  posted_alert other = down();
  other.labels.emplace_back("x", "y");
  (void)post(other);
  EXPECT_EQ(book->active_count(), 2u);
}

TEST_F(alert_book_posted, what_has_no_labels_or_ends_before_it_starts_is_refused_by_itself) {
  posted_alert nameless = down();
  nameless.labels = {{"", "x"}};
  posted_alert bare;
  bare.labels = {{"a", ""}};
  const auto done = operate(post_alerts{{bare, nameless, down(1100, 1050), down()}, "api"});
  ASSERT_EQ(done.outcome->alerts.size(), 4u);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(done.outcome->alerts[static_cast<std::size_t>(i)].refused) << i;
    EXPECT_EQ(done.outcome->alerts[static_cast<std::size_t>(i)].refused->code, "bad_alert");
  }
  EXPECT_FALSE(done.outcome->alerts[3].refused);
  EXPECT_EQ(done.changes.transitions.size(), 1u);
}

TEST_F(alert_book_posted, what_has_the_fingerprint_of_a_rules_alert_is_refused) {
  finding same = about(1, kind::met, 1000);
  const key_part key[] = {{"a", "b"}};
  same.print = fingerprint_of("posted", key);
  (void)step(1000, {same});
  posted_alert made;
  made.labels = {{"a", "b"}};
  EXPECT_TRUE(post(made).empty());
  ASSERT_TRUE(last.refused);
  EXPECT_EQ(last.refused->message, "its labels are the group of an alert of the rule \"rule-0\"");
}

TEST_F(alert_book_posted, without_a_severity_that_is_known_it_is_a_warning) {
  posted_alert made;
  made.labels = {{"alertname", "A"}, {"severity", "purple"}};
  (void)post(made);
  EXPECT_EQ(last.now->severity, severity::warning);
  EXPECT_EQ(last.now->texts->title, "A");
  made.labels = {{"severity", "page"}};
  (void)post(made);
  EXPECT_EQ(last.now->rule, "");
}

TEST_F(alert_book_posted, an_end_before_now_without_a_start_begins_at_that_end) {
  posted_alert over = down({}, 900);
  EXPECT_TRUE(post(over).empty());
  EXPECT_FALSE(last.refused) << "it starts at its end, not after it";
}

}  // namespace
}  // namespace tocsin::testing
