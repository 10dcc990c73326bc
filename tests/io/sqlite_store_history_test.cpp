// SPDX-License-Identifier: Apache-2.0
// Pages, full text, statistics and retention of the alert store.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "io/sqlite_store.hpp"
#include "support/stored_alerts.hpp"

namespace tocsin {
namespace {

using testing::change_maker;
using testing::sample_alert;
using testing::sample_noon;

class sqlite_store_history : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = open_sqlite_store("");
    ASSERT_TRUE(opened) << opened.failure().message;
    store_ = std::move(*opened);
  }

  void commit() {
    const book_changes changes = maker_.take();
    const auto failure = store_->commit({&changes, 1});
    ASSERT_FALSE(failure) << failure->message;
  }

  void maintain(instant before = {}) {
    for (;;) {
      const auto more = store_->maintain(before);
      ASSERT_TRUE(more) << more.failure().message;
      if (!*more) return;
    }
  }

  history_page ask(const history_query& query) {
    auto page = store_->history(query);
    EXPECT_TRUE(page) << (page ? "" : page.failure().message);
    return page ? std::move(*page) : history_page{};
  }

  std::string refusal(const history_query& query) {
    const auto page = store_->history(query);
    if (page) return "no error";
    EXPECT_EQ(page.failure().code, "bad_query");
    return page.failure().message;
  }

  /// The numbers of transitions of those that have the words, newest first.
  std::string with_words(const std::string& text) {
    history_query query;
    query.text = text;
    std::string all;
    for (const transition& each : ask(query).alerts) all += fmt::format("{} ", each->seq);
    return all;
  }

  transition begin_titled(const std::string& title, std::uint64_t number) {
    alert made = sample_alert(number);
    alert_texts texts = *made.texts;
    texts.title = title;
    made.texts = std::make_shared<const alert_texts>(std::move(texts));
    return maker_.begin(std::move(made));
  }

  std::unique_ptr<alert_store> store_;
  change_maker maker_;
};

TEST_F(sqlite_store_history, pages_go_on_where_they_ended_while_new_alerts_come) {
  for (std::uint64_t i = 0; i < 25; ++i) maker_.begin(sample_alert(i));
  commit();
  history_query query;
  query.limit = 10;
  std::vector<std::uint64_t> seen;
  for (std::uint64_t page = 0; page < 3; ++page) {
    const history_page one = ask(query);
    for (const transition& each : one.alerts) seen.push_back(each->proof.first_event_position);
    query.after = one.next;
    for (std::uint64_t i = 0; i < 7; ++i) maker_.begin(sample_alert(1000 + 7 * page + i));
    commit();
  }
  EXPECT_EQ(query.after, "");
  std::vector<std::uint64_t> wanted;
  for (std::uint64_t i = 25; i-- > 0;) wanted.push_back(i);
  EXPECT_EQ(seen, wanted);
}

