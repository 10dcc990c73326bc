// SPDX-License-Identifier: Apache-2.0
// Publisher and subscriber of the alert stream over real sockets.
#include "io/alert_stream.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <zmq.hpp>

#include "io/alert_codec.hpp"
#include "io/stream_subscriber.hpp"
#include "support/scratch_socket.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

/// Longer than any machine needs; a test that waits this long has failed.
constexpr duration patience = 20s;

transition alert_of(std::string rule, severity level = severity::error) {
  auto made = std::make_shared<alert>();
  made->rule = std::move(rule);
  made->severity = level;
  return made;
}

class alert_stream_test : public ::testing::Test {
 protected:
  void SetUp() override {
    auto bound = alert_stream::bind("tcp://127.0.0.1:*");
    ASSERT_TRUE(bound) << bound.failure().message;
    stream = *bound;
  }

  /// A subscriber whose subscription is in effect.
  std::unique_ptr<stream_subscriber> subscribe(const std::string& prefix = "alert.") {
    auto made = stream_subscriber::connect(stream->endpoint(), prefix, patience);
    if (!made) {
      ADD_FAILURE() << made.failure().message;
      return nullptr;
    }
    // The first heartbeat that comes through shows it.
    for (int i = 0; i < 2000; ++i) {
      stream->heartbeat();
      const auto got = (*made)->receive(10ms);
      if (got && *got) return std::move(*made);
    }
    ADD_FAILURE() << "no heartbeat came";
    return nullptr;
  }

  static stream_message next(stream_subscriber& from) {
    auto got = from.receive(patience);
    if (!got) {
      ADD_FAILURE() << got.failure().message;
      return {};
    }
    if (!*got) {
      ADD_FAILURE() << "nothing came";
      return {};
    }
    return **got;
  }

  /// The next transition, heartbeats left out.
  static stream_message next_transition(stream_subscriber& from) {
    for (;;) {
      stream_message got = next(from);
      if (got.header.kind != "heartbeat") return got;
    }
  }

  std::shared_ptr<alert_stream> stream;
};

TEST_F(alert_stream_test, transitions_come_in_order_with_consecutive_numbers) {
  const auto subscriber = subscribe();
  ASSERT_TRUE(subscriber);
  const std::vector<transition> two{alert_of("a"), alert_of("b", severity::critical)};
  stream->publish(two);
  stream->publish(std::vector<transition>{alert_of("c")});
  const auto first = next_transition(*subscriber);
  EXPECT_EQ(first.topic, "alert.error.a");
  EXPECT_EQ(first.header.seq, 1u);
  EXPECT_EQ(first.header.kind, "transition");
  EXPECT_EQ(first.alert, encode_alert_msgpack(*two[0]));
  EXPECT_EQ(first.missed, 0u);
  const auto second = next_transition(*subscriber);
  EXPECT_EQ(second.topic, "alert.critical.b");
  EXPECT_EQ(second.header.seq, 2u);
  EXPECT_EQ(next_transition(*subscriber).header.seq, 3u);
  EXPECT_EQ(second.header.stream, first.header.stream);
  EXPECT_EQ(second.header.epoch, first.header.epoch);
  EXPECT_EQ(first.header.stream.size(), 16u);
}

TEST_F(alert_stream_test, with_a_position_it_goes_on_under_the_same_name_behind_its_number) {
  const auto history = std::make_shared<stream_history>();
  auto active = std::make_shared<alert>();
  active->seq = 30;
  active->state = alert_state::firing;
  auto bound = alert_stream::bind("tcp://127.0.0.1:*", history, stream_position{"stored", 5, 0});
  ASSERT_TRUE(bound) << bound.failure().message;
  stream = *bound;
  stream->begin(41, std::vector<transition>{active});
  EXPECT_EQ(history->enter(0, "", 5).active.size(), 1u);
  const auto subscriber = subscribe();
  ASSERT_TRUE(subscriber);
  stream->heartbeat();
  const auto beat = next(*subscriber);
  EXPECT_EQ(beat.header.stream, "stored");
  EXPECT_EQ(beat.header.epoch, 5u);
  EXPECT_EQ(beat.header.seq, 41u);
  auto numbered = std::make_shared<alert>();
  numbered->seq = 42;
  stream->publish(std::vector<transition>{numbered});
  EXPECT_EQ(next_transition(*subscriber).header.seq, 42u);
  EXPECT_EQ(history->after(41, "", 10).messages.size(), 1u);
}

