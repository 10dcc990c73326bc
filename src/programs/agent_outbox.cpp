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

void agent_target::add_to(CLI::App& command) {
  command.add_option("--push", push, "The daemon's ingest.push endpoint")->capture_default_str();
  command.add_flag("--acked", acked,
                   "Over ingest.acked: hold each event until the daemon has it for good");
  command.add_option("--acked-endpoint", acked_endpoint, "The daemon's ingest.acked endpoint")
      ->capture_default_str();
}

std::optional<error> agent_outbox::connect_within(duration patience) {
  if (!to_.acked) {
    auto connected = event_sender::connect(to_.push, patience);
    if (!connected) return connected.failure();
    push_ = std::move(*connected);
    return std::nullopt;
  }
  auto connected = acked_sender::connect(
      to_.acked_endpoint, [this](std::uint64_t, const acked_reply& reply) { take_reply(reply); },
      {}, patience);
  if (!connected) return connected.failure();
  acked_ = std::move(*connected);
  return std::nullopt;
}

std::optional<error> agent_outbox::connect() {
  auto failure = connect_within(connect_patience);
  if (failure) next_try_ = std::chrono::steady_clock::now() + retry_interval;
  return failure;
}

void agent_outbox::add(std::string encoded) {
  if (held() >= events_max && !held_.empty()) {
    held_.pop_front();
    ++dropped_;
  }
  held_.push_back(std::move(encoded));
}

void agent_outbox::tell_away() {
  if (!away_) {
    say(fmt::format("{} takes nothing: holding up to {} events", to_.endpoint(), events_max));
  }
  away_ = true;
}

bool agent_outbox::flush() {
  if (dropped_ > dropped_told_) {
    say(fmt::format("dropped {} events, the oldest ones: {} takes nothing",
                    dropped_ - dropped_told_, to_.endpoint()));
    dropped_told_ = dropped_;
  }
  if (held() == 0) return true;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_try_) return false;
  const bool taken = (connected() || !connect_within(reconnect_patience)) &&
                     (to_.acked ? acknowledge_all() : push_all());
  if (!taken) {
    // Acked requests are sent again by themselves, as soon as somebody looks after them.
    if (!acked_) next_try_ = now + retry_interval;
    tell_away();
    return false;
  }
  if (away_) say(fmt::format("{} takes events again", to_.endpoint()));
  away_ = false;
  return true;
}

std::string agent_outbox::next_message(std::size_t& events) const {
  message_builder message;
  events = std::min(held_.size(), message_builder::events_max);
  for (std::size_t index = 0; index < events; ++index) message.add(held_[index]);
  return message.take();
}

void agent_outbox::forget_first(std::size_t events) {
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(events));
}

bool agent_outbox::push_all() {
  while (!held_.empty()) {
    std::size_t events = 0;
    if (!push_->send(next_message(events), send_patience)) return false;
    forget_first(events);
    sent_ += events;
  }
  return true;
}

/// Fills the window and waits for answers as long as they come.
bool agent_outbox::acknowledge_all() {
  for (;;) {
    while (!held_.empty() && acked_->room()) {
      std::size_t events = 0;
      auto message = next_message(events);
      (void)acked_->offer(std::move(message), events, duration{});
      forget_first(events);
    }
    if (held() == 0) return true;
    const auto taken = acked_->totals().requests;
    (void)acked_->exchange(send_patience);
    if (acked_->totals().requests == taken) return false;
  }
}

void agent_outbox::take_reply(const acked_reply& reply) {
  sent_ += reply.accepted + reply.duplicate;
  rejected_ += reply.rejected.size();
  if (reply.rejected.empty()) return;
  say(fmt::format("error: {} rejected {} events, the first of them: {}: {}", to_.endpoint(),
                  reply.rejected.size(), reply.rejected[0].code, reply.rejected[0].message));
}

bool agent_outbox::close() {
  next_try_ = {};
  bool all_sent = flush();
  const auto until = std::chrono::steady_clock::now() + close_patience;
  while (!all_sent && acked_ && std::chrono::steady_clock::now() < until) all_sent = flush();
  const bool flushed = !push_ || push_->close(close_patience);
  if (!all_sent) {
    say(fmt::format("{} events were not {}", held(), to_.acked ? "acknowledged" : "sent"));
  }
  if (!flushed) say(fmt::format("{} went away: some events may be lost", to_.endpoint()));
  return all_sent && flushed && dropped_ == 0 && rejected_ == 0;
}

std::string fresh_event_id() {
  static const auto begun = std::chrono::system_clock::now().time_since_epoch().count();
  static std::uint64_t next = 0;
  return fmt::format("{:x}-{:x}", begun, next++);
}

}  // namespace tocsin
