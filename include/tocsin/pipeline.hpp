// SPDX-License-Identifier: Apache-2.0
// The whole engine inside a program: push events by call, get alert transitions by callback. No
// socket is needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/alert_book.hpp"
#include "tocsin/alert_policy.hpp"
#include "tocsin/alert_store.hpp"
#include "tocsin/burst.hpp"
#include "tocsin/dedup_limits.hpp"
#include "tocsin/engine_limits.hpp"
#include "tocsin/enrichment.hpp"
#include "tocsin/event.hpp"
#include "tocsin/event_log.hpp"
#include "tocsin/ingest_quotas.hpp"
#include "tocsin/operation.hpp"
#include "tocsin/pipeline_counts.hpp"
#include "tocsin/quarantine.hpp"
#include "tocsin/result.hpp"
#include "tocsin/rule_set.hpp"
#include "tocsin/snapshot_store.hpp"
#include "tocsin/transition_sink.hpp"

namespace tocsin {

struct pipeline_settings {
  std::size_t shards = 0;  ///< window aggregators; 0 = one a core; at most 256
  event_limits limits;     ///< bounds on events
  engine_limits state;     ///< bounds on the state of windows, all shards together
  duration tick =
      std::chrono::milliseconds{200};  ///< how often time passes when no event comes; 1 ms to 1 min
  /// False: time passes with the wall clock. True: only with the arrivals given to push() and with
  /// advance(): for replay and tests.
  bool manual_clock = false;
  /// What is done to events' labels before the rules see them; null = nothing.
  std::shared_ptr<const enrichment> enrich;
  /// What happens to alerts after they fire; null = the defaults: nobody is notified.
  std::shared_ptr<const alert_policy> alerts;
  /// Where alerts last. With it, what it holds is taken up at the start, and every transition is
  /// stored before a sink sees it. Null = in memory only.
  std::shared_ptr<alert_store> store;
  /// Ended alerts and delivered notices older than this are forgotten; 1 h to 10,000 days.
  duration retention = std::chrono::days{90};
  /// Where the steps of the log last: events, time, operations. With it start() goes on where the
  /// last run was stopped, by whatever: it takes the newest snapshot that can be read, and goes
  /// through the log's steps behind it again. Nothing that was answered is lost, and what the store
  /// already holds happens once. Needs a durable store and snapshots. Null = windows begin empty.
  std::shared_ptr<event_log> log;
  std::shared_ptr<snapshot_store> snapshots;
  duration snapshot_every = std::chrono::minutes{1};  ///< 1 s to 1 day, by the log's clock
  /// How long the log is kept for replays, beyond what a restart needs; 0 to 10,000 days.
  duration log_horizon = std::chrono::hours{24};
  /// What the log may take on disk, beyond what a restart needs.
  std::uint64_t log_bytes = std::uint64_t{10} << 30;
  /// What messages and which events of the log are kept out; null: none. Needs the log.
  std::shared_ptr<quarantine> poison;
  dedup_limits dedup;    ///< of bursts that are answered
  ingest_quotas quotas;  ///< what each source may send, and whether events are shed
  /// Bursts that may be under way, from push() until their transitions are with the sinks, before
  /// push() blocks; 1 to 4,096.
  std::size_t bursts_in_flight = 32;
  /// The same in events, by what the messages announce before they are decoded: no burst comes in
  /// while this many are under way; 1 to 16,777,216. With bursts of bounded size the two bound the
  /// memory that an overloaded pipeline holds.
  std::size_t events_in_flight = 65'536;

