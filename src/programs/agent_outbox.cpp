// SPDX-License-Identifier: Apache-2.0
// Sends an agent's events in batches and holds them while nobody takes them.
#include "programs/agent_outbox.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/event_encoder.hpp"
#include "programs/console.hpp"

namespace tocsin {

namespace {

constexpr duration connect_patience = std::chrono::seconds{3};
constexpr duration reconnect_patience = std::chrono::milliseconds{500};
constexpr std::chrono::seconds retry_interval{5};
constexpr duration send_patience = std::chrono::milliseconds{500};
constexpr duration close_patience = std::chrono::seconds{5};

}  // namespace

std::optional<error> agent_outbox::connect() {
  auto connected = event_sender::connect(endpoint_, connect_patience, identity_);
  if (!connected) {
    next_try_ = std::chrono::steady_clock::now() + retry_interval;
    return connected.failure();
  }
  sender_ = std::move(*connected);
  return std::nullopt;
}

void agent_outbox::add(std::string encoded) {
  if (held_.size() >= events_max) {
    held_.pop_front();
    ++dropped_;
  }
  held_.push_back(std::move(encoded));
}

void agent_outbox::tell_away() {
  if (!away_) say(fmt::format("{} takes nothing: holding up to {} events", endpoint_, events_max));
  away_ = true;
}

bool agent_outbox::flush() {
  if (dropped_ > dropped_told_) {
    say(fmt::format("dropped {} events, the oldest ones: {} takes nothing",
                    dropped_ - dropped_told_, endpoint_));
    dropped_told_ = dropped_;
  }
  if (held_.empty()) return true;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_try_) return false;
  if (!sender_) {
    auto connected = event_sender::connect(endpoint_, reconnect_patience, identity_);
    if (!connected) {
      next_try_ = now + retry_interval;
      tell_away();
      return false;
    }
    sender_ = std::move(*connected);
  }
  while (!held_.empty()) {
    message_builder message;
    const auto count = std::min(held_.size(), message_builder::events_max);
    for (std::size_t index = 0; index < count; ++index) message.add(held_[index]);
    if (!sender_->send(message.take(), send_patience)) {
      next_try_ = now + retry_interval;
      tell_away();
      return false;
    }
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(count));
    sent_ += count;
  }
  if (away_) say(fmt::format("{} takes events again", endpoint_));
  away_ = false;
  return true;
}

bool agent_outbox::close() {
  next_try_ = {};
  const bool all_sent = flush();
  const bool flushed = !sender_ || sender_->close(close_patience);
  if (!all_sent) say(fmt::format("{} events were not sent", held_.size()));
  if (!flushed) say(fmt::format("{} went away: some events may be lost", endpoint_));
  return all_sent && flushed && dropped_ == 0;
}

std::string fresh_event_id() {
  static const auto begun = std::chrono::system_clock::now().time_since_epoch().count();
  static std::uint64_t next = 0;
  return fmt::format("{:x}-{:x}", begun, next++);
}

}  // namespace tocsin
