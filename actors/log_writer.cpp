// SPDX-License-Identifier: Apache-2.0
// log_writer: entries in, records on disk and answers out.
#include "log_writer.hpp"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>

#include "caf/actor_system.hpp"
#include "caf/exit_reason.hpp"
#include "caf/stateful_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "failure_report.hpp"
#include "log_queue.hpp"

namespace tocsin {
namespace {

/// A log that is full is tried again so often.
constexpr duration try_again_after = std::chrono::seconds{1};

struct log_writer_state {
  static constexpr const char* name = "log_writer";

  explicit log_writer_state(log_writer_actor::stateful_pointer<log_writer_state> actor)
      : self(actor) {}

  log_writer_actor::behavior_type make_behavior(const std::shared_ptr<event_log>& into,
                                                const std::shared_ptr<burst_gate>& door) {
    report_failures(self, door, "log writer");
    log = into;
    gate = door;
    queue.emplace(log);
    self->set_exit_handler([this](const caf::exit_msg& told) { end(told); });
    return {
        [this](log_append& in) {
          queue->add(std::move(in));
          arm();
        },
        [this](const log_wanted& in) {
          queue->want(in.step);
          arm();
        },
        [this](const log_trim& in) {
          if (log->trim(in.keep)) ++trim_failures;  // what could not go now goes next time
        },
        [this](log_due) {
          armed = false;
          write();
        },
        [this](log_retry) {
          retrying = false;
          write();
        },
        [this](const recorder_actor& whom) { recorder = whom; },
        [this](counts_wanted) {
          event_log_counts now = queue->counts();
          now.failures += trim_failures;
          return now;
        },
    };
  }

  /// Behind what waits in the mailbox, so that one sync serves all of it.
  void arm() {
    if (!std::exchange(armed, true)) self->send(self, log_due{});
  }

  void write() {
    auto [reached, failed] = queue->write();
    if (reached > 0) self->send(recorder, log_reached{reached});
    if (!failed) return;
    if (failed->code != "log_full") throw std::runtime_error(failed->message);
    self->send(recorder, log_refused{*failed});
    if (gate->is_shut()) give_up(*failed);
    if (!std::exchange(retrying, true)) {
      self->delayed_send(self, try_again_after, log_retry{});
    }
  }

  /// The pipeline is ending, and nobody would wait for room.
  void give_up(const error& failed) {
    gate->fail(fmt::format("log writer: {} steps could not be kept before the end: {}",
                           queue->waiting(), failed.message));
  }

  /// What has come is written before it ends, whether its log_due is through or not.
  void end(const caf::exit_msg& told) {
    if (told.reason == caf::exit_reason::user_shutdown) {
      queue->want(last_possible_step);
      write();
      if (queue->waiting() > 0) give_up({"log_full", queue->counts().last_failure});
    }
    self->quit(told.reason);
  }

  static constexpr std::uint64_t last_possible_step = ~std::uint64_t{0};

  log_writer_actor::stateful_pointer<log_writer_state> self;
  std::shared_ptr<event_log> log;
  std::shared_ptr<burst_gate> gate;
  std::optional<log_queue> queue;
  recorder_actor recorder;
  bool armed = false;
  bool retrying = false;
  std::uint64_t trim_failures = 0;
};

log_writer_actor::behavior_type behave(log_writer_actor::stateful_pointer<log_writer_state> self,
                                       const std::shared_ptr<event_log>& log,
                                       const std::shared_ptr<burst_gate>& gate) {
  return self->state.make_behavior(log, gate);
}

}  // namespace

log_writer_actor spawn_log_writer(caf::actor_system& system, std::shared_ptr<event_log> log,
                                  std::shared_ptr<burst_gate> gate, bool own_thread) {
  if (own_thread) return system.spawn<caf::detached>(behave, std::move(log), std::move(gate));
  return system.spawn(behave, std::move(log), std::move(gate));
}

}  // namespace tocsin
