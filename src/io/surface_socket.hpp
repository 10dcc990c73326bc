// SPDX-License-Identifier: Apache-2.0
// A socket that a daemon listens on, set up the same for every surface: mechanism, limits, gate.
// Private to src/io.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <zmq.hpp>

#include "io/network_gate.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

class gate_door;

/// What CURVE adds to a frame: with it a frame of the largest size allowed still fits.
inline constexpr std::size_t curve_frame_overhead = 64;

/// Owns context and socket. Calls from one thread at a time, the one that uses the socket. Options
/// of the socket's own (high-water marks, linger) are set between the constructor and bind().
class surface_socket {
 public:
  /// Without a gate there is neither CURVE nor a limit on connections.
  surface_socket(surface which, zmq::socket_type type, std::shared_ptr<network_gate> gate);
  ~surface_socket();  ///< unbinds and closes
  surface_socket(const surface_socket&) = delete;
  surface_socket& operator=(const surface_socket&) = delete;

  [[nodiscard]] zmq::socket_t& socket() noexcept { return socket_; }
  [[nodiscard]] zmq::context_t& context() noexcept { return context_; }

  /// Binds; a frame longer than `frame_bytes_max` ends its sender's connection, also before it is
  /// authenticated. With CURVE the socket is tried before this returns: a random key must be
  /// refused, and one that the gate allows for this must get in. Errors: bind_failed,
  /// gate_open (the gate lets in whom it must not, or nobody at all): then nothing listens.
  [[nodiscard]] std::optional<error> bind(const std::string& endpoint, std::size_t frame_bytes_max);
  /// The endpoint as bound (port filled in).
  [[nodiscard]] const std::string& endpoint() const noexcept { return endpoint_; }

  /// Remembers whose connection a message came over, so that it stays when others are cut off
  /// because their keys were taken off a list. To be called now and then; free without CURVE.
  void saw(const zmq::message_t& message);
  /// A subscriber's request on the stream: false when it must not be granted; who is at its limit
  /// is cut off.
  [[nodiscard]] bool may_subscribe(const zmq::message_t& request, std::string_view prefix);
  void unsubscribed(const zmq::message_t& request, std::string_view prefix);

  /// Lets a client socket of this process in, under a key that exists only in memory.
  void admit(zmq::socket_t& client) const;

 private:
  void prepare(const std::string& endpoint, std::size_t frame_bytes_max);
  [[nodiscard]] std::optional<error> try_the_lock() const;
  void close() noexcept;

  surface which_;
  zmq::socket_type type_;
  std::shared_ptr<network_gate> gate_;
  zmq::context_t context_;
  zmq::socket_t socket_;
  std::shared_ptr<gate_door> door_;  ///< null without a gate, and before bind()
  std::string endpoint_;
};

/// The name that the sender's key has in its list (the ZAP user id); "" without CURVE. A routing id
/// identifies nobody: its sender chooses it.
[[nodiscard]] std::string user_of(const zmq::message_t& message);

}  // namespace tocsin
