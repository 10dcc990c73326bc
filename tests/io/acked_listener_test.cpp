// SPDX-License-Identifier: Apache-2.0
// Requests and replies over real sockets: envelopes, outcomes, bounds, stopping.
#include "io/acked_listener.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/acked_client.hpp"

namespace tocsin {
namespace {

using testing::acked_client;
using testing::acked_frames;
using namespace std::chrono_literals;

constexpr auto patience = 20s;

/// A pipeline that answers when the test says so. It counts messages, in whatever bursts they come.
class scripted_pipeline {
 public:
  bool take(burst& offered) {
    const std::lock_guard lock{mutex_};
    if (full) return false;
    const std::size_t messages = offered.messages.size();
    bursts_.push_back(messages);
    const auto together = std::make_shared<burst>(std::move(offered));
    for (std::size_t i = 0; i < messages; ++i) taken_.push_back({together, i});
    changed_.notify_all();
    return true;
  }
  /// How many messages each burst had.
  [[nodiscard]] std::vector<std::size_t> bursts() {
    const std::lock_guard lock{mutex_};
    return bursts_;
  }
  /// Waits until so many were taken.
  [[nodiscard]] bool wait_for(std::size_t count) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, patience, [&] { return taken_.size() >= count; });
  }
  [[nodiscard]] std::string message(std::size_t index) {
    const std::lock_guard lock{mutex_};
    return std::string{taken_[index].of->messages.at(taken_[index].message)};
  }
  [[nodiscard]] std::size_t size() {
    const std::lock_guard lock{mutex_};
    return taken_.size();
  }
  /// Answers and lets go of the message, as a pipeline does.
  void answer(std::size_t index, burst_outcome outcome) {
    taken_message gone;
    {
      const std::lock_guard lock{mutex_};
      gone = std::exchange(taken_[index], {});
    }
    outcome.message = gone.message;
    gone.of->answer(outcome);
  }
  /// Forgets a message without an answer.
  void forget(std::size_t index) {
    const std::lock_guard lock{mutex_};
    taken_[index] = {};
  }

  std::atomic<bool> full{false};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  struct taken_message {
    std::shared_ptr<burst> of;
    std::size_t message = 0;
  };
  std::vector<taken_message> taken_;
  std::vector<std::size_t> bursts_;
};

burst_outcome accepted(std::uint64_t count) {
  burst_outcome made;
  made.accepted = count;
  return made;
}

/// Tests that leave requests without an answer need not wait for it.
acked_limits brief() {
  acked_limits made;
  made.stop_patience = 1ms;
  return made;
}

class acked_listener_test : public ::testing::Test {
 protected:
  std::unique_ptr<acked_listener> listen(const acked_limits& limits = brief()) {
    auto started = acked_listener::start("tcp://127.0.0.1:*", limits,
                                         [this](burst& offered) { return pipeline.take(offered); });
    EXPECT_TRUE(started) << started.failure().message;
    return std::move(*started);
  }
  /// Sends requests "1", "2", ... each of which is a burst of its own, until what comes is
  /// gathered.
  void fill(acked_client& dealer, std::size_t bursts) {
    for (std::size_t i = 1; i <= bursts; ++i) {
      dealer.request({std::to_string(i), "m"});
      ASSERT_TRUE(pipeline.wait_for(i));
    }
  }
  static void wait_for_requests(const acked_listener& listener, std::uint64_t count) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (listener.counts().requests < count && std::chrono::steady_clock::now() < until) {
      std::this_thread::yield();
    }
    ASSERT_EQ(listener.counts().requests, count);
  }
  scripted_pipeline pipeline;
};

