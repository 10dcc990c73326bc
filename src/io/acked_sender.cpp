// SPDX-License-Identifier: Apache-2.0
// A DEALER socket, its monitor that tells of new connections, and the requests under way.
#include "io/acked_sender.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "io/network_options.hpp"
#include "io/peer_watch.hpp"
#include "io/socket_wait.hpp"

namespace tocsin {

namespace {

using steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr const char* monitor_endpoint = "inproc://acked-sender-connections";
constexpr int reconnect_ms = 100;
constexpr int reconnect_max_ms = 2000;
/// No reply of a daemon is larger: it has at most one rejection an event.
constexpr std::int64_t reply_bytes_max = std::int64_t{64} * 1024 * 1024;

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  if (std::from_chars(text.data(), end, number).ptr != end || text.empty()) return std::nullopt;
  return number;
}

}  // namespace

struct acked_sender::connection {
  explicit connection(const acked_requests::limits& limits) : requests(limits) {}
  ~connection() {
    // Before `monitor` goes: ZeroMQ would wait for ever for somebody to read its events.
    ::zmq_socket_monitor(dealer.handle(), nullptr, 0);
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  zmq::context_t context;
  zmq::socket_t monitor{context, zmq::socket_type::pair};
  zmq::socket_t dealer{context, zmq::socket_type::dealer};
  acked_requests requests;
  listener answered;
  acked_totals totals;
  std::uint64_t answers = 0;

  [[nodiscard]] std::optional<error> open(const std::string& endpoint, duration within,
                                          const optional_identity& identity);
  /// Sends what is due and takes what has come, waiting for it until then at most. True when an
  /// answer came.
  bool step(steady::time_point until);
  void send_due();
  bool send(std::uint64_t number, const std::string& message);
  bool wait(steady::time_point until);
  bool take_answers();
  void take(const std::vector<std::string>& frames);
  void look_at_connections();
};

std::optional<error> acked_sender::connection::open(const std::string& endpoint, duration within,
                                                    const optional_identity& identity) {
  set_network_options(dealer, endpoint);
  set_identity(dealer, identity);
  // What is sent while nobody is there would wait in a queue beside the requests that are due.
  dealer.set(zmq::sockopt::immediate, 1);
  dealer.set(zmq::sockopt::linger, 0);
  dealer.set(zmq::sockopt::maxmsgsize, reply_bytes_max);
  dealer.set(zmq::sockopt::reconnect_ivl, reconnect_ms);
  dealer.set(zmq::sockopt::reconnect_ivl_max, reconnect_max_ms);
  monitor.set(zmq::sockopt::linger, 0);
  if (auto failure = connect_within(context, dealer, endpoint, within)) return failure;
  if (::zmq_socket_monitor(dealer.handle(), monitor_endpoint, ZMQ_EVENT_HANDSHAKE_SUCCEEDED) != 0) {
    return error{"unreachable", fmt::format("cannot watch the connection to {}: {}", endpoint,
                                            ::zmq_strerror(::zmq_errno()))};
  }
  monitor.connect(monitor_endpoint);
  return std::nullopt;
}

bool acked_sender::connection::step(steady::time_point until) {
  look_at_connections();
  send_due();
  if (take_answers()) return true;
  if (!wait(until)) return false;
  look_at_connections();
  send_due();
  return take_answers();
}

void acked_sender::connection::send_due() {
  std::uint64_t number = 0;
  for (;;) {
    const auto now = steady::now();
    const auto* const due = requests.next_due(now, number);
    if (due == nullptr || !send(number, due->message)) return;
    requests.sent(number, now);
  }
}

/// False when nobody is there or the connection takes no more.
bool acked_sender::connection::send(std::uint64_t number, const std::string& message) {
  const std::string id = std::to_string(number);
  for (;;) {
    try {
      if (!dealer.send(zmq::buffer(id), zmq::send_flags::dontwait | zmq::send_flags::sndmore)) {
        return false;
      }
      (void)dealer.send(zmq::buffer(message), zmq::send_flags::dontwait);
      return true;
    } catch (const zmq::error_t& failure) {
      if (failure.num() != EINTR) throw;
    }
  }
}

/// Waits for an answer, a new connection, the next moment that something is due, or a connection
/// that takes what is due. False when none of these came in time.
bool acked_sender::connection::wait(steady::time_point until) {
  const auto now = steady::now();
  const auto due = requests.next_moment();
  const bool blocked = due && *due <= now;
  if (due && !blocked) until = std::min(until, *due);
  const auto left = std::max(std::chrono::ceil<milliseconds>(until - now), milliseconds{0});
  const short events = ZMQ_POLLIN | (blocked ? ZMQ_POLLOUT : 0);
  std::array<zmq::pollitem_t, 2> items{
      {{dealer.handle(), 0, events, 0}, {monitor.handle(), 0, ZMQ_POLLIN, 0}}};
  try {
    return zmq::poll(items.data(), items.size(), left) > 0 || (due && *due <= steady::now());
  } catch (const zmq::error_t& failure) {
    if (failure.num() != EINTR) throw;
    return false;
  }
}

bool acked_sender::connection::take_answers() {
  bool any = false;
  for (;;) {
    const auto frames = read_frames(dealer);
    if (frames.empty()) return any;
    take(frames);
    any = true;
  }
}

/// What is no answer to anything is skipped: the request it may have been meant for is sent again.
void acked_sender::connection::take(const std::vector<std::string>& frames) {
  if (frames.size() != 2) return;
  const auto number = parse_number(frames[0]);
  const auto reply = decode_acked_reply(frames[1]);
  if (!number || !reply) return;
  ++answers;
  if (reply->status == acked_status::retry) ++totals.retries;
  if (!requests.answered(*number, *reply, steady::now())) return;
  ++totals.requests;
  totals.accepted += reply->accepted;
  totals.duplicate += reply->duplicate;
  totals.rejected += reply->rejected.size();
  for (const auto& each : reply->rejected) ++totals.rejected_by_code[each.code];
  if (answered) answered(*number, *reply);
}

void acked_sender::connection::look_at_connections() {
  for (;;) {
    const auto frames = read_frames(monitor);
    if (frames.empty()) return;
    std::uint16_t event = 0;
    if (frames[0].size() >= sizeof event) std::memcpy(&event, frames[0].data(), sizeof event);
    if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) requests.reconnected();
  }
}

