// SPDX-License-Identifier: Apache-2.0
// The gate over real sockets: who is let in where, who is cut off, and that it fails shut.
#include "io/network_gate.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <zmq.hpp>

#include "io/network_options.hpp"
#include "io/peer_watch.hpp"
#include "io/surface_socket.hpp"
#include "support/diagnostics_text.hpp"
#include "support/scratch_folder.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

/// Longer than any machine needs; a test that waits this long has failed.
constexpr duration patience = 20s;
constexpr std::size_t frame_bytes = 4096;

/// Waits for what other threads bring about.
template <class Condition>
bool eventually(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

zmq::socket_type server_type(surface of) {
  switch (of) {
    case surface::push:
      return zmq::socket_type::pull;
    case surface::stream:
      return zmq::socket_type::xpub;
    default:
      return zmq::socket_type::router;
  }
}

zmq::socket_type client_type(surface of) {
  switch (of) {
    case surface::push:
      return zmq::socket_type::push;
    case surface::stream:
      return zmq::socket_type::sub;
    default:
      return zmq::socket_type::dealer;
  }
}

/// A socket that connects, and does not come back once it is cut off.
class client {
 public:
  client(surface to, const std::string& endpoint, const optional_identity& identity = std::nullopt)
      : socket{context_, client_type(to)} {
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::reconnect_ivl, -1);
    socket.set(zmq::sockopt::sndtimeo, static_cast<int>(duration{patience}.count()));
    set_network_options(socket, endpoint);
    set_identity(socket, identity);
    const auto failure = connect_within(context_, socket, endpoint, patience);
    outcome = failure ? std::string{failure->code} : "in";
  }

  /// Ends when all that was sent has left this process.
  void finish() {
    socket.set(zmq::sockopt::linger, -1);
    socket.close();
    context_.close();
  }
  void send(const std::string& text) { socket.send(zmq::buffer(text), zmq::send_flags::none); }

 private:
  zmq::context_t context_;

 public:
  zmq::socket_t socket;
  std::string outcome;
};

class network_gate_test : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* const name : {"agent", "second-agent", "subscriber", "operator", "node"}) {
      keys[name] = make_curve_pair();
    }
    from.server_key_file = folder.file("server.key");
    ASSERT_FALSE(write_secret_file(from.server_key_file, server));
    list(curve_role::agents, {"agent", "second-agent"});
    list(curve_role::subscribers, {"subscriber"});
    list(curve_role::operators, {"operator"});
    list(curve_role::nodes, {"node"});
  }

  /// Writes a role's list.
  void list(curve_role role, const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& each : names) text += keys[each].public_key + " " + each + "\n";
    from.allow[static_cast<std::size_t>(role)] =
        folder.write(std::string{to_text(role)} + ".allow", text);
  }

  void open(gate_options options = {}) {
    diagnostics found;
    auto access = load_curve_access(from, found);
    ASSERT_TRUE(access);
    ASSERT_TRUE(found.empty()) << testing::texts(found);
    options.look_interval = 5ms;
    options.report = [this](const gate_news& news) {
      const std::scoped_lock lock(mutex);
      told.push_back(news);
    };
    gate = network_gate::open(limits, std::move(access), std::move(options));
  }

  std::unique_ptr<surface_socket> bind(surface which,
                                       const std::string& endpoint = "tcp://127.0.0.1:*") {
    auto made = std::make_unique<surface_socket>(which, server_type(which), gate);
    const auto failure = made->bind(endpoint, frame_bytes);
    if (!failure) return made;
    ADD_FAILURE() << failure->message;
    return nullptr;
  }

  optional_identity identity(const std::string& name) {
    return curve_identity{server.public_key, keys.at(name)};
  }

  /// Whether the gate has told something with that text in it.
  bool has_told(std::string_view text, bool trouble) {
    const std::scoped_lock lock(mutex);
    for (const gate_news& each : told) {
      if (each.trouble == trouble && each.text.find(text) != std::string::npos) return true;
    }
    return false;
  }

  std::uint64_t refused(surface of, std::string_view reason) const {
    for (const surface_counts& each : gate->counts()) {
      if (each.of != of) continue;
      const auto found = each.refused.find(reason);
      return found == each.refused.end() ? 0 : found->second;
    }
    return 0;
  }
  std::uint64_t connections(surface of) const {
    for (const surface_counts& each : gate->counts()) {
      if (each.of == of) return each.connections;
    }
    return 0;
  }

  /// The next message; "" when none comes.
  static std::string receive(surface_socket& from, bool tell = true) {
    zmq::message_t message;
    from.socket().set(zmq::sockopt::rcvtimeo, static_cast<int>(duration{patience}.count()));
    if (!from.socket().recv(message, zmq::recv_flags::none)) return "";
    if (tell) from.saw(message);
    return message.to_string();
  }

  testing::scratch_folder folder;
  curve_pair server = make_curve_pair();
  std::map<std::string, curve_pair> keys;
  security_settings from;
  network_limits limits;
  std::mutex mutex;
  std::vector<gate_news> told;
  std::shared_ptr<network_gate> gate;
};

