// SPDX-License-Identifier: Apache-2.0
// One surface as its gate sees it: the connections that are open, what each has done, whom to cut
// off. Private to src/io.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <zmq.hpp>

#include "io/network_gate.hpp"

namespace tocsin {

/// What libzmq is asked to tell of a socket (zmq_socket_monitor).
inline constexpr int monitored_events =
    ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_ACCEPT_FAILED | ZMQ_EVENT_DISCONNECTED |
    ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL;

/// Names of what a message tells of its connection, beside the user: set when it was let in.
inline constexpr const char* session_property = "X-Tocsin-Session";
inline constexpr const char* key_property = "X-Tocsin-Key";

/// The gate's thread tells it of connections, the socket's owner of messages: any thread, except
/// where it says so.
///
/// A connection is known by its file descriptor, a number that the system gives again. What a
/// message tells is believed of a connection only if its session was let in after that connection
/// was accepted: an older session with the same descriptor has ended.
class gate_door {
 public:
  gate_door(surface of, const network_limits& limits) : of_(of), limits_(limits) {}

  [[nodiscard]] surface of() const noexcept { return of_; }
  /// Where the surface listens: only descriptors bound there are ever cut off.
  void listens_at(const std::string& endpoint);

  /// `order` numbers what happens at a gate: acceptances and sessions.
  void accepted(int descriptor, std::uint64_t order);
  /// `failure`: why its handshake ended, or "".
  void ended(int descriptor, std::string_view failure);
  void refused(std::string_view reason);

  void identify(int descriptor, std::uint64_t session, std::string_view key);
  [[nodiscard]] bool may_subscribe(int descriptor, std::string_view prefix);
  void unsubscribed(int descriptor, std::string_view prefix);

  /// Cuts off all connections but those whose key is known and still allowed; says how many.
  std::size_t cut_unless(const std::function<bool(const std::string& key)>& allowed);

  void add_to(surface_counts& counts);

  // Of the gate's thread, from the moment the door is the gate's.
  zmq::socket_t questions;  ///< REP, bound to zap_endpoint; none without CURVE
  zmq::socket_t monitor;    ///< PAIR
  std::string failed;       ///< why the handshake failed whose end comes next; or ""

 private:
  struct connection {
    std::uint64_t accepted = 0;  ///< 0: not told of yet, its messages came first
    bool cut = false;
    std::string key = {};
    std::set<std::string, std::less<>> prefixes = {};
  };

  void count(std::string_view reason);
  void cut(int descriptor, connection& which, std::string_view reason);
  [[nodiscard]] bool is_ours(int descriptor) const;

  const surface of_;
  const network_limits limits_;
  std::mutex mutex_;
  std::string endpoint_;
  std::map<int, connection> open_;  ///< by descriptor
  std::size_t cut_and_open_ = 0;
  std::uint64_t subscriptions_ = 0;
  std::map<std::string, std::uint64_t, std::less<>> refused_;
};

}  // namespace tocsin
