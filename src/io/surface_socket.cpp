// SPDX-License-Identifier: Apache-2.0
// Sets a listening socket up, hands its door to the gate, and knocks at it.
#include "io/surface_socket.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <utility>

#include "io/gate_watch.hpp"
#include "io/network_options.hpp"
#include "io/peer_watch.hpp"

namespace tocsin {
namespace {

// libzmq 4.3 has it; its header hides the name among the drafts.
constexpr int zap_enforce_domain = 93;

/// How long a door may take to answer to its own daemon.
constexpr duration test_patience = std::chrono::seconds{10};

constexpr const char* events_endpoint = "inproc://gate-events";

/// The kind of socket that connects to one of these.
zmq::socket_type counterpart(zmq::socket_type of) {
  switch (of) {
    case zmq::socket_type::pull:
      return zmq::socket_type::push;
    case zmq::socket_type::xpub:
      return zmq::socket_type::sub;
    default:
      return zmq::socket_type::dealer;
  }
}

std::string_view property(const zmq::message_t& message, const char* name) {
  // Unlike the binding's, this does not throw where there is none.
  const char* const text = ::zmq_msg_gets(message.handle(), name);
  return text == nullptr ? std::string_view{} : std::string_view{text};
}

int descriptor_of(const zmq::message_t& message) {
  return ::zmq_msg_get(message.handle(), ZMQ_SRCFD);
}

}  // namespace

surface_socket::surface_socket(surface which, zmq::socket_type type,
                               std::shared_ptr<network_gate> gate)
    : which_(which), type_(type), gate_(std::move(gate)), socket_(context_, type) {}

surface_socket::~surface_socket() {
  close();
}

void surface_socket::close() noexcept {
  // While the gate still reads its events: libzmq would wait for ever for somebody to do so.
  if (door_) ::zmq_socket_monitor(socket_.handle(), nullptr, 0);
  socket_.close();
  if (door_) gate_->watch_->remove(door_);
  door_.reset();
}

void surface_socket::prepare(const std::string& endpoint, std::size_t frame_bytes_max) {
  set_network_options(socket_, endpoint);
  socket_.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(frame_bytes_max));
  if (!gate_) return;
  network_gate::watch& watch = *gate_->watch_;
  auto door = std::make_shared<gate_door>(which_, watch.limits);
  if (watch.curve) {
    door->questions = zmq::socket_t{context_, zmq::socket_type::rep};
    door->questions.set(zmq::sockopt::linger, 0);
    door->questions.bind(zap_endpoint);
    socket_.set(zmq::sockopt::curve_server, true);
    socket_.set(zmq::sockopt::curve_secretkey, watch.server_secret_key);
    socket_.set(zmq::sockopt::zap_domain, std::string{to_text(which_)});
    // Without this libzmq lets everybody in when there is no handler to ask.
    const int enforced = 1;
    if (::zmq_setsockopt(socket_.handle(), zap_enforce_domain, &enforced, sizeof enforced) != 0) {
      throw zmq::error_t{};
    }
  }
  if (::zmq_socket_monitor(socket_.handle(), events_endpoint, monitored_events) != 0) {
    throw zmq::error_t{};
  }
  door->monitor = zmq::socket_t{context_, zmq::socket_type::pair};
  door->monitor.set(zmq::sockopt::linger, 0);
  door->monitor.connect(events_endpoint);
  watch.add(door);
  door_ = std::move(door);
}

std::optional<error> surface_socket::bind(const std::string& endpoint,
                                          std::size_t frame_bytes_max) {
  try {
    prepare(endpoint, frame_bytes_max);
    socket_.bind(endpoint);
    endpoint_ = socket_.get(zmq::sockopt::last_endpoint);
  } catch (const zmq::error_t& failure) {
    return error{"bind_failed", fmt::format("{}: {}", endpoint, failure.what())};
  }
  if (!door_) return std::nullopt;
  door_->listens_at(endpoint_);
  if (!gate_->curve()) return std::nullopt;
  auto failure = try_the_lock();
  if (failure) close();
  return failure;
}

std::optional<error> surface_socket::try_the_lock() const {
  const network_gate::watch& watch = *gate_->watch_;
  const auto knock = [&](const curve_pair& with) {
    zmq::context_t context;
    zmq::socket_t client{context, counterpart(type_)};
    client.set(zmq::sockopt::linger, 0);
    set_network_options(client, endpoint_);
    set_identity(client, curve_identity{watch.server_public_key, with});
    return connect_within(context, client, endpoint_, test_patience);
  };
  if (!knock(watch.stranger)) {
    return error{
        "gate_open",
        fmt::format("{}: the test of its protection failed: a random key was let in", endpoint_)};
  }
  if (const auto refused = knock(watch.own)) {
    return error{"gate_open", fmt::format("{}: the test of its protection failed: a key that is "
                                          "allowed for it was not let in: {}",
                                          endpoint_, refused->message)};
  }
  return std::nullopt;
}

void surface_socket::saw(const zmq::message_t& message) {
  if (!door_ || !gate_->curve()) return;
  const std::string_view session = property(message, session_property);
  std::uint64_t number = 0;
  std::from_chars(session.data(), session.data() + session.size(), number);
  door_->identify(descriptor_of(message), number, property(message, key_property));
}

bool surface_socket::may_subscribe(const zmq::message_t& request, std::string_view prefix) {
  if (!door_) return true;
  const int descriptor = descriptor_of(request);
  // libzmq makes up requests, too, when a subscriber leaves: those come over no connection.
  return descriptor < 0 || door_->may_subscribe(descriptor, prefix);
}

void surface_socket::unsubscribed(const zmq::message_t& request, std::string_view prefix) {
  if (!door_) return;
  const int descriptor = descriptor_of(request);
  if (descriptor >= 0) door_->unsubscribed(descriptor, prefix);
}

void surface_socket::admit(zmq::socket_t& client) const {
  if (!door_ || !gate_->curve()) return;
  set_identity(client, curve_identity{gate_->watch_->server_public_key, gate_->watch_->own});
}

std::string user_of(const zmq::message_t& message) {
  return std::string{property(message, "User-Id")};
}

}  // namespace tocsin
