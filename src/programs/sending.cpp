// SPDX-License-Identifier: Apache-2.0
// Patience, progress and the last words of tocsin send.
#include "programs/sending.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "programs/console.hpp"

namespace tocsin {

using std::chrono::seconds;

bool sending::send(std::string message, event_origins events) {
  const std::size_t count = events.size();
  if (!put(std::move(message), std::move(events))) return false;
  events_ += count;
  const auto now = steady::now();
  if (now - told_ < (is_terminal_stderr() ? duration{500} : duration{seconds{2}})) return true;
  told_ = now;
  progress_shown_ = true;
  const auto text = fmt::format("{}{}{}", is_terminal_stderr() ? "\r" : "", summary(),
                                is_terminal_stderr() ? "" : "\n");
  std::fwrite(text.data(), 1, text.size(), stderr);
  return true;
}

std::string sending::summary() const {
  const double taken =
      std::max(std::chrono::duration<double>(steady::now() - begun_).count(), 1e-6);
  return fmt::format("sent {} events in {} messages, {:.1f} s, {:.0f} events/s", events_,
                     messages(), taken, static_cast<double>(events_) / taken);
}

void sending::end_progress() const {
  if (progress_shown_ && is_terminal_stderr()) say("");
}

bool push_sending::put(std::string message, event_origins) {
  while (!to_->send(message, duration{seconds{2}})) {
    say("waiting: the daemon pushes back or has gone away; Ctrl-C gives up");
  }
  return true;
}

int push_sending::finish(bool in_detail) {
  if (!to_->close()) {
    say("error: the daemon did not take everything within 30 s: some events may be lost");
    return exit_unreachable;
  }
  end_progress();
  if (in_detail) say(summary());
  return exit_ok;
}

std::optional<error> acked_sending::connect(const std::string& endpoint) {
  auto connected = acked_sender::connect(
      endpoint,
      [this](std::uint64_t request, const acked_reply& reply) { tell_rejections(request, reply); });
  if (!connected) return connected.failure();
  to_ = std::move(*connected);
  return std::nullopt;
}

bool acked_sending::persist(const std::function<bool(duration)>& step) {
  auto answers = to_->answers();
  auto heard = steady::now();
  while (!step(std::min(timeout_, duration{seconds{2}}))) {
    const bool alive = to_->answers() > answers;
    if (alive) {
      answers = to_->answers();
      heard = steady::now();
    } else if (steady::now() - heard >= timeout_) {
      given_up_ = true;
      return false;
    }
    say(alive ? "waiting: the daemon asks to try again; Ctrl-C gives up"
              : "waiting: the daemon does not answer; Ctrl-C gives up");
  }
  return true;
}

bool acked_sending::put(std::string message, event_origins events) {
  const bool room = persist(
      [&](duration patience) { return to_->room() || (to_->exchange(patience) && to_->room()); });
  if (!room) return false;
  const std::size_t count = events.size();
  // Before the request is sent: its answer may come with it.
  origins_.emplace(++messages_, std::move(events));
  (void)to_->offer(std::move(message), count, duration{});
  return true;
}

int acked_sending::finish(bool in_detail) {
  if (!given_up_) (void)persist([&](duration patience) { return to_->settle(patience); });
  end_progress();
  const acked_totals totals = to_->totals();
  if (in_detail || totals.rejected > 0) {
    if (in_detail) say(summary());
    std::string codes;
    for (const auto& [code, count] : totals.rejected_by_code) {
      codes += fmt::format("{}{} {}", codes.empty() ? " (" : ", ", code, count);
    }
    say(fmt::format("accepted {}, duplicate {}, rejected {}{}", totals.accepted, totals.duplicate,
                    totals.rejected, codes.empty() ? "" : codes + ")"));
  }
  if (given_up_) {
    say(fmt::format("error: the daemon has not answered for {}: {} events are not acknowledged",
                    format_duration(timeout_), to_->events_under_way()));
    return exit_unreachable;
  }
  return totals.rejected > 0 ? exit_check_failed : exit_ok;
}

void acked_sending::tell_rejections(std::uint64_t request, const acked_reply& reply) {
  const auto answered = origins_.extract(request);
  if (answered.empty()) return;
  const event_origins& origins = answered.mapped();
  for (const auto& each : reply.rejected) {
    const auto where = each.index < origins.size()
                           ? fmt::format("{} {}: ", counted_as_, origins[each.index])
                           : std::string{};
    say(fmt::format("{}error: rejected: {}: {}", where, each.code, each.message));
  }
}

}  // namespace tocsin