TEST_F(acked_listener_test, a_reply_says_the_outcome_and_bears_the_requests_id) {
  const auto listener = listen();
  acked_client dealer{listener->endpoint()};
  dealer.request({"one", "first"});
  dealer.request({"two", "second"});
  ASSERT_TRUE(pipeline.wait_for(2));
  EXPECT_EQ(pipeline.message(0), "first");
  EXPECT_EQ(pipeline.message(1), "second");
  burst_outcome mixed;
  mixed.accepted = 1;
  mixed.duplicate = 2;
  mixed.rejected = {{3, "bad_value", "why"}};
  pipeline.answer(1, mixed);
  EXPECT_EQ(dealer.answer(), (acked_frames{"two", "ok 1 2 3:bad_value"}));
  burst_outcome nothing_good;
  nothing_good.rejected = {{0, "malformed", "why"}};
  pipeline.answer(0, nothing_good);
  EXPECT_EQ(dealer.answer(), (acked_frames{"one", "reject 0 0 0:malformed"}));
}

TEST_F(acked_listener_test, an_empty_batch_is_ok_and_duplicates_alone_are_too) {
  const auto listener = listen();
  acked_client dealer{listener->endpoint()};
  dealer.request({"a", "x"});
  dealer.request({"b", "x"});
  ASSERT_TRUE(pipeline.wait_for(2));
  pipeline.answer(0, {});
  EXPECT_EQ(dealer.answer(), (acked_frames{"a", "ok 0 0"}));
  burst_outcome again;
  again.duplicate = 5;
  pipeline.answer(1, again);
  EXPECT_EQ(dealer.answer(), (acked_frames{"b", "ok 0 5"}));
}

TEST_F(acked_listener_test, a_req_socket_is_answered_with_and_without_an_id) {
  const auto listener = listen();
  acked_client req{listener->endpoint(), zmq::socket_type::req};
  req.request({"only the message"});
  ASSERT_TRUE(pipeline.wait_for(1));
  EXPECT_EQ(pipeline.message(0), "only the message");
  pipeline.answer(0, accepted(1));
  EXPECT_EQ(req.answer(), acked_frames{"ok 1 0"});
  req.request({"id", "message"});
  ASSERT_TRUE(pipeline.wait_for(2));
  EXPECT_EQ(pipeline.message(1), "message");
  pipeline.answer(1, accepted(1));
  EXPECT_EQ(req.answer(), (acked_frames{"id", "ok 1 0"}));
}

TEST_F(acked_listener_test, a_dealer_may_speak_as_a_req_does) {
  const auto listener = listen();
  acked_client dealer{listener->endpoint()};
  dealer.request({"", "id", "message"});
  ASSERT_TRUE(pipeline.wait_for(1));
  pipeline.answer(0, accepted(1));
  EXPECT_EQ(dealer.answer(), (acked_frames{"", "id", "ok 1 0"}));
}

TEST_F(acked_listener_test, what_is_no_request_is_rejected_and_not_handed_over) {
  const auto listener = listen();
  acked_client dealer{listener->endpoint()};
  dealer.request({"one frame"});
  EXPECT_EQ(dealer.answer(), (acked_frames{"one frame", "reject 0 0 0:bad_request"}));
  dealer.request({"id", "a", "b"});
  EXPECT_EQ(dealer.answer(), (acked_frames{"id", "reject 0 0 0:bad_request"}));
  dealer.request({"", "id", "a", "b", "c", "d"});
  EXPECT_EQ(dealer.answer(), (acked_frames{"", "id", "reject 0 0 0:bad_request"}));
  dealer.request({std::string(acked_id_bytes_max + 1, 'x'), "message"});
  EXPECT_EQ(dealer.answer(), (acked_frames{"", "reject 0 0 0:bad_request"}));
  dealer.request({""});
  EXPECT_EQ(dealer.answer(), (acked_frames{"", "reject 0 0 0:bad_request"}));
  EXPECT_EQ(pipeline.size(), 0U);
  EXPECT_EQ(listener->counts().rejected, 5U);
}

