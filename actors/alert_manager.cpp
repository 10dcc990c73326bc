// SPDX-License-Identifier: Apache-2.0
// alert_manager: findings in, transitions out, one log step after the other.
#include "alert_manager.hpp"

#include <optional>
#include <utility>

#include "caf/actor_system.hpp"
#include "caf/stateful_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "failure_report.hpp"
#include "step_collector.hpp"

namespace tocsin {
namespace {

struct alert_manager_state {
  static constexpr const char* name = "alert_manager";

  explicit alert_manager_state(alert_manager_actor::stateful_pointer<alert_manager_state> actor)
      : self(actor) {}

  alert_manager_actor::behavior_type make_behavior(const std::shared_ptr<const rule_set>& rules,
                                                   const std::shared_ptr<burst_gate>& gate,
                                                   const notifier_actor& out) {
    report_failures(self, gate, "alert manager");
    notifier = out;
    book.emplace(rules);
    return {
        [this](shard_findings& part) {
          steps.add(part);
          while (auto complete = steps.next()) conclude(std::move(*complete));
        },
        [this](counts_wanted) {
          return alerts_report{transitions, book->active_count()};
        },
        [this](active_wanted) { return active_report{book->active()}; },
    };
  }

  void conclude(collected_step step) {
    step_transitions out{book->step(step.clock, std::move(step.found)), std::move(step.held)};
    if (out.made.empty()) return;
    transitions += out.made.size();
    self->send(notifier, std::move(out));
  }

  alert_manager_actor::stateful_pointer<alert_manager_state> self;
  notifier_actor notifier;
  std::optional<alert_book> book;
  step_collector steps;
  std::uint64_t transitions = 0;
};

alert_manager_actor::behavior_type behave(
    alert_manager_actor::stateful_pointer<alert_manager_state> self,
    const std::shared_ptr<const rule_set>& rules, const std::shared_ptr<burst_gate>& gate,
    const notifier_actor& notifier) {
  return self->state.make_behavior(rules, gate, notifier);
}

}  // namespace

alert_manager_actor spawn_alert_manager(caf::actor_system& system,
                                        std::shared_ptr<const rule_set> rules,
                                        std::shared_ptr<burst_gate> gate, notifier_actor notifier) {
  return system.spawn(behave, std::move(rules), std::move(gate), std::move(notifier));
}

}  // namespace tocsin
