// SPDX-License-Identifier: Apache-2.0
// What all ZeroMQ sockets of tocsin have in common. Private to src/io.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "io/curve_client.hpp"

namespace tocsin {

/// Sets up a socket that will bind or connect to `endpoint`.
inline void set_network_options(zmq::socket_t& socket, const std::string& endpoint) {
  // Only for IPv6 literals: with it ZeroMQ looks up "localhost" as ::1 and nothing else, and
  // reports 127.0.0.1 as ::ffff:127.0.0.1.
  socket.set(zmq::sockopt::ipv6, endpoint.find('[') != std::string::npos);
  // Who connects and then says nothing is cut off (ms).
  socket.set(zmq::sockopt::handshake_ivl, 3000);
  // A peer that vanished without a word is noticed after about 90 s (seconds).
  socket.set(zmq::sockopt::tcp_keepalive, 1);
  socket.set(zmq::sockopt::tcp_keepalive_idle, 60);
  socket.set(zmq::sockopt::tcp_keepalive_intvl, 10);
  socket.set(zmq::sockopt::tcp_keepalive_cnt, 3);
}

/// How many messages of at most `message_bytes` a sender's connection may hold inside ZeroMQ, which
/// counts messages and not bytes, before the sender is pushed back: 64 MiB of them, 16 to 1,000.
[[nodiscard]] inline int messages_waiting(std::size_t message_bytes) {
  constexpr std::size_t bytes_waiting = std::size_t{64} << 20U;
  return static_cast<int>(
      std::clamp<std::size_t>(bytes_waiting / std::max<std::size_t>(message_bytes, 1), 16, 1000));
}

/// Bytes of messages that are handed over together: a burst ends with the one that reaches it.
inline constexpr std::size_t burst_bytes_max = std::size_t{256} * 1024;

/// The parts of a burst whose memory its views point into. ZeroMQ keeps short messages inside the
/// message itself, so the vector must not grow once views are taken.
using message_store = std::vector<zmq::message_t>;

/// Makes a connecting socket prove itself, and insist on the daemon's key.
inline void set_identity(zmq::socket_t& socket, const optional_identity& identity) {
  if (!identity) return;
  socket.set(zmq::sockopt::curve_serverkey, identity->server_key);
  socket.set(zmq::sockopt::curve_publickey, identity->own.public_key);
  socket.set(zmq::sockopt::curve_secretkey, identity->own.secret_key);
}

}  // namespace tocsin
