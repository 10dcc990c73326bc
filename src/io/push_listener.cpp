// SPDX-License-Identifier: Apache-2.0
// The thread that owns the PULL socket.
#include "io/push_listener.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <zmq.hpp>

#include "io/announced_events.hpp"
#include "io/network_options.hpp"
#include "io/peer_watch.hpp"
#include "io/surface_socket.hpp"
#include "io/wake_flag.hpp"

namespace tocsin {

namespace {

using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

/// A burst ends at whichever comes first, of these and burst_bytes_max.
constexpr std::size_t burst_messages_max = 256;
constexpr std::size_t burst_events_max = 8192;

/// When stopping: how long after the last message nothing more is expected, how long reading goes
/// on at most, and how long a full receiver is waited for in all.
constexpr milliseconds quiet{100};
constexpr milliseconds drain_max{1000};
constexpr milliseconds handover_max{5000};

}  // namespace

struct push_listener::thread_state {
  explicit thread_state(std::shared_ptr<network_gate> gate)
      : door{surface::push, zmq::socket_type::pull, std::move(gate)} {}

  surface_socket door;
  zmq::socket_t& pull = door.socket();
  wake_flag wake;  ///< raised for stop and for room
  std::atomic<bool> stopping{false};
  std::atomic<std::uint64_t> abandoned{0};
  receiver take;
  std::shared_ptr<message_store> store;  ///< of the next burst, empty between receive() calls
  milliseconds patience{handover_max};   ///< what is left of it once stopping
  std::mutex joining;
  std::thread thread;

