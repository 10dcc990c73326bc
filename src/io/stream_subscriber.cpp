// SPDX-License-Identifier: Apache-2.0
// A SUB socket, the stream's frames, and the reckoning of gaps in `seq`.
#include "io/stream_subscriber.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>
#include <zmq.hpp>

#include "io/network_options.hpp"
#include "io/peer_watch.hpp"
#include "io/wake_flag.hpp"

namespace tocsin {

struct stream_subscriber::connection {
  zmq::context_t context;
  zmq::socket_t socket{context, zmq::socket_type::sub};
  wake_flag interrupted;
  bool sees_all = false;              ///< the prefix takes in every alert
  std::optional<stream_header> last;  ///< of the message before

  /// False when interrupted or out of time; true when a message can be read.
  bool wait(std::optional<duration> timeout);
  std::vector<std::string> read_frames();
  void reckon(stream_message& message);
};

namespace {

/// Says what is wrong with the frames of a message, or gives it without its gap.
result<stream_message> decode_frames(std::vector<std::string> frames) {
  if (frames.size() < 2) {
    return error{
        "malformed",
        fmt::format("stream message: {} frame, wanted topic, header and alert", frames.size())};
  }
  auto header = decode_header(frames[1]);
  if (!header) return header.failure();
  const std::size_t wanted = header->kind == "heartbeat" ? 2 : 3;
  if (frames.size() != wanted) {
    return error{"malformed", fmt::format("stream message \"{}\": {} frames, wanted {} of a {}",
                                          frames[0], frames.size(), wanted, header->kind)};
  }
  stream_message message;
  message.topic = std::move(frames[0]);
  message.header = std::move(*header);
  if (wanted == 3) message.alert = std::move(frames[2]);
  return message;
}

}  // namespace

bool stream_subscriber::connection::wait(std::optional<duration> timeout) {
  using clock = std::chrono::steady_clock;
  const auto until = clock::now() + timeout.value_or(duration::zero());
  std::array<zmq::pollitem_t, 2> items{
      {{socket.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, interrupted.descriptor(), ZMQ_POLLIN, 0}}};
  for (;;) {
    auto left = std::chrono::milliseconds{-1};
    if (timeout) {
      left = std::max(std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()),
                      std::chrono::milliseconds{0});
    }
    try {
      zmq::poll(items.data(), items.size(), left);
    } catch (const zmq::error_t& failure) {
      if (failure.num() != EINTR) throw;
      continue;
    }
    if ((items[1].revents & ZMQ_POLLIN) != 0) {
      interrupted.lower();
      return false;
    }
    if ((items[0].revents & ZMQ_POLLIN) != 0) return true;
    if (left.count() == 0) return false;
  }
}

std::vector<std::string> stream_subscriber::connection::read_frames() {
  std::vector<std::string> frames;
  zmq::message_t frame;
  do {
    // The first frame is there, and ZeroMQ gives the others with it.
    if (!socket.recv(frame, zmq::recv_flags::dontwait)) break;
    frames.push_back(frame.to_string());
  } while (frame.more());
  return frames;
}

void stream_subscriber::connection::reckon(stream_message& message) {
  const stream_header& header = message.header;
  // A heartbeat bears the number of the transition before it.
  const std::uint64_t before = header.kind == "heartbeat" ? header.seq : header.seq - 1;
  std::uint64_t seen = before;
  if (last) {
    message.restarted = last->stream != header.stream || last->epoch != header.epoch;
    seen = message.restarted ? 0 : last->seq;
  }
  if (sees_all && before > seen) message.missed = before - seen;
  last = header;
}

stream_subscriber::stream_subscriber(std::unique_ptr<connection> opened)
    : connection_(std::move(opened)) {}
stream_subscriber::~stream_subscriber() = default;

result<std::unique_ptr<stream_subscriber>> stream_subscriber::connect(const std::string& endpoint,
                                                                      const std::string& prefix,
                                                                      duration within) {
  auto opened = std::make_unique<connection>();
  zmq::socket_t& socket = opened->socket;
  opened->sees_all = std::string_view{"alert."}.starts_with(prefix);
  set_network_options(socket, endpoint);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::rcvhwm, 100'000);
  // In this order: who gets a heartbeat has the other subscription in effect too.
  socket.set(zmq::sockopt::subscribe, prefix);
  socket.set(zmq::sockopt::subscribe, "heartbeat");
  if (auto failure = connect_within(opened->context, socket, endpoint, within)) {
    return std::move(*failure);
  }
  return std::unique_ptr<stream_subscriber>{new stream_subscriber{std::move(opened)}};
}

result<std::optional<stream_message>> stream_subscriber::receive(std::optional<duration> timeout) {
  if (!connection_->wait(timeout)) return std::optional<stream_message>{};
  auto message = decode_frames(connection_->read_frames());
  if (!message) return message.failure();
  connection_->reckon(*message);
  return std::optional<stream_message>{std::move(*message)};
}

void stream_subscriber::interrupt() noexcept {
  connection_->interrupted.raise();
}

}  // namespace tocsin