TEST_F(network_gate_test, each_surface_lets_in_its_roles_and_nobody_else) {
  open();
  std::string seen;
  for (const surface each : all_surfaces) {
    const auto door = bind(each);
    ASSERT_TRUE(door);
    seen += std::string{to_text(each)} + ":";
    for (const char* const name : {"agent", "subscriber", "operator", "node"}) {
      const client knocking(each, door->endpoint(), identity(name));
      seen += std::string{" "} + name + " " + knocking.outcome;
    }
    seen += "\n";
  }
  EXPECT_EQ(seen,
            "push: agent in subscriber refused operator refused node refused\n"
            "acked: agent in subscriber refused operator refused node refused\n"
            "stream: agent refused subscriber in operator in node refused\n"
            "replay: agent refused subscriber in operator in node refused\n");
}

TEST_F(network_gate_test, strangers_are_refused_on_every_surface) {
  open();
  for (const surface each : all_surfaces) {
    for (const std::string& endpoint :
         {std::string{"tcp://127.0.0.1:*"}, "ipc://" + folder.file("door")}) {
      const auto door = bind(each, endpoint);
      ASSERT_TRUE(door);
      const client unknown(each, door->endpoint(),
                           curve_identity{server.public_key, make_curve_pair()});
      EXPECT_EQ(unknown.outcome, "refused") << to_text(each) << ": an unknown key";
      const client keyless(each, door->endpoint());
      EXPECT_NE(keyless.outcome, "in") << to_text(each) << ": no key at all";
      const client astray(each, door->endpoint(),
                          curve_identity{make_curve_pair().public_key, keys["agent"]});
      EXPECT_NE(astray.outcome, "in") << to_text(each) << ": another server's key";
    }
  }
}

TEST_F(network_gate_test, refusals_are_counted_by_reason) {
  open();
  const auto door = bind(surface::push);
  ASSERT_TRUE(door);
  EXPECT_EQ(refused(surface::push, "unknown_key"), 0u) << "the test of the door is no refusal";
  const client unknown(surface::push, door->endpoint(),
                       curve_identity{server.public_key, make_curve_pair()});
  const client wrong_role(surface::push, door->endpoint(), identity("subscriber"));
  const client keyless(surface::push, door->endpoint());
  // Client and server see the other's mechanism at once: whoever hangs up first decides the reason.
  EXPECT_TRUE(eventually([&] {
    return refused(surface::push, "protocol") + refused(surface::push, "handshake") == 1;
  }));
  EXPECT_EQ(refused(surface::push, "unknown_key"), 1u);
  EXPECT_EQ(refused(surface::push, "wrong_role"), 1u);
}

