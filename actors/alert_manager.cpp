// SPDX-License-Identifier: Apache-2.0
// alert_manager: findings and operations in, changes out, one log step after the other.
#include "alert_manager.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "caf/actor_system.hpp"
#include "caf/stateful_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "changed_rules.hpp"
#include "failure_report.hpp"
#include "snapshot_builder.hpp"
#include "step_collector.hpp"
#include "tocsin/work_at_hand.hpp"

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
    rules.emplace(setup.rules);
    steps.emplace(setup.after);
    if (setup.stored) restore(std::move(*setup.stored));
    setup.stored.reset();
    return {
        [this](shard_findings& part) {
          steps->add(part);
          while (auto complete = steps->next()) {
            at_hand = {.batch = complete->batch.get(), .step = complete->number};
            take(*complete);
            at_hand = {};
          }
        },
        [this](const look_in& asked) { asked.look(*book); },
        [this](snapshot_part& part) { pass_on(part); },
        [this](counts_wanted) { return report(); },
    };
  }

  void restore(book_state stored) {
    if (setup.logged) {
      done = stored.step;
      rules->restore(stored.facts);
    }
    changes_made made{done, {}, {}, {}};
    add(book->restore(std::move(stored), setup.clock, setup.windows_kept), made);
    tell(std::move(made));
  }

  void take(collected_step& complete) {
    if (complete.number <= done) {  // the book has had it, before a restart
      for (finding& each : complete.found) rules->pass_over(std::move(each));
      return;
    }
    for (finding& each : rules->take(book->clock())) complete.found.push_back(std::move(each));
    changes_made made{setup.logged ? complete.number : 0, {}, {}, std::move(complete.held)};
    add(book->step(complete.clock, std::move(complete.found)), made);
    if (complete.asked) operate(*complete.asked, made);
    tell(std::move(made));
  }

  void operate(const operation_in& asked, changes_made& made) {
    auto [outcome, changes] = book->operate(asked.wanted);
    // An operation that is gone through again was asked by nobody who is still there.
    if (!outcome && asked.answer) asked.answer(outcome.failure());
    if (!outcome) return;
    add(std::move(changes), made);
    if (!asked.answer) return;
    // Who asked hears of it when it is stored.
    made.stored = [answer = asked.answer,
                   outcome = *std::move(outcome)](const std::optional<error>& failed) {
      answer(failed ? result<operation_result>{*failed} : result<operation_result>{outcome});
    };
  }

  void add(book_changes changes, changes_made& to) {
    show_shields(changes);
    if (changes.empty()) return;
    changes.step = to.step;
    if (setup.logged) {
      if (auto fact = rules->take_fact()) changes.facts.push_back(*std::move(fact));
    }
    transitions += changes.transitions.size();
    for (const notice_ptr& each : changes.notices) ++notices[each->receiver];
    to.what.push_back(std::make_shared<const book_changes>(std::move(changes)));
  }

  void tell(changes_made made) {
    if (made.what.empty()) {
      if (made.stored) made.stored(std::nullopt);
      return;
    }
    if (!(setup.recorder && setup.store_first)) {
      for (const auto& each : made.what) {
        if (each->transitions.empty() && each->notices.empty()) continue;
        self->send(setup.notifier, step_transitions{each, made.held});
      }
    }
    if (setup.recorder) {
      self->send(setup.recorder, std::move(made));
    } else if (made.stored) {
      made.stored(std::nullopt);
    }
  }

  /// Each shard's part is behind its findings: with the last, all up to the step has been done.
  void pass_on(snapshot_part& part) {
    if (!part.into->add(part.shard, std::move(part.state))) return;
    self->send(setup.recorder,
               snapshot_made{std::make_shared<const pipeline_snapshot>(part.into->take()),
                             std::move(part.held)});
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
  std::optional<step_collector> steps;
  std::optional<changed_rules> rules;
  std::uint64_t done = 0;              ///< steps up to this one are in the book already
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
