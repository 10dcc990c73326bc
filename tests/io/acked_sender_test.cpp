// SPDX-License-Identifier: Apache-2.0
// The acked sender over real sockets, against a daemon that is scripted: it drops, delays, asks to
// wait, goes and comes back.
#include "io/acked_sender.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "io/acked_reply.hpp"
#include "io/wake_flag.hpp"
#include "support/scratch_socket.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

constexpr duration patience = 20s;

/// A daemon in a thread of its own; `script` says what becomes of each request.
class scripted_daemon {
 public:
  struct request {
    std::string id;
    std::string message;
  };
  /// Nothing: no answer.
  using script = std::function<std::optional<burst_outcome>(const request&)>;

  scripted_daemon(std::string endpoint, script what) : what_(std::move(what)) {
    router_.set(zmq::sockopt::linger, 0);
    router_.bind(endpoint);
    endpoint_ = router_.get(zmq::sockopt::last_endpoint);
    thread_ = std::thread{[this] { run(); }};
  }
  ~scripted_daemon() {
    stop_.raise();
    thread_.join();
  }
  scripted_daemon(const scripted_daemon&) = delete;
  scripted_daemon& operator=(const scripted_daemon&) = delete;

  [[nodiscard]] const std::string& endpoint() const noexcept { return endpoint_; }

 private:
  void run() {
    for (;;) {
      std::array<zmq::pollitem_t, 2> items{
          {{router_.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, stop_.descriptor(), ZMQ_POLLIN, 0}}};
      zmq::poll(items.data(), items.size(), -1ms);
      if ((items[1].revents & ZMQ_POLLIN) != 0) {
        router_.close();
        return;
      }
      zmq::message_t peer, id, message;
      (void)router_.recv(peer);
      (void)router_.recv(id);
      (void)router_.recv(message);
      const auto outcome = what_({id.to_string(), message.to_string()});
      if (!outcome) continue;
      router_.send(peer, zmq::send_flags::sndmore);
      router_.send(id, zmq::send_flags::sndmore);
      router_.send(zmq::buffer(encode_acked_reply(*outcome)));
    }
  }

  script what_;
  zmq::context_t context_;
  zmq::socket_t router_{context_, zmq::socket_type::router};
  std::string endpoint_;
  wake_flag stop_;
  std::thread thread_;
};

burst_outcome accepted(std::uint64_t count) {
  burst_outcome made;
  made.accepted = count;
  return made;
}

acked_requests::limits quick() {
  return {4, 20ms, 60s};
}

TEST(acked_sender, nobody_at_the_endpoint_is_said_in_time) {
  const testing::scratch_socket nobody;
  const auto made = acked_sender::connect(nobody.endpoint(), {}, {}, 50ms);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.failure().code, "unreachable");
}

TEST(acked_sender, what_was_accepted_duplicate_and_rejected_is_told) {
  const scripted_daemon daemon{"tcp://127.0.0.1:*", [](const auto&) {
                                 burst_outcome mixed;
                                 mixed.accepted = 3;
                                 mixed.duplicate = 2;
                                 mixed.rejected = {{1, "bad_value", "why"}};
                                 return std::optional{mixed};
                               }};
  std::vector<std::string> told;
  auto made = acked_sender::connect(
      daemon.endpoint(),
      [&](std::uint64_t request, const acked_reply& reply) {
        told.push_back(std::to_string(request) + " " + reply.rejected.at(0).message);
      },
      {}, patience);
  ASSERT_TRUE(made) << made.failure().message;
  EXPECT_EQ((*made)->offer("a", 6, patience), 1U);
  EXPECT_EQ((*made)->offer("b", 6, patience), 2U);
  ASSERT_TRUE((*made)->settle(patience));
  EXPECT_EQ(told, (std::vector<std::string>{"1 why", "2 why"}));
  const acked_totals totals = (*made)->totals();
  EXPECT_EQ(totals.accepted, 6U);
  EXPECT_EQ(totals.duplicate, 4U);
  EXPECT_EQ(totals.rejected, 2U);
  EXPECT_EQ(totals.rejected_by_code.at("bad_value"), 2U);
  EXPECT_EQ(totals.requests, 2U);
  EXPECT_EQ((*made)->events_under_way(), 0U);
}

TEST(acked_sender, a_full_window_refuses_until_an_answer_comes) {
  std::atomic<bool> silent{true};
  const scripted_daemon daemon{"tcp://127.0.0.1:*", [&](const auto&) {
                                 return silent ? std::nullopt : std::optional{accepted(1)};
                               }};
  auto made = acked_sender::connect(daemon.endpoint(), {}, quick(), patience);
  ASSERT_TRUE(made) << made.failure().message;
  for (int i = 0; i < 4; ++i) ASSERT_NE((*made)->offer("x", 5, patience), 0U);
  EXPECT_FALSE((*made)->room());
  EXPECT_EQ((*made)->offer("x", 5, 1ms), 0U);
  EXPECT_FALSE((*made)->settle(1ms));
  EXPECT_EQ((*made)->events_under_way(), 20U);
  silent = false;
  EXPECT_NE((*made)->offer("x", 5, patience), 0U);
  EXPECT_TRUE((*made)->settle(patience));
}

