// SPDX-License-Identifier: Apache-2.0
// The replay socket over real sockets: asked by bare DEALERs and by the subscriber.
#include "io/replay_listener.hpp"

#include <gtest/gtest.h>

#include <msgpack.hpp>
#include <zmq.hpp>

#include "io/alert_stream.hpp"
#include "io/replay_protocol.hpp"
#include "io/stream_subscriber.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

/// Longer than any machine needs; a test that waits this long has failed.
constexpr duration patience = 20s;

using frames_t = std::vector<std::string>;

/// A peer that sends any frames and reads any frames.
class dealer {
 public:
  explicit dealer(const std::string& endpoint, int waiting_max = 1000) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::rcvtimeo, static_cast<int>(patience.count()));
    socket_.set(zmq::sockopt::rcvhwm, waiting_max);
    if (waiting_max < 1000) socket_.set(zmq::sockopt::rcvbuf, 4096);
    socket_.connect(endpoint);
  }
  void send(const frames_t& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      socket_.send(zmq::buffer(frames[i]),
                   i + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
    }
  }
  void ask(std::uint64_t since, const std::string& prefix = "",
           std::optional<std::uint64_t> epoch = std::nullopt) {
    send({encode_replay_request({since, prefix, epoch})});
  }
  bool hears(duration within) {
    zmq::pollitem_t item{socket_.handle(), 0, ZMQ_POLLIN, 0};
    return zmq::poll(&item, 1, within) > 0;
  }
  frames_t receive() {
    frames_t frames;
    zmq::message_t frame;
    do {
      if (!socket_.recv(frame)) {
        ADD_FAILURE() << "nothing came";
        return {"nothing"};
      }
      frames.push_back(frame.to_string());
    } while (frame.more());
    return frames;
  }
  /// All messages up to `end` or `error`, which come last.
  std::vector<frames_t> answer() {
    std::vector<frames_t> all;
    do {
      all.push_back(receive());
    } while (all.back().size() > 2);
    if (all.back()[0] == replay_snapshot) {
      for (const frames_t& each : answer()) all.push_back(each);
    }
    return all;
  }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_{context_, zmq::socket_type::dealer};
};

class replay_listener_test : public ::testing::Test {
 protected:
  void SetUp() override { start({}, {}); }

  void start(history_limits remembered, replay_limits limits) {
    listener.reset();
    history = std::make_shared<stream_history>(remembered);
    auto bound = alert_stream::bind("tcp://127.0.0.1:*", history);
    ASSERT_TRUE(bound) << bound.failure().message;
    stream = *bound;
    auto started = replay_listener::start("tcp://127.0.0.1:*", history, limits);
    ASSERT_TRUE(started) << started.failure().message;
    listener = std::move(*started);
  }
  void publish(std::uint64_t id, alert_state state = alert_state::firing,
               severity level = severity::error, std::size_t bytes = 0) {
    auto made = std::make_shared<alert>();
    made->alert_id = {0, id};
    made->rule = "a";
    made->severity = level;
    made->state = state;
    made->condition = std::string(bytes, 'x');
    stream->publish(std::vector<transition>{made});
  }
  void publish_many(int count, std::size_t bytes = 0) {
    for (int i = 0; i < count; ++i) {
      publish(static_cast<std::uint64_t>(i % 10), alert_state::firing, severity::error, bytes);
    }
  }
  [[nodiscard]] std::string end_at(std::uint64_t seq) const {
    auto position = history->enter(0, "", std::nullopt).at;
    position.seq = seq;
    return encode_position(position);
  }
  static std::vector<std::uint64_t> numbers(const std::vector<frames_t>& messages) {
    std::vector<std::uint64_t> all;
    for (const frames_t& each : messages) {
      if (each.size() == 3) all.push_back(decode_header(each[1])->seq);
    }
    return all;
  }
  static std::vector<std::uint64_t> numbers(const replay_answer& answer) {
    std::vector<std::uint64_t> all;
    for (const auto& each : answer.messages) all.push_back(each.header.seq);
    return all;
  }
  static std::string code_of(const frames_t& message) {
    if (message.size() != 2 || message[0] != replay_error) return "no error";
    const auto refusal = decode_refusal(message[1]);
    return refusal ? refusal->code : refusal.failure().message;
  }

