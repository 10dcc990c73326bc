// SPDX-License-Identifier: Apache-2.0
// Vectors under a lock.
#include "support/memory_event_log.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace tocsin::testing {

class memory_event_log::reader final : public log_reader {
 public:
  explicit reader(std::vector<kept_record> records) : records_(std::move(records)) {}

  result<std::optional<log_record>> next() override {
    if (next_ == records_.size()) return std::optional<log_record>{};
    const kept_record& each = records_[next_++];
    owner_ = each.bytes;
    if (!owner_) return error{"log_damaged", "step " + std::to_string(each.step) + ", by the test"};
    return std::optional{log_record{each.step, each.clock, *each.bytes}};
  }
  std::shared_ptr<const void> owner() const override { return owner_; }

 private:
  std::vector<kept_record> records_;
  std::size_t next_ = 0;
  std::shared_ptr<const std::string> owner_;
};

void memory_event_log::fill(bool on) {
  const std::scoped_lock lock(mutex_);
  full_ = on;
}

void memory_event_log::break_down() {
  const std::scoped_lock lock(mutex_);
  broken_ = true;
}

void memory_event_log::on_append(std::function<void()> call) {
  const std::scoped_lock lock(mutex_);
  on_append_ = std::move(call);
}

void memory_event_log::on_sync(std::function<void()> call) {
  const std::scoped_lock lock(mutex_);
  on_sync_ = std::move(call);
}

std::shared_ptr<memory_event_log> memory_event_log::after_crash(std::size_t unsynced) const {
  const std::scoped_lock lock(mutex_);
  auto left = std::make_shared<memory_event_log>();
  left->last_step_ = synced_;
  for (const kept_record& each : records_) {
    if (each.step > synced_ && unsynced-- == 0) break;
    left->records_.push_back(each);
    left->last_step_ = each.step;
    left->last_clock_ = each.clock;
  }
  if (left->records_.empty()) left->last_clock_ = last_clock_;
  left->synced_ = left->last_step_;
  return left;
}

void memory_event_log::damage(std::uint64_t step) {
  const std::scoped_lock lock(mutex_);
  for (kept_record& each : records_) {
    if (each.step == step) each.bytes = nullptr;
  }
}

void memory_event_log::lose(std::uint64_t step) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(records_, [&](const kept_record& each) { return each.step == step; });
}

std::size_t memory_event_log::syncs() const {
  const std::scoped_lock lock(mutex_);
  return syncs_;
}

std::size_t memory_event_log::unsynced() const {
  const std::scoped_lock lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(records_.begin(), records_.end(),
                    [this](const kept_record& each) { return each.step > synced_; }));
}

std::uint64_t memory_event_log::synced_step() const {
  const std::scoped_lock lock(mutex_);
  return synced_;
}

std::vector<std::uint64_t> memory_event_log::steps() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::uint64_t> all;
  for (const kept_record& each : records_) all.push_back(each.step);
  return all;
}

std::vector<event_log::retention> memory_event_log::trims() const {
  const std::scoped_lock lock(mutex_);
  return trims_;
}

std::optional<error> memory_event_log::append(std::span<const log_record> records) {
  const std::function<void()> call = [this] {
    const std::scoped_lock lock(mutex_);
    return on_append_;
  }();
  if (call) call();
  const std::scoped_lock lock(mutex_);
  if (broken_) return error{"log_broken", "the disk is gone, says the test"};
  if (full_) return error{"log_full", "the disk is full, says the test"};
  for (const log_record& each : records) {
    EXPECT_GT(each.step, last_step_);
    EXPECT_GE(each.clock, last_clock_);
    records_.push_back({each.step, each.clock, std::make_shared<const std::string>(each.bytes)});
    last_step_ = each.step;
    last_clock_ = each.clock;
  }
  return std::nullopt;
}