  /// What is wrong with these settings, or nothing.
  [[nodiscard]] std::optional<error> validate() const;
};

/// How a pipeline found its way back.
struct recovery {
  std::uint64_t snapshot_step = 0;   ///< 0: no snapshot was used
  std::uint64_t steps = 0;           ///< of the log that were gone through again
  std::uint64_t events = 0;          ///< in them
  bool windows_kept = false;         ///< windows are as if there had been no restart
  std::vector<std::string> remarks;  ///< snapshots that could not be used, and why
};

/// Runs from start() to stop(). All members may be called from any thread; push() from one thread
/// at a time keeps that thread's order. Sinks and callbacks may call failure() and try_push(),
/// sinks also counts() and active_alerts(); all else could wait for the very thread it is called
/// on.
class pipeline {
 public:
  /// Starts the actors. Sinks get every transition, in order, on one of the pipeline's threads.
  /// Errors: bad settings.
  [[nodiscard]] static result<std::unique_ptr<pipeline>> start(
      const pipeline_settings& settings, std::shared_ptr<const rule_set> rules,
      std::vector<std::shared_ptr<transition_sink>> sinks);

  /// The same with a callback, called once a transition.
  [[nodiscard]] static result<std::unique_ptr<pipeline>> start(
      const pipeline_settings& settings, std::shared_ptr<const rule_set> rules,
      std::function<void(const alert&)> on_transition);

  ~pipeline();  ///< stops
  pipeline(const pipeline&) = delete;
  pipeline& operator=(const pipeline&) = delete;

  /// Copies one message in. Blocks while bursts_in_flight bursts are under way. False when the
  /// pipeline has stopped or failed (see failure()): the message was not taken.
  bool push(std::string_view message);
  /// Hands over many messages without copying them.
  bool push(burst messages);
  /// Like push, but returns false instead of waiting (`messages` is then left as it was). When room
  /// comes, the function given to on_room is called once. Also false when the pipeline has stopped
  /// or failed; then no room comes. Bursts with an answer have room of their own (for as many
  /// events as the others, and 32 times as many bursts), so that a flood of pushed events does not
  /// keep them out; on_room does not tell of it: their senders try again.
  bool try_push(burst& messages);
  /// Sets what is called, on one of the pipeline's threads, when try_push was refused and there is
  /// room again. To be set before the first try_push.
  void on_room(std::function<void()> wake);

  /// Manual clock only: time passes to `clock` with no event. Waits for room like push(). False
  /// when the pipeline has stopped or failed, or goes by the wall clock.
  bool advance(instant clock);

  /// Waits until everything pushed so far has had its effect and the sinks have seen it. False when
  /// it failed.
  bool drain();
  /// Drains and ends all actors. Idempotent.
  void stop();

  /// What start() did to go on.
  [[nodiscard]] const recovery& recovered() const noexcept;

  /// Why the pipeline stopped by itself, e.g. "window aggregator 1: bad_alloc"; nothing while it is
  /// well. A failing actor stops the whole pipeline in order.
  [[nodiscard]] std::optional<std::string> failure() const;
  /// Sets what is called once, on one of the pipeline's threads, when it fails; at once when it has
  /// failed already. Must not throw.
  void on_failure(std::function<void(const std::string&)> handler);

  /// Exact after drain() while nothing new is pushed; otherwise each actor's counts are of its own
  /// moment. After stop() the last ones; of an actor that failed or did not answer within 5 s, what
  /// it said last.
  [[nodiscard]] pipeline_counts counts() const;
  /// The active alerts, by fingerprint.
  [[nodiscard]] std::vector<transition> active_alerts() const;

  /// What an operator asks. Waits until it is stored, where there is a store. Errors: those of
  /// alert_book::operate; store_failed; unavailable (the pipeline has ended, or did not answer
  /// within 30 s: then it may still happen).
  [[nodiscard]] result<operation_result> operate(operation wanted);
  /// Calls `look` once with the alert book, on the thread that owns it: keep it short. False when
  /// the pipeline has ended or does not answer within 5 s; then it is not called any more.
  [[nodiscard]] bool inspect(const std::function<void(const alert_book&)>& look) const;
  /// A try to deliver a notice of the store ended (alert_store::settle).
  void settle(notice_outcome outcome);

 private:
  struct running;
  explicit pipeline(std::unique_ptr<running> parts);
  std::unique_ptr<running> parts_;
};

}  // namespace tocsin
