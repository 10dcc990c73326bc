// SPDX-License-Identifier: Apache-2.0
// recorder: changes in, transactions out, and on to the notifier.
#include "recorder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>

#include "caf/actor_system.hpp"
#include "caf/exit_reason.hpp"
#include "caf/stateful_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "commit_queue.hpp"
#include "failure_report.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

/// A store that fails is tried again so often.
constexpr duration try_again_after = 1s;
/// More than this cannot wait in memory for a store that fails: then the pipeline ends, for what it
/// would go on to do could not be kept.
constexpr std::size_t waiting_max = 1'000'000;
constexpr duration maintain_every = 1s;
constexpr int busy_seconds_max = 60;

struct recorder_state {
  static constexpr const char* name = "recorder";

  explicit recorder_state(recorder_actor::stateful_pointer<recorder_state> actor) : self(actor) {}

  recorder_actor::behavior_type make_behavior(const recorder_setup& given,
                                              const std::shared_ptr<burst_gate>& gate) {
    report_failures(self, gate, name);
    setup = given;
    queue.emplace(setup.store, setup.log_reached);
    self->set_exit_handler([this, gate](const caf::exit_msg& told) { end(told, gate); });
    self->delayed_send(self, maintain_every, maintenance_due{});
    return {
        [this](changes_made& in) {
          clock = std::max(clock, in.what.back()->clock);
          queue->add(std::move(in));
          arm_commit();
        },
        [this](const notice_settled& in) { settle(in.what); },
        [this](commit_due) {
          commit_armed = false;
          commit();
        },
        [this](maintenance_due) { maintain(); },
        [this](const log_reached& in) {
          queue->reach(in.step);
          arm_commit();
        },
        [this](const log_refused& in) { queue->refuse(in.why); },
        [this](snapshot_made& in) {
          snapshot = std::move(in);
          arm_commit();
        },
        [this](counts_wanted) { return report(); },
    };
  }

  /// Behind what waits in the mailbox, so that one transaction takes all of it.
  void arm_commit() {
    if (std::exchange(commit_armed, true)) return;
    self->send(self, commit_due{});
  }

  void commit() {
    const auto began = std::chrono::steady_clock::now();
    auto [to_tell, failed] = queue->commit();
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (setup.store_first) {
      for (const changes_made& each : to_tell) tell(each);
    }
    ask_log();
    pass_snapshot();
    if (!failed) return;
    if (queue->waiting_transitions() > waiting_max) {
      throw std::runtime_error(fmt::format("{} transitions wait to be stored: {}",
                                           queue->waiting_transitions(), failed->message));
    }
    if (!std::exchange(commit_armed, true)) {
      self->delayed_send(self, try_again_after, commit_due{});
    }
  }

  /// The log syncs events by itself, but not time, which can change alerts, too.
  void ask_log() {
    if (!setup.log) return;
    const std::uint64_t wanted =
        std::max(queue->wanted(), snapshot ? snapshot->what->step : std::uint64_t{0});
    if (wanted <= asked_for) return;
    asked_for = wanted;
    self->send(setup.log, log_wanted{wanted});
  }

  /// A snapshot is of use when log and store have all that it makes needless.
  void pass_snapshot() {
    if (!snapshot || !queue->has_all_of(snapshot->what->step)) return;
    self->send(setup.snapshots, *std::exchange(snapshot, std::nullopt));
  }

  /// What has come is stored before it ends, whether its commit_due is through or not.
  void end(const caf::exit_msg& told, const std::shared_ptr<burst_gate>& gate) {
    commit();
    if (queue->waiting() > 0) {
      gate->fail(
          fmt::format("recorder: {} changes could not be stored before the end", queue->waiting()));
    }
    self->quit(told.reason);
  }

  void tell(const changes_made& stored) {
    for (const auto& each : stored.what) {
      if (each->transitions.empty() && each->notices.empty()) continue;
      self->send(setup.notifier, step_transitions{each, stored.held});
    }
  }

  void settle(const notice_outcome& ended) {
    if (queue->waiting() > 0) commit();  // the notice itself may be among what waits
    ++(ended.delivered ? notices.notices_delivered
       : ended.final   ? notices.notices_failed
                       : notices.notices_retried);
    // A failure leaves the notice to be tried again: at least once, never lost.
    if (setup.store->settle(ended)) ++store_failures;
  }

  /// Tidying up waits for a quiet second, but not for ever.
  void maintain() {
    const std::uint64_t commits = queue->counts().commits;
    const bool busy = commits != std::exchange(commits_seen, commits);
    if (busy && ++busy_seconds < busy_seconds_max) {
      self->delayed_send(self, maintain_every, maintenance_due{});
      return;
    }
    busy_seconds = 0;
    const auto more = setup.store->maintain(clock - setup.retention);
    if (!more) ++store_failures;
    if (more && *more) {
      self->send(self, maintenance_due{});
    } else {
      self->delayed_send(self, maintain_every, maintenance_due{});
    }
  }

  [[nodiscard]] store_counts report() const {
    store_counts now = queue->counts();
    now.failures += store_failures;
    now.commit_seconds = seconds;
    now.waiting = queue->waiting_transitions();
    now.bytes = setup.store->bytes();
    now.notices_delivered = notices.notices_delivered;
    now.notices_failed = notices.notices_failed;
    now.notices_retried = notices.notices_retried;
    return now;
  }

  recorder_actor::stateful_pointer<recorder_state> self;
  recorder_setup setup;
  std::optional<commit_queue> queue;
  instant clock{};
  bool commit_armed = false;
  std::uint64_t asked_for = 0;            ///< the last step that the log was asked for
  std::optional<snapshot_made> snapshot;  ///< waits for log and store
  std::uint64_t commits_seen = 0;
  int busy_seconds = 0;
  double seconds = 0;
  std::uint64_t store_failures = 0;
  store_counts notices;
};

recorder_actor::behavior_type behave(recorder_actor::stateful_pointer<recorder_state> self,
                                     const recorder_setup& setup,
                                     const std::shared_ptr<burst_gate>& gate) {
  return self->state.make_behavior(setup, gate);
}

}  // namespace

recorder_actor spawn_recorder(caf::actor_system& system, recorder_setup setup,
                              std::shared_ptr<burst_gate> gate) {
  if (setup.own_thread) {
    return system.spawn<caf::detached>(behave, std::move(setup), std::move(gate));
  }
  return system.spawn(behave, std::move(setup), std::move(gate));
}

}  // namespace tocsin