  std::shared_ptr<stream_history> history;
  std::shared_ptr<alert_stream> stream;
  std::unique_ptr<replay_listener> listener;
};

using numbers_t = std::vector<std::uint64_t>;

TEST_F(replay_listener_test, what_came_after_a_number_comes_in_the_streams_own_frames) {
  publish_many(5);
  dealer peer{listener->endpoint()};
  peer.ask(3);
  const auto answer = peer.answer();
  ASSERT_EQ(answer.size(), 3u);
  const auto kept = history->after(3, "", 10).messages;
  EXPECT_EQ(answer[0], (frames_t{"alert.error.a", kept[0]->header, kept[0]->alert}));
  EXPECT_EQ(answer[1], (frames_t{"alert.error.a", kept[1]->header, kept[1]->alert}));
  EXPECT_EQ(answer[2], (frames_t{"end", end_at(5)}));
  EXPECT_EQ(decode_header(answer[0][1])->seq, 4u);
}

TEST_F(replay_listener_test, an_answer_longer_than_all_pipes_comes_whole_and_in_order) {
  constexpr int count = 30'000;
  publish_many(count);
  dealer peer{listener->endpoint()};
  peer.ask(0);
  const auto seen = numbers(peer.answer());
  ASSERT_EQ(seen.size(), static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], i + 1);
}

TEST_F(replay_listener_test, a_prefix_chooses_by_topic) {
  publish(1, alert_state::firing, severity::error);
  publish(2, alert_state::firing, severity::critical);
  publish(3, alert_state::firing, severity::error);
  dealer peer{listener->endpoint()};
  peer.ask(0, "alert.critical.");
  const auto answer = peer.answer();
  EXPECT_EQ(numbers(answer), numbers_t{2});
  EXPECT_EQ(answer.back(), (frames_t{"end", end_at(3)}));
}

TEST_F(replay_listener_test, an_empty_frame_before_the_request_comes_before_each_message) {
  publish_many(2);
  dealer peer{listener->endpoint()};
  peer.send({"", encode_replay_request({1, "", std::nullopt})});
  const auto first = peer.receive();
  ASSERT_EQ(first.size(), 4u);
  EXPECT_EQ(first[0], "");
  EXPECT_EQ(first[1], "alert.error.a");
  EXPECT_EQ(peer.receive(), (frames_t{"", "end", end_at(2)}));
}

TEST_F(replay_listener_test, a_history_that_does_not_reach_back_is_replaced_by_the_active_alerts) {
  start({.messages_max = 2}, {});
  publish(1);
  publish(2);
  publish(1, alert_state::resolved);
  publish(3);
  publish(4);
  dealer peer{listener->endpoint()};
  peer.ask(1);
  const auto answer = peer.answer();
  ASSERT_EQ(answer.size(), 5u);
  EXPECT_EQ(answer.front(), (frames_t{"snapshot", end_at(5)}));
  EXPECT_EQ(numbers(answer), (numbers_t{2, 4, 5}));
  EXPECT_EQ(answer.back(), (frames_t{"end", end_at(5)}));
}

TEST_F(replay_listener_test, a_snapshot_of_many_alerts_comes_whole_in_the_frames_that_were_sent) {
  start({.messages_max = 1}, {.waiting_max = 100});
  constexpr std::uint64_t count = 2500;
  for (std::uint64_t id = 1; id <= count; ++id) publish(id);
  dealer peer{listener->endpoint()};
  peer.ask(0);
  const auto answer = peer.answer();
  ASSERT_EQ(answer.size(), count + 2);
  for (std::uint64_t i = 1; i <= count; ++i) ASSERT_EQ(decode_header(answer[i][1])->seq, i);
  const auto last = history->after(count - 1, "", 10).messages;
  EXPECT_EQ(answer[count], (frames_t{last[0]->topic, last[0]->header, last[0]->alert}));
  EXPECT_EQ(answer.back(), (frames_t{"end", end_at(count)}));
}

