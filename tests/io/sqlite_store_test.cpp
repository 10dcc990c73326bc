// SPDX-License-Identifier: Apache-2.0
// What is committed is what comes back: alerts, silences, groups, facts, notices.
#include "io/sqlite_store.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/stored_alerts.hpp"

namespace tocsin {
namespace {

using testing::change_maker;
using testing::sample_alert;
using testing::sample_noon;
using testing::scratch_folder;

std::unique_ptr<alert_store> opened(const std::string& folder) {
  auto store = open_sqlite_store(folder);
  EXPECT_TRUE(store) << (store ? "" : store.failure().message);
  return store ? std::move(*store) : nullptr;
}

void expect_committed(alert_store& store, const book_changes& changes) {
  const auto failure = store.commit({&changes, 1});
  EXPECT_FALSE(failure) << failure->message;
}

book_state loaded(alert_store& store) {
  auto state = store.load();
  EXPECT_TRUE(state) << (state ? "" : state.failure().message);
  return state ? std::move(*state) : book_state{};
}

silence recurring_silence() {
  silence made;
  made.id = "0e5e0a1c-0000-4000-8000-000000000001";
  made.matchers = *parse_label_matchers(R"({team="we\"b\\", zone=~"n.*|\n"})");
  made.starts_at = sample_noon;
  made.ends_at = sample_noon + std::chrono::days{30};
  made.updated_at = sample_noon - std::chrono::seconds{1};
  made.created_by = "ann";
  made.comment = "nightly \"backup\"";
  made.scope = silence_scope::events;
  time_interval nights;
  nights.times = {{0, 300}, {1'380, 1'440}};
  nights.weekdays = {{1, 5}};
  nights.days_of_month = {{-3, -1}};
  nights.months = {{1, 12}};
  nights.years = {{2026, 2028}};
  nights.location = "Europe/Berlin";
  made.recurs = {nights, time_interval{}};
  return made;
}

notice_ptr sample_notice(const std::string& id, const transition& about) {
  notice made;
  made.id = id;
  made.receiver = "mail";
  made.group_key = "{}:{alertname=\"x\"}";
  made.group_labels = {{"alertname", "x"}};
  made.at = sample_noon;
  made.alerts = {about};
  return std::make_shared<const notice>(std::move(made));
}

TEST(sqlite_store, a_store_opened_again_gives_back_what_was_committed) {
  const scratch_folder folder;
  change_maker maker;
  const auto first = maker.begin(sample_alert(1));
  const auto second = maker.begin(sample_alert(2));
  const auto acknowledged =
      maker.move(first, alert_state::acknowledged, sample_noon + std::chrono::minutes{3}, "ann",
                 "acknowledged", "on it");
  book_changes changes = maker.take();
  changes.silences = {std::make_shared<const silence>(recurring_silence())};
  changes.groups = {{"group-b", "bytes\0b"}, {"group-a", std::string{"\0\1", 2}}};
  changes.facts = {{"turn/night", "2"}, {"flap/01", std::string{"\0", 1}}};
  changes.clock = sample_noon + std::chrono::hours{1};
  std::string name;
  {
    const auto store = opened(folder.path());
    expect_committed(*store, changes);
    name = store->name();
    EXPECT_EQ(name.size(), 16U);
    EXPECT_EQ(name.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_GT(store->bytes(), 4096U);
  }
  const auto store = opened(folder.path());
  EXPECT_EQ(store->name(), name);
  const book_state state = loaded(*store);
  EXPECT_EQ(state.clock, changes.clock);
  EXPECT_EQ(state.seq, 3U);
  ASSERT_EQ(state.alerts.size(), 2U);
  EXPECT_EQ(alert_bytes(*state.alerts[0].now), alert_bytes(*acknowledged));
  EXPECT_EQ(state.alerts[0].bytes, "book of 2");
  EXPECT_EQ(alert_bytes(*state.alerts[1].now), alert_bytes(*second));
  ASSERT_EQ(state.silences.size(), 1U);
  EXPECT_EQ(state.silences[0], recurring_silence());
  ASSERT_EQ(state.groups.size(), 2U);
  EXPECT_EQ(state.groups[0].key, "group-a");
  EXPECT_EQ(state.groups[0].bytes, (std::string{"\0\1", 2}));
  EXPECT_EQ(state.facts, (std::vector<std::pair<std::string, std::string>>{
                             {"flap/01", std::string{"\0", 1}}, {"turn/night", "2"}}));
}

TEST(sqlite_store, two_stores_have_two_names) {
  EXPECT_NE(opened("")->name(), opened("")->name());
}

TEST(sqlite_store, what_is_changed_again_replaces_what_was_and_what_is_gone_is_gone) {
  const scratch_folder folder;
  const auto store = opened(folder.path());
  book_changes changes;
  silence edited = recurring_silence();
  changes.silences = {std::make_shared<const silence>(edited)};
  edited.id = "other";
  changes.silences.push_back(std::make_shared<const silence>(edited));
  changes.groups = {{"a", "1"}, {"b", "1"}};
  changes.facts = {{"a", "1"}, {"b", "1"}};
  expect_committed(*store, changes);

  edited.comment = "longer";
  book_changes again;
  again.silences = {std::make_shared<const silence>(edited)};
  again.silences_gone = {recurring_silence().id};
  again.groups = {{"a", "2"}, {"b", ""}};
  again.facts = {{"a", ""}, {"b", "2"}};
  expect_committed(*store, again);

  const book_state state = loaded(*store);
  ASSERT_EQ(state.silences.size(), 1U);
  EXPECT_EQ(state.silences[0], edited);
  ASSERT_EQ(state.groups.size(), 1U);
  EXPECT_EQ(state.groups[0].bytes, "2");
  EXPECT_EQ(state.facts, (std::vector<std::pair<std::string, std::string>>{{"b", "2"}}));
}

TEST(sqlite_store, an_update_changes_how_an_alert_stands_and_not_its_transitions) {
  const auto store = opened("");
  change_maker maker;
  const auto begun = maker.begin(sample_alert(1));
  expect_committed(*store, maker.take());
  const auto updated = maker.update(begun, [](alert& of) { of.proof.event_count = 77; });
  expect_committed(*store, maker.take());

  const auto seen = store->explain(begun->alert_id);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->now->proof.event_count, 77U);
  ASSERT_EQ(seen->transitions.size(), 1U);
  EXPECT_EQ(alert_bytes(*seen->transitions[0]), alert_bytes(*begun));
  EXPECT_EQ(alert_bytes(*loaded(*store).alerts.at(0).now), alert_bytes(*updated));

  maker.move(updated, alert_state::resolved, sample_noon + std::chrono::hours{1}, "rule", "over");
  expect_committed(*store, maker.take());
  EXPECT_TRUE(loaded(*store).alerts.empty());
  const auto ended = store->explain(begun->alert_id);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->now->state, alert_state::resolved);
  EXPECT_EQ(ended->transitions.size(), 2U);
}