TEST_F(alert_stream_test, a_number_that_is_not_the_next_is_a_broken_invariant) {
  // The publisher's threads do not outlive a fork: the test runs anew in a process of its own.
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  auto numbered = std::make_shared<alert>();
  numbered->seq = 2;
  const std::vector<transition> far{numbered};
  EXPECT_DEATH(stream->publish(far), "each->seq");
}

TEST_F(alert_stream_test, a_prefix_chooses_and_what_it_leaves_out_is_no_gap) {
  const auto subscriber = subscribe("alert.critical.");
  ASSERT_TRUE(subscriber);
  stream->publish(std::vector<transition>{alert_of("a"), alert_of("b", severity::critical),
                                          alert_of("c"), alert_of("d", severity::critical)});
  EXPECT_EQ(next_transition(*subscriber).topic, "alert.critical.b");
  const auto second = next_transition(*subscriber);
  EXPECT_EQ(second.topic, "alert.critical.d");
  EXPECT_EQ(second.header.seq, 4u);
  EXPECT_EQ(second.missed, 0u);
}

TEST_F(alert_stream_test, a_heartbeat_carries_the_number_of_the_last_transition) {
  const auto subscriber = subscribe();
  ASSERT_TRUE(subscriber);
  stream->publish(std::vector<transition>{alert_of("a"), alert_of("b")});
  stream->heartbeat();
  (void)next_transition(*subscriber);
  (void)next_transition(*subscriber);
  const auto beat = next(*subscriber);
  EXPECT_EQ(beat.topic, "heartbeat");
  EXPECT_EQ(beat.header.kind, "heartbeat");
  EXPECT_EQ(beat.header.seq, 2u);
  EXPECT_EQ(beat.missed, 0u);
  EXPECT_TRUE(beat.alert.empty());
}

TEST_F(alert_stream_test, a_new_subscription_takes_effect_when_transitions_are_published) {
  auto late = stream_subscriber::connect(stream->endpoint(), "alert.", patience);
  ASSERT_TRUE(late);
  for (int i = 0; i < 2000; ++i) {
    stream->publish(std::vector<transition>{alert_of("a")});
    const auto got = (*late)->receive(10ms);
    ASSERT_TRUE(got);
    if (!*got) continue;
    EXPECT_EQ((*got)->missed, 0u) << "what came before joining is not missed";
    return;
  }
  FAIL() << "no transition came";
}

TEST_F(alert_stream_test, a_subscription_that_is_too_long_is_ignored) {
  const std::string rule(300, 'r');
  const auto subscriber = subscribe("alert.error." + rule);
  ASSERT_TRUE(subscriber);
  stream->publish(std::vector<transition>{alert_of(rule)});
  stream->heartbeat();
  stream_message got;
  do {
    got = next(*subscriber);
    ASSERT_EQ(got.topic, "heartbeat");
  } while (got.header.seq == 0);
}

TEST_F(alert_stream_test, two_subscribers_get_the_same) {
  const auto one = subscribe();
  const auto other = subscribe();
  ASSERT_TRUE(one && other);
  stream->publish(std::vector<transition>{alert_of("a")});
  EXPECT_EQ(next_transition(*one).header.seq, 1u);
  EXPECT_EQ(next_transition(*other).header.seq, 1u);
}

