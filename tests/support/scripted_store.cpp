// SPDX-License-Identifier: Apache-2.0
// Keeps everything in vectors under a lock.
#include "support/scripted_store.hpp"

#include <algorithm>
#include <utility>

#include "io/alert_codec.hpp"

namespace tocsin::testing {
namespace {

error as_scripted() {
  return {"store_failed", "the disk is full, says the test"};
}

error not_kept() {
  return {"store_failed", "a scripted store keeps no history"};
}

}  // namespace

std::shared_ptr<scripted_store> scripted_store::copy() const {
  const std::scoped_lock lock(mutex_);
  auto same = std::make_shared<scripted_store>(durable_);
  same->book_ = book_;
  same->transitions_ = transitions_;
  same->notices_ = notices_;
  return same;
}

void scripted_store::fail(bool on) {
  const std::scoped_lock lock(mutex_);
  failing_ = on;
}

void scripted_store::maintain_goes_on(int times) {
  const std::scoped_lock lock(mutex_);
  maintenance_left_ = times;
}

void scripted_store::on_commit(std::function<void()> call) {
  const std::scoped_lock lock(mutex_);
  on_commit_ = std::move(call);
}

void scripted_store::on_pending(std::function<void()> call) {
  const std::scoped_lock lock(mutex_);
  on_pending_ = std::move(call);
}

void scripted_store::put(notice_ptr what) {
  const std::scoped_lock lock(mutex_);
  notices_.emplace_back().what = std::move(what);
}

std::vector<transition> scripted_store::transitions() const {
  const std::scoped_lock lock(mutex_);
  return transitions_;
}

std::string scripted_store::json_lines() const {
  std::string lines;
  for (const transition& each : transitions()) lines += encode_alert_json(*each) + '\n';
  return lines;
}

std::uint64_t scripted_store::seq() const {
  const std::scoped_lock lock(mutex_);
  return transitions_.empty() ? 0 : transitions_.back()->seq;
}

std::vector<std::size_t> scripted_store::commits() const {
  const std::scoped_lock lock(mutex_);
  return commits_;
}

std::size_t scripted_store::failed_commits() const {
  const std::scoped_lock lock(mutex_);
  return failed_commits_;
}

std::vector<notice_outcome> scripted_store::settled() const {
  const std::scoped_lock lock(mutex_);
  return settled_;
}

std::vector<instant> scripted_store::maintained() const {
  const std::scoped_lock lock(mutex_);
  return maintained_;
}

std::vector<std::string> scripted_store::waiting_notices() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> ids;
  for (const stored_notice& each : notices_) {
    if (each.standing == stored_notice::state::pending) ids.push_back(each.what->id);
  }
  return ids;
}

result<book_state> scripted_store::load() {
  const std::scoped_lock lock(mutex_);
  if (failing_) return as_scripted();
  return book_.state();
}

std::optional<error> scripted_store::commit(
    std::span<const std::shared_ptr<const book_changes>> changes) {
  const std::function<void()> call = [this] {
    const std::scoped_lock lock(mutex_);
    return on_commit_;
  }();
  if (call) call();  // without the lock: it may ask for more
  const std::scoped_lock lock(mutex_);
  if (failing_) {
    ++failed_commits_;
    return as_scripted();
  }
  commits_.push_back(changes.size());
  for (const auto& each : changes) {
    book_.take(*each);
    transitions_.insert(transitions_.end(), each->transitions.begin(), each->transitions.end());
    for (const notice_ptr& made : each->notices) notices_.emplace_back().what = made;
  }
  return std::nullopt;
}

result<std::vector<stored_notice>> scripted_store::pending_notices(const std::string& receiver,
                                                                   std::size_t limit) const {
  std::function<void()> call;
  {
    const std::scoped_lock lock(mutex_);
    call = on_pending_;
  }
  if (call) call();  // without the lock: it may ask for more
  const std::scoped_lock lock(mutex_);
  if (failing_) return as_scripted();
  std::vector<stored_notice> found;
  for (const stored_notice& each : notices_) {
    if (found.size() == limit) break;
    if (each.standing == stored_notice::state::pending && each.what->receiver == receiver) {
      found.push_back(each);
    }
  }
  return found;
}

std::optional<error> scripted_store::settle(const notice_outcome& outcome) {
  const std::scoped_lock lock(mutex_);
  if (failing_) return as_scripted();
  const auto known = std::find_if(notices_.begin(), notices_.end(), [&](const stored_notice& each) {
    return each.what->id == outcome.id;
  });
  if (known == notices_.end()) return error{"store_failed", "no notice has the id " + outcome.id};
  settled_.push_back(outcome);
  ++known->tries;
  known->failure = outcome.failure;
  if (outcome.delivered) known->standing = stored_notice::state::delivered;
  if (outcome.final) known->standing = stored_notice::state::failed;
  return std::nullopt;
}

result<history_page> scripted_store::history(const history_query&) const {
  return not_kept();
}

result<alert_history> scripted_store::explain(const fingerprint&) const {
  return not_kept();
}

result<alert_statistics> scripted_store::statistics(instant, instant) const {
  return not_kept();
}

result<bool> scripted_store::maintain(instant before) {
  const std::scoped_lock lock(mutex_);
  if (failing_) return as_scripted();
  maintained_.push_back(before);
  return maintenance_left_-- > 0;
}

}  // namespace tocsin::testing
