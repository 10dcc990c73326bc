// SPDX-License-Identifier: Apache-2.0
// ingest: bursts and ticks in, log steps out.
#include "ingest.hpp"

#include <optional>
#include <utility>

#include "caf/actor_system.hpp"
#include "caf/stateful_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "failure_report.hpp"
#include "step_maker.hpp"

namespace tocsin {
namespace {

struct ingest_state {
  static constexpr const char* name = "ingest";

  explicit ingest_state(ingest_actor::stateful_pointer<ingest_state> actor) : self(actor) {}

  ingest_actor::behavior_type make_behavior(const ingest_setup& given,
                                            const std::shared_ptr<burst_gate>& gate,
                                            const std::vector<ingest_shard>& aggregators) {
    report_failures(self, gate, name);
    setup = given;
    shards = aggregators;
    step_maker_setup making;
    making.limits = setup.limits;
    making.rules = setup.rules;
    making.shards = shards.size();
    making.enrich = setup.enrich;
    making.shields = setup.shields;
    making.clock = setup.clock;
    steps.emplace(std::move(making));
    if (setup.now) arm_tick(setup.tick);
    return {
        [this](const burst_in& in) { log(steps->of_burst(in.what, now()).step, in.held); },
        [this](const time_in& in) { log(steps->of_time(in.clock).step, in.held); },
        [this](tick_due) { tick(); },
        [this](const operation_ptr& in) { log(steps->of_time(now()).step, nullptr, in); },
        [this](counts_wanted) { return steps->report(); },
    };
  }

  [[nodiscard]] instant now() const { return setup.now ? setup.now() : steps->clock(); }

  void log(const std::shared_ptr<const log_step>& step, const completion& held,
           operation_ptr asked = nullptr) {
    if (!step) return;
    last_step = step->clock;
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
      self->send(shards[i].actor, logged_step{step, static_cast<std::uint32_t>(concerned.size()),
                                              std::exchange(asked, nullptr), held});
    }
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
      log(steps->of_time(at).step, held);
    }
    arm_tick(setup.tick);
  }

  void arm_tick(duration after) { self->delayed_send(self, after, tick_due{}); }

  ingest_actor::stateful_pointer<ingest_state> self;
  ingest_setup setup;
  std::vector<ingest_shard> shards;
  std::vector<std::uint32_t> concerned;  // by the step at hand
  std::optional<step_maker> steps;
  instant last_step{};
  std::weak_ptr<const void> last_tick;
};

ingest_actor::behavior_type behave(ingest_actor::stateful_pointer<ingest_state> self,
                                   const ingest_setup& setup,
                                   const std::shared_ptr<burst_gate>& gate,
                                   const std::vector<ingest_shard>& shards) {
  return self->state.make_behavior(setup, gate, shards);
}

}  // namespace

ingest_actor spawn_ingest(caf::actor_system& system, ingest_setup setup,
                          std::shared_ptr<burst_gate> gate, std::vector<ingest_shard> shards) {
  return system.spawn(behave, std::move(setup), std::move(gate), std::move(shards));
}

}  // namespace tocsin
