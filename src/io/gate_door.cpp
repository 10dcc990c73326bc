// SPDX-License-Identifier: Apache-2.0
// Keeps the books of one surface's connections and shuts down those that must go.
#include "io/gate_door.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

namespace tocsin {
namespace {

/// Where a connection's near end is bound, as endpoints are written: "ipc://FILE", ":PORT" for tcp,
/// or "" when the descriptor is no socket.
std::string near_end(int descriptor) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return "";
  if (bound.ss_family == AF_UNIX) {
    const auto* const local = reinterpret_cast<const sockaddr_un*>(&bound);
    const std::size_t length = size - offsetof(sockaddr_un, sun_path);
    std::string path(local->sun_path, length);
    // An abstract name begins with a zero byte, which endpoints write as '@'.
    if (!path.empty() && path.front() == '\0') {
      path.front() = '@';
    } else {
      path.resize(std::strlen(path.c_str()));
    }
    return "ipc://" + path;
  }
  if (bound.ss_family == AF_INET) {
    return fmt::format(":{}", ntohs(reinterpret_cast<const sockaddr_in*>(&bound)->sin_port));
  }
  if (bound.ss_family == AF_INET6) {
    return fmt::format(":{}", ntohs(reinterpret_cast<const sockaddr_in6*>(&bound)->sin6_port));
  }
  return "";
}

}  // namespace

void gate_door::listens_at(const std::string& endpoint) {
  const std::scoped_lock lock(mutex_);
  endpoint_ = endpoint;
}

bool gate_door::is_ours(int descriptor) const {
  const std::string end = near_end(descriptor);
  if (end.empty() || endpoint_.empty()) return false;
  return end.front() == ':' ? endpoint_.starts_with("tcp://") && endpoint_.ends_with(end)
                            : endpoint_ == end;
}

void gate_door::count(std::string_view reason) {
  const auto found = refused_.find(reason);
  if (found != refused_.end()) {
    ++found->second;
  } else {
    refused_.emplace(reason, 1);
  }
}

void gate_door::refused(std::string_view reason) {
  const std::scoped_lock lock(mutex_);
  count(reason);
}

/// libzmq has no call that ends one connection, so its descriptor is shut down: libzmq then reads
/// what has arrived, sees the end, and closes it. Between libzmq closing a descriptor and telling
/// so its number may belong to something else, hence the look at where it is bound.
void gate_door::cut(int descriptor, connection& which, std::string_view reason) {
  count(reason);
  which.cut = true;
  ++cut_and_open_;
  subscriptions_ -= which.prefixes.size();
  which.prefixes.clear();
  if (is_ours(descriptor)) ::shutdown(descriptor, SHUT_RDWR);
}

void gate_door::accepted(int descriptor, std::uint64_t order) {
  const std::scoped_lock lock(mutex_);
  connection& fresh = open_[descriptor];
  fresh.accepted = order;
  if (!fresh.cut && open_.size() - cut_and_open_ > limits_.connections) {
    cut(descriptor, fresh, "connections");
  }
}

void gate_door::ended(int descriptor, std::string_view failure) {
  const std::scoped_lock lock(mutex_);
  const auto found = open_.find(descriptor);
  const bool was_cut = found != open_.end() && found->second.cut;
  // Who was cut off fails its handshake, too: that is counted already.
  if (!failure.empty() && !was_cut) count(failure);
  if (found == open_.end()) return;
  if (was_cut) --cut_and_open_;
  subscriptions_ -= found->second.prefixes.size();
  open_.erase(found);
}

void gate_door::identify(int descriptor, std::uint64_t session, std::string_view key) {
  const std::scoped_lock lock(mutex_);
  const auto found = open_.find(descriptor);
  if (found == open_.end() || found->second.accepted == 0) return;
  if (session > found->second.accepted) found->second.key = key;
}

bool gate_door::may_subscribe(int descriptor, std::string_view prefix) {
  const std::scoped_lock lock(mutex_);
  connection& from = open_[descriptor];
  if (from.cut) return false;
  if (from.prefixes.contains(prefix)) return true;
  if (from.prefixes.size() >= limits_.subscriptions) {
    cut(descriptor, from, "subscriptions");
    return false;
  }
  from.prefixes.emplace(prefix);
  ++subscriptions_;
  return true;
}

void gate_door::unsubscribed(int descriptor, std::string_view prefix) {
  const std::scoped_lock lock(mutex_);
  const auto from = open_.find(descriptor);
  if (from == open_.end()) return;
  const auto held = from->second.prefixes.find(prefix);
  if (held == from->second.prefixes.end()) return;
  from->second.prefixes.erase(held);
  --subscriptions_;
}

std::size_t gate_door::cut_unless(const std::function<bool(const std::string& key)>& allowed) {
  const std::scoped_lock lock(mutex_);
  std::size_t gone = 0;
  for (auto& [descriptor, each] : open_) {
    if (each.cut || (!each.key.empty() && allowed(each.key))) continue;
    cut(descriptor, each, "revoked");
    ++gone;
  }
  return gone;
}

void gate_door::add_to(surface_counts& counts) {
  const std::scoped_lock lock(mutex_);
  counts.connections += open_.size() - cut_and_open_;
  counts.subscriptions += subscriptions_;
  for (const auto& [reason, number] : refused_) counts.refused[reason] += number;
}

}  // namespace tocsin