TEST_F(replay_listener_test, another_epoch_gets_a_snapshot) {
  publish_many(3);
  const auto epoch = history->enter(0, "", std::nullopt).at.epoch;
  dealer peer{listener->endpoint()};
  peer.ask(3, "", epoch);
  EXPECT_EQ(peer.answer().front()[0], "end");
  peer.ask(3, "", epoch - 1);
  EXPECT_EQ(peer.answer().front()[0], "snapshot");
}

TEST_F(replay_listener_test, questions_of_one_peer_are_answered_one_after_the_other) {
  // Pipes that never fill: nothing but the rule keeps the answers apart.
  start({}, {.waiting_max = 100'000});
  publish_many(3000);
  dealer peer{listener->endpoint(), 100'000};
  for (const std::uint64_t since : {0, 1000, 2000}) peer.ask(since);
  for (const std::uint64_t since : {0, 1000, 2000}) {
    const auto seen = numbers(peer.answer());
    ASSERT_EQ(seen.size(), 3000 - since);
    EXPECT_EQ(seen.front(), since + 1);
    EXPECT_EQ(seen.back(), 3000u);
  }
}

TEST_F(replay_listener_test, a_malformed_request_is_told_what_is_wrong_with_it) {
  const auto packed = [](const auto& value) {
    msgpack::sbuffer buffer;
    msgpack::pack(buffer, value);
    return std::string{buffer.data(), buffer.size()};
  };
  using map = std::map<std::string, int>;
  const std::string good = encode_replay_request({0, "", std::nullopt});
  const std::vector<std::pair<frames_t, std::string>> cases{
      {{""}, "0 bytes"},
      {{"rubbish"}, "no whole msgpack map"},
      {{packed(map{})}, "no key since"},
      {{packed(map{{"since", -1}})}, "since is no whole number"},
      {{packed(std::map<std::string, std::string>{{"since", "1"}})}, "since is no whole number"},
      {{packed(map{{"since", 1}, {"prefix", 1}})}, "prefix is no text"},
      {{packed(map{{"since", 1}, {"sinse", 1}})}, "unknown key \"sinse\""},
      {{std::string("\x82\xa5since\x01\xa5since\x02")}, "twice"},
      {{good + "x"}, "bytes after"},
      {{good.substr(0, good.size() - 1)}, "no whole msgpack map"},
      {{encode_replay_request({0, std::string(257, 'x'), std::nullopt})}, "prefix has 257 bytes"},
      {{good, good}, "2 frames"}};
  dealer peer{listener->endpoint()};
  for (const auto& [frames, why] : cases) {
    peer.send(frames);
    const auto got = peer.receive();
    EXPECT_EQ(code_of(got), "malformed") << why;
    EXPECT_NE(decode_refusal(got.back())->message.find(why), std::string::npos)
        << decode_refusal(got.back())->message << " lacks " << why;
  }
  peer.ask(0);
  EXPECT_EQ(peer.receive(), (frames_t{"end", end_at(0)}));
}

TEST_F(replay_listener_test, a_request_that_is_too_long_ends_its_connection_and_no_other) {
  dealer other{listener->endpoint()};
  dealer peer{listener->endpoint()};
  peer.send({std::string(replay_request_bytes_max + 1, 'x')});
  // It connects anew by itself; what it asked on the old connection is lost.
  for (int i = 0; i < 2000 && !peer.hears(10ms); ++i) peer.ask(0);
  EXPECT_NE(code_of(peer.receive()), "malformed") << "it was read";
  other.ask(0);
  EXPECT_EQ(other.receive(), (frames_t{"end", end_at(0)}));
}

TEST_F(replay_listener_test, a_peer_that_does_not_read_hinders_no_other) {
  start({}, {.waiting_max = 100});
  publish_many(4000, 4000);
  dealer idle{listener->endpoint(), 1};
  idle.ask(0);
  for (int i = 0; i < 3; ++i) {
    dealer peer{listener->endpoint()};
    peer.ask(3000);
    EXPECT_EQ(numbers(peer.answer()).size(), 1000u);
  }
  EXPECT_EQ(numbers(idle.answer()).size(), 4000u) << "its answer waited for it";
}

TEST_F(replay_listener_test, a_peer_that_reads_nothing_for_too_long_is_told_so) {
  start({}, {.patience = 0ms, .waiting_max = 100});
  publish_many(8000, 4000);
  dealer slow{listener->endpoint(), 1};
  slow.ask(0);
  // Another peer's answer shows that the thread has been at the slow one's.
  dealer other{listener->endpoint()};
  other.ask(0);
  (void)other.answer();
  const auto answer = slow.answer();
  EXPECT_EQ(code_of(answer.back()), "slow_reader");
  const auto seen = numbers(answer);
  ASSERT_LT(seen.size(), 8000u);
  for (std::size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], i + 1);
}

TEST_F(replay_listener_test, what_is_forgotten_while_it_waits_for_a_reader_ends_the_answer) {
  start({.messages_max = 2000}, {.waiting_max = 100});
  publish_many(2000, 8000);
  dealer slow{listener->endpoint(), 1};
  slow.ask(0);
  ASSERT_EQ(decode_header(slow.receive()[1])->seq, 1u);
  publish_many(8000);
  const auto answer = slow.answer();
  EXPECT_EQ(code_of(answer.back()), "slow_reader");
  const auto seen = numbers(answer);
  for (std::size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], i + 2);
}

TEST_F(replay_listener_test, beyond_the_bound_of_answers_a_request_is_refused) {
  start({}, {.answers_max = 1, .waiting_max = 100});
  publish_many(4000, 4000);
  dealer first{listener->endpoint(), 1};
  first.ask(0);
  ASSERT_EQ(decode_header(first.receive()[1])->seq, 1u);
  dealer second{listener->endpoint()};
  second.ask(0);
  EXPECT_EQ(code_of(second.receive()), "busy");
  EXPECT_EQ(numbers(first.answer()).size(), 3999u);
  // The listener sees the first answer's end when it has sent it.
  std::vector<frames_t> again;
  do {
    second.ask(3999);
    again = second.answer();
  } while (code_of(again.back()) == "busy");
  EXPECT_EQ(numbers(again), numbers_t{4000});
}

TEST_F(replay_listener_test, an_answer_given_up_yields_its_place) {
  start({}, {.answers_max = 1, .patience = 200ms, .waiting_max = 100});
  publish_many(8000, 4000);
  dealer slow{listener->endpoint(), 1};
  slow.ask(0);
  ASSERT_EQ(decode_header(slow.receive()[1])->seq, 1u);
  dealer second{listener->endpoint()};
  std::vector<frames_t> answer;
  do {
    second.ask(7999);
    answer = second.answer();
  } while (code_of(answer.back()) == "busy");
  EXPECT_EQ(numbers(answer), numbers_t{8000});
}

TEST_F(replay_listener_test, a_peer_that_vanishes_leaves_nothing_behind) {
  start({}, {.answers_max = 1, .waiting_max = 100});
  publish_many(4000, 4000);
  {
    dealer vanishing{listener->endpoint(), 1};
    vanishing.ask(0);
    ASSERT_EQ(decode_header(vanishing.receive()[1])->seq, 1u);
  }
  dealer second{listener->endpoint()};
  std::vector<frames_t> answer;
  do {
    second.ask(3999);
    answer = second.answer();
  } while (code_of(answer.back()) == "busy");
  EXPECT_EQ(numbers(answer), numbers_t{4000});
}

TEST_F(replay_listener_test, stopping_does_not_wait_for_a_peer) {
  start({}, {.waiting_max = 100});
  publish_many(4000, 4000);
  dealer idle{listener->endpoint(), 1};
  idle.ask(0);
  ASSERT_EQ(decode_header(idle.receive()[1])->seq, 1u);
  listener->stop();
  listener->stop();
}

TEST_F(replay_listener_test, binding_where_somebody_listens_names_endpoint_and_reason) {
  const auto second = replay_listener::start(listener->endpoint(), history);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.failure().code, "bind_failed");
  EXPECT_NE(second.failure().message.find(listener->endpoint()), std::string::npos);
}