  [[nodiscard]] std::optional<error> open(const std::string& at, std::size_t message_bytes);
  bool wait(bool for_messages, milliseconds at_most);
  bool all_is_here(milliseconds at_most);
  burst receive();
  bool hand_over(burst& messages);
  void run();
  void drain();
  void abandon_the_rest();
};

std::optional<error> push_listener::thread_state::open(const std::string& at,
                                                       std::size_t message_bytes) {
  pull.set(zmq::sockopt::linger, 0);
  pull.set(zmq::sockopt::rcvhwm, messages_waiting(message_bytes));
  return door.bind(at, 2 * message_bytes);
}

/// Waits until woken, until a message can be read (if asked for), or the time is over (-1: none).
/// True when a message can be read.
bool push_listener::thread_state::wait(bool for_messages, milliseconds at_most) {
  std::array<zmq::pollitem_t, 2> items{
      {{nullptr, wake.descriptor(), ZMQ_POLLIN, 0}, {pull.handle(), 0, ZMQ_POLLIN, 0}}};
  try {
    zmq::poll(items.data(), for_messages ? 2 : 1, at_most);
  } catch (const zmq::error_t& failure) {
    if (failure.num() != EINTR) throw;
    return false;
  }
  if ((items[0].revents & ZMQ_POLLIN) != 0) wake.lower();
  return for_messages && (items[1].revents & ZMQ_POLLIN) != 0;
}

/// What can be read now, up to a burst; no messages when there are none. Of a multipart message
/// each part is a message.
burst push_listener::thread_state::receive() {
  if (!store) {
    store = std::make_shared<message_store>();
    store->reserve(burst_messages_max);
  }
  std::size_t bytes = 0;
  std::size_t events = 0;
  while (store->size() < burst_messages_max && bytes < burst_bytes_max &&
         events < burst_events_max) {
    zmq::message_t next;
    try {
      if (!pull.recv(next, zmq::recv_flags::dontwait)) break;
    } catch (const zmq::error_t& failure) {
      if (failure.num() != EINTR) throw;
      continue;
    }
    bytes += next.size();
    events += announced_events(next.to_string_view());
    store->push_back(std::move(next));
  }
  burst read;
  if (store->empty()) return read;
  // One a burst: those who send much are soon known.
  door.saw(store->front());
  read.messages.reserve(store->size());
  for (const zmq::message_t& message : *store) read.messages.push_back(message.to_string_view());
  read.owner = std::move(store);
  return read;
}

/// Offers the burst until it is taken. False when the listener stops and the receiver stays full.
bool push_listener::thread_state::hand_over(burst& messages) {
  const std::size_t count = messages.messages.size();
  while (!take(messages)) {
    if (!stopping) {
      wait(false, milliseconds{-1});
      continue;
    }
    if (patience.count() <= 0) {
      abandoned += count;
      return false;
    }
    const auto began = steady::now();
    wait(false, patience);
    patience -= std::chrono::ceil<milliseconds>(steady::now() - began);
  }
  return true;
}

void push_listener::thread_state::run() {
  ::pthread_setname_np(::pthread_self(), "push_listener");
  while (!stopping) {
    burst messages = receive();
    if (messages.messages.empty()) {
      wait(true, milliseconds{-1});
    } else if (!hand_over(messages)) {
      break;
    }
  }
  drain();
  abandon_the_rest();
}

/// Shakes hands with ourselves: that takes ZeroMQ's thread, however busy the machine, through
/// several rounds of reading from all connections. True when no message came of it.
bool push_listener::thread_state::all_is_here(milliseconds at_most) {
  zmq::socket_t probe{door.context(), zmq::socket_type::push};
  probe.set(zmq::sockopt::linger, 0);
  set_network_options(probe, door.endpoint());
  door.admit(probe);
  (void)connect_within(door.context(), probe, door.endpoint(), at_most);
  return !wait(true, milliseconds{0});
}

/// Reads what has reached this machine before the stop, for ZeroMQ's own thread may still be
/// reading it from the network. The endpoint stays bound: unbinding ends its connections at once,
/// with what they still hold. Time that a full receiver takes does not count as reading time.
void push_listener::thread_state::drain() {
  if (abandoned > 0) return;
  auto until = steady::now() + drain_max;
  auto quiet_until = steady::now() + quiet;
  while (steady::now() < until) {
    burst messages = receive();
    if (!messages.messages.empty()) {
      const milliseconds before = patience;
      if (!hand_over(messages)) return;
      until += before - patience;
      quiet_until = steady::now() + quiet;
      continue;
    }
    const auto left = std::chrono::ceil<milliseconds>(quiet_until - steady::now());
    if (left.count() > 0) {
      wait(true, left);
    } else if (all_is_here(drain_max)) {
      return;
    }
  }
}

/// Counts what was read from the network in time and nobody takes; nothing after a whole drain.
void push_listener::thread_state::abandon_the_rest() {
  const auto until = steady::now() + quiet;
  while (steady::now() < until) {
    const burst rest = receive();
    if (rest.messages.empty()) return;
    abandoned += rest.messages.size();
  }
}

push_listener::push_listener(std::unique_ptr<thread_state> started) : state_(std::move(started)) {}
push_listener::~push_listener() {
  stop();
}

result<std::unique_ptr<push_listener>> push_listener::start(const std::string& endpoint,
                                                            std::size_t message_bytes,
                                                            receiver take,
                                                            std::shared_ptr<network_gate> gate) {
  auto started = std::make_unique<thread_state>(std::move(gate));
  started->take = std::move(take);
  if (const auto failure = started->open(endpoint, message_bytes)) {
    return error{failure->code, "cannot listen for events on " + failure->message};
  }
  started->thread = std::thread{[state = started.get()] { state->run(); }};
  return std::unique_ptr<push_listener>{new push_listener{std::move(started)}};
}

void push_listener::room() {
  state_->wake.raise();
}

void push_listener::stop() {
  state_->stopping = true;
  state_->wake.raise();
  const std::lock_guard one_at_a_time{state_->joining};
  if (state_->thread.joinable()) state_->thread.join();
}

std::uint64_t push_listener::abandoned() const noexcept {
  return state_->abandoned;
}

const std::string& push_listener::endpoint() const noexcept {
  return state_->door.endpoint();
}

}  // namespace tocsin
