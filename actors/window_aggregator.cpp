// SPDX-License-Identifier: Apache-2.0
// window_aggregator: log steps in, findings out.
#include "window_aggregator.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "caf/actor_system.hpp"
#include "caf/stateful_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "failure_report.hpp"
#include "tocsin/work_at_hand.hpp"

namespace tocsin {
namespace {

struct window_aggregator_state {
  static constexpr const char* name = "window_aggregator";

  explicit window_aggregator_state(
      window_aggregator_actor::stateful_pointer<window_aggregator_state> actor)
      : self(actor) {}

  window_aggregator_actor::behavior_type make_behavior(
      const std::shared_ptr<const rule_set>& rules, const engine_place& place,
      const std::shared_ptr<burst_gate>& gate, const alert_manager_actor& manager,
      const std::shared_ptr<shard_progress>& seen) {
    report_failures(self, gate, window_aggregator_role(place.shard));
    shard = place.shard;
    alerts = manager;
    progress = seen;
    engine = place.restored
                 ? place.restored
                 : std::make_shared<window_engine>(rules, place.limits, place.shard, place.shards);
    return {
        [this](const logged_step& in) { take(in); },
        [this](const snapshot_wanted& in) {
          self->send(alerts, snapshot_part{in.into, shard, engine->save(), in.held});
        },
        [this](counts_wanted) {
          return shard_report{engine->totals(), engine->totals_by_rule(), engine->late_by_source()};
        },
    };
  }

  void take(const logged_step& in) {
    static const slice nothing;
    const log_step& step = *in.step;
    shard_findings out{step.number, in.after, in.shards, step.clock,
                       {},          in.asked, in.held,   step.batch};
    at_hand = {.batch = step.batch.get(), .step = step.number};
    engine->step(step.clock, step.batch.get(), step.batch ? step.slices.at(shard) : nothing,
                 out.found);
    at_hand = {};
    self->send(alerts, std::move(out));
    progress->done(step.number, engine->idle_until());
  }

  window_aggregator_actor::stateful_pointer<window_aggregator_state> self;
  std::uint32_t shard = 0;
  std::shared_ptr<shard_progress> progress;
  alert_manager_actor alerts;
  std::shared_ptr<window_engine> engine;
};

window_aggregator_actor::behavior_type behave(
    window_aggregator_actor::stateful_pointer<window_aggregator_state> self,
    const std::shared_ptr<const rule_set>& rules, const engine_place& place,
    const std::shared_ptr<burst_gate>& gate, const alert_manager_actor& alerts,
    const std::shared_ptr<shard_progress>& progress) {
  return self->state.make_behavior(rules, place, gate, alerts, progress);
}

}  // namespace

engine_place place_of(std::uint32_t shard, std::size_t shards, engine_limits all) {
  all.keys = (all.keys + shards - 1) / shards;
  all.bytes = (all.bytes + shards - 1) / shards;
  return {shard, static_cast<std::uint32_t>(shards), all};
}

std::string window_aggregator_role(std::uint32_t shard) {
  return fmt::format("window aggregator {}", shard);
}

window_aggregator_actor spawn_window_aggregator(caf::actor_system& system,
                                                std::shared_ptr<const rule_set> rules,
                                                const engine_place& place,
                                                std::shared_ptr<burst_gate> gate,
                                                alert_manager_actor alerts,
                                                std::shared_ptr<shard_progress> progress) {
  return system.spawn(behave, std::move(rules), place, std::move(gate), std::move(alerts),
                      std::move(progress));
}

}  // namespace tocsin