std::optional<error> memory_event_log::sync() {
  const std::function<void()> call = [this] {
    const std::scoped_lock lock(mutex_);
    return on_sync_;
  }();
  if (call) call();  // without the lock: it may ask for more
  const std::scoped_lock lock(mutex_);
  ++syncs_;
  if (broken_) return error{"log_broken", "the disk is gone, says the test"};
  synced_ = last_step_;
  return std::nullopt;
}

std::uint64_t memory_event_log::first_step() const {
  const std::scoped_lock lock(mutex_);
  return records_.empty() ? 0 : records_.front().step;
}

std::uint64_t memory_event_log::last_step() const {
  const std::scoped_lock lock(mutex_);
  return last_step_;
}

instant memory_event_log::last_clock() const {
  const std::scoped_lock lock(mutex_);
  return last_clock_;
}

result<std::unique_ptr<log_reader>> memory_event_log::read(std::uint64_t from) const {
  const std::scoped_lock lock(mutex_);
  std::vector<kept_record> wanted;
  std::copy_if(records_.begin(), records_.end(), std::back_inserter(wanted),
               [&](const kept_record& each) { return each.step >= from; });
  return std::unique_ptr<log_reader>{std::make_unique<reader>(std::move(wanted))};
}

std::optional<error> memory_event_log::trim(const retention& keep) {
  const std::scoped_lock lock(mutex_);
  trims_.push_back(keep);
  std::uint64_t sum = 0;
  for (const kept_record& each : records_) sum += each.bytes ? each.bytes->size() : 0;
  while (!records_.empty() && records_.front().step < keep.needed) {
    const kept_record& oldest = records_.front();
    if (oldest.clock >= keep.horizon && sum <= keep.bytes_max) break;
    sum -= oldest.bytes ? oldest.bytes->size() : 0;
    records_.erase(records_.begin());
  }
  return std::nullopt;
}

std::uint64_t memory_event_log::bytes() const {
  const std::scoped_lock lock(mutex_);
  std::uint64_t sum = 0;
  for (const kept_record& each : records_) sum += each.bytes ? each.bytes->size() : 0;
  return sum;
}

void memory_snapshots::fail(bool on) {
  const std::scoped_lock lock(mutex_);
  failing_ = on;
}

void memory_snapshots::on_put(std::function<void(std::uint64_t)> call) {
  const std::scoped_lock lock(mutex_);
  on_put_ = std::move(call);
}

void memory_snapshots::damage(std::uint64_t step) {
  const std::scoped_lock lock(mutex_);
  damaged_.insert(step);
}

std::shared_ptr<memory_snapshots> memory_snapshots::copy() const {
  const std::scoped_lock lock(mutex_);
  auto same = std::make_shared<memory_snapshots>();
  same->kept_ = kept_;
  same->damaged_ = damaged_;
  return same;
}

std::size_t memory_snapshots::puts() const {
  const std::scoped_lock lock(mutex_);
  return puts_;
}

std::optional<error> memory_snapshots::put(const pipeline_snapshot& made) {
  const std::function<void(std::uint64_t)> call = [this] {
    const std::scoped_lock lock(mutex_);
    return on_put_;
  }();
  if (call) call(made.step);
  const std::scoped_lock lock(mutex_);
  if (failing_) return error{"snapshot_failed", "the disk is full, says the test"};
  ++puts_;
  kept_[made.step] = made;
  while (kept_.size() > 2) kept_.erase(kept_.begin());
  return std::nullopt;
}

std::vector<std::uint64_t> memory_snapshots::steps() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::uint64_t> all;
  for (auto each = kept_.rbegin(); each != kept_.rend(); ++each) all.push_back(each->first);
  return all;
}

result<pipeline_snapshot> memory_snapshots::get(std::uint64_t step) const {
  const std::scoped_lock lock(mutex_);
  const auto found = kept_.find(step);
  if (found == kept_.end() || damaged_.contains(step)) {
    return error{"snapshot_damaged", "by the test"};
  }
  return found->second;
}

}  // namespace tocsin::testing