TEST_F(acked_listener_test, a_pipeline_that_is_full_or_cannot_write_means_retry) {
  acked_limits limits = brief();
  limits.retry_after = 7ms;
  const auto listener = listen(limits);
  acked_client dealer{listener->endpoint()};
  pipeline.full = true;
  dealer.request({"1", "a"});
  EXPECT_EQ(dealer.answer(), (acked_frames{"1", "retry 0 0 wait 7ms"}));
  EXPECT_EQ(pipeline.size(), 0U);
  pipeline.full = false;
  dealer.request({"1", "a"});
  ASSERT_TRUE(pipeline.wait_for(1));
  burst_outcome disk_full;
  disk_full.retry = true;
  disk_full.retry_after = 1s;
  pipeline.answer(0, disk_full);
  EXPECT_EQ(dealer.answer(), (acked_frames{"1", "retry 0 0 wait 1s"}));
  EXPECT_EQ(listener->counts().retry, 2U);
}

TEST_F(acked_listener_test, while_four_bursts_have_no_answer_what_comes_is_gathered_into_one) {
  const auto listener = listen();
  acked_client dealer{listener->endpoint()};
  fill(dealer, 4);
  for (const char* id : {"5", "6", "7"}) dealer.request({id, "m"});
  wait_for_requests(*listener, 7);
  pipeline.answer(2, accepted(1));
  EXPECT_EQ(dealer.answer(), (acked_frames{"3", "ok 1 0"}));
  ASSERT_TRUE(pipeline.wait_for(7));
  EXPECT_EQ(pipeline.bursts(), (std::vector<std::size_t>{1, 1, 1, 1, 3}));
}

TEST_F(acked_listener_test, while_many_bursts_have_no_answer_what_comes_is_read_with_the_next) {
  const auto listener = listen();
  acked_client dealer{listener->endpoint()};
  const std::string large(300 * 1024, 'm');  // as much as a burst holds
  for (int i = 1; i <= 10; ++i) dealer.request({std::to_string(i), large});
  ASSERT_TRUE(pipeline.wait_for(8));
  for (const char* id : {"11", "12"}) dealer.request({id, "m"});
  for (std::size_t i = 0; i < 12; ++i) {
    ASSERT_TRUE(pipeline.wait_for(i + 1)) << i;
    pipeline.answer(i, accepted(1));
    EXPECT_EQ(dealer.answer(), (acked_frames{std::to_string(i + 1), "ok 1 0"}));
  }
  EXPECT_EQ(listener->counts().ok, 12U);
}

TEST_F(acked_listener_test, what_there_is_no_room_for_waits_for_the_next_answer) {
  const auto listener = listen();
  acked_client dealer{listener->endpoint()};
  fill(dealer, 1);
  pipeline.full = true;
  dealer.request({"2", "m"});
  wait_for_requests(*listener, 2);
  pipeline.full = false;
  pipeline.answer(0, accepted(1));
  EXPECT_EQ(dealer.answer(), (acked_frames{"1", "ok 1 0"}));
  ASSERT_TRUE(pipeline.wait_for(2));
  pipeline.answer(1, accepted(1));
  EXPECT_EQ(dealer.answer(), (acked_frames{"2", "ok 1 0"}));
  EXPECT_EQ(listener->counts().retry, 0U);
}

TEST_F(acked_listener_test, beyond_a_peers_bound_it_is_told_to_wait_and_others_are_not) {
  acked_limits limits = brief();
  limits.requests_per_peer = 2;
  limits.retry_after = 7ms;
  const auto listener = listen(limits);
  acked_client greedy{listener->endpoint()};
  acked_client modest{listener->endpoint()};
  for (const char* id : {"1", "2", "3"}) greedy.request({id, "a"});
  EXPECT_EQ(greedy.answer(), (acked_frames{"3", "retry 0 0 wait 7ms"}));
  modest.request({"m", "b"});
  ASSERT_TRUE(pipeline.wait_for(3));
  pipeline.answer(0, accepted(1));
  EXPECT_EQ(greedy.answer(), (acked_frames{"1", "ok 1 0"}));
  greedy.request({"3", "a"});
  ASSERT_TRUE(pipeline.wait_for(4)) << "an answer makes room";
}

