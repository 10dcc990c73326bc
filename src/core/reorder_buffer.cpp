// SPDX-License-Identifier: Apache-2.0
// A heap of packed events, and how they are written and read back.
#include "core/reorder_buffer.hpp"

#include <algorithm>
#include <cassert>
#include <tuple>
#include <utility>

#include "core/deadline_queue.hpp"
#include "core/packed_event.hpp"

namespace tocsin {
namespace {

/// A cleared buffer keeps room for so many events: most keys hold a handful at a time.
constexpr std::size_t kept_events_max = 16;

/// The standard's heaps have their greatest element first; here the earliest is.
bool is_later(const waiting_event& left, const waiting_event& right) {
  return std::tie(left.time_ms, left.position) > std::tie(right.time_ms, right.position);
}

}  // namespace

void waiting_event::save(state_writer& to) const {
  to.put(time_ms);
  to.put(position);
  to.put(arrived_ms);
  to.put(marks);
  to.put_text(packed);
}

waiting_event waiting_event::load(state_reader& from) {
  waiting_event read;
  read.time_ms = from.take<std::int64_t>();
  read.position = from.take<std::uint64_t>();
  read.arrived_ms = from.take<std::int64_t>();
  read.marks = from.take<std::uint64_t>();
  read.packed = from.take_text();
  return read;
}

event_batch unpack(const waiting_event& of) {
  event_batch batch = unpack_event(of.packed);
  batch.events.front().arrived = from_unix_ms(of.arrived_ms);
  batch.first_position = of.position;
  batch.clock = batch.events.front().arrived;
  return batch;
}

void reorder_buffer::add(waiting_event event) {
  bytes_ += event.bytes();
  events_.push_back(std::move(event));
  std::push_heap(events_.begin(), events_.end(), is_later);
}

waiting_event reorder_buffer::take_first() {
  assert(!events_.empty());
  std::pop_heap(events_.begin(), events_.end(), is_later);
  waiting_event first = std::move(events_.back());
  events_.pop_back();
  bytes_ -= first.bytes();
  return first;
}

std::int64_t reorder_buffer::first_ms() const noexcept {
  return events_.empty() ? never_ms : events_.front().time_ms;
}

void reorder_buffer::clear() {
  events_.clear();
  bytes_ = 0;
  if (events_.capacity() > kept_events_max) events_.shrink_to_fit();
}

void reorder_buffer::save(state_writer& to) const {
  to.put(static_cast<std::uint64_t>(events_.size()));
  for (const waiting_event& one : events_) one.save(to);
}

void reorder_buffer::load(state_reader& from) {
  // Saved in the heap's own order, so each is added where it was.
  const std::uint64_t count = from.take_count(waiting_event::saved_bytes_min);
  for (std::uint64_t i = 0; i < count && !from.failed(); ++i) {
    waiting_event read = waiting_event::load(from);
    if (!from.failed()) add(std::move(read));
  }
}

}  // namespace tocsin
