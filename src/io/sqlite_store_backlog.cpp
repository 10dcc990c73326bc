// SPDX-License-Identifier: Apache-2.0
// Keeps changes, without what nobody reads, until they are written.
#include "io/sqlite_store_backlog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace tocsin {
namespace {

constexpr std::size_t piece = 5'000;

/// Whether `state` is what one of the transitions made, whose numbers have no gap.
bool is_among(const std::vector<transition>& transitions, const transition& state) {
  if (transitions.empty() || state->seq < transitions.front()->seq) return false;
  const std::uint64_t place = state->seq - transitions.front()->seq;
  return place < transitions.size() && transitions[place] == state;
}

}  // namespace

sqlite_store_backlog::part sqlite_store_backlog::part_of(const book_changes& changes) {
  auto kept = std::make_shared<book_changes>();
  part made;
  kept->clock = changes.clock;
  kept->transitions = changes.transitions;
  for (const transition& each : changes.transitions) made.later_states += each->number > 1;
  for (const alert_record& each : changes.alerts) {
    if (!is_among(changes.transitions, each.now)) kept->alerts.push_back({each.now, {}});
  }
  made.states = kept->transitions.size() + kept->alerts.size();
  made.later_states += kept->alerts.size();
  made.what = std::move(kept);
  return made;
}

std::optional<error> sqlite_store_backlog::commit(
    std::span<const std::shared_ptr<const book_changes>> changes) {
  std::uint64_t seq = seq_;
  for (const auto& each : changes) {
    for (const transition& after : each->transitions) {
      if (after->seq != seq + 1) {
        return error{"store_failed",
                     fmt::format("temporary alert store: transition {} came after {}: a number is "
                                 "missing or came twice",
                                 after->seq, seq)};
      }
      seq = after->seq;
    }
  }
  // Above the bounds a piece with each commit, so that who asked for one does not wait for all of
  // it; far above them, as much as it takes.
  for (bool first = true; over(first ? 1 : patience); first = false) {
    if (auto failure = write(piece)) return failure;
  }
  if (notices_.size() >= notices_max) {
    if (auto failure = write_notices()) return failure;
  }
  for (const auto& each : changes) {
    waiting_.push_back(part_of(*each));
    states_ += waiting_.back().states;
    later_states_ += waiting_.back().later_states;
    notices_.insert(notices_.end(), each->notices.begin(), each->notices.end());
    clock_ = each->clock;
  }
  seq_ = seq;
  return std::nullopt;
}

std::optional<error> sqlite_store_backlog::write_all() {
  // By pieces: what one transaction writes is in memory until it is through.
  while (!waiting_.empty()) {
    if (auto failure = write(piece)) return failure;
  }
  return write_notices();
}

std::optional<error> sqlite_store_backlog::write_some() {
  return waiting_.empty() ? write_notices() : write(piece);
}

std::optional<error> sqlite_store_backlog::write_notices() {
  while (!notices_.empty()) {
    const auto end =
        notices_.begin() + static_cast<std::ptrdiff_t>(std::min(piece, notices_.size()));
    auto now = std::make_shared<book_changes>();
    now->clock = clock_;
    now->notices.assign(notices_.begin(), end);
    const std::shared_ptr<const book_changes> written = std::move(now);
    if (auto failure = into_.commit({&written, 1})) return failure;
    notices_.erase(notices_.begin(), end);
  }
  return std::nullopt;
}

std::optional<error> sqlite_store_backlog::write(std::size_t states) {
  std::vector<std::shared_ptr<const book_changes>> now;
  std::size_t taken = 0;
  for (const part& each : waiting_) {
    if (taken >= states) break;
    taken += each.states;
    now.push_back(each.what);
  }
  if (now.empty()) return std::nullopt;
  if (auto failure = into_.commit(now)) return failure;
  for (std::size_t i = 0; i < now.size(); ++i) {
    states_ -= waiting_.front().states;
    later_states_ -= waiting_.front().later_states;
    waiting_.pop_front();
  }
  return std::nullopt;
}

}  // namespace tocsin
