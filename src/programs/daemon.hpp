// SPDX-License-Identifier: Apache-2.0
// What runs inside tocsind: the pipeline and everything attached to it, started and stopped in
// order.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "io/acked_listener.hpp"
#include "io/alert_stream.hpp"
#include "io/enrichment_file.hpp"
#include "io/http_server.hpp"
#include "io/network_gate.hpp"
#include "io/notice_courier.hpp"
#include "io/push_listener.hpp"
#include "io/replay_listener.hpp"
#include "io/settings_file.hpp"
#include "programs/daemon_backend.hpp"
#include "programs/daemon_data.hpp"
#include "tocsin/alert_store.hpp"
#include "tocsin/pipeline.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

class daemon {
 public:
  /// Opens the alert stream, starts the pipeline, and only then lets events in. `failed` is called
  /// on one of the pipeline's threads when it stops by itself. Errors: an endpoint that cannot be
  /// bound.
  [[nodiscard]] static result<std::unique_ptr<daemon>> start(
      const settings& from, std::shared_ptr<const rule_set> rules, loaded_enrichment enrich,
      std::function<void(const std::string&)> failed);
  ~daemon();

  /// Lets no more events in, takes those that have arrived to their end, and stops. Idempotent.
  void stop();

  [[nodiscard]] pipeline_counts counts() const { return pipeline_->counts(); }
  [[nodiscard]] std::optional<std::string> failure() const { return pipeline_->failure(); }

 private:
  daemon(settings from, std::shared_ptr<const rule_set> rules, loaded_enrichment enrich)
      : settings_(std::move(from)), enrich_(std::move(enrich)), rules_(std::move(rules)) {}

  // One function for each thing that is attached, in the order they start.
  [[nodiscard]] std::optional<error> open_store();
  [[nodiscard]] std::optional<error> open_gate();
  [[nodiscard]] std::optional<error> open_alert_stream();
  [[nodiscard]] std::optional<error> open_alert_replay();
  [[nodiscard]] std::optional<error> start_pipeline(std::function<void(const std::string&)> failed);
  [[nodiscard]] std::optional<error> attach_push();
  [[nodiscard]] std::optional<error> attach_acked();
  void attach_receivers();
  [[nodiscard]] std::optional<error> attach_http();
  void watch_lookups();
  void log_undelivered() const;

  settings settings_;
  loaded_enrichment enrich_;
  std::shared_ptr<const rule_set> rules_;
  std::shared_ptr<alert_store> store_;
  std::shared_ptr<network_gate> gate_;         ///< of all ZeroMQ sockets
  std::shared_ptr<event_log> log_;             ///< null where nothing is durable
  std::shared_ptr<snapshot_store> snapshots_;  ///< null where nothing is durable
  std::shared_ptr<quarantine> poison_;         ///< null where nothing is durable
  std::shared_ptr<crash_watch> crashes_;       ///< null where nothing is durable
  std::shared_ptr<stream_history> history_;    ///< what alerts.replay tells; null without it
  std::shared_ptr<alert_stream> stream_;
  std::unique_ptr<replay_listener> replay_;
  std::unique_ptr<push_listener> push_;
  std::atomic<push_listener*> has_room_{nullptr};  ///< whom to tell that there is room
  std::unique_ptr<acked_listener> acked_;
  std::shared_ptr<notice_courier> courier_;
  std::unique_ptr<pipeline> pipeline_;       ///< after push_: it stops before that goes
  std::unique_ptr<daemon_backend> backend_;  ///< after pipeline_, which it asks
  std::unique_ptr<http_server> http_;        ///< after backend_, which its answers ask
  bool stopped_ = false;
};

/// Says of each endpoint and guarantee what this start gives and what not.
void log_settings(const settings& from, const rule_set& rules);

/// Warns of refused events, with their number by code: at once when the first come, then once in
/// ten seconds at most. At level debug, every second in which some came.
class rejection_log {
 public:
  /// To be called about once a second.
  void look(const pipeline_counts& now, std::chrono::steady_clock::time_point at);

 private:
  using by_code = decltype(pipeline_counts::rejected_by_code);
  static constexpr std::chrono::seconds warning_interval{10};

  by_code warned_;
  by_code seen_;
  std::optional<std::chrono::steady_clock::time_point> warned_at_;
};

/// Says when the alert store begins to fail, and when it works again.
class store_log {
 public:
  /// To be called about once a second.
  void look(const store_counts& now);

 private:
  std::uint64_t failures_ = 0;
  std::uint64_t commits_ = 0;
  bool failing_ = false;
};

}  // namespace tocsin
