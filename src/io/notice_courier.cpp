// SPDX-License-Identifier: Apache-2.0
// One thread a receiver, over libcurl.
#include "io/notice_courier.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <random>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <utility>

#include "io/webhook_body.hpp"
#include "tocsin/alert_lifecycle.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

/// How much of an answer is read: its status says all that is needed.
constexpr std::size_t answer_bytes_max = 64 * 1024;
/// Of how many notices a receiver remembers that they are done, for each that may wait in memory:
/// so many the store may be behind without one being delivered twice.
constexpr std::size_t done_max = 20;

/// How one POST ended.
struct post_outcome {
  bool delivered = false;
  bool final = false;
  std::string failure;
  std::optional<duration> retry_after;
};

struct post_progress {
  const std::atomic<bool>* stopping;
  std::size_t answer_bytes = 0;
};

std::size_t discard_answer(char*, std::size_t size, std::size_t count, void* of) {
  auto& progress = *static_cast<post_progress*>(of);
  progress.answer_bytes += size * count;
  return progress.answer_bytes > answer_bytes_max ? 0 : size * count;
}

int look_for_stop(void* of, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<post_progress*>(of)->stopping->load() ? 1 : 0;
}

struct curl_closer {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using curl_handle = std::unique_ptr<CURL, curl_closer>;

struct header_list {
  header_list() = default;
  ~header_list() { curl_slist_free_all(all); }
  header_list(const header_list&) = delete;
  header_list& operator=(const header_list&) = delete;
  void add(const std::string& line) { all = curl_slist_append(all, line.c_str()); }
  curl_slist* all = nullptr;
};

post_outcome judge(CURL* handle, CURLcode ended, const post_progress& progress) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  // An answer that was too long to read to its end is an answer.
  const bool cut = ended == CURLE_WRITE_ERROR && progress.answer_bytes > answer_bytes_max;
  if (ended != CURLE_OK && !cut) return {false, false, curl_easy_strerror(ended), {}};
  if (status >= 200 && status < 300) return {true, false, "", {}};
  post_outcome refused{false, true, fmt::format("the webhook answered {}", status), {}};
  refused.final = status != 408 && status != 429 && status < 500;
  if (status >= 300 && status < 400) refused.failure += ": redirects are not followed";
  curl_off_t wait = 0;
  if (curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0) {
    refused.retry_after = std::chrono::seconds{std::min<curl_off_t>(wait, 3600)};
  }
  return refused;
}

post_outcome post(CURL* handle, const webhook_target& to, const std::string& id,
                  const std::string& body, const std::atomic<bool>& stopping) {
  curl_easy_reset(handle);
  post_progress progress{&stopping};
  header_list headers;
  headers.add("Content-Type: application/json");
  headers.add("webhook-id: " + id);
  headers.add("Expect:");
  if (!to.bearer_token.empty()) headers.add("Authorization: Bearer " + to.bearer_token);
  curl_easy_setopt(handle, CURLOPT_URL, to.url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "tocsin");
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.all);
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(to.timeout.count()));
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, discard_answer);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &progress);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, look_for_stop);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &progress);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  return judge(handle, curl_easy_perform(handle), progress);
}

notice without_ended(notice of) {
  std::erase_if(of.alerts, [](const transition& each) { return !is_active(each->state); });
  return of;
}

instant wall_clock() {
  return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now());
}

}  // namespace

class notice_courier::receiver_thread {
 public:
  receiver_thread(notify_receiver receiver, std::shared_ptr<const alert_store> store,
                  std::string external_url, std::function<void(notice_outcome)> settled,
                  const courier_limits& limits)
      : receiver_(std::move(receiver)),
        store_(std::move(store)),
        external_url_(std::move(external_url)),
        settled_(std::move(settled)),
        limits_(limits),
        more_in_store_(store_ != nullptr) {}

  ~receiver_thread() { stop(); }
  receiver_thread(const receiver_thread&) = delete;
  receiver_thread& operator=(const receiver_thread&) = delete;

  void start() {
    thread_ = std::thread([this] { run(); });
  }

  [[nodiscard]] const std::string& name() const noexcept { return receiver_.name; }

  void take(const notice_ptr& what) {
    {
      const std::scoped_lock lock(mutex_);
      // While some wait in the store only, new ones wait behind them.
      if (!more_in_store_ && waiting_.size() < limits_.waiting_max) {
        waiting_.push_back(what);
      } else if (store_) {
        more_in_store_ = true;
        left_to_store_ = what->id;
      } else {
        settled_({what->id, false, true, "too many notices wait for this receiver"});
      }
    }
    changed_.notify_one();
  }

