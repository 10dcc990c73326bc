// SPDX-License-Identifier: Apache-2.0
// A bounded queue of sent transitions beside a table of active alerts.
#include "io/stream_history.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <optional>
#include <utility>

#include "io/alert_codec.hpp"
#include "tocsin/alert_lifecycle.hpp"

namespace tocsin {

namespace {

std::size_t heap_bytes(const shared_text& text) {
  return text.heap_bytes();
}

std::size_t heap_bytes(const std::string& text) {
  constexpr std::size_t inside = 15;
  return text.capacity() > inside ? text.capacity() + 1 : 0;
}

std::size_t heap_bytes(double) {
  return 0;
}

template <class Value>
std::size_t heap_bytes(const std::optional<Value>& value) {
  return value ? heap_bytes(*value) : 0;
}

template <class Name, class Value>
std::size_t heap_bytes(const std::vector<std::pair<Name, Value>>& texts) {
  std::size_t bytes = texts.capacity() * sizeof(std::pair<Name, Value>);
  for (const auto& [name, value] : texts) bytes += heap_bytes(name) + heap_bytes(value);
  return bytes;
}

/// What it takes when nobody else holds it, roughly.
std::size_t bytes_of(const alert& of) {
  constexpr std::size_t bookkeeping = 128;
  std::size_t bytes = bookkeeping + sizeof(alert) + heap_bytes(of.rule) + heap_bytes(of.revision) +
                      heap_bytes(of.condition) + heap_bytes(of.cause) + heap_bytes(of.note) +
                      heap_bytes(of.proof.values);
  for (const std::string& id : of.proof.event_ids) bytes += sizeof(std::string) + heap_bytes(id);
  if (!of.texts) return bytes;
  const alert_texts& texts = *of.texts;
  return bytes + sizeof texts + heap_bytes(texts.title) + heap_bytes(texts.description) +
         heap_bytes(texts.labels) + heap_bytes(texts.annotations) + heap_bytes(texts.group);
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
  for (const transition& each : active) {
    assert(each->seq > 0 && each->seq <= at_.seq);
    active_[each->alert_id] = {each->seq, each};
  }
}

void stream_history::remember(const std::vector<transition>& before) {
  const std::lock_guard hold{guard_};
  std::uint64_t oldest = at_.seq - kept_.size() + 1;
  for (auto each = before.rbegin(); each != before.rend(); ++each, --oldest) {
    const std::size_t bytes = bytes_of(**each);
    if ((*each)->seq + 1 != oldest || kept_.size() >= limits_.messages_max ||
        bytes_ + bytes > limits_.bytes_max) {
      return;
    }
    bytes_ += bytes;
    kept_.push_front(*each);
  }
}

std::uint64_t stream_history::record(const transition& of) {
  const std::lock_guard hold{guard_};
  ++at_.seq;
  assert(of->seq == 0 || of->seq == at_.seq);
  if (is_active(of->state)) {
    active_[of->alert_id] = {at_.seq, of};
  } else {
    active_.erase(of->alert_id);
  }
  bytes_ += bytes_of(*of);
  kept_.push_back(of);
  while (!kept_.empty() && (kept_.size() > limits_.messages_max || bytes_ > limits_.bytes_max)) {
    bytes_ -= bytes_of(*kept_.front());
    kept_.pop_front();
  }
  return at_.seq;
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
    for (const auto& [id, last] : active_) found.active.push_back(last);
  }
  std::sort(
      found.active.begin(), found.active.end(),
      [](const active_alert& left, const active_alert& right) { return left.seq < right.seq; });
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
  page found;
  std::vector<transition> looked_at;
  {
    const std::lock_guard hold{guard_};
    found.at = at_;
    found.through = seq;
    found.lost = !reaches_back_to(seq);
    if (found.lost) return found;
    const auto first = kept_.end() - static_cast<std::ptrdiff_t>(at_.seq - seq);
    const auto count = std::min<std::uint64_t>(looked_at_max, at_.seq - seq);
    looked_at.assign(first, first + static_cast<std::ptrdiff_t>(count));
  }
  // Frames are made without holding up the recorder.
  for (const transition& each : looked_at) {
    ++found.through;
    if (topic_of(*each).starts_with(prefix)) {
      found.messages.push_back(message_of(found.at, found.through, *each));
    }
  }
  return found;
}

}  // namespace tocsin
