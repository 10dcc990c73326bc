// SPDX-License-Identifier: Apache-2.0
// Group commit, and what happens when the store refuses.
#include "commit_queue.hpp"

#include <utility>

namespace tocsin {

void commit_queue::add(changes_made in) {
  transitions_ += in.what->transitions.size();
  waiting_.push_back(std::move(in));
}

commit_queue::outcome commit_queue::commit() {
  outcome now;
  std::vector<std::shared_ptr<const book_changes>> all;
  all.reserve(waiting_.size());
  for (const changes_made& each : waiting_) all.push_back(each.what);
  now.failed = all.empty() ? std::nullopt : store_->commit(all);
  if (!all.empty()) ++(now.failed ? counts_.failures : counts_.commits);
  if (now.failed) counts_.last_failure = now.failed->message;
  for (; told_ < waiting_.size(); ++told_) {
    changes_made& each = waiting_[told_];
    if (each.stored) each.stored(now.failed);
    now.to_tell.push_back({each.what, {}, std::move(each.held)});
    each.stored = nullptr;
  }
  if (!now.failed) {
    waiting_.clear();
    told_ = 0;
    transitions_ = 0;
  }
  return now;
}

}  // namespace tocsin