  void tell_to_stop() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
  }

  void stop() {
    tell_to_stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run() {
    while (const auto next = await_next()) deliver(*next);
  }

  /// Null when it is to stop.
  notice_ptr await_next() {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (stopping_) return nullptr;
      // All of a piece may be done and not be stored as settled yet: what follows it is not.
      while (waiting_.empty() && more_in_store_ && !stopping_) {
        const std::int64_t before = last_from_store_;
        refill(lock);
        if (last_from_store_ <= before) break;
      }
      if (stopping_) return nullptr;
      if (!waiting_.empty()) {
        notice_ptr next = waiting_.front();
        waiting_.pop_front();
        return next;
      }
      if (more_in_store_) {  // the store failed, or something is not stored or settled in it yet
        changed_.wait_for(lock, limits_.first_pause);
      } else {
        changed_.wait(lock);
      }
    }
  }

  /// What comes meanwhile is left to the store, so that nothing is taken twice.
  void refill(std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    const auto found =
        store_->pending_notices(receiver_.name, limits_.waiting_max, last_from_store_);
    lock.lock();
    if (!found) return;
    for (const stored_notice& each : *found) {
      last_from_store_ = each.place;
      if (each.what->id == left_to_store_) left_to_store_.clear();
      // What was just settled may not be stored as settled yet.
      if (!done_ids_.contains(each.what->id.view())) waiting_.push_back(each.what);
    }
    // What is told may come before it is stored.
    more_in_store_ = found->size() >= limits_.waiting_max || !left_to_store_.empty();
    // The store may give a place that it has forgotten to another notice, as long as none waits.
    if (!more_in_store_) last_from_store_ = 0;
  }

  void deliver(const notice& what) {
    std::vector<const webhook_target*> left;
    for (const webhook_target& each : receiver_.webhooks) {
      if (each.send_resolved || !is_all_resolved(what)) left.push_back(&each);
    }
    duration wait = limits_.first_pause;
    for (;;) {
      const auto asked = try_all(what, left);
      if (left.empty()) return settle(what, {what.id, true, false, ""});
      if (stopping_) return;
      const bool too_old = wall_clock() - what.at > limits_.give_up_after;
      if (asked.final || too_old) return settle(what, {what.id, false, true, asked.failure});
      settled_({what.id, false, false, asked.failure});
      if (!pause(asked.retry_after.value_or(with_jitter(wait)))) return;
      wait = std::min(wait * 2, limits_.longest_pause);
    }
  }

  /// Takes those that are through out of `left`; gives the last failure.
  post_outcome try_all(const notice& what, std::vector<const webhook_target*>& left) {
    post_outcome failed{false, true, "", {}};
    std::erase_if(left, [&](const webhook_target* to) {
      const std::string body = webhook_body(to->send_resolved ? what : without_ended(what),
                                            to->max_alerts, external_url_);
      auto outcome = post(curl_.get(), *to, what.id, body, stopping_);
      if (outcome.delivered) return true;
      // One that may still come through keeps the notice alive.
      outcome.final = outcome.final && failed.final;
      failed = std::move(outcome);
      return false;
    });
    return failed;
  }

  void settle(const notice& what, notice_outcome outcome) {
    if (done_ids_.insert(what.id.view()).second) done_.push_back(what.id);
    if (done_.size() > done_max * limits_.waiting_max) {
      done_ids_.erase(done_.front().view());
      done_.pop_front();
    }
    settled_(std::move(outcome));
  }

  duration with_jitter(duration wait) {
    return duration{
        std::uniform_int_distribution<long long>(wait.count() / 2, wait.count())(random_)};
  }

  /// False when it is to stop.
  bool pause(duration length) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, length, [this] { return stopping_.load(); });
    return !stopping_;
  }

  const notify_receiver receiver_;
  const std::shared_ptr<const alert_store> store_;
  const std::string external_url_;
  const std::function<void(notice_outcome)> settled_;
  const courier_limits limits_;
  curl_handle curl_{curl_easy_init()};
  std::minstd_rand random_{std::random_device{}()};
  // On its thread only.
  std::deque<shared_text> done_;                   ///< ids settled last
  std::unordered_set<std::string_view> done_ids_;  ///< the same
  std::int64_t last_from_store_ = 0;               ///< place, while there may be more
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<notice_ptr> waiting_;
  bool more_in_store_ = false;
  std::string left_to_store_;  ///< id of the last one left to the store and not found there yet
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

notice_courier::notice_courier(std::vector<notify_receiver> receivers,
                               const std::shared_ptr<const alert_store>& store,
                               const std::string& external_url,
                               const std::function<void(notice_outcome)>& settled,
                               courier_limits limits) {
  static const auto curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)curl_ready;
  for (notify_receiver& each : receivers) {
    threads_.push_back(
        std::make_unique<receiver_thread>(std::move(each), store, external_url, settled, limits));
  }
}

notice_courier::~notice_courier() {
  stop();
}

void notice_courier::start() {
  for (const auto& thread : threads_) thread->start();
}

void notice_courier::notify(std::span<const notice_ptr> notices) {
  for (const notice_ptr& each : notices) {
    const auto thread = std::find_if(threads_.begin(), threads_.end(), [&](const auto& known) {
      return known->name() == each->receiver;
    });
    if (thread != threads_.end()) (*thread)->take(each);
  }
}

void notice_courier::stop() {
  for (const auto& thread : threads_) thread->tell_to_stop();  // all at once: each takes a moment
  for (const auto& thread : threads_) thread->stop();
}

}  // namespace tocsin