TEST(sqlite_store, changes_of_one_commit_take_effect_in_their_order) {
  const auto store = opened("");
  change_maker maker;
  std::vector<book_changes> steps;
  const auto begun = maker.begin(sample_alert(1));
  steps.push_back(maker.take());
  const auto acknowledged =
      maker.move(begun, alert_state::acknowledged, sample_noon, "ann", "acknowledged");
  steps.push_back(maker.take());
  maker.move(acknowledged, alert_state::closed, sample_noon, "ann", "closed by an operator");
  steps.push_back(maker.take());
  ASSERT_FALSE(store->commit(steps));
  const auto seen = store->explain(begun->alert_id);
  ASSERT_TRUE(seen);
  ASSERT_EQ(seen->transitions.size(), 3U);
  EXPECT_EQ(seen->transitions[1]->state, alert_state::acknowledged);
  EXPECT_EQ(seen->now->state, alert_state::closed);
  EXPECT_EQ(loaded(*store).seq, 3U);
}

TEST(sqlite_store, an_alert_that_comes_again_under_its_id_has_two_lives) {
  const auto store = opened("");
  change_maker maker;
  const auto begun = maker.begin(sample_alert(1));
  maker.move(begun, alert_state::resolved, sample_noon, "api", "posted as resolved");
  maker.begin(sample_alert(1));
  expect_committed(*store, maker.take());
  EXPECT_EQ(loaded(*store).alerts.size(), 1U);
  const auto seen = store->explain(begun->alert_id);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->now->seq, 3U);
  EXPECT_EQ(seen->transitions.size(), 3U);
  history_query one;
  one.limit = 1;
  const auto page = store->history(one);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->alerts.at(0)->seq, 3U);
  one.after = page->next;
  const auto rest = store->history(one);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->alerts.at(0)->seq, 2U);
  EXPECT_EQ(rest->next, "");
}

