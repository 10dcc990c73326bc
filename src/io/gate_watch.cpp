// SPDX-License-Identifier: Apache-2.0
// What the gate's thread does in turns: events first, then questions, then files.
#include "io/gate_watch.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

namespace tocsin {
namespace {

using doors_t = std::vector<std::shared_ptr<gate_door>>;

/// Questions of a door answered before it is the next one's turn.
constexpr int answers_max = 100;
/// After a turn that failed, so that a lasting failure takes no whole core.
constexpr std::chrono::milliseconds after_failure{100};

/// The next frame, or false when there is none.
bool receive(zmq::socket_t& from, zmq::message_t& into) {
  for (;;) {
    try {
      return from.recv(into, zmq::recv_flags::dontwait).has_value();
    } catch (const zmq::error_t& failure) {
      if (failure.num() != EINTR) throw;
    }
  }
}

}  // namespace

network_gate::watch::watch(const network_limits& with, std::optional<curve_access> who,
                           gate_options options)
    : limits(with),
      curve(who.has_value()),
      own(curve ? make_curve_pair() : curve_pair{}),
      stranger(curve ? make_curve_pair() : curve_pair{}),
      server_public_key(curve ? who->server.public_key : ""),
      server_secret_key(curve ? who->server.secret_key : ""),
      options_(std::move(options)),
      access_(std::move(who)),
      next_look_(steady::now() + options_.look_interval) {
  if (access_) {
    for (const curve_role role : all_roles) {
      const auto& list = access_->lists[static_cast<std::size_t>(role)];
      if (!list.path.empty()) files_[role].tried = list.stamp;
    }
  }
  thread_ = std::thread{[this] { run(); }};
}

network_gate::watch::~watch() {
  {
    const std::scoped_lock lock(mutex);
    stopping_ = true;
  }
  wake_.raise();
  changed_.notify_all();
  thread_.join();
}

void network_gate::watch::add(std::shared_ptr<gate_door> door) {
  {
    const std::scoped_lock lock(mutex);
    doors.push_back(std::move(door));
  }
  wake_.raise();
}

void network_gate::watch::remove(const std::shared_ptr<gate_door>& door) {
  std::unique_lock lock(mutex);
  leaving.push_back(door);
  wake_.raise();
  changed_.wait(lock,
                [&] { return std::find(leaving.begin(), leaving.end(), door) == leaving.end(); });
}

void network_gate::watch::run() {
  ::pthread_setname_np(::pthread_self(), "network_gate");
  std::unique_lock lock(mutex);
  while (!stopping_) {
    lock.unlock();
    std::string failed;
    try {
      turn();
    } catch (const std::exception& failure) {
      failed = failure.what();
    }
    if (!failed.empty()) tell(true, "security: the gate could not do its work: " + failed);
    lock.lock();
    if (!failed.empty()) changed_.wait_for(lock, after_failure, [this] { return stopping_; });
  }
}

void network_gate::watch::turn() {
  doors_t open;
  doors_t gone;
  {
    const std::scoped_lock lock(mutex);
    for (const auto& each : leaving) std::erase(doors, each);
    gone = leaving;
    open = doors;
  }
  if (!gone.empty()) let_go(gone);
  if (wait(open)) {
    for (const auto& door : open) {
      read_events(*door);
      if (!door->questions) continue;
      const auto answer = [&](const zap_request& request) {
        // Whoever asks was accepted before: that comes first in the books.
        read_events(*door);
        return judge(*door, request);
      };
      for (int count = 0; count < answers_max && answer_zap(door->questions, answer); ++count) {
      }
    }
  }
  if (access_ && steady::now() >= next_look_) look_at_lists();
}

void network_gate::watch::let_go(const doors_t& gone) {
  for (const auto& door : gone) {
    door->questions.close();
    door->monitor.close();
  }
  const std::scoped_lock lock(mutex);
  for (const auto& door : gone) {
    surface_counts last;
    door->add_to(last);
    surface_counts& sum = past[door->of()];
    for (const auto& [reason, number] : last.refused) sum.refused[reason] += number;
    std::erase(leaving, door);
  }
  changed_.notify_all();
}

/// True when some door may have something; false when the time for a look has come, or doors have.
bool network_gate::watch::wait(const doors_t& open) {
  std::vector<zmq::pollitem_t> items{{nullptr, wake_.descriptor(), ZMQ_POLLIN, 0}};
  for (const auto& door : open) {
    items.push_back({door->monitor.handle(), 0, ZMQ_POLLIN, 0});
    if (door->questions) items.push_back({door->questions.handle(), 0, ZMQ_POLLIN, 0});
  }
  auto at_most = std::chrono::milliseconds{-1};
  if (access_) {
    at_most = std::max(std::chrono::ceil<std::chrono::milliseconds>(next_look_ - steady::now()),
                       std::chrono::milliseconds{0});
  }
  try {
    zmq::poll(items.data(), items.size(), at_most);
  } catch (const zmq::error_t& failure) {
    if (failure.num() != EINTR) throw;
    return false;
  }
  if ((items.front().revents & ZMQ_POLLIN) != 0) wake_.lower();
  return std::any_of(items.begin() + 1, items.end(),
                     [](const zmq::pollitem_t& each) { return each.revents != 0; });
}

void network_gate::watch::read_events(gate_door& door) {
  zmq::message_t event;
  while (receive(door.monitor, event)) {
    // A 16-bit event and a 32-bit value, then the endpoint (zmq_socket_monitor).
    std::uint16_t number = 0;
    std::int32_t value = 0;
    if (event.size() >= sizeof number + sizeof value) {
      const auto* const bytes = static_cast<const char*>(event.data());
      std::memcpy(&number, bytes, sizeof number);
      std::memcpy(&value, bytes + sizeof number, sizeof value);
    }
    zmq::message_t endpoint;
    if (event.more()) (void)receive(door.monitor, endpoint);
    take_event(door, number, value);
  }
}

void network_gate::watch::take_event(gate_door& door, int event, int value) {
  switch (event) {
    case ZMQ_EVENT_ACCEPTED:
      return door.accepted(value, ++order_);
    case ZMQ_EVENT_ACCEPT_FAILED:
      return door.refused("accept");
    // libzmq tells of these right before the connection's end, and does not tell whose they are.
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
      door.failed = "protocol";
      return;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
      if (door.failed.empty()) door.failed = "handshake";
      return;
    case ZMQ_EVENT_DISCONNECTED:
      return door.ended(value, std::exchange(door.failed, {}));
    default:
      return;
  }
}

std::optional<std::string> network_gate::watch::user(surface which, const std::string& key) const {
  if (options_.judge) return options_.judge(which, key);
  if (key == own.public_key) return "";
  return access_->user(which, key);
}

std::optional<zap_welcome> network_gate::watch::judge(gate_door& door, const zap_request& request) {
  if (auto name = user(door.of(), request.public_key)) {
    return zap_welcome{
        std::move(*name),
        {{session_property, std::to_string(++order_)}, {key_property, request.public_key}}};
  }
  if (request.public_key != stranger.public_key) {
    door.refused(access_->knows(request.public_key) ? "wrong_role" : "unknown_key");
  }
  return std::nullopt;
}

void network_gate::watch::look_at_lists() {
  for (const auto& each : files_) look_at(each.first);
  next_look_ = steady::now() + options_.look_interval;
}

/// A content is tried when the file has looked the same at two looks: one that is still being
/// written is left alone.
void network_gate::watch::look_at(curve_role role) {
  watched_list& file = files_[role];
  const auto& list = access_->lists[static_cast<std::size_t>(role)];
  const auto now = stamp_of(list.path);
  if (now == file.tried) {
    file.changing.reset();
    return;
  }
  if (!file.changing || *file.changing != now) {
    file.changing = now;
    return;
  }
  file.changing.reset();
  diagnostics found;
  loaded_allow_list fresh = load_allow_list(list.path, found);
  file.tried = fresh.stamp;
  if (!has_errors(found)) return replace(role, std::move(fresh));
  tell(true, fmt::format("security.allow.{}: {} is not used, the list of before with {} keys is "
                         "kept: {}",
                         to_text(role), list.path, list.keys.size(), found.front().text()));
  for (std::size_t i = 1; i < found.size(); ++i) {
    tell(true, fmt::format("security.allow.{}: {}", to_text(role), found[i].text()));
  }
}

void network_gate::watch::replace(curve_role role, loaded_allow_list fresh) {
  auto& list = access_->lists[static_cast<std::size_t>(role)];
  const auto removed = std::count_if(list.keys.begin(), list.keys.end(), [&](const auto& each) {
    return !fresh.keys.contains(each.first);
  });
  list = std::move(fresh);
  const std::size_t gone = removed > 0 ? drop_the_removed(role) : 0;
  tell(false,
       fmt::format("security.allow.{}: {} was loaded anew: {} keys, {} of before removed; {} "
                   "connections cut off",
                   to_text(role), list.path, list.keys.size(), removed, gone));
}

/// From now on nobody gets in with a removed key; whoever did was accepted before, and libzmq has
/// told of it before it asked.
std::size_t network_gate::watch::drop_the_removed(curve_role role) {
  doors_t open;
  {
    const std::scoped_lock lock(mutex);
    open = doors;
  }
  std::size_t gone = 0;
  for (const auto& door : open) {
    if (!may_use(role, door->of())) continue;
    read_events(*door);
    gone +=
        door->cut_unless([&](const std::string& key) { return user(door->of(), key).has_value(); });
  }
  return gone;
}

void network_gate::watch::tell(bool trouble, std::string text) const {
  if (options_.report) options_.report({trouble, std::move(text)});
}

}  // namespace tocsin