TEST(acked_sender, a_request_to_retry_goes_again_after_the_wait) {
  int asked = 0;
  const scripted_daemon daemon{"tcp://127.0.0.1:*", [&](const auto&) {
                                 burst_outcome later;
                                 later.retry = true;
                                 later.retry_after = 1ms;
                                 return std::optional{++asked < 4 ? later : accepted(1)};
                               }};
  acked_requests::limits limits;
  limits.resend_after = 24h;
  auto made = acked_sender::connect(daemon.endpoint(), {}, limits, patience);
  ASSERT_TRUE(made) << made.failure().message;
  ASSERT_NE((*made)->offer("x", 1, patience), 0U);
  ASSERT_TRUE((*made)->settle(patience));
  EXPECT_EQ((*made)->totals().retries, 3U);
  EXPECT_EQ((*made)->totals().resent, 3U);
}

TEST(acked_sender, over_a_new_connection_what_has_no_answer_goes_again) {
  std::vector<scripted_daemon::request> first, second;
  std::string endpoint;
  acked_requests::limits limits;
  limits.resend_after = 24h;
  std::unique_ptr<acked_sender> sender;
  {
    std::promise<void> both;
    scripted_daemon dying{"tcp://127.0.0.1:*", [&](const auto& request) {
                            first.push_back(request);
                            if (first.size() == 2) both.set_value();
                            return std::optional<burst_outcome>{};
                          }};
    endpoint = dying.endpoint();
    auto made = acked_sender::connect(endpoint, {}, limits, patience);
    ASSERT_TRUE(made) << made.failure().message;
    sender = std::move(*made);
    ASSERT_EQ(sender->offer("one", 1, patience), 1U);
    ASSERT_EQ(sender->offer("two", 1, patience), 2U);
    ASSERT_EQ(both.get_future().wait_for(patience), std::future_status::ready);
  }
  EXPECT_FALSE(sender->settle(1ms));
  const scripted_daemon back{endpoint, [&](const auto& request) {
                               second.push_back(request);
                               return std::optional{accepted(1)};
                             }};
  ASSERT_TRUE(sender->settle(patience));
  ASSERT_EQ(second.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(second[i].id, first[i].id);
    EXPECT_EQ(second[i].message, first[i].message);
  }
}

/// A daemon that dies every so often and, while it lives, loses requests and replies and asks to
/// wait: it remembers by what it said ok for good, as a log does.
TEST(acked_sender, whatever_the_daemon_does_nothing_is_lost_or_sent_under_a_new_id) {
  for (const unsigned seed : {1U, 2U, 3U}) {
    SCOPED_TRACE(seed);
    const testing::scratch_socket socket;
    std::mt19937 random{seed};
    std::map<std::string, std::string> message_of;  // by id
    std::map<std::string, std::string> id_of;       // by message
    std::set<std::string> lasting;
    const auto behave = [&](const scripted_daemon::request& request) {
      const auto known = message_of.try_emplace(request.id, request.message).first;
      EXPECT_EQ(known->second, request.message) << "another message under the same id";
      const auto named = id_of.try_emplace(request.message, request.id).first;
      EXPECT_EQ(named->second, request.id) << "the same message under another id";
      const auto dice = random() % 10;
      if (dice == 0) return std::optional<burst_outcome>{};  // lost on its way here
      if (dice == 1) {
        burst_outcome later;
        later.retry = true;
        later.retry_after = 1ms;
        return std::optional{later};
      }
      burst_outcome outcome;
      const bool fresh = lasting.insert(request.message).second;
      (fresh ? outcome.accepted : outcome.duplicate) = 1;
      if (dice == 2) return std::optional<burst_outcome>{};  // the reply is lost
      return std::optional{outcome};
    };
    auto daemon = std::make_unique<scripted_daemon>(socket.endpoint(), behave);
    auto made = acked_sender::connect(socket.endpoint(), {}, quick(), patience);
    ASSERT_TRUE(made) << made.failure().message;
    constexpr int messages = 300;
    for (int i = 1; i <= messages; ++i) {
      ASSERT_NE((*made)->offer("message " + std::to_string(i), 1, patience), 0U) << i;
      if (i % 60 != 0) continue;
      daemon.reset();
      daemon = std::make_unique<scripted_daemon>(socket.endpoint(), behave);
    }
    ASSERT_TRUE((*made)->settle(patience));
    daemon.reset();
    EXPECT_EQ(lasting.size(), static_cast<std::size_t>(messages));
    const acked_totals totals = (*made)->totals();
    EXPECT_EQ(totals.accepted + totals.duplicate, static_cast<std::uint64_t>(messages));
    EXPECT_GT(totals.resent, 0U);
  }
}

}  // namespace
}  // namespace tocsin