TEST(sqlite_store, an_id_that_no_alert_has_is_not_found) {
  const auto seen = opened("")->explain({1, 2});
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.failure().code, "not_found");
  EXPECT_EQ(seen.failure().message, "no alert has the id 00000000000000010000000000000002");
}

TEST(sqlite_store, a_gap_in_the_numbers_of_transitions_is_refused_and_nothing_is_stored) {
  const auto store = opened("");
  change_maker maker;
  maker.begin(sample_alert(1));
  expect_committed(*store, maker.take());
  change_maker ahead{5};
  ahead.begin(sample_alert(2));
  book_changes changes = ahead.take();
  changes.facts = {{"a", "1"}};
  const auto failure = store->commit({&changes, 1});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code, "store_failed");
  EXPECT_NE(failure->message.find("transition 6 came after 1"), std::string::npos)
      << failure->message;
  const book_state state = loaded(*store);
  EXPECT_EQ(state.seq, 1U);
  EXPECT_EQ(state.alerts.size(), 1U);
  EXPECT_TRUE(state.facts.empty());
}

TEST(sqlite_store, notices_wait_oldest_first_until_they_are_settled) {
  const auto store = opened("");
  change_maker maker;
  const auto begun = maker.begin(sample_alert(1));
  book_changes changes = maker.take();
  changes.notices = {sample_notice("n2", begun), sample_notice("n1", begun),
                     sample_notice("n3", begun)};
  expect_committed(*store, changes);
  const auto ids = [&](std::size_t limit) {
    std::string all;
    const auto waiting = store->pending_notices("mail", limit);
    EXPECT_TRUE(waiting);
    for (const stored_notice& each : *waiting)
      all += fmt::format("{}:{}:{} ", each.what->id, each.tries, each.failure);
    return all;
  };
  EXPECT_EQ(ids(2), "n2:0: n1:0: ");
  EXPECT_TRUE(store->pending_notices("another", 9)->empty());
  EXPECT_FALSE(store->settle({"n2", false, false, "HTTP 503"}));
  EXPECT_EQ(ids(9), "n2:1:HTTP 503 n1:0: n3:0: ");
  EXPECT_FALSE(store->settle({"n2", true, false, ""}));
  EXPECT_FALSE(store->settle({"n1", false, true, "HTTP 410"}));
  EXPECT_EQ(ids(9), "n3:0: ");
  // Told again of what is settled: it stays as it is.
  EXPECT_FALSE(store->settle({"n1", false, false, "HTTP 503"}));
  EXPECT_EQ(ids(9), "n3:0: ");
  const auto unknown = store->settle({"n9", true, false, ""});
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->code, "store_failed");
  EXPECT_NE(unknown->message.find("no notice has the id \"n9\""), std::string::npos);
  const auto waiting = store->pending_notices("mail", 1);
  ASSERT_TRUE(waiting);
  EXPECT_EQ(notice_bytes(*waiting->at(0).what), notice_bytes(*changes.notices[2]));
}