TEST_F(acked_listener_test, beyond_the_bounds_of_all_everybody_is_told_to_wait) {
  acked_limits limits = brief();
  limits.requests = 2;
  limits.retry_after = 7ms;
  const auto few = listen(limits);
  acked_client one{few->endpoint()};
  acked_client other{few->endpoint()};
  one.request({"1", "a"});
  one.request({"2", "a"});
  ASSERT_TRUE(pipeline.wait_for(2));
  other.request({"3", "a"});
  EXPECT_EQ(other.answer(), (acked_frames{"3", "retry 0 0 wait 7ms"}));
}

TEST_F(acked_listener_test, the_bytes_of_requests_are_bounded_and_one_always_goes) {
  acked_limits limits = brief();
  limits.bytes = 10;
  limits.retry_after = 7ms;
  const auto listener = listen(limits);
  acked_client dealer{listener->endpoint()};
  dealer.request({"1", std::string(100, 'x')});
  ASSERT_TRUE(pipeline.wait_for(1));
  dealer.request({"2", "x"});
  EXPECT_EQ(dealer.answer(), (acked_frames{"2", "retry 0 0 wait 7ms"}));
  pipeline.answer(0, accepted(1));
  EXPECT_EQ(dealer.answer(), (acked_frames{"1", "ok 1 0"}));
}

TEST_F(acked_listener_test, a_peer_that_does_not_read_its_replies_loses_them_and_blocks_nobody) {
  acked_limits limits = brief();
  limits.replies_waiting = 1;
  const auto listener = listen(limits);
  acked_client deaf{listener->endpoint()};
  deaf.socket().set(zmq::sockopt::rcvhwm, 1);
  deaf.socket().set(zmq::sockopt::rcvbuf, 4096);
  acked_client hearing{listener->endpoint()};
  burst_outcome long_one;
  long_one.rejected = {{0, "bad_value", std::string(64 * 1024, 'x')}};
  std::size_t asked = 0;
  while (listener->counts().undelivered == 0 && asked < 10'000) {
    deaf.request({"d", "a"});
    ASSERT_TRUE(pipeline.wait_for(++asked));
    pipeline.answer(asked - 1, long_one);
    hearing.request({"h", "a"});
    ASSERT_TRUE(pipeline.wait_for(++asked));
    pipeline.answer(asked - 1, accepted(1));
    ASSERT_EQ(hearing.answer(), (acked_frames{"h", "ok 1 0"}));
  }
  EXPECT_GT(listener->counts().undelivered, 0U);
}

