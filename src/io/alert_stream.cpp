// SPDX-License-Identifier: Apache-2.0
// The XPUB socket of the alert stream and its numbering.
#include "io/alert_stream.hpp"

#include <fmt/format.h>

#include <cassert>
#include <chrono>
#include <cstdint>
#include <random>
#include <utility>
#include <zmq.hpp>

#include "io/alert_codec.hpp"
#include "io/surface_socket.hpp"

namespace tocsin {

namespace {

/// A subscriber that is this many messages behind loses the next ones.
constexpr int messages_waiting_max = 100'000;
/// Longer subscriptions are ignored.
constexpr std::size_t prefix_bytes_max = 256;
/// A peer that sends anything longer is cut off before memory is spent on it; the longest handshake
/// stays below.
constexpr std::size_t message_bytes_max = 1024;
/// Requests read before alerts go on: those of a peer that floods the socket wait.
constexpr int requests_max = 10'000;
/// Requests of one peer that wait to be read, and bytes of them that the system holds. libzmq
/// spends memory on a request before it gives it out, so a peer that is cut off for asking too much
/// must have little more on the way.
constexpr int requests_waiting_max = 100;
constexpr int receive_buffer_bytes = 16 * 1024;

std::string random_name() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

std::uint64_t unix_ms_now() {
  const auto now = std::chrono::floor<duration>(std::chrono::system_clock::now());
  return static_cast<std::uint64_t>(to_unix_ms(now));
}

}  // namespace

struct alert_stream::socket {
  explicit socket(std::shared_ptr<network_gate> gate)
      : door{surface::stream, zmq::socket_type::xpub, std::move(gate)} {}

  surface_socket door;
  zmq::socket_t& xpub = door.socket();
  stream_position at;                       ///< of the last transition
  std::shared_ptr<stream_history> history;  ///< may be null
  bool ever_subscribed = false;

  [[nodiscard]] std::optional<error> open(const std::string& wanted) {
    xpub.set(zmq::sockopt::linger, 200);
    xpub.set(zmq::sockopt::sndhwm, messages_waiting_max);
    xpub.set(zmq::sockopt::rcvhwm, requests_waiting_max);
    xpub.set(zmq::sockopt::rcvbuf, receive_buffer_bytes);
    // Subscriptions take effect when take_subscriptions() says so, and their ends are told, too.
    xpub.set(zmq::sockopt::xpub_manual, 1);
    return door.bind(wanted, message_bytes_max);
  }

  void take_subscriptions() {
    zmq::message_t request;
    for (int count = 0; count < requests_max; ++count) {
      if (!xpub.recv(request, zmq::recv_flags::dontwait)) return;
      take(request);
    }
  }

  void take(const zmq::message_t& request) {
    const std::string_view bytes = request.to_string_view();
    if (bytes.empty()) return;
    const std::string_view prefix = bytes.substr(1);
    door.saw(request);
    // libzmq keeps every prefix that a peer asks for, those that are not granted as well.
    if (bytes[0] == 1 && door.may_subscribe(request, prefix) && prefix.size() <= prefix_bytes_max) {
      xpub.set(zmq::sockopt::subscribe, prefix);
      ever_subscribed = true;
    }
    if (bytes[0] == 0) {
      door.unsubscribed(request, prefix);
      if (prefix.size() <= prefix_bytes_max) xpub.set(zmq::sockopt::unsubscribe, prefix);
    }
  }

  void send(std::string_view frame, zmq::send_flags more) {
    // XPUB never makes the sender wait: for a full subscriber it drops the whole message.
    xpub.send(zmq::buffer(frame), more | zmq::send_flags::dontwait);
  }
};

alert_stream::alert_stream(std::unique_ptr<socket> opened) : socket_(std::move(opened)) {}
alert_stream::~alert_stream() = default;

result<std::shared_ptr<alert_stream>> alert_stream::bind(const std::string& endpoint,
                                                         std::shared_ptr<stream_history> history,
                                                         std::optional<stream_position> from,
                                                         std::shared_ptr<network_gate> gate) {
  auto opened = std::make_unique<socket>(std::move(gate));
  opened->history = std::move(history);
  if (const auto failure = opened->open(endpoint)) {
    return error{failure->code, "cannot publish alerts on " + failure->message};
  }
  opened->at = from ? std::move(*from) : stream_position{random_name(), unix_ms_now(), 0};
  if (opened->history) opened->history->begin(opened->at);
  return std::shared_ptr<alert_stream>{new alert_stream{std::move(opened)}};
}

void alert_stream::begin(std::uint64_t seq, std::span<const transition> active) {
  if (seq == 0) return;
  socket_->at.seq = seq;
  if (socket_->history) socket_->history->begin(socket_->at, {active.begin(), active.end()});
}

void alert_stream::publish(std::span<const transition> transitions) {
  socket_->take_subscriptions();
  for (const transition& each : transitions) {
    ++socket_->at.seq;
    assert(each->seq == 0 || each->seq == socket_->at.seq);
    // Recorded first: who sees a number on the stream can have it replayed.
    if (socket_->history) socket_->history->record(each);
    if (!socket_->ever_subscribed) continue;  // nobody to make the frames for
    const sent message = message_of(socket_->at, socket_->at.seq, *each);
    socket_->send(message->topic, zmq::send_flags::sndmore);
    socket_->send(message->header, zmq::send_flags::sndmore);
    socket_->send(message->alert, zmq::send_flags::none);
  }
}

void alert_stream::heartbeat() {
  socket_->take_subscriptions();
  const stream_position& at = socket_->at;
  socket_->send("heartbeat", zmq::send_flags::sndmore);
  socket_->send(encode_header({at.stream, at.epoch, at.seq, "heartbeat"}), zmq::send_flags::none);
}

const std::string& alert_stream::endpoint() const noexcept {
  return socket_->door.endpoint();
}

}  // namespace tocsin
