// SPDX-License-Identifier: Apache-2.0
// Group append and group sync.
#include "log_queue.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <string_view>
#include <utility>

namespace tocsin {
namespace {

constexpr duration send_again_after = std::chrono::seconds{1};

/// Time alone costs no sync: lost at the end of a log, it passes anew.
bool is_worth_a_sync(const log_entry& entry) {
  return entry.batch || entry.asked || !entry.seen.empty();
}

}  // namespace

log_queue::log_queue(std::shared_ptr<event_log> log)
    : log_(std::move(log)), appended_(log_->last_step()), synced_(appended_) {}

void log_queue::add(log_append in) {
  if (in.entry) {
    const log_entry& entry = *in.entry;
    assert(entry.step > (waiting_.empty() ? appended_ : waiting_.back().step));
    const std::size_t begin = bytes_.size();
    encode_log_entry(entry, bytes_);
    waiting_.push_back({entry.step, entry.clock, begin, bytes_.size() - begin});
    held_.push_back(in.held);
    if (is_worth_a_sync(entry)) wanted_ = entry.step;
  }
  if (in.asked && in.asked->answer) {
    answers_.push_back({std::move(in.asked), std::move(in.outcomes), std::move(in.held)});
  }
}

void log_queue::want(std::uint64_t step) {
  wanted_ = std::max(wanted_, step);
}

log_queue::outcome log_queue::write() {
  outcome now;
  now.failed = append();
  if (now.failed) {
    ++counts_.failures;
    counts_.last_failure = now.failed->message;
    if (now.failed->code == "log_full") tell_to_send_again();
    return now;
  }
  if (appended_ > synced_ && (wanted_ > synced_ || !answers_.empty())) {
    now.failed = sync();
    if (now.failed) return now;
    now.reached = synced_;
  }
  answer_all();
  held_.clear();
  return now;
}

std::optional<error> log_queue::append() {
  if (waiting_.empty()) return std::nullopt;
  std::vector<log_record> records;
  records.reserve(waiting_.size());
  for (const waiting_record& each : waiting_) {
    records.push_back(
        {each.step, each.clock, std::string_view{bytes_}.substr(each.begin, each.size)});
  }
  auto failed = log_->append(records);
  counts_.full = failed && failed->code == "log_full";
  if (failed) return failed;
  counts_.records += waiting_.size();
  counts_.appended_bytes += bytes_.size();
  appended_ = waiting_.back().step;
  waiting_.clear();
  bytes_.clear();
  return std::nullopt;
}

std::optional<error> log_queue::sync() {
  const auto began = std::chrono::steady_clock::now();
  auto failed = log_->sync();
  counts_.sync_seconds +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  ++counts_.syncs;
  if (!failed) synced_ = appended_;
  return failed;
}

void log_queue::answer_all() {
  for (const waiting_answer& each : std::exchange(answers_, {})) {
    for (const burst_outcome& told : each.outcomes) each.asked->answer(told);
  }
}

void log_queue::tell_to_send_again() {
  burst_outcome again;
  again.retry = true;
  again.retry_after = send_again_after;
  for (const waiting_answer& each : std::exchange(answers_, {})) {
    for (again.message = 0; again.message < each.outcomes.size(); ++again.message) {
      each.asked->answer(again);
    }
  }
}

event_log_counts log_queue::counts() const {
  event_log_counts now = counts_;
  now.waiting = waiting_.size();
  now.bytes = log_->bytes();
  return now;
}

}  // namespace tocsin