TEST(sqlite_store, tries_are_entered_together_or_not_at_all) {
  const auto store = opened("");
  change_maker maker;
  const auto begun = maker.begin(sample_alert(1));
  book_changes changes = maker.take();
  changes.notices = {sample_notice("n1", begun), sample_notice("n2", begun)};
  expect_committed(*store, changes);
  const std::vector<notice_outcome> one_unknown{{"n1", true, false, ""}, {"n9", true, false, ""}};
  const auto refused = store->settle(one_unknown);
  ASSERT_TRUE(refused);
  EXPECT_NE(refused->message.find("no notice has the id \"n9\""), std::string::npos);
  EXPECT_EQ(store->pending_notices("mail", 9)->size(), 2U);
  const std::vector<notice_outcome> both{
      {"n1", false, false, "HTTP 503"}, {"n2", true, false, ""}, {"n1", true, false, ""}};
  EXPECT_FALSE(store->settle(both));
  EXPECT_TRUE(store->pending_notices("mail", 9)->empty());
}

TEST(sqlite_store, notices_after_a_place_are_those_that_came_later) {
  const auto store = opened("");
  change_maker maker;
  const auto begun = maker.begin(sample_alert(1));
  book_changes changes = maker.take();
  changes.notices = {sample_notice("n1", begun), sample_notice("n2", begun),
                     sample_notice("n3", begun)};
  expect_committed(*store, changes);
  const auto first = store->pending_notices("mail", 1, 0);
  ASSERT_TRUE(first);
  ASSERT_EQ(first->size(), 1U);
  const auto later = store->pending_notices("mail", 9, first->at(0).place);
  ASSERT_TRUE(later);
  ASSERT_EQ(later->size(), 2U);
  EXPECT_EQ(later->at(0).what->id, "n2");
  EXPECT_EQ(later->at(1).what->id, "n3");
  EXPECT_TRUE(store->pending_notices("mail", 9, later->at(1).place)->empty());
}

TEST(sqlite_store, a_temporary_one_keeps_few_notices_in_memory) {
  const auto store = opened("");
  change_maker maker;
  const auto begun = maker.begin(sample_alert(1));
  expect_committed(*store, maker.take());
  const std::uint64_t empty = store->bytes();
  std::vector<std::uint64_t> bytes;
  for (int i = 0; i < 7; ++i) {
    book_changes changes;
    changes.clock = sample_noon;
    for (int each = 0; each < 1'000; ++each)
      changes.notices.push_back(sample_notice(fmt::format("n{}-{}", i, each), begun));
    expect_committed(*store, changes);
    bytes.push_back(store->bytes());
  }
  EXPECT_EQ(bytes[3], empty) << "some may wait";
  EXPECT_GT(bytes[6], empty + 1'000'000) << "not all";
  EXPECT_EQ(store->pending_notices("mail", 10'000)->size(), 7'000U);
}

TEST(sqlite_store, several_threads_ask_while_one_commits) {
  const scratch_folder folder;
  for (const std::string& where : {folder.path(), std::string{}}) {
    const auto store = opened(where);
    std::atomic<bool> done = false;
    std::vector<std::thread> askers;
    std::vector<std::string> refused(6);
    for (std::size_t i = 0; i < refused.size(); ++i) {
      askers.emplace_back([&, i] {
        history_query query;
        if (i % 2 == 0) query.text = "checkout";
        std::size_t before = 0;
        while (!done) {
          const auto page = store->history(query);
          const auto counted = store->statistics(sample_noon, sample_noon + std::chrono::days{1});
          if (!page || !counted) {
            refused[i] = page ? counted.failure().message : page.failure().message;
            return;
          }
          if (page->alerts.size() < before) refused[i] = "alerts are lost";
          before = page->alerts.size();
        }
      });
    }
    change_maker maker;
    for (std::uint64_t i = 0; i < 60; ++i) {
      maker.begin(sample_alert(i));
      expect_committed(*store, maker.take());
      if (i % 10 == 0) {
        EXPECT_TRUE(store->maintain(instant{}));
      }
    }
    done = true;
    for (std::thread& each : askers) each.join();
    EXPECT_EQ(refused, std::vector<std::string>(6));
    EXPECT_EQ(loaded(*store).seq, 60U);
  }
}

}  // namespace
}  // namespace tocsin