TEST_F(network_gate_test, a_message_says_whose_key_it_came_with) {
  open();
  const auto door = bind(surface::push);
  ASSERT_TRUE(door);
  client sender(surface::push, door->endpoint(), identity("second-agent"));
  sender.send("hello");
  zmq::message_t message;
  ASSERT_TRUE(door->socket().recv(message, zmq::recv_flags::none));
  EXPECT_EQ(message.to_string(), "hello");
  EXPECT_EQ(user_of(message), "second-agent");
}

TEST_F(network_gate_test, a_key_taken_off_its_list_loses_its_live_connection_and_others_stay) {
  open();
  const auto door = bind(surface::push);
  ASSERT_TRUE(door);
  client leaving(surface::push, door->endpoint(), identity("agent"));
  client staying(surface::push, door->endpoint(), identity("second-agent"));
  staying.send("before");
  ASSERT_EQ(receive(*door), "before");
  leaving.send("before");
  ASSERT_EQ(receive(*door), "before");
  ASSERT_TRUE(eventually([&] { return connections(surface::push) == 2; }));
  list(curve_role::agents, {"second-agent"});
  ASSERT_TRUE(eventually([&] { return refused(surface::push, "revoked") > 0; }));
  ASSERT_TRUE(eventually([&] { return connections(surface::push) == 1; }));
  EXPECT_EQ(refused(surface::push, "revoked"), 1u);
  staying.send("after");
  EXPECT_EQ(receive(*door), "after");
  const client again(surface::push, door->endpoint(), identity("agent"));
  EXPECT_EQ(again.outcome, "refused");
}

TEST_F(network_gate_test, who_has_not_been_heard_is_cut_off_on_every_surface_of_the_role) {
  open();
  const auto push = bind(surface::push);
  const auto stream = bind(surface::stream);
  const auto replay = bind(surface::replay);
  ASSERT_TRUE(push && stream && replay);
  const client agent(surface::push, push->endpoint(), identity("agent"));
  const client watching(surface::stream, stream->endpoint(), identity("subscriber"));
  const client asking(surface::replay, replay->endpoint(), identity("subscriber"));
  ASSERT_TRUE(eventually([&] { return connections(surface::replay) == 1; }));
  list(curve_role::subscribers, {});
  EXPECT_TRUE(eventually([&] {
    return refused(surface::stream, "revoked") == 1 && refused(surface::replay, "revoked") == 1 &&
           connections(surface::stream) == 0 && connections(surface::replay) == 0;
  }));
  EXPECT_EQ(refused(surface::push, "revoked"), 0u) << "another role";
}

TEST_F(network_gate_test, what_a_peer_had_sent_before_it_was_revoked_is_still_read) {
  open();
  const auto door = bind(surface::push);
  ASSERT_TRUE(door);
  client leaving(surface::push, door->endpoint(), identity("agent"));
  for (int i = 0; i < 100; ++i) leaving.send(std::to_string(i));
  leaving.finish();
  list(curve_role::agents, {"second-agent"});
  ASSERT_TRUE(eventually([&] { return has_told("loaded anew", false); }));
  for (int i = 0; i < 100; ++i) ASSERT_EQ(receive(*door, false), std::to_string(i));
}

TEST_F(network_gate_test, a_key_put_on_a_list_gets_in_and_cuts_nobody_off) {
  open();
  const auto door = bind(surface::push);
  ASSERT_TRUE(door);
  const client first(surface::push, door->endpoint(), identity("agent"));
  keys["third"] = make_curve_pair();
  list(curve_role::agents, {"agent", "second-agent", "third"});
  ASSERT_TRUE(eventually([&] { return has_told("3 keys, 0 of before removed", false); }));
  const client third(surface::push, door->endpoint(), identity("third"));
  EXPECT_EQ(third.outcome, "in");
  EXPECT_EQ(refused(surface::push, "revoked"), 0u);
}

