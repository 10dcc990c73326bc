// SPDX-License-Identifier: Apache-2.0
// Group commit behind the event log, and what happens when the store refuses.
#include "commit_queue.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace tocsin {
namespace {

std::size_t transitions_of(const changes_made& of) {
  std::size_t count = 0;
  for (const auto& each : of.what) count += each->transitions.size();
  return count;
}

}  // namespace

void commit_queue::add(changes_made in) {
  assert(waiting_.empty() || in.step >= waiting_.back().step);
  transitions_ += transitions_of(in);
  waiting_.push_back(std::move(in));
}

void commit_queue::reach(std::uint64_t step) {
  reached_ = std::max(reached_, step);
}

void commit_queue::refuse(const error& why) {
  for (std::size_t i = ready(); i < waiting_.size(); ++i) {
    if (const auto stored = std::exchange(waiting_[i].stored, nullptr)) stored(why);
  }
}

std::size_t commit_queue::ready() const noexcept {
  const auto end = std::upper_bound(
      waiting_.begin(), waiting_.end(), reached_,
      [](std::uint64_t reached, const changes_made& each) { return reached < each.step; });
  return static_cast<std::size_t>(end - waiting_.begin());
}

std::uint64_t commit_queue::wanted() const noexcept {
  return waiting_.empty() || waiting_.back().step <= reached_ ? 0 : waiting_.back().step;
}

bool commit_queue::has_all_of(std::uint64_t step) const noexcept {
  return reached_ >= step && (waiting_.empty() || waiting_.front().step > step);
}

commit_queue::outcome commit_queue::commit() {
  outcome now;
  const std::size_t count = ready();
  std::vector<std::shared_ptr<const book_changes>> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.insert(all.end(), waiting_[i].what.begin(), waiting_[i].what.end());
  }
  now.failed = all.empty() ? std::nullopt : store_->commit(all);
  if (!all.empty()) ++(now.failed ? counts_.failures : counts_.commits);
  if (now.failed) counts_.last_failure = now.failed->message;
  for (; told_ < count; ++told_) {
    changes_made& each = waiting_[told_];
    if (const auto stored = std::exchange(each.stored, nullptr)) stored(now.failed);
    now.to_tell.push_back({each.step, each.what, {}, std::move(each.held)});
  }
  if (!now.failed) {
    for (; told_ > 0; --told_) {
      transitions_ -= transitions_of(waiting_.front());
      waiting_.pop_front();
    }
  }
  return now;
}

}  // namespace tocsin
