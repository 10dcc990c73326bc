// SPDX-License-Identifier: Apache-2.0
// alert_manager: findings and operations in, changes out, one log step after the other.
#include "alert_manager.hpp"

#include <algorithm>
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

  alert_manager_actor::behavior_type make_behavior(const alert_manager_setup& given,
                                                   const std::shared_ptr<burst_gate>& gate) {
    report_failures(self, gate, "alert manager");
    setup = given;
    book.emplace(setup.rules, setup.policy);
    if (!setup.store_first) book->make_no_records();
    if (setup.stored) take(book->restore(std::move(*setup.stored), setup.clock), {}, {});
    setup.stored.reset();
    return {
        [this](shard_findings& part) {
          steps.add(part);
          while (auto complete = steps.next()) {
            take(book->step(complete->clock, std::move(complete->found)), {},
                 std::move(complete->held));
            if (complete->asked) operate(*complete->asked);
          }
        },
        [this](const look_in& asked) { asked.look(*book); },
        [this](counts_wanted) { return report(); },
    };
  }

  void operate(const operation_in& asked) {
    auto [outcome, changes] = book->operate(asked.wanted);
    if (!outcome) return asked.answer(outcome.failure());
    // Who asked hears of it when it is stored.
    take(
        std::move(changes),
        [answer = asked.answer, outcome = *std::move(outcome)](const std::optional<error>& failed) {
          answer(failed ? result<operation_result>{*failed} : result<operation_result>{outcome});
        },
        {});
  }

  void take(book_changes made, stored_answer stored, completion held) {
    show_shields(made);
    if (made.empty()) {
      if (stored) stored(std::nullopt);
      return;
    }
    transitions += made.transitions.size();
    for (const notice_ptr& each : made.notices) ++notices[each->receiver];
    const auto what = std::make_shared<const book_changes>(std::move(made));
    const bool to_tell = !what->transitions.empty() || !what->notices.empty();
    if (setup.recorder) {
      self->send(setup.recorder, changes_made{what, std::move(stored), held});
    } else if (stored) {
      stored(std::nullopt);
    }
    if (to_tell && !(setup.recorder && setup.store_first)) {
      self->send(setup.notifier, step_transitions{what, std::move(held)});
    }
  }

  /// Tells ingest when other silences keep events out than before; they come into force and end
  /// with time, too.
  void show_shields(const book_changes& made) {
    if (!made.silences.empty() || !made.silences_gone.empty() || !looked_for_shields) {
      const auto all = book->silences().all();
      any_shields = std::any_of(all.begin(), all.end(), [](const silence_ptr& each) {
        return each->scope == silence_scope::events;
      });
      looked_for_shields = true;
    }
    if (!any_shields && shielding.empty()) return;
    auto now = book->silences().shielding_events(book->clock());
    if (now == shielding) return;
    shielding = now;
    setup.shields->put(now.empty() ? nullptr : std::make_shared<event_shield>(std::move(now)));
  }

  [[nodiscard]] alerts_report report() const {
    alerts_report now;
    now.transitions = transitions;
    now.active = book->active_count();
    active_counts active = book->counts();
    now.by_state = std::move(active.by_state);
    now.suppressed = active.suppressed;
    for (const silence_ptr& each : book->silences().all()) {
      ++now.silences[state_of(*each, book->clock())];
    }
    now.groups = book->groups().size();
    now.notices = notices;
    now.failed_checks = book->failed_checks();
    return now;
  }

  alert_manager_actor::stateful_pointer<alert_manager_state> self;
  alert_manager_setup setup;
  std::optional<alert_book> book;
  step_collector steps;
  std::vector<silence_ptr> shielding;  ///< those that keep events out now
  bool looked_for_shields = false;
  bool any_shields = false;  ///< some silence, in force or not, has the scope of events
  std::uint64_t transitions = 0;
  std::map<std::string, std::uint64_t, std::less<>> notices;
};

alert_manager_actor::behavior_type behave(
    alert_manager_actor::stateful_pointer<alert_manager_state> self,
    const alert_manager_setup& setup, const std::shared_ptr<burst_gate>& gate) {
  return self->state.make_behavior(setup, gate);
}

}  // namespace

alert_manager_actor spawn_alert_manager(caf::actor_system& system, alert_manager_setup setup,
                                        std::shared_ptr<burst_gate> gate) {
  return system.spawn(behave, std::move(setup), std::move(gate));
}

}  // namespace tocsin
