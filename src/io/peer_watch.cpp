// SPDX-License-Identifier: Apache-2.0
// Connects a socket and follows its monitor until the handshake has succeeded, failed or taken too
// long.
#include "io/peer_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace tocsin {

namespace {

/// A peer of the wrong kind may also hang up without any of the first three.
constexpr int handshake_failures = ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                                   ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                                   ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_DISCONNECTED;
constexpr int watched = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | handshake_failures;

/// Ends the socket's monitoring on every way out.
struct monitoring {
  zmq::socket_t& socket;
  ~monitoring() { ::zmq_socket_monitor(socket.handle(), nullptr, 0); }
};

/// The next event's number; 0 when none comes in time, or a signal does.
int next_event(zmq::socket_t& monitor, std::chrono::milliseconds wait) {
  zmq::pollitem_t item{monitor.handle(), 0, ZMQ_POLLIN, 0};
  try {
    if (zmq::poll(&item, 1, wait) == 0) return 0;
  } catch (const zmq::error_t& failure) {
    if (failure.num() != EINTR) throw;
    return 0;
  }
  zmq::message_t number, address;
  if (!monitor.recv(number) || !monitor.recv(address)) return 0;
  std::uint16_t event = 0;
  if (number.size() >= sizeof event) std::memcpy(&event, number.data(), sizeof event);
  return event;
}

}  // namespace

std::optional<error> connect_within(zmq::context_t& context, zmq::socket_t& socket,
                                    const std::string& endpoint, duration within) {
  try {
    zmq::socket_t monitor{context, zmq::socket_type::pair};
    monitor.set(zmq::sockopt::linger, 0);
    const std::string events = "inproc://peer-watch";
    if (::zmq_socket_monitor(socket.handle(), events.c_str(), watched) != 0) {
      return error{"unreachable", fmt::format("cannot watch the connection to {}: {}", endpoint,
                                              ::zmq_strerror(::zmq_errno()))};
    }
    // Destroyed before `monitor`: ZeroMQ would wait for ever for somebody to read its events.
    const monitoring until_return{socket};
    monitor.connect(events);
    socket.connect(endpoint);
    bool connected = false;
    const auto until = std::chrono::steady_clock::now() + within;
    for (;;) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      const int event = next_event(monitor, std::max(left, std::chrono::milliseconds{0}));
      if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) return std::nullopt;
      if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
        return error{"refused", fmt::format("{} lets nobody in with this key", endpoint)};
      }
      if ((event & handshake_failures) != 0) {
        return error{
            "wrong_peer",
            fmt::format("what answers at {} is not the ZeroMQ socket wanted, or one of you "
                        "wants a key that the other does not have",
                        endpoint)};
      }
      connected = connected || event == ZMQ_EVENT_CONNECTED;
      // What happened in time counts, even when this thread got to see it only afterwards.
      if (event != 0 || left.count() > 0) continue;
      if (connected) {
        return error{"wrong_peer", fmt::format("what answers at {} has not shaken hands as a "
                                               "ZeroMQ socket (waited {})",
                                               endpoint, format_duration(within))};
      }
      return error{"unreachable", fmt::format("nobody answers at {} (waited {})", endpoint,
                                              format_duration(within))};
    }
  } catch (const zmq::error_t& failure) {
    return error{"bad_endpoint", fmt::format("cannot connect to {}: {} (wanted e.g. "
                                             "tcp://127.0.0.1:5555)",
                                             endpoint, failure.what())};
  }
}

}  // namespace tocsin
