// SPDX-License-Identifier: Apache-2.0
// A SUB socket, the stream's frames, and the reckoning of gaps in `seq`.
#include "io/stream_subscriber.hpp"

#include <utility>
#include <vector>
#include <zmq.hpp>

#include "io/network_options.hpp"
#include "io/peer_watch.hpp"
#include "io/socket_wait.hpp"

namespace tocsin {

struct stream_subscriber::connection {
  zmq::context_t context;
  zmq::socket_t socket{context, zmq::socket_type::sub};
  wake_flag interrupted;
  bool sees_all = false;  ///< the prefix takes in every alert
  std::string prefix;
  optional_identity identity;
  std::optional<stream_position> last;  ///< how far everything has come

  /// Says what is missing before the message. False when it has come before.
  bool reckon(stream_message& message);
};

bool stream_subscriber::connection::reckon(stream_message& message) {
  const stream_header& header = message.header;
  const bool heartbeat = header.kind == "heartbeat";
  // A heartbeat bears the number of the transition before it.
  const std::uint64_t before = heartbeat ? header.seq : header.seq - 1;
  const stream_position now{header.stream, header.epoch, header.seq};
  std::uint64_t seen = before;
  if (last) {
    message.restarted = last->stream != now.stream || last->epoch != now.epoch;
    seen = message.restarted ? 0 : last->seq;
    // fetch() is ahead of what still waits in the socket.
    if (!message.restarted && now.seq <= last->seq) return heartbeat;
  }
  if (sees_all && before > seen) message.missed = before - seen;
  last = now;
  return true;
}

stream_subscriber::stream_subscriber(std::unique_ptr<connection> opened)
    : connection_(std::move(opened)) {}
stream_subscriber::~stream_subscriber() = default;

result<std::unique_ptr<stream_subscriber>> stream_subscriber::connect(
    const std::string& endpoint, const std::string& prefix, duration within,
    const optional_identity& identity) {
  auto opened = std::make_unique<connection>();
  zmq::socket_t& socket = opened->socket;
  opened->prefix = prefix;
  opened->sees_all = std::string_view{"alert."}.starts_with(prefix);
  set_network_options(socket, endpoint);
  set_identity(socket, identity);
  opened->identity = identity;
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
  for (;;) {
    if (wait_readable(connection_->socket, connection_->interrupted, timeout) != waited::readable) {
      return std::optional<stream_message>{};
    }
    auto message = decode_stream_message(read_frames(connection_->socket));
    if (!message) return message.failure();
    if (connection_->reckon(*message)) return std::optional<stream_message>{std::move(*message)};
  }
}

result<replay_answer> stream_subscriber::fetch(const std::string& replay_endpoint,
                                               std::uint64_t since,
                                               std::optional<std::uint64_t> epoch,
                                               duration within) {
  auto answer = ask_replay(replay_endpoint, {since, connection_->prefix, epoch},
                           connection_->interrupted, within, connection_->identity);
  if (!answer) return answer;
  if (answer->snapshot && epoch == answer->snapshot->epoch) {
    std::erase_if(answer->messages,
                  [&](const stream_message& each) { return each.header.seq <= since; });
  }
  connection_->last = answer->through;
  return answer;
}

void stream_subscriber::interrupt() noexcept {
  connection_->interrupted.raise();
}

}  // namespace tocsin
