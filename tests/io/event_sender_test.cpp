// SPDX-License-Identifier: Apache-2.0
// The sending side over real sockets: who answers, being pushed back, flushing.
#include "io/event_sender.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <zmq.hpp>

#include "io/alert_stream.hpp"
#include "support/scratch_socket.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

constexpr duration patience = 20s;

/// A daemon that reads only when told to.
struct slow_reader {
  slow_reader() {
    socket.set(zmq::sockopt::rcvhwm, 1);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::rcvtimeo, static_cast<int>(patience.count()));
    // Not ipc: of a sender that closes, ZeroMQ then drops what a full receiver has not read yet.
    socket.bind("tcp://127.0.0.1:*");
    endpoint = socket.get(zmq::sockopt::last_endpoint);
  }
  bool read(std::string& into) {
    zmq::message_t message;
    if (!socket.recv(message)) return false;
    into = message.to_string();
    return true;
  }

  zmq::context_t context;
  zmq::socket_t socket{context, zmq::socket_type::pull};
  std::string endpoint;
};

TEST(event_sender, nobody_at_the_endpoint_is_said_in_time) {
  const testing::scratch_socket nobody;
  const auto made = event_sender::connect(nobody.endpoint(), 50ms);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.failure().code, "unreachable");
  EXPECT_EQ(made.failure().message, "nobody answers at " + nobody.endpoint() + " (waited 50ms)");
}

TEST(event_sender, a_text_that_is_no_endpoint_is_said_so) {
  const auto made = event_sender::connect("localhost", 50ms);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.failure().code, "bad_endpoint");
  EXPECT_NE(made.failure().message.find("localhost"), std::string::npos);
}

TEST(event_sender, a_socket_of_another_kind_is_the_wrong_peer) {
  const auto stream = alert_stream::bind("tcp://127.0.0.1:*");
  ASSERT_TRUE(stream);
  const auto made = event_sender::connect((*stream)->endpoint(), patience);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.failure().code, "wrong_peer") << made.failure().message;
}

TEST(event_sender, somebody_who_accepts_and_says_nothing_is_the_wrong_peer) {
  const int silent = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(silent, generic, size), 0);
  ASSERT_EQ(::listen(silent, 1), 0);
  ASSERT_EQ(::getsockname(silent, generic, &size), 0);
  const auto made =
      event_sender::connect("tcp://127.0.0.1:" + std::to_string(ntohs(address.sin_port)), 300ms);
  ::close(silent);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.failure().code, "wrong_peer") << made.failure().message;
}

TEST(event_sender, it_waits_while_pushed_back_and_loses_nothing_at_the_close) {
  slow_reader reader;
  auto made = event_sender::connect(reader.endpoint, patience);
  ASSERT_TRUE(made) << made.failure().message;
  event_sender& sender = **made;
  const std::string filler(4096, 'x');
  std::uint64_t sent = 0;
  while (sender.send(std::to_string(sent) + filler, 20ms)) ASSERT_LT(++sent, 1'000'000u);
  EXPECT_EQ(sender.messages(), sent);
  auto closed = std::async(std::launch::async, [&] { return sender.close(patience); });
  std::string message;
  for (std::uint64_t i = 0; i < sent; ++i) {
    ASSERT_TRUE(reader.read(message)) << "only " << i << " of " << sent;
    ASSERT_EQ(message, std::to_string(i) + filler);
  }
  EXPECT_TRUE(closed.get());
}

TEST(event_sender, a_send_that_waits_goes_on_when_the_daemon_reads_again) {
  slow_reader reader;
  auto made = event_sender::connect(reader.endpoint, patience);
  ASSERT_TRUE(made) << made.failure().message;
  const std::string filler(4096, 'x');
  while ((*made)->send(filler, 20ms)) ASSERT_LT((*made)->messages(), 1'000'000u);
  auto waiting = std::async(std::launch::async, [&] { return (*made)->send("last"); });
  std::string message;
  while (message != "last") ASSERT_TRUE(reader.read(message));
  EXPECT_TRUE(waiting.get());
}

TEST(event_sender, a_close_that_cannot_flush_in_time_says_so) {
  slow_reader reader;
  auto made = event_sender::connect(reader.endpoint, patience);
  ASSERT_TRUE(made) << made.failure().message;
  // ZeroMQ holds 1,000 messages back: far more bytes than the system's buffers take in later on.
  const std::string filler(128 * 1024, 'x');
  while ((*made)->send(filler, 20ms)) ASSERT_LT((*made)->messages(), 1'000'000u);
  EXPECT_FALSE((*made)->close(20ms));
  EXPECT_FALSE((*made)->close(patience)) << "closing again gives the same answer";
}

}  // namespace
}  // namespace tocsin
