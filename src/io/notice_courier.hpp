// SPDX-License-Identifier: Apache-2.0
// Brings notices to their receivers' webhooks: at least once, in order, each receiver at its own
// pace.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tocsin/alert_store.hpp"
#include "tocsin/notify_policy.hpp"
#include "tocsin/transition_sink.hpp"

namespace tocsin {

struct courier_limits {
  std::size_t waiting_max = 1'000;  ///< notices in memory for one receiver; more wait in the store
  duration first_pause = std::chrono::seconds{1};  ///< after a failed try; doubles with each
  duration longest_pause = std::chrono::minutes{5};
  duration give_up_after = std::chrono::hours{6};  ///< since the notice was made
};

/// A sink of notices. Each receiver has a thread of its own, so that none delays another. A notice
/// is delivered when all the receiver's webhooks have answered 2xx (those that have are not told
/// again); network errors, timeouts, 5xx, 408 and 429 are tried again with growing pauses, with
/// jitter; any other answer, a redirect too, is final. A receiver without webhooks has all it needs
/// at once.
class notice_courier final : public transition_sink {
 public:
  /// `settled` hears of every try, on the receivers' threads. `store` gives what waited at the
  /// start and what there was no room for; null: what there is no room for is settled as failed.
  notice_courier(std::vector<notify_receiver> receivers,
                 const std::shared_ptr<const alert_store>& store, const std::string& external_url,
                 const std::function<void(notice_outcome)>& settled, courier_limits limits = {});
  ~notice_courier() override;

  /// From here on notices leave, at first those that wait in the store. To be called once, when
  /// whoever hears of settled tries is there.
  void start();

  void publish(std::span<const transition>) override {}
  void notify(std::span<const notice_ptr> notices) override;

  /// Breaks off what is under way: it stays in the store. Idempotent.
  void stop();

 private:
  class receiver_thread;
  std::vector<std::unique_ptr<receiver_thread>> threads_;
};

}  // namespace tocsin