TEST_F(acked_listener_test, an_answer_for_a_peer_that_has_gone_is_counted) {
  const auto listener = listen();
  // That a connection has ended is known some time after its end: not for the first ones, perhaps.
  std::size_t peers = 0;
  while (listener->counts().undelivered == 0) {
    ASSERT_LT(peers, 100'000U);
    {
      acked_client gone{listener->endpoint()};
      gone.request({"1", "a"});
      ASSERT_TRUE(pipeline.wait_for(++peers));
    }
    pipeline.answer(peers - 1, accepted(1));
    acked_client here{listener->endpoint()};
    here.request({"no request"});
    EXPECT_EQ(here.answer().back(), "reject 0 0 0:bad_request");
  }
}

TEST_F(acked_listener_test, a_message_over_twice_the_bound_ends_its_connection_only) {
  acked_limits limits = brief();
  limits.message_bytes = 1000;
  const auto listener = listen(limits);
  acked_client fat{listener->endpoint()};
  acked_client thin{listener->endpoint()};
  fat.request({"1", std::string(2001, 'x')});
  thin.request({"2", std::string(2000, 'x')});
  ASSERT_TRUE(pipeline.wait_for(1));
  EXPECT_EQ(pipeline.message(0).size(), 2000U);
  EXPECT_EQ(pipeline.size(), 1U);
}

TEST_F(acked_listener_test, stopping_answers_what_is_under_way) {
  const auto listener = listen({});
  acked_client dealer{listener->endpoint()};
  dealer.request({"1", "a"});
  ASSERT_TRUE(pipeline.wait_for(1));
  std::promise<void> begun;
  std::thread stopping{[&] {
    begun.set_value();
    listener->stop();
  }};
  begun.get_future().wait();
  pipeline.answer(0, accepted(1));
  stopping.join();
  EXPECT_EQ(dealer.answer(), (acked_frames{"1", "ok 1 0"}));
}

TEST_F(acked_listener_test, stopping_does_not_forget_what_was_gathered) {
  acked_limits patient;
  patient.stop_patience = patience;
  const auto listener = listen(patient);
  acked_client dealer{listener->endpoint()};
  fill(dealer, 4);
  dealer.request({"5", "m"});
  wait_for_requests(*listener, 5);
  auto stopped = std::async(std::launch::async, [&] { listener->stop(); });
  pipeline.full = true;
  for (const std::size_t i : {0U, 1U, 2U, 3U}) {
    pipeline.answer(i, accepted(1));
    EXPECT_EQ(dealer.answer().back(), "ok 1 0");
  }
  EXPECT_EQ(dealer.answer().front(), "5") << "it is put off when no answer can make room";
  EXPECT_EQ(stopped.wait_for(patience / 2), std::future_status::ready);
}

TEST_F(acked_listener_test, an_answer_that_is_known_never_to_come_does_not_hold_up_the_stop) {
  acked_limits limits = brief();
  limits.stop_patience = 24h;
  const auto listener = listen(limits);
  acked_client dealer{listener->endpoint()};
  dealer.request({"1", "a"});
  ASSERT_TRUE(pipeline.wait_for(1));
  pipeline.forget(0);  // as a pipeline that failed does
  listener->stop();
  listener->stop();
  EXPECT_EQ(listener->counts().ok, 0U);
}

TEST_F(acked_listener_test, an_answer_that_does_not_come_holds_up_the_stop_no_longer_than_is_said) {
  acked_limits limits = brief();
  limits.stop_patience = 1ms;
  const auto listener = listen(limits);
  acked_client dealer{listener->endpoint()};
  dealer.request({"1", "a"});
  ASSERT_TRUE(pipeline.wait_for(1));
  listener->stop();
  pipeline.answer(0, accepted(1));
  EXPECT_EQ(listener->counts().ok, 0U);
}

TEST_F(acked_listener_test, binding_where_somebody_listens_names_the_endpoint) {
  const auto listener = listen();
  const auto second = acked_listener::start(listener->endpoint(), {}, [](burst&) { return true; });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.failure().code, "bind_failed");
  EXPECT_NE(second.failure().message.find(listener->endpoint()), std::string::npos);
}

