// SPDX-License-Identifier: Apache-2.0
// A PUSH socket that queues only for a live peer, and flushes when it closes.
#include "io/event_sender.hpp"

#include <cassert>
#include <chrono>
#include <zmq.hpp>

#include "io/network_options.hpp"
#include "io/peer_watch.hpp"

namespace tocsin {

struct event_sender::connection {
  zmq::context_t context;
  zmq::socket_t socket{context, zmq::socket_type::push};
  int timeout_ms = -1;
  std::uint64_t messages = 0;
  bool open = true;
  bool flushed = false;
};

event_sender::event_sender(std::unique_ptr<connection> opened) : connection_(std::move(opened)) {}
event_sender::~event_sender() {
  close();
}

result<std::unique_ptr<event_sender>> event_sender::connect(const std::string& endpoint,
                                                            duration within,
                                                            const optional_identity& identity) {
  auto opened = std::make_unique<connection>();
  zmq::socket_t& socket = opened->socket;
  set_network_options(socket, endpoint);
  set_identity(socket, identity);
  // Queue only for a peer that is there, so that an absent daemon is felt as waiting.
  socket.set(zmq::sockopt::immediate, 1);
  socket.set(zmq::sockopt::linger, 0);
  if (auto failure = connect_within(opened->context, socket, endpoint, within)) {
    return std::move(*failure);
  }
  return std::unique_ptr<event_sender>{new event_sender{std::move(opened)}};
}

bool event_sender::send(std::string_view message, std::optional<duration> timeout) {
  assert(connection_->open);
  const int timeout_ms = timeout ? static_cast<int>(timeout->count()) : -1;
  if (timeout_ms != connection_->timeout_ms) {
    connection_->socket.set(zmq::sockopt::sndtimeo, timeout_ms);
    connection_->timeout_ms = timeout_ms;
  }
  for (;;) {
    try {
      if (!connection_->socket.send(zmq::buffer(message))) return false;
      ++connection_->messages;
      return true;
    } catch (const zmq::error_t& failure) {
      if (failure.num() != EINTR) throw;
    }
  }
}

std::uint64_t event_sender::messages() const noexcept {
  return connection_->messages;
}

bool event_sender::close(duration linger) {
  if (!connection_->open) return connection_->flushed;
  connection_->open = false;
  connection_->socket.set(zmq::sockopt::linger, static_cast<int>(linger.count()));
  const auto began = std::chrono::steady_clock::now();
  connection_->socket.close();
  connection_->context.close();  // returns when all is sent or the linger time is over
  connection_->flushed = std::chrono::steady_clock::now() - began < linger;
  return connection_->flushed;
}

}  // namespace tocsin