/// The subscriber's side.
class fetching : public replay_listener_test {
 protected:
  void subscribe(const std::string& prefix = "alert.") {
    auto made = stream_subscriber::connect(stream->endpoint(), prefix, patience);
    ASSERT_TRUE(made) << made.failure().message;
    subscriber = std::move(*made);
  }
  /// From now on every transition reaches the subscriber's socket.
  void await_subscription() {
    for (int i = 0; i < 2000; ++i) {
      stream->heartbeat();
      const auto got = subscriber->receive(10ms);
      if (got && *got) return;
    }
    FAIL() << "no heartbeat came";
  }
  replay_answer fetch(std::uint64_t since, std::optional<std::uint64_t> epoch = std::nullopt) {
    auto answer = subscriber->fetch(listener->endpoint(), since, epoch, patience);
    if (answer) return *answer;
    ADD_FAILURE() << answer.failure().message;
    return {};
  }
  stream_message next_transition() {
    for (;;) {
      auto got = subscriber->receive(patience);
      if (!got || !*got) {
        ADD_FAILURE() << "nothing came";
        return {};
      }
      if ((*got)->header.kind == "transition") return **got;
    }
  }

  std::unique_ptr<stream_subscriber> subscriber;
};

TEST_F(fetching, what_the_answer_holds_does_not_come_again) {
  subscribe();
  await_subscription();
  publish_many(5);
  EXPECT_EQ(numbers(fetch(2)), (numbers_t{3, 4, 5}));
  publish(1);
  const auto next = next_transition();
  EXPECT_EQ(next.header.seq, 6u);
  EXPECT_EQ(next.missed, 0u);
}

