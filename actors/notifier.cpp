// SPDX-License-Identifier: Apache-2.0
// notifier: transitions in, calls to the sinks out.
#include "notifier.hpp"

#include <utility>

#include "caf/actor_system.hpp"
#include "caf/stateful_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "failure_report.hpp"

namespace tocsin {
namespace {

struct notifier_state {
  static constexpr const char* name = "notifier";

  explicit notifier_state(notifier_actor::stateful_pointer<notifier_state> actor) : self(actor) {}

  notifier_actor::behavior_type make_behavior(
      const std::vector<std::shared_ptr<transition_sink>>& targets,
      const std::optional<duration>& heartbeat, const std::shared_ptr<burst_gate>& gate) {
    report_failures(self, gate, name);
    sinks = targets;
    if (heartbeat) self->delayed_send(self, *heartbeat, heartbeat_due{});
    return {
        [this](const step_transitions& in) {
          for (const auto& sink : sinks) {
            if (!in.what->transitions.empty()) sink->publish(in.what->transitions);
            if (!in.what->notices.empty()) sink->notify(in.what->notices);
          }
        },
        [this, heartbeat](heartbeat_due) {
          for (const auto& sink : sinks) sink->heartbeat();
          self->delayed_send(self, *heartbeat, heartbeat_due{});
        },
    };
  }

  notifier_actor::stateful_pointer<notifier_state> self;
  std::vector<std::shared_ptr<transition_sink>> sinks;
};

notifier_actor::behavior_type behave(notifier_actor::stateful_pointer<notifier_state> self,
                                     const std::vector<std::shared_ptr<transition_sink>>& sinks,
                                     const std::optional<duration>& heartbeat,
                                     const std::shared_ptr<burst_gate>& gate) {
  return self->state.make_behavior(sinks, heartbeat, gate);
}

}  // namespace

notifier_actor spawn_notifier(caf::actor_system& system,
                              std::vector<std::shared_ptr<transition_sink>> sinks,
                              std::optional<duration> heartbeat, std::shared_ptr<burst_gate> gate) {
  return system.spawn(behave, std::move(sinks), heartbeat, std::move(gate));
}

}  // namespace tocsin
