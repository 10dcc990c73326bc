// SPDX-License-Identifier: Apache-2.0
// What waits for the event log: one append and one sync for all, answers only behind them, and what
// happens when there is no room.
#include "actors/log_queue.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/memory_event_log.hpp"

namespace tocsin {
namespace {

class log_queues : public ::testing::Test {
 protected:
  std::shared_ptr<log_entry> time_passes() {
    auto entry = std::make_shared<log_entry>();
    entry->step = ++step;
    entry->clock = from_unix_ms(1000 + static_cast<long long>(step));
    return entry;
  }
  std::shared_ptr<log_entry> events() {
    auto entry = time_passes();
    entry->seen.push_back({fingerprint{}, step});
    return entry;
  }
  /// What `who` hears is written down, with the step that lasts by then.
  std::shared_ptr<const burst> from(const std::string& who) {
    auto asked = std::make_shared<burst>();
    asked->answer = [this, who](const burst_outcome& told) {
      answers.push_back(who + (told.retry ? ": again" : ": " + std::to_string(told.accepted)) +
                        " at " + std::to_string(log->synced_step()));
    };
    return asked;
  }
  static std::vector<burst_outcome> accepted(std::uint64_t count) {
    std::vector<burst_outcome> outcomes(1);
    outcomes[0].accepted = count;
    return outcomes;
  }

