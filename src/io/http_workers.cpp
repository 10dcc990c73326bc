// SPDX-License-Identifier: Apache-2.0
// The queue belongs to the threads together: one that is left behind still has it.
#include "io/http_workers.hpp"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace tocsin {

struct http_workers::queue {
  std::mutex guard;
  std::condition_variable changed;
  std::deque<std::function<void()>> tasks;
  std::vector<bool> running;  ///< by thread
  bool stopping = false;

  [[nodiscard]] bool any_running() const {
    for (const bool each : running) {
      if (each) return true;
    }
    return false;
  }

  void work(std::size_t thread) {
    std::unique_lock lock{guard};
    for (;;) {
      changed.wait(lock, [this] { return stopping || !tasks.empty(); });
      if (stopping) return;
      auto task = std::move(tasks.front());
      tasks.pop_front();
      running[thread] = true;
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
      running[thread] = false;
      if (stopping) changed.notify_all();
    }
  }
};

http_workers::http_workers(std::size_t threads, const std::string& name)
    : queue_(std::make_shared<queue>()) {
  queue_->running.resize(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([shared = queue_, i, name] {
      ::pthread_setname_np(::pthread_self(), name.c_str());
      shared->work(i);
    });
  }
}

http_workers::~http_workers() {
  stop(std::chrono::steady_clock::time_point{});
}

void http_workers::run(std::function<void()> task) {
  const std::lock_guard lock{queue_->guard};
  if (queue_->stopping) return;
  queue_->tasks.push_back(std::move(task));
  queue_->changed.notify_one();
}

void http_workers::stop(std::chrono::steady_clock::time_point until) {
  std::deque<std::function<void()>> dropped;
  std::vector<bool> left_behind;
  {
    std::unique_lock lock{queue_->guard};
    queue_->stopping = true;
    dropped.swap(queue_->tasks);
    queue_->changed.notify_all();
    queue_->changed.wait_until(lock, until, [this] { return !queue_->any_running(); });
    left_behind = queue_->running;
  }
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    if (left_behind[i]) {
      threads_[i].detach();
    } else {
      threads_[i].join();
    }
  }
  threads_.clear();
}

}  // namespace tocsin
