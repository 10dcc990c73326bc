// SPDX-License-Identifier: Apache-2.0
// A few threads that run tasks, and can be left behind when a task does not end.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace tocsin {

/// run() from any thread; stop() and the destructor from one.
class http_workers {
 public:
  /// `name`: of the threads, up to 15 bytes.
  http_workers(std::size_t threads, const std::string& name);
  ~http_workers();  ///< stop() without waiting
  http_workers(const http_workers&) = delete;
  http_workers& operator=(const http_workers&) = delete;

  /// Queues a task, which must not throw; after stop() it drops it. The caller bounds how many are
  /// queued.
  void run(std::function<void()> task);

  /// Drops queued tasks and waits for those that run, until `until` at the longest; what runs on
  /// after that runs on a thread of nobody, and touches this object no more. Idempotent.
  void stop(std::chrono::steady_clock::time_point until);

 private:
  struct queue;
  std::shared_ptr<queue> queue_;
  std::vector<std::thread> threads_;
};

}  // namespace tocsin