  std::uint64_t step = 0;
  std::vector<std::string> answers;
  std::shared_ptr<testing::memory_event_log> log = std::make_shared<testing::memory_event_log>();
  log_queue queue{log};
};

using texts = std::vector<std::string>;

TEST_F(log_queues, all_that_waits_is_one_append_and_one_sync_and_then_everyone_is_answered) {
  std::size_t appends = 0;
  log->on_append([&] { ++appends; });
  queue.add({events(), from("a"), accepted(1), nullptr});
  queue.add({events(), nullptr, {}, nullptr});
  queue.add({events(), from("b"), accepted(2), nullptr});
  EXPECT_TRUE(answers.empty());
  const auto done = queue.write();
  EXPECT_FALSE(done.failed);
  EXPECT_EQ(done.reached, 3U);
  EXPECT_EQ(appends, 1U);
  EXPECT_EQ(log->syncs(), 1U);
  EXPECT_EQ(log->steps(), (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(answers, (texts{"a: 1 at 3", "b: 2 at 3"}));
  EXPECT_EQ(queue.counts().records, 3U);
  EXPECT_EQ(queue.counts().syncs, 1U);
  EXPECT_EQ(queue.counts().appended_bytes, log->bytes());
}

TEST_F(log_queues, time_alone_is_appended_and_synced_with_the_next_events) {
  queue.add({time_passes(), nullptr, {}, nullptr});
  EXPECT_EQ(queue.write().reached, 0U);
  EXPECT_EQ(log->steps().size(), 1U);
  EXPECT_EQ(log->syncs(), 0U);
  queue.add({events(), nullptr, {}, nullptr});
  EXPECT_EQ(queue.write().reached, 2U);
  EXPECT_EQ(log->syncs(), 1U);
  EXPECT_EQ(queue.write().reached, 0U) << "nothing has come";
  EXPECT_EQ(log->syncs(), 1U);
}

TEST_F(log_queues, time_that_somebody_waits_for_is_synced) {
  queue.add({time_passes(), nullptr, {}, nullptr});
  (void)queue.write();
  queue.want(1);
  EXPECT_EQ(queue.write().reached, 1U);
  queue.want(1);
  EXPECT_EQ(queue.write().reached, 0U) << "it lasts already";
  EXPECT_EQ(log->syncs(), 1U);
}

TEST_F(log_queues, an_answer_for_nothing_new_still_says_that_all_before_lasts) {
  queue.add({time_passes(), nullptr, {}, nullptr});
  (void)queue.write();
  queue.add({nullptr, from("again"), accepted(0), nullptr});
  EXPECT_EQ(queue.write().reached, 1U);
  EXPECT_EQ(answers, texts{"again: 0 at 1"});
  queue.add({nullptr, from("again"), accepted(0), nullptr});
  EXPECT_EQ(queue.write().reached, 0U);
  EXPECT_EQ(answers.size(), 2U);
  EXPECT_EQ(log->syncs(), 1U) << "nothing was left to sync";
}

TEST_F(log_queues, without_room_nothing_is_lost_and_who_waits_is_told_to_send_again_once) {
  log->fill(true);
  const completion credit = std::make_shared<const int>();
  queue.add({events(), from("a"), accepted(1), credit});
  const auto refused = queue.write();
  ASSERT_TRUE(refused.failed);
  EXPECT_EQ(refused.failed->code, "log_full");
  EXPECT_EQ(refused.reached, 0U);
  EXPECT_EQ(answers, texts{"a: again at 0"});
  EXPECT_EQ(queue.waiting(), 1U);
  EXPECT_EQ(credit.use_count(), 2) << "its burst is under way";
  EXPECT_TRUE(queue.counts().full);
  queue.add({events(), from("b"), accepted(1), nullptr});
  (void)queue.write();
  EXPECT_EQ(answers, (texts{"a: again at 0", "b: again at 0"}));
  log->fill(false);
  EXPECT_EQ(queue.write().reached, 2U);
  EXPECT_EQ(log->steps(), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(answers.size(), 2U);
  EXPECT_EQ(credit.use_count(), 1);
  EXPECT_FALSE(queue.counts().full);
  EXPECT_EQ(queue.counts().failures, 2U);
  EXPECT_EQ(queue.counts().records, 2U);
}

TEST_F(log_queues, a_duplicate_of_what_has_no_room_is_told_to_send_again_too) {
  log->fill(true);
  queue.add({events(), from("a"), accepted(1), nullptr});
  (void)queue.write();
  queue.add({nullptr, from("a"), accepted(0), nullptr});
  (void)queue.write();
  EXPECT_EQ(answers, (texts{"a: again at 0", "a: again at 0"}));
}

TEST_F(log_queues, a_broken_log_answers_nobody) {
  log->break_down();
  queue.add({events(), from("a"), accepted(1), nullptr});
  const auto done = queue.write();
  ASSERT_TRUE(done.failed);
  EXPECT_EQ(done.failed->code, "log_broken");
  EXPECT_TRUE(answers.empty());
}

TEST_F(log_queues, a_sync_that_fails_answers_nobody) {
  log->on_sync([this] { log->break_down(); });
  queue.add({events(), from("a"), accepted(1), nullptr});
  const auto done = queue.write();
  ASSERT_TRUE(done.failed);
  EXPECT_EQ(done.failed->code, "log_broken");
  EXPECT_EQ(done.reached, 0U);
  EXPECT_TRUE(answers.empty());
}

TEST_F(log_queues, it_goes_on_behind_what_the_log_holds) {
  queue.add({events(), nullptr, {}, nullptr});
  (void)queue.write();
  log_queue next{log};
  EXPECT_EQ(next.write().reached, 0U);
  next.add({events(), from("a"), accepted(1), nullptr});
  EXPECT_EQ(next.write().reached, 2U);
}

TEST_F(log_queues, each_message_of_a_burst_is_answered_by_its_place) {
  std::vector<std::size_t> told;
  auto asked = std::make_shared<burst>();
  asked->answer = [&](const burst_outcome& outcome) {
    told.push_back(outcome.message * 10 + (outcome.retry ? 1 : 0));
  };
  std::vector<burst_outcome> outcomes(3);
  for (std::size_t i = 0; i < outcomes.size(); ++i) outcomes[i].message = i;
  queue.add({events(), asked, outcomes, nullptr});
  (void)queue.write();
  EXPECT_EQ(told, (std::vector<std::size_t>{0, 10, 20}));
  told.clear();
  log->fill(true);
  queue.add({events(), asked, outcomes, nullptr});
  (void)queue.write();
  EXPECT_EQ(told, (std::vector<std::size_t>{1, 11, 21}));
}

}  // namespace
}  // namespace tocsin
