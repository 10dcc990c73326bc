// SPDX-License-Identifier: Apache-2.0
// ingest: bursts and ticks in, log steps out.
#include "ingest.hpp"

#include <optional>
#include <utility>

#include "caf/actor_system.hpp"
#include "caf/stateful_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "failure_report.hpp"
#include "snapshot_builder.hpp"
#include "step_maker.hpp"

namespace tocsin {
namespace {

/// Where only time passes, a snapshot is made this many times more rarely.
constexpr int idle_factor = 60;

struct ingest_state {
  static constexpr const char* name = "ingest";

  explicit ingest_state(ingest_actor::stateful_pointer<ingest_state> actor) : self(actor) {}

  ingest_actor::behavior_type make_behavior(const ingest_setup& given,
                                            const std::shared_ptr<burst_gate>& gate,
                                            const std::vector<ingest_shard>& aggregators,
                                            const log_writer_actor& log, std::uint64_t after) {
    report_failures(self, gate, name);
    door = gate;
    setup = given;
    shards = aggregators;
    writer = log;
    last_number = after;
    steps = setup.steps ? setup.steps
                        : std::make_shared<step_maker>(
                              making_of(setup, shards.size(), static_cast<bool>(writer)));
    if (setup.now) arm_tick(setup.tick);
    return {
        [this](const burst_in& in) { take(in); },
        [this](const time_in& in) { take(steps->of_time(in.clock), in.held); },
        [this](tick_due) { tick(); },
        [this](const operation_ptr& in) {
          take(steps->of_time(now(), {in, &in->wanted}), nullptr, in);
        },
        [this](const replayed& in) { take(in); },
        [this](const live_begins& in) {
          setup.now = in.now;
          arm_tick(setup.tick);
        },
        [this](counts_wanted) { return steps->report(); },
    };
  }

  [[nodiscard]] instant now() const { return setup.now ? setup.now() : steps->clock(); }

  void take(const burst_in& in) {
    auto made = steps->of_burst(in.what, now(), setup.quotas.shed ? door->fill() : 0);
    const bool asked = in.what->answer != nullptr;
    if (writer && (made.entry || asked)) {
      self->send(writer, log_append{made.entry, asked ? in.what : nullptr, std::move(made.outcomes),
                                    in.held});
    } else if (asked) {
      for (const burst_outcome& each : made.outcomes) in.what->answer(each);
    }
    if (made.step) send(made.step, in.held);
    if (made.step) look_at_snapshot(*made.step, true);
  }

  /// Of time, or of an operation.
  void take(const made_step& made, const completion& held, const operation_ptr& asked = nullptr) {
    if (writer) self->send(writer, log_append{made.entry, nullptr, {}, held});
    send(made.step, held, asked);
    look_at_snapshot(*made.step, asked != nullptr);
  }

  /// The log has it, and time has passed already.
  void take(const replayed& in) {
    operation_ptr asked;
    if (in.entry->asked) {
      asked = std::make_shared<const operation_in>(operation_in{*in.entry->asked, {}});
    }
    const auto step = steps->of_entry(*in.entry);
    if (!snapshot_at) snapshot_at = step->clock;
    send(step, in.held, std::move(asked));
    effect_since = true;
  }

  void send(const std::shared_ptr<const log_step>& step, const completion& held,
            operation_ptr asked = nullptr) {
    last_step = step->clock;
    const std::uint64_t after = std::exchange(last_number, step->number);
    concerned.clear();
    for (std::uint32_t i = 0; i < shards.size(); ++i) {
      const bool has_events = step->batch && !step->slices[i].events.empty();
      if (has_events || !shards[i].progress->may_skip(shards[i].last_sent, step->clock))
        concerned.push_back(i);
    }
    // The alert manager's timers want every step's clock, so somebody carries it there.
    if (concerned.empty()) concerned.push_back(0);
    for (const std::uint32_t i : concerned) {
      shards[i].last_sent = step->number;
      self->send(shards[i].actor,
                 logged_step{step, after, static_cast<std::uint32_t>(concerned.size()),
                             std::exchange(asked, nullptr), held});
    }
  }

  /// A snapshot is due behind a step when it is time, something happened since the last one, and
  /// that one is done. Time alone is soon gone through again, so it has snapshots more rarely.
  void look_at_snapshot(const log_step& step, bool has_effect) {
    if (!writer) return;
    effect_since = effect_since || has_effect;
    if (!snapshot_at) snapshot_at = step.clock;
    const duration since = step.clock - *snapshot_at;
    if (since < setup.snapshot_every * (effect_since ? 1 : idle_factor)) return;
    if (!last_snapshot.expired()) return;
    snapshot_at = step.clock;
    effect_since = false;
    const auto into = std::make_shared<snapshot_builder>(steps->begin_snapshot(), shards.size());
    const completion held = std::make_shared<const char>();
    last_snapshot = held;
    for (const ingest_shard& each : shards) self->send(each.actor, snapshot_wanted{into, held});
  }

  // A batch is as good as a tick, so ticks come only when no step came for that long; and one at a
  // time, so that they cannot pile up before a slow shard.
  void tick() {
    const instant at = now();
    const duration idle = at - last_step;
    if (idle < setup.tick) return arm_tick(setup.tick - idle);
    if (last_tick.expired()) {
      const completion held = std::make_shared<const char>();
      last_tick = held;
      take(steps->of_time(at), held);
    }
    arm_tick(setup.tick);
  }

  void arm_tick(duration after) { self->delayed_send(self, after, tick_due{}); }

  ingest_actor::stateful_pointer<ingest_state> self;
  ingest_setup setup;
  std::shared_ptr<const burst_gate> door;
  std::vector<ingest_shard> shards;
  std::vector<std::uint32_t> concerned;  // by the step at hand
  std::shared_ptr<step_maker> steps;
  log_writer_actor writer;  // empty: there is no log
  instant last_step{};
  std::uint64_t last_number = 0;
  std::weak_ptr<const void> last_tick;
  std::optional<instant> snapshot_at;       // when the last one was made, or could have been
  bool effect_since = false;                // steps with more than time came since then
  std::weak_ptr<const void> last_snapshot;  // it is under way while this lives
};

ingest_actor::behavior_type behave(ingest_actor::stateful_pointer<ingest_state> self,
                                   const ingest_setup& setup,
                                   const std::shared_ptr<burst_gate>& gate,
                                   const std::vector<ingest_shard>& shards,
                                   const log_writer_actor& log, std::uint64_t after) {
  return self->state.make_behavior(setup, gate, shards, log, after);
}

}  // namespace

step_maker_setup making_of(const ingest_setup& from, std::size_t shards, bool logged) {
  step_maker_setup making;
  making.limits = from.limits;
  making.rules = from.rules;
  making.shards = shards;
  making.enrich = from.enrich;
  making.shields = from.shields;
  making.dedup = from.dedup;
  making.quotas = from.quotas;
  making.poison = from.poison;
  making.logged = logged;
  making.clock = from.clock;
  return making;
}

ingest_actor spawn_ingest(caf::actor_system& system, ingest_setup setup,
                          std::shared_ptr<burst_gate> gate, std::vector<ingest_shard> shards,
                          log_writer_actor log, std::uint64_t after) {
  return system.spawn(behave, std::move(setup), std::move(gate), std::move(shards), std::move(log),
                      after);
}

}  // namespace tocsin
