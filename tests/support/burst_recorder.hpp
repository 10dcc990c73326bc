// SPDX-License-Identifier: Apache-2.0
// A receiver of bursts that remembers them, can refuse, and can be waited for.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "tocsin/pipeline.hpp"

namespace tocsin::testing {

class burst_recorder {
 public:
  /// Fit for push_listener: false while full.
  bool take(burst& messages) {
    const std::lock_guard lock{mutex_};
    ++offers_;
    changed_.notify_all();
    if (full_) return false;
    sizes_.push_back(messages.messages.size());
    for (const auto message : messages.messages) messages_.emplace_back(message);
    messages = {};
    return true;
  }
  void set_full(bool full) {
    const std::lock_guard lock{mutex_};
    full_ = full;
  }
  /// Waits until there are as many messages; false when they do not come.
  [[nodiscard]] bool wait_for_messages(std::size_t count) {
    return wait([&] { return messages_.size() >= count; });
  }
  [[nodiscard]] bool wait_for_offers(std::size_t count) {
    return wait([&] { return offers_ >= count; });
  }
  [[nodiscard]] std::vector<std::string> messages() {
    const std::lock_guard lock{mutex_};
    return messages_;
  }
  [[nodiscard]] std::vector<std::size_t> burst_sizes() {
    const std::lock_guard lock{mutex_};
    return sizes_;
  }
  [[nodiscard]] std::size_t offers() {
    const std::lock_guard lock{mutex_};
    return offers_;
  }

 private:
  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, std::chrono::seconds{20}, condition);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> messages_;
  std::vector<std::size_t> sizes_;
  std::size_t offers_ = 0;
  bool full_ = false;
};

}  // namespace tocsin::testing
