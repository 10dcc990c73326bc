// SPDX-License-Identifier: Apache-2.0
// Credits, their return, and what happens at a failure.
#include "burst_gate.hpp"

#include <algorithm>
#include <cassert>
#include <exception>
#include <utility>

namespace tocsin {

struct burst_gate::place {
  std::shared_ptr<burst_gate> gate;
  std::uint64_t ticket;
  std::size_t events;
  lane by;
  place(std::shared_ptr<burst_gate> of, std::uint64_t number, std::size_t of_events, lane in)
      : gate(std::move(of)), ticket(number), events(of_events), by(in) {}
  place(const place&) = delete;
  place& operator=(const place&) = delete;
  ~place() { gate->leave(*this); }
};

std::shared_ptr<burst_gate> burst_gate::open(std::size_t room, std::size_t events_room) {
  return std::shared_ptr<burst_gate>(new burst_gate(room, events_room));
}

// Called with the lock held.
burst_gate::credit burst_gate::take_place(std::size_t events, lane by) {
  auto taken =
      std::make_shared<const place>(shared_from_this(), oldest_ + left_.size(), events, by);
  left_.push_back(false);
  ++of(by).bursts;
  of(by).events += events;
  return taken;
}

burst_gate::credit burst_gate::enter(std::size_t events, lane by) {
  std::unique_lock lock(mutex_);
  room_came_.wait(lock, [this, by] { return shut_ || has_room(by); });
  return shut_ ? nullptr : take_place(events, by);
}

burst_gate::credit burst_gate::try_enter(std::size_t events, lane by) {
  const std::scoped_lock lock(mutex_);
  if (shut_) return nullptr;
  if (has_room(by)) return take_place(events, by);
  if (by == lane::pushed) refused_ = true;
  return nullptr;
}

void burst_gate::leave(const place& from) noexcept {
  std::function<void()> wake;
  bool room = false;
  {
    const std::scoped_lock lock(mutex_);
    assert(from.ticket >= oldest_ && from.ticket - oldest_ < left_.size());
    left_[from.ticket - oldest_] = true;
    // A burst in which nothing was accepted leaves before older ones, so `oldest_` waits for them.
    while (!left_.empty() && left_.front()) {
      left_.pop_front();
      ++oldest_;
    }
    --of(from.by).bursts;
    of(from.by).events -= from.events;
    room = has_room(from.by);
    if (room && from.by == lane::pushed && refused_ && !shut_ && wake_) {
      refused_ = false;
      wake = wake_;
    }
  }
  // One large burst that leaves may make room for several small ones.
  if (room) room_came_.notify_all();
  all_left_.notify_all();
  if (!wake) return;
  try {
    wake();
  } catch (const std::exception& thrown) {
    fail(std::string{"on_room: "} + thrown.what());
  } catch (...) {
    fail("on_room: an exception that is not a std::exception");
  }
}

void burst_gate::on_room(std::function<void()> wake) {
  const std::scoped_lock lock(mutex_);
  wake_ = std::move(wake);
}

double burst_gate::fill() const {
  const std::scoped_lock lock(mutex_);
  const load& pushed = inside_[static_cast<std::size_t>(lane::pushed)];
  if (pushed.bursts == 0) return 0;
  const auto bursts = static_cast<double>(pushed.bursts);
  const double events = static_cast<double>(pushed.events) * (bursts - 1) / bursts;
  return std::max((bursts - 1) / static_cast<double>(room_),
                  events / static_cast<double>(events_room_));
}

void burst_gate::shut() {
  {
    const std::scoped_lock lock(mutex_);
    shut_ = true;
  }
  room_came_.notify_all();
}

bool burst_gate::is_shut() const {
  const std::scoped_lock lock(mutex_);
  return shut_;
}

void burst_gate::fail(const std::string& cause) {
  std::function<void(const std::string&)> handler;
  {
    const std::scoped_lock lock(mutex_);
    shut_ = true;
    if (failure_) return;
    failure_ = cause;
    handler = std::exchange(failure_handler_, nullptr);
  }
  room_came_.notify_all();
  all_left_.notify_all();
  if (handler) handler(cause);
}

std::optional<std::string> burst_gate::failure() const {
  const std::scoped_lock lock(mutex_);
  return failure_;
}

void burst_gate::on_failure(std::function<void(const std::string&)> handler) {
  std::unique_lock lock(mutex_);
  if (!failure_) {
    failure_handler_ = std::move(handler);
    return;
  }
  const std::string cause = *failure_;
  lock.unlock();
  if (handler) handler(cause);
}

bool burst_gate::wait_for_all() {
  std::unique_lock lock(mutex_);
  const std::uint64_t entered = oldest_ + left_.size();
  all_left_.wait(lock, [this, entered] { return failure_.has_value() || oldest_ >= entered; });
  return !failure_;
}

}  // namespace tocsin