/// Several peers ask at random, several threads answer what there is in any order, some requests
/// are refused: each request gets exactly one reply, its own.
TEST_F(acked_listener_test, in_any_order_of_answers_each_request_gets_its_own_reply_once) {
  constexpr std::size_t peers = 3;
  constexpr std::size_t requests = 400;  // of each peer
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    SCOPED_TRACE(seed);
    std::mutex mutex;
    std::condition_variable changed;
    struct open_message {
      std::shared_ptr<burst> of;
      std::size_t message = 0;
    };
    std::vector<open_message> open;
    std::size_t left = peers * requests;
    bool done = false;
    std::mt19937 refusing{seed};
    auto started = acked_listener::start("tcp://127.0.0.1:*", {}, [&](burst& offered) {
      const std::lock_guard lock{mutex};
      if (refusing() % 8 == 0) return false;
      left -= offered.messages.size();
      const auto together = std::make_shared<burst>(std::move(offered));
      for (std::size_t i = 0; i < together->messages.size(); ++i) open.push_back({together, i});
      changed.notify_all();
      return true;
    });
    ASSERT_TRUE(started) << started.failure().message;
    const auto answering = [&](unsigned thread_seed) {
      std::mt19937 random{thread_seed};
      for (;;) {
        std::unique_lock lock{mutex};
        changed.wait(lock, [&] { return !open.empty() || done; });
        if (open.empty()) return;
        std::swap(open[random() % open.size()], open.back());
        const open_message chosen = std::move(open.back());
        open.pop_back();
        lock.unlock();
        // The message is the number that the answer must bear.
        burst_outcome outcome =
            accepted(std::stoull(std::string{chosen.of->messages[chosen.message]}));
        outcome.message = chosen.message;
        chosen.of->answer(outcome);
      }
    };
    std::vector<std::thread> answerers;
    for (unsigned i = 0; i < 3; ++i) answerers.emplace_back(answering, seed * 10 + i);
    std::vector<std::thread> askers;
    for (std::size_t peer = 0; peer < peers; ++peer) {
      askers.emplace_back([&, peer] {
        acked_client dealer{(*started)->endpoint()};
        std::set<std::string> waiting;
        std::mt19937 random{static_cast<unsigned>(seed * 100 + peer)};
        std::size_t asked = 0;
        while (asked < requests || !waiting.empty()) {
          if (asked < requests && (waiting.empty() || random() % 3 != 0)) {
            const auto number = std::to_string(peer * 1'000'000 + asked++ + 1);
            dealer.request({number, number});
            waiting.insert(number);
            continue;
          }
          const auto frames = dealer.answer();
          ASSERT_EQ(frames.size(), 2U) << frames.front();
          EXPECT_EQ(waiting.erase(frames[0]), 1U) << "a reply nobody waits for: " << frames[0];
          if (frames[1].starts_with("retry")) continue;
          EXPECT_EQ(frames[1], "ok " + frames[0] + " 0");
        }
      });
    }
    for (auto& each : askers) each.join();
    const acked_counts counts = (*started)->counts();
    {
      const std::lock_guard lock{mutex};
      done = true;
      EXPECT_EQ(left, counts.retry);
    }
    changed.notify_all();
    for (auto& each : answerers) each.join();
    EXPECT_EQ(counts.requests, peers * requests);
    EXPECT_EQ(counts.ok + counts.retry, counts.requests);
    EXPECT_EQ(counts.undelivered, 0U);
  }
}

TEST(acked_reply, it_is_read_as_it_was_written) {
  burst_outcome outcome;
  outcome.accepted = 1'000'000'000'000;
  outcome.duplicate = 2;
  outcome.rejected = {{1, "too_old", "first"}, {9, "id_conflict", "second"}};
  const auto read = decode_acked_reply(encode_acked_reply(outcome));
  ASSERT_TRUE(read) << read.failure().message;
  EXPECT_EQ(read->status, acked_status::ok);
  EXPECT_EQ(read->accepted, outcome.accepted);
  EXPECT_EQ(read->duplicate, 2U);
  ASSERT_EQ(read->rejected.size(), 2U);
  EXPECT_EQ(read->rejected[1].index, 9U);
  EXPECT_EQ(read->rejected[1].code, "id_conflict");
  EXPECT_EQ(read->rejected[1].message, "second");
  EXPECT_EQ(read->retry_after, duration{});
}

TEST(acked_reply, what_is_no_reply_is_said_so) {
  for (const std::string_view wrong :
       {"", "\xc1", "\x01", "\x80", "\x81\xa6status\xa4okay", "\xdd\xff\xff\xff\xff",
        "\x82\xa6status\xa2ok\xa8rejected\x01"}) {
    const auto read = decode_acked_reply(wrong);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.failure().code, "malformed");
    EXPECT_NE(read.failure().message.find("seen " + std::to_string(wrong.size())),
              std::string::npos);
  }
}

}  // namespace
}  // namespace tocsin