TEST_F(alert_stream_test, binding_where_somebody_listens_names_endpoint_and_reason) {
  const auto second = alert_stream::bind(stream->endpoint());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.failure().code, "bind_failed");
  EXPECT_NE(second.failure().message.find(stream->endpoint()), std::string::npos);
  EXPECT_NE(second.failure().message.find("in use"), std::string::npos) << second.failure().message;
}

TEST_F(alert_stream_test, interrupt_ends_a_receive_from_another_thread) {
  const auto subscriber = subscribe();
  ASSERT_TRUE(subscriber);
  std::thread other{[&] { subscriber->interrupt(); }};
  for (bool interrupted = false; !interrupted;) {
    const auto got = subscriber->receive();
    ASSERT_TRUE(got);
    interrupted = !*got;  // heartbeats on the way come first
  }
  other.join();
}

TEST(stream_subscriber, nobody_at_the_endpoint_is_said_in_time) {
  const testing::scratch_socket nobody;
  const auto made = stream_subscriber::connect(nobody.endpoint(), "alert.", 50ms);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.failure().code, "unreachable");
  EXPECT_NE(made.failure().message.find(nobody.endpoint()), std::string::npos);
}

/// A publisher that says what a test wants.
class scripted_publisher : public ::testing::Test {
 protected:
  void SetUp() override {
    publisher.set(zmq::sockopt::linger, 0);
    publisher.bind(place.endpoint());
    auto made = stream_subscriber::connect(place.endpoint(), "alert.", patience);
    ASSERT_TRUE(made) << made.failure().message;
    subscriber = std::move(*made);
    publisher.set(zmq::sockopt::rcvtimeo, static_cast<int>(patience.count()));
    for (int subscriptions = 0; subscriptions < 2; ++subscriptions) {
      zmq::message_t request;
      ASSERT_TRUE(publisher.recv(request));
    }
  }
  void say(const std::string& kind, std::uint64_t seq, std::uint64_t epoch = 1) {
    const std::string header = encode_header({"name", epoch, seq, kind});
    const bool beat = kind == "heartbeat";
    publisher.send(zmq::buffer(beat ? kind : std::string{"alert.error.a"}),
                   zmq::send_flags::sndmore);
    publisher.send(zmq::buffer(header), beat ? zmq::send_flags::none : zmq::send_flags::sndmore);
    if (!beat) publisher.send(zmq::str_buffer("\x80"), zmq::send_flags::none);
  }
  stream_message next() {
    auto got = subscriber->receive(patience);
    if (got && *got) return **got;
    ADD_FAILURE() << "nothing came";
    return {};
  }

  testing::scratch_socket place;
  zmq::context_t context;
  zmq::socket_t publisher{context, zmq::socket_type::xpub};
  std::unique_ptr<stream_subscriber> subscriber;
};

TEST_F(scripted_publisher, a_gap_between_transitions_is_counted) {
  say("transition", 5);
  say("transition", 9);
  EXPECT_EQ(next().missed, 0u);
  EXPECT_EQ(next().missed, 3u);
}

TEST_F(scripted_publisher, a_heartbeat_shows_what_was_lost_at_the_end) {
  say("transition", 5);
  say("heartbeat", 7);
  say("heartbeat", 7);
  say("transition", 8);
  EXPECT_EQ(next().missed, 0u);
  EXPECT_EQ(next().missed, 2u);
  EXPECT_EQ(next().missed, 0u);
  EXPECT_EQ(next().missed, 0u);
}

TEST_F(scripted_publisher, a_new_epoch_is_a_restart_and_counts_from_its_beginning) {
  say("transition", 5, 1);
  say("transition", 3, 2);
  EXPECT_FALSE(next().restarted);
  const auto after = next();
  EXPECT_TRUE(after.restarted);
  EXPECT_EQ(after.missed, 2u);
}

