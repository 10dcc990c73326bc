// SPDX-License-Identifier: Apache-2.0
// A bounded queue of sent transitions beside a table of active alerts.
#include "io/stream_history.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

namespace tocsin {

namespace {

/// Allocations and pointers that hold a message, roughly.
constexpr std::size_t bookkeeping_bytes = 192;

std::size_t bytes_of(const sent_message& message) {
  return bookkeeping_bytes + message.topic.size() + message.header.size() + message.alert.size();
}

bool is_active(alert_state state) {
  return state != alert_state::resolved && state != alert_state::closed;
}

}  // namespace

void stream_history::begin(std::string stream, std::uint64_t epoch) {
  const std::lock_guard hold{guard_};
  at_ = {std::move(stream), epoch, 0};
  kept_.clear();
  bytes_ = 0;
  active_.clear();
  active_seq_.clear();
}

void stream_history::record(sent message, const alert& of) {
  const std::lock_guard hold{guard_};
  assert(message->seq == at_.seq + 1);
  at_.seq = message->seq;
  const auto before = active_seq_.find(of.alert_id);
  if (before != active_seq_.end()) {
    active_.erase(before->second);
    active_seq_.erase(before);
  }
  if (is_active(of.state)) {
    active_.emplace(message->seq, message);
    active_seq_.emplace(of.alert_id, message->seq);
  }
  bytes_ += bytes_of(*message);
  kept_.push_back(std::move(message));
  while (!kept_.empty() && (kept_.size() > limits_.messages_max || bytes_ > limits_.bytes_max)) {
    bytes_ -= bytes_of(*kept_.front());
    kept_.pop_front();
  }
}

bool stream_history::reaches_back_to(std::uint64_t seq) const {
  return seq <= at_.seq && at_.seq - seq <= kept_.size();
}

stream_history::entry stream_history::enter(std::uint64_t since, std::string_view prefix,
                                            std::optional<std::uint64_t> epoch) const {
  const std::lock_guard hold{guard_};
  entry found;
  found.at = at_;
  found.through = since;
  if (reaches_back_to(since) && epoch.value_or(at_.epoch) == at_.epoch) return found;
  found.snapshot = true;
  found.through = at_.seq;
  for (const auto& [seq, last] : active_) {
    if (last->topic.starts_with(prefix)) found.active.push_back(last);
  }
  return found;
}

stream_history::page stream_history::after(std::uint64_t seq, std::string_view prefix,
                                           std::size_t looked_at_max) const {
  const std::lock_guard hold{guard_};
  page found;
  found.at = at_;
  found.through = seq;
  found.lost = !reaches_back_to(seq);
  if (found.lost) return found;
  const auto first = kept_.end() - static_cast<std::ptrdiff_t>(at_.seq - seq);
  const auto count = std::min<std::uint64_t>(looked_at_max, at_.seq - seq);
  std::copy_if(first, first + static_cast<std::ptrdiff_t>(count),
               std::back_inserter(found.messages),
               [&](const sent& each) { return each->topic.starts_with(prefix); });
  found.through = seq + count;
  return found;
}

}  // namespace tocsin