TEST_F(network_gate_test, a_list_that_turns_bad_or_goes_away_leaves_the_last_good_one) {
  open();
  const auto door = bind(surface::push);
  ASSERT_TRUE(door);
  const std::string path = folder.write("agents.allow", "this is no key\n");
  ASSERT_TRUE(eventually([&] { return has_told("agents.allow:1: error", true); }));
  const client first(surface::push, door->endpoint(), identity("agent"));
  EXPECT_EQ(first.outcome, "in");
  std::filesystem::remove(path);
  ASSERT_TRUE(eventually([&] { return has_told("No such file", true); }));
  const client second(surface::push, door->endpoint(), identity("agent"));
  EXPECT_EQ(second.outcome, "in");
}

TEST_F(network_gate_test, a_gate_that_judges_wrongly_opens_no_surface) {
  using judge_type = decltype(gate_options::judge);
  const std::map<std::string, judge_type> broken{
      {"lets everybody in",
       [](surface, std::string_view) { return std::optional<std::string>{""}; }},
      {"lets nobody in", [](surface, std::string_view) { return std::optional<std::string>{}; }},
      {"throws", [](surface, std::string_view) -> std::optional<std::string> {
         throw std::runtime_error{"broken"};
       }}};
  for (const auto& [name, judge] : broken) {
    gate_options options;
    options.judge = judge;
    open(std::move(options));
    for (const surface each : all_surfaces) {
      const std::string endpoint = "ipc://" + folder.file("door");
      surface_socket door(each, server_type(each), gate);
      const auto failure = door.bind(endpoint, frame_bytes);
      ASSERT_TRUE(failure) << to_text(each) << ": a gate that " << name;
      EXPECT_EQ(failure->code, "gate_open");
      zmq::context_t context;
      zmq::socket_t after{context, client_type(each)};
      after.set(zmq::sockopt::linger, 0);
      const auto knocked = connect_within(context, after, endpoint, 50ms);
      ASSERT_TRUE(knocked) << "it listens all the same";
      EXPECT_EQ(knocked->code, "unreachable");
    }
  }
}

TEST_F(network_gate_test, connections_beyond_the_limit_are_cut_off_and_the_others_live_on) {
  limits.connections = 2;
  gate = network_gate::open(limits);
  const auto door = bind(surface::push);
  ASSERT_TRUE(door);
  client first(surface::push, door->endpoint());
  auto second = std::make_unique<client>(surface::push, door->endpoint());
  ASSERT_TRUE(eventually([&] { return connections(surface::push) == 2; }));
  const client third(surface::push, door->endpoint());
  ASSERT_TRUE(eventually([&] { return refused(surface::push, "connections") == 1; }));
  first.send("still here");
  EXPECT_EQ(receive(*door), "still here");
  second.reset();
  ASSERT_TRUE(eventually([&] { return connections(surface::push) == 1; }));
  client fourth(surface::push, door->endpoint());
  fourth.send("room again");
  EXPECT_EQ(receive(*door), "room again");
  EXPECT_EQ(refused(surface::push, "connections"), 1u);
}

TEST_F(network_gate_test, a_frame_beyond_the_bound_ends_its_connection) {
  gate = network_gate::open(limits);
  const auto door = bind(surface::push);
  ASSERT_TRUE(door);
  client large(surface::push, door->endpoint());
  ASSERT_TRUE(eventually([&] { return connections(surface::push) == 1; }));
  large.send(std::string(frame_bytes + 1, 'x'));
  EXPECT_TRUE(eventually([&] { return connections(surface::push) == 0; }));
}

TEST_F(network_gate_test, counts_of_a_closed_surface_stay) {
  limits.connections = 1;
  gate = network_gate::open(limits);
  auto door = bind(surface::replay);
  ASSERT_TRUE(door);
  const client first(surface::replay, door->endpoint());
  ASSERT_TRUE(eventually([&] { return connections(surface::replay) == 1; }));
  const client second(surface::replay, door->endpoint());
  ASSERT_TRUE(eventually([&] { return refused(surface::replay, "connections") == 1; }));
  door.reset();
  EXPECT_EQ(refused(surface::replay, "connections"), 1u);
  EXPECT_EQ(connections(surface::replay), 0u);
}

}  // namespace
}  // namespace tocsin