TEST_F(scripted_publisher, a_message_that_is_not_the_streams_is_an_error_and_the_next_is_read) {
  publisher.send(zmq::str_buffer("alert.error.a"), zmq::send_flags::none);
  publisher.send(zmq::str_buffer("alert.error.a"), zmq::send_flags::sndmore);
  publisher.send(zmq::str_buffer("rubbish"), zmq::send_flags::none);
  say("transition", 1);
  for (int bad = 0; bad < 2; ++bad) {
    const auto got = subscriber->receive(patience);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.failure().code, "malformed");
  }
  EXPECT_EQ(next().header.seq, 1u);
}

/// A stream behind a gate that allows three prefixes a connection.
class limited_stream_test : public ::testing::Test {
 protected:
  void SetUp() override {
    auto bound = alert_stream::bind("tcp://127.0.0.1:*", nullptr, std::nullopt, gate);
    ASSERT_TRUE(bound) << bound.failure().message;
    stream = *bound;
  }

  zmq::socket_t subscriber() {
    zmq::socket_t made{context, zmq::socket_type::sub};
    made.set(zmq::sockopt::linger, 0);
    made.set(zmq::sockopt::rcvtimeo, 10);
    made.connect(stream->endpoint());
    return made;
  }

  /// Lets the stream work until the condition holds.
  template <class Condition>
  bool eventually(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until) return false;
      stream->heartbeat();
    }
    return true;
  }
  static bool hears(zmq::socket_t& from) {
    zmq::message_t frame;
    bool heard = false;
    while (from.recv(frame, zmq::recv_flags::none)) heard = true;
    return heard;
  }
  surface_counts counts() const { return gate->counts().at(0); }
  std::uint64_t cut_off() const {
    const auto all = counts();
    const auto found = all.refused.find("subscriptions");
    return found == all.refused.end() ? 0 : found->second;
  }

  std::shared_ptr<network_gate> gate = network_gate::open({.connections = 10, .subscriptions = 3});
  std::shared_ptr<alert_stream> stream;
  zmq::context_t context;
};

TEST_F(limited_stream_test, a_peer_that_wants_too_many_prefixes_is_cut_off_and_others_stay) {
  auto modest = subscriber();
  for (const char* prefix : {"heartbeat", "a", "b"}) modest.set(zmq::sockopt::subscribe, prefix);
  ASSERT_TRUE(eventually([&] { return counts().subscriptions == 3; }));
  auto greedy = subscriber();
  greedy.set(zmq::sockopt::reconnect_ivl, -1);
  for (const char* prefix : {"a", "b", "c", "d"}) greedy.set(zmq::sockopt::subscribe, prefix);
  ASSERT_TRUE(eventually([&] { return cut_off() > 0; }));
  ASSERT_TRUE(eventually([&] { return counts().subscriptions == 3; }));
  ASSERT_TRUE(eventually([&] { return hears(modest); }));
}

TEST_F(limited_stream_test, a_prefix_given_up_makes_room_for_another) {
  auto changing = subscriber();
  for (const char* prefix : {"a", "b", "c"}) changing.set(zmq::sockopt::subscribe, prefix);
  ASSERT_TRUE(eventually([&] { return counts().subscriptions == 3; }));
  changing.set(zmq::sockopt::unsubscribe, "c");
  ASSERT_TRUE(eventually([&] { return counts().subscriptions == 2; }));
  changing.set(zmq::sockopt::subscribe, "heartbeat");
  ASSERT_TRUE(eventually([&] { return hears(changing); }));
  EXPECT_EQ(cut_off(), 0u);
}

TEST_F(limited_stream_test, subscriptions_of_one_that_left_are_forgotten) {
  {
    auto leaving = subscriber();
    for (const char* prefix : {"a", "b", "c"}) leaving.set(zmq::sockopt::subscribe, prefix);
    ASSERT_TRUE(eventually([&] { return counts().subscriptions == 3; }));
  }
  EXPECT_TRUE(eventually([&] { return counts().subscriptions == 0; }));
}

}  // namespace
}  // namespace tocsin
