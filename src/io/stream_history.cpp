// SPDX-License-Identifier: Apache-2.0
// A bounded queue of sent transitions beside a table of active alerts.
#include "io/stream_history.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>
#include "tocsin/alert_lifecycle.hpp"

namespace tocsin {

namespace {

/// Allocations and pointers that hold a message, roughly.
constexpr std::size_t bookkeeping_bytes = 192;

std::size_t bytes_of(const sent_message& message) {
  return bookkeeping_bytes + message.topic.size() + message.header.size() + message.alert.size();
}

}  // namespace

sent message_of(const stream_position& at, std::uint64_t seq, const alert& of) {
  return std::make_shared<const sent_message>(
      sent_message{seq, topic_of(of), encode_header({at.stream, at.epoch, seq, "transition"}),
                   encode_alert_msgpack(of)});
}

void stream_history::begin(stream_position at, const std::vector<transition>& active) {
  const std::lock_guard hold{guard_};
  at_ = std::move(at);
  kept_.clear();
  bytes_ = 0;
  active_.clear();
  active_seq_.clear();
  for (const transition& each : active) {
    assert(each->seq > 0 && each->seq <= at_.seq);
    [[maybe_unused]] const bool is_new = active_.emplace(each->seq, each).second;
    assert(is_new);
    active_seq_.emplace(each->alert_id, each->seq);
  }
}

void stream_history::record(sent message, const transition& of) {
  const std::lock_guard hold{guard_};
  assert(message->seq == at_.seq + 1);
  at_.seq = message->seq;
  const auto before = active_seq_.find(of->alert_id);
  if (before != active_seq_.end()) {
    active_.erase(before->second);
    active_seq_.erase(before);
  }
  if (is_active(of->state)) {
    active_.emplace(message->seq, of);
    active_seq_.emplace(of->alert_id, message->seq);
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
  entry found;
  {
    const std::lock_guard hold{guard_};
    found.at = at_;
    found.through = since;
    if (reaches_back_to(since) && epoch.value_or(at_.epoch) == at_.epoch) return found;
    found.snapshot = true;
    found.through = at_.seq;
    found.active.reserve(active_.size());
    for (const auto& [seq, last] : active_) found.active.push_back({seq, last});
  }
  // Topics are put together without holding up the recorder.
  if (!prefix.empty()) {
    std::erase_if(found.active, [&](const active_alert& each) {
      return !topic_of(*each.last).starts_with(prefix);
    });
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