TEST_F(fetching, what_comes_between_answer_and_subscription_is_a_gap) {
  subscribe();
  publish_many(2);
  EXPECT_EQ(numbers(fetch(0)), (numbers_t{1, 2}));
  // The subscription takes effect sooner or later; then what went before is known to be missing.
  for (int i = 0; i < 2000; ++i) {
    publish(1);
    const auto got = subscriber->receive(10ms);
    ASSERT_TRUE(got);
    if (!*got) continue;
    EXPECT_EQ((*got)->missed, (*got)->header.seq - 3);
    return;
  }
  FAIL() << "no transition came";
}

TEST_F(fetching, only_the_subscribed_topics_are_fetched) {
  subscribe("alert.critical.");
  publish(1, alert_state::firing, severity::error);
  publish(2, alert_state::firing, severity::critical);
  EXPECT_EQ(numbers(fetch(0)), numbers_t{2});
}

TEST_F(fetching, a_snapshot_of_the_same_epoch_leaves_out_what_has_been_seen) {
  start({.messages_max = 1}, {});
  subscribe();
  for (std::uint64_t id = 1; id <= 4; ++id) publish(id);
  const auto epoch = history->enter(0, "", std::nullopt).at.epoch;
  const auto answer = fetch(2, epoch);
  ASSERT_TRUE(answer.snapshot);
  EXPECT_EQ(answer.snapshot->seq, 4u);
  EXPECT_EQ(numbers(answer), (numbers_t{3, 4}));
  EXPECT_EQ(numbers(fetch(2)), (numbers_t{1, 2, 3, 4})) << "the numbering of 2 is not known";
  EXPECT_EQ(numbers(fetch(2, epoch - 1)), (numbers_t{1, 2, 3, 4}));
}

TEST_F(fetching, what_listens_but_never_answers_is_said_in_time) {
  subscribe();
  zmq::context_t context;
  zmq::socket_t mute{context, zmq::socket_type::router};
  mute.bind("tcp://127.0.0.1:*");
  const auto answer = subscriber->fetch(mute.get(zmq::sockopt::last_endpoint), 0, {}, 50ms);
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.failure().code == "silent" || answer.failure().code == "unreachable")
      << answer.failure().message;
}

TEST_F(fetching, an_interrupt_ends_the_question) {
  subscribe();
  zmq::context_t context;
  zmq::socket_t mute{context, zmq::socket_type::router};
  mute.bind("tcp://127.0.0.1:*");
  subscriber->interrupt();
  const auto answer = subscriber->fetch(mute.get(zmq::sockopt::last_endpoint), 0, {}, patience);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.failure().code, "interrupted");
}

}  // namespace
}  // namespace tocsin
