// SPDX-License-Identifier: Apache-2.0
// What waits to be stored: one transaction for all, kept when it fails, everyone told once.
#include "actors/commit_queue.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/scripted_store.hpp"
#include "support/stored_alerts.hpp"

namespace tocsin {
namespace {

class commit_queues : public ::testing::Test {
 protected:
  /// One change with `count` new alerts; `answers` hears under `name` what became of it.
  changes_made changes(const std::string& name, std::size_t count = 1, completion held = nullptr) {
    for (std::size_t i = 0; i < count; ++i) maker.begin(testing::sample_alert(++alerts));
    return {step,
            {std::make_shared<const book_changes>(maker.take())},
            [this, name](const std::optional<error>& failed) {
              answers.push_back(name + (failed ? ": " + std::string{failed->code} : ": stored"));
            },
            std::move(held)};
  }
  /// Numbers of the transitions that sinks may see now.
  std::vector<std::uint64_t> told(const commit_queue::outcome& of) {
    std::vector<std::uint64_t> seqs;
    for (const changes_made& each : of.to_tell) {
      for (const auto& what : each.what) {
        for (const transition& made : what->transitions) seqs.push_back(made->seq);
      }
    }
    return seqs;
  }

  testing::change_maker maker;
  std::uint64_t step = 0;  ///< of the changes to come
  std::uint64_t alerts = 0;
  std::vector<std::string> answers;
  std::shared_ptr<testing::scripted_store> store = std::make_shared<testing::scripted_store>();
  commit_queue queue{store};
};

using texts = std::vector<std::string>;
using seqs = std::vector<std::uint64_t>;

TEST_F(commit_queues, all_that_waits_goes_into_one_transaction_in_its_order) {
  queue.add(changes("a", 2));
  queue.add(changes("b"));
  queue.add(changes("c", 3));
  EXPECT_EQ(queue.waiting(), 3U);
  EXPECT_EQ(queue.waiting_transitions(), 6U);
  EXPECT_TRUE(answers.empty());
  const auto done = queue.commit();
  EXPECT_FALSE(done.failed);
  EXPECT_EQ(store->commits(), std::vector<std::size_t>{3});
  EXPECT_EQ(store->seq(), 6U);
  EXPECT_EQ(told(done), (seqs{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(answers, (texts{"a: stored", "b: stored", "c: stored"}));
  EXPECT_EQ(queue.waiting(), 0U);
  EXPECT_EQ(queue.waiting_transitions(), 0U);
  EXPECT_EQ(queue.counts().commits, 1U);
  EXPECT_EQ(queue.counts().failures, 0U);
}

TEST_F(commit_queues, without_anything_that_waits_the_store_is_left_in_peace) {
  const auto done = queue.commit();
  EXPECT_FALSE(done.failed);
  EXPECT_TRUE(done.to_tell.empty());
  EXPECT_TRUE(store->commits().empty());
  EXPECT_EQ(queue.counts().commits, 0U);
}

TEST_F(commit_queues, all_is_stored_when_those_who_asked_hear_of_it) {
  std::vector<std::uint64_t> stored_then;
  auto made = changes("a");
  made.stored = [&](const std::optional<error>&) { stored_then.push_back(store->seq()); };
  queue.add(std::move(made));
  (void)queue.commit();
  EXPECT_EQ(stored_then, seqs{1});
}

TEST_F(commit_queues, what_could_not_be_stored_is_told_and_answered_once_and_stored_with_the_next) {
  store->fail(true);
  queue.add(changes("a"));
  queue.add(changes("b"));
  const auto failed = queue.commit();
  ASSERT_TRUE(failed.failed);
  EXPECT_EQ(failed.failed->code, "store_failed");
  EXPECT_EQ(told(failed), (seqs{1, 2})) << "alerts already decided go out in any case";
  EXPECT_EQ(answers, (texts{"a: store_failed", "b: store_failed"}));
  EXPECT_EQ(queue.waiting(), 2U);
  EXPECT_EQ(queue.waiting_transitions(), 2U);

  queue.add(changes("c"));
  EXPECT_EQ(told(queue.commit()), seqs{3}) << "each is told once";
  EXPECT_EQ(queue.waiting(), 3U);
  EXPECT_EQ(answers.size(), 3U);

  store->fail(false);
  queue.add(changes("d"));
  const auto stored = queue.commit();
  EXPECT_FALSE(stored.failed);
  EXPECT_EQ(told(stored), seqs{4});
  EXPECT_EQ(answers, (texts{"a: store_failed", "b: store_failed", "c: store_failed", "d: stored"}));
  EXPECT_EQ(store->commits(), std::vector<std::size_t>{4});
  EXPECT_EQ(store->seq(), 4U);
  EXPECT_EQ(queue.waiting_transitions(), 0U);
  EXPECT_EQ(queue.counts().commits, 1U);
  EXPECT_EQ(queue.counts().failures, 2U);
  EXPECT_EQ(queue.counts().last_failure, "the disk is full, says the test");
}

TEST_F(commit_queues, after_a_retry_without_anything_new_nobody_hears_again) {
  store->fail(true);
  queue.add(changes("a"));
  (void)queue.commit();
  store->fail(false);
  const auto retried = queue.commit();
  EXPECT_FALSE(retried.failed);
  EXPECT_TRUE(retried.to_tell.empty());
  EXPECT_EQ(answers, texts{"a: store_failed"});
  EXPECT_EQ(store->seq(), 1U);
  EXPECT_EQ(queue.waiting(), 0U);
  queue.add(changes("b"));
  EXPECT_EQ(told(queue.commit()), seqs{2});
}

TEST_F(commit_queues,
       a_bursts_credit_goes_with_what_is_told_and_does_not_wait_for_a_store_that_fails) {
  auto held = std::make_shared<const char>();
  const std::weak_ptr<const void> credit = held;
  store->fail(true);
  queue.add(changes("a", 1, std::move(held)));
  {
    const auto done = queue.commit();
    EXPECT_FALSE(credit.expired());
  }
  EXPECT_TRUE(credit.expired());
  EXPECT_EQ(queue.waiting(), 1U);
}

TEST_F(commit_queues, changes_that_nobody_asked_for_need_no_answer) {
  auto made = changes("a");
  made.stored = nullptr;
  queue.add(std::move(made));
  EXPECT_FALSE(queue.commit().failed);
  EXPECT_EQ(store->seq(), 1U);
}

TEST_F(commit_queues, nothing_is_stored_or_told_before_the_log_has_its_step) {
  step = 1;
  queue.add(changes("a"));
  step = 2;
  queue.add(changes("b"));
  EXPECT_TRUE(queue.commit().to_tell.empty());
  EXPECT_EQ(store->seq(), 0U);
  EXPECT_EQ(queue.wanted(), 2U);
  queue.reach(1);
  EXPECT_EQ(told(queue.commit()), (seqs{1}));
  EXPECT_EQ(store->seq(), 1U);
  EXPECT_EQ(queue.wanted(), 2U);
  EXPECT_EQ(queue.waiting_transitions(), 1U);
  queue.reach(5);
  EXPECT_EQ(told(queue.commit()), (seqs{2}));
  EXPECT_EQ(queue.wanted(), 0U);
  EXPECT_EQ(answers, (texts{"a: stored", "b: stored"}));
}

TEST_F(commit_queues, a_store_that_fails_holds_up_its_steps_and_what_comes_behind_them) {
  step = 1;
  queue.add(changes("a"));
  step = 3;
  queue.add(changes("b"));
  queue.reach(2);
  store->fail(true);
  EXPECT_EQ(told(queue.commit()), (seqs{1}));
  EXPECT_FALSE(queue.has_all_of(1));
  EXPECT_EQ(answers, (texts{"a: store_failed"}));
  store->fail(false);
  queue.reach(3);
  EXPECT_EQ(told(queue.commit()), (seqs{2}));
  EXPECT_EQ(store->seq(), 2U);
  EXPECT_TRUE(queue.has_all_of(3));
}

TEST_F(commit_queues, a_step_is_complete_when_log_and_store_have_all_up_to_it) {
  EXPECT_TRUE(queue.has_all_of(0));
  EXPECT_FALSE(queue.has_all_of(4)) << "the log has not";
  queue.reach(9);
  EXPECT_TRUE(queue.has_all_of(4));
  step = 5;
  queue.add(changes("a"));
  EXPECT_TRUE(queue.has_all_of(4));
  EXPECT_FALSE(queue.has_all_of(5));
  (void)queue.commit();
  EXPECT_TRUE(queue.has_all_of(5));
}

TEST_F(commit_queues, while_the_log_takes_nothing_those_who_asked_are_answered_and_all_is_kept) {
  step = 1;
  queue.add(changes("a"));
  step = 2;
  queue.add(changes("b"));
  queue.reach(1);
  queue.refuse({"log_full", "no room"});
  EXPECT_EQ(answers, (texts{"b: log_full"}));
  queue.refuse({"log_full", "no room"});
  queue.reach(2);
  EXPECT_EQ(told(queue.commit()), (seqs{1, 2}));
  EXPECT_EQ(answers, (texts{"b: log_full", "a: stored"}));
}

TEST_F(commit_queues, what_findings_and_an_operation_of_a_step_changed_is_stored_together) {
  auto both = changes("a");
  auto of_operation = changes("unused");
  both.what.push_back(of_operation.what.front());
  queue.add(std::move(both));
  EXPECT_EQ(told(queue.commit()), (seqs{1, 2}));
  EXPECT_EQ(store->commits(), std::vector<std::size_t>{2});
}

}  // namespace
}  // namespace tocsin