TEST_F(sqlite_store_history, the_last_transitions_come_oldest_first_up_to_the_limit) {
  for (std::uint64_t i = 0; i < 5; ++i) maker_.begin(sample_alert(i));
  commit();
  const auto numbers = [&](std::size_t limit) {
    std::vector<std::uint64_t> all;
    const auto found = store_->recent_transitions(limit);
    EXPECT_TRUE(found) << (found ? "" : found.failure().message);
    if (found) {
      for (const transition& each : *found) all.push_back(each->seq);
    }
    return all;
  };
  EXPECT_EQ(numbers(3), (std::vector<std::uint64_t>{3, 4, 5}));
  EXPECT_EQ(numbers(10), (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
}

TEST_F(sqlite_store_history, the_last_transitions_end_at_one_that_was_forgotten_with_its_alert) {
  const transition kept = maker_.begin(sample_alert(1));
  const transition gone = maker_.begin(sample_alert(2));
  maker_.move(gone, alert_state::resolved, sample_noon, "rule", "condition cleared");
  const transition last = maker_.begin(sample_alert(3));
  maker_.move(last, alert_state::acknowledged, sample_noon, "ann", "acknowledged");
  commit();
  maintain(sample_noon + std::chrono::hours{1});
  const auto found = store_->recent_transitions(10);
  ASSERT_TRUE(found) << found.failure().message;
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ(found->front()->seq, 4U);
  EXPECT_EQ(found->back()->seq, 5U);
}

TEST_F(sqlite_store_history, a_page_that_just_fits_is_the_last_one) {
  for (std::uint64_t i = 0; i < 5; ++i) maker_.begin(sample_alert(i));
  commit();
  history_query query;
  query.limit = 5;
  EXPECT_EQ(ask(query).next, "");
  query.limit = 4;
  EXPECT_NE(ask(query).next, "");
}

TEST_F(sqlite_store_history, matchers_look_beyond_one_batch_of_rows) {
  for (std::uint64_t i = 0; i < 2'000; ++i) maker_.begin(sample_alert(i));
  commit();
  history_query query;
  query.matchers = *parse_label_matchers(R"m({resource_id=~"web-(3|1200)"})m");
  query.limit = 1;
  const history_page first = ask(query);
  ASSERT_EQ(first.alerts.size(), 1U);
  EXPECT_EQ(first.alerts[0]->texts->resource_id, "web-1200");
  query.after = first.next;
  const history_page second = ask(query);
  ASSERT_EQ(second.alerts.size(), 1U);
  EXPECT_EQ(second.alerts[0]->texts->resource_id, "web-3");
  EXPECT_EQ(second.next, "");
}

TEST_F(sqlite_store_history, a_query_that_cannot_be_answered_is_refused_with_the_reason) {
  history_query query;
  query.limit = 0;
  EXPECT_EQ(refusal(query), "limit is 0, not within 1 and 10,000");
  query.limit = 10'001;
  EXPECT_EQ(refusal(query), "limit is 10001, not within 1 and 10,000");
  query.limit = 1;
  for (const char* const token :
       {"x", "1.2.3", "1.0123456789abcdef0123456789abcdef.", ".0123456789abcdef0123456789abcdef.1",
        "1.0123456789abcdeg0123456789abcdef.1", "1.0123456789abcdef0123456789abcdef.1x"}) {
    query.after = token;
    EXPECT_EQ(refusal(query), fmt::format("\"{}\" is no token of a page before", token));
  }
  query.after.clear();
  for (int i = 0; i < 65; ++i) query.text += fmt::format("w{} ", i);
  EXPECT_EQ(refusal(query), "the text has 65 different words, not at most 64");
}

TEST_F(sqlite_store_history, words_are_found_before_and_after_they_are_indexed) {
  const auto first = begin_titled("Disk FULL on Café-Server", 1);
  commit();
  for (const bool indexed : {false, true}) {
    if (indexed) maintain();
    EXPECT_EQ(with_words("full disk"), "1 ") << indexed;
    EXPECT_EQ(with_words("cafe"), "1 ") << indexed;
    EXPECT_EQ(with_words("CAFÉ, server!"), "1 ") << indexed;
    EXPECT_EQ(with_words("dis"), "") << indexed;
    EXPECT_EQ(with_words("disk empty"), "") << indexed;
    EXPECT_EQ(with_words("team db"), "1 ") << indexed;
    EXPECT_EQ(with_words("frontend 1"), "1 ") << indexed;
    EXPECT_EQ(with_words("full\" OR \"nothing"), "") << indexed;
  }
  // A note on what is indexed already; before and after it is indexed too.
  maker_.move(first, alert_state::firing, sample_noon, "ann", "note", "ordered a volume");
  commit();
  EXPECT_EQ(with_words("volume disk"), "2 ");
  maintain();
  EXPECT_EQ(with_words("volume disk"), "2 ");
  EXPECT_EQ(with_words("volume tape"), "");
}

TEST_F(sqlite_store_history, each_ideograph_is_a_word) {
  begin_titled("磁盘已满 web", 1);
  commit();
  for (const bool indexed : {false, true}) {
    if (indexed) maintain();
    EXPECT_EQ(with_words("磁盘"), "1 ") << indexed;
    EXPECT_EQ(with_words("满web"), "1 ") << indexed;
    EXPECT_EQ(with_words("磁带"), "") << indexed;
  }
}

TEST_F(sqlite_store_history, a_text_without_a_word_does_not_choose) {
  begin_titled("one", 1);
  commit();
  EXPECT_EQ(with_words("!?"), "1 ");
}

TEST_F(sqlite_store_history, an_alert_that_is_posted_with_other_texts_is_found_by_those) {
  alert made = sample_alert(1);
  made.origin = alert_origin::posted;
  made.posted = std::make_shared<const posted_facts>();
  const auto posted = maker_.begin(std::move(made));
  commit();
  maintain();
  maker_.update(posted, [](alert& of) {
    alert_texts texts = *of.texts;
    texts.title = "Tape drive";
    of.texts = std::make_shared<const alert_texts>(std::move(texts));
  });
  commit();
  for (const bool indexed : {false, true}) {
    if (indexed) maintain();
    EXPECT_EQ(with_words("tape"), "1 ") << indexed;
    EXPECT_EQ(with_words("many errors on"), "") << indexed;
  }
}

TEST_F(sqlite_store_history, statistics_of_a_day_add_up) {
  const auto at = [](int minutes) { return sample_noon + std::chrono::minutes{minutes}; };
  const auto fire = [&](std::uint64_t number, std::uint64_t rule, int minute) {
    alert made = sample_alert(number, rule);
    made.at = at(minute);
    return maker_.begin(std::move(made));
  };
  maker_.move(fire(4, 1, 0), alert_state::resolved, at(10), "rule", "over");
  maker_.move(fire(5, 1, 1), alert_state::resolved, at(5), "rule", "over");
  const auto taken =
      maker_.move(fire(6, 1, 2), alert_state::acknowledged, at(8), "ann", "acknowledged");
  maker_.move(taken, alert_state::closed, at(14), "ann", "closed by an operator");
  fire(7, 2, 3);
  alert waits = sample_alert(8, 2);
  waits.state = alert_state::pending;
  maker_.begin(waits);
  alert incident = sample_alert(9, 3);
  incident.origin = alert_origin::incident;
  maker_.begin(incident);
  commit();

  const auto seen = store_->statistics(sample_noon, sample_noon + std::chrono::days{1});
  ASSERT_TRUE(seen) << seen.failure().message;
  EXPECT_EQ(seen->total, 4U);
  EXPECT_EQ(seen->active, 1U);
  EXPECT_EQ(seen->acknowledged, 1U);
  EXPECT_EQ(seen->resolved, 2U);
  EXPECT_EQ(seen->closed, 1U);
  EXPECT_EQ(seen->mean_time_to_acknowledge, std::chrono::minutes{6});
  EXPECT_EQ(seen->mean_time_to_resolve, duration{520'000});
  ASSERT_EQ(seen->rules.size(), 2U);
  EXPECT_EQ(seen->rules[0].rule, "rule-1");
  EXPECT_EQ(seen->rules[0].total, 3U);
  EXPECT_EQ(seen->rules[0].self_resolved, 2U);
  EXPECT_EQ(seen->rules[0].median_time_to_resolve, std::chrono::minutes{10});
  EXPECT_EQ(seen->rules[1].rule, "rule-2");
  EXPECT_FALSE(seen->rules[1].median_time_to_resolve);
  ASSERT_EQ(seen->days.size(), 2U);
  EXPECT_EQ(seen->days[0].start, sample_noon - std::chrono::hours{12});
  EXPECT_EQ(seen->days[0].by_severity, (std::map<severity, std::uint64_t>{{severity::critical, 1},
                                                                          {severity::error, 1},
                                                                          {severity::warning, 1},
                                                                          {severity::info, 1}}));
  EXPECT_EQ(seen->days[1].by_severity.at(severity::critical), 0U);
}

TEST_F(sqlite_store_history, statistics_of_an_endless_span_are_refused) {
  const auto seen = store_->statistics(sample_noon - std::chrono::days{10'001}, sample_noon);
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.failure().code, "bad_query");
  EXPECT_TRUE(store_->statistics(sample_noon, sample_noon)->days.empty());
}

TEST_F(sqlite_store_history, what_ended_before_is_forgotten_in_pieces_and_nothing_else) {
  std::vector<transition> active;
  for (std::uint64_t i = 0; i < 5'000; ++i) {
    const auto begun = maker_.begin(sample_alert(i));
    if (i % 10 == 0) {
      active.push_back(begun);
      continue;
    }
    maker_.move(begun, alert_state::resolved, begun->at + std::chrono::seconds{1}, "rule", "over");
  }
  commit();
  maintain();
  const instant before = sample_noon + std::chrono::seconds{4'901};
  const auto more = store_->maintain(before);
  ASSERT_TRUE(more);
  EXPECT_TRUE(*more);
  maintain(before);
  EXPECT_EQ(store_->load()->alerts.size(), active.size());
  // Ended at 4,901 s and later: those that began at 4,900 (active) to 4,999.
  history_query ended;
  ended.states = {alert_state::resolved};
  ended.limit = 1'000;
  EXPECT_EQ(ask(ended).alerts.size(), 90U);
  EXPECT_EQ(ask(ended).alerts.back()->proof.first_event_position, 4'901U);
  EXPECT_FALSE(store_->explain(sample_alert(1).alert_id));
  history_query old;
  old.text = "web-1";
  EXPECT_TRUE(ask(old).alerts.empty());
}

TEST_F(sqlite_store_history, settled_notices_are_forgotten_and_waiting_ones_are_not) {
  const auto begun = maker_.begin(sample_alert(1));
  book_changes changes = maker_.take();
  for (const char* const id : {"sent", "failed", "waits"}) {
    notice made;
    made.id = id;
    made.receiver = "mail";
    made.at = sample_noon;
    made.alerts = {begun};
    changes.notices.push_back(std::make_shared<const notice>(std::move(made)));
  }
  ASSERT_FALSE(store_->commit({&changes, 1}));
  ASSERT_FALSE(store_->settle({"sent", true, false, ""}));
  ASSERT_FALSE(store_->settle({"failed", false, true, "HTTP 410"}));
  maintain(sample_noon);
  EXPECT_FALSE(store_->settle({"sent", true, false, ""}));
  maintain(sample_noon + std::chrono::seconds{1});
  EXPECT_TRUE(store_->settle({"sent", true, false, ""}));
  EXPECT_TRUE(store_->settle({"failed", true, false, ""}));
  EXPECT_EQ(store_->pending_notices("mail", 9)->size(), 1U);
}

}  // namespace
}  // namespace tocsin