acked_sender::acked_sender(std::unique_ptr<connection> opened) : connection_(std::move(opened)) {}
acked_sender::~acked_sender() = default;

result<std::unique_ptr<acked_sender>> acked_sender::connect(const std::string& endpoint,
                                                            listener answered,
                                                            const acked_requests::limits& limits,
                                                            duration within,
                                                            const optional_identity& identity) {
  auto opened = std::make_unique<connection>(limits);
  opened->answered = std::move(answered);
  if (auto failure = opened->open(endpoint, within, identity)) return std::move(*failure);
  return std::unique_ptr<acked_sender>{new acked_sender{std::move(opened)}};
}

std::uint64_t acked_sender::offer(std::string message, std::uint64_t events, duration patience) {
  const auto until = steady::now() + patience;
  while (!connection_->requests.room()) {
    if (!connection_->step(until) && steady::now() >= until) return 0;
  }
  const auto number = connection_->requests.add(std::move(message), events);
  connection_->send_due();
  return number;
}

bool acked_sender::settle(duration patience) {
  const auto until = steady::now() + patience;
  while (!connection_->requests.idle()) {
    if (!connection_->step(until) && steady::now() >= until) return false;
  }
  return true;
}

bool acked_sender::exchange(duration patience) {
  const auto until = steady::now() + patience;
  while (!connection_->requests.idle()) {
    if (connection_->step(until)) return true;
    if (steady::now() >= until) return false;
  }
  return false;
}

bool acked_sender::room() const noexcept {
  return connection_->requests.room();
}

std::uint64_t acked_sender::events_under_way() const noexcept {
  return connection_->requests.events();
}

acked_totals acked_sender::totals() const {
  acked_totals now = connection_->totals;
  now.resent = connection_->requests.resent();
  return now;
}

std::uint64_t acked_sender::answers() const noexcept {
  return connection_->answers;
}

}  // namespace tocsin
