// SPDX-License-Identifier: Apache-2.0
// The alerts' life cycle: findings and timers, merged in one order of time, become transitions.
#include "tocsin/alert_book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace tocsin {

namespace {

/// An active alert. It has at most one timer: pending, the end of `for`; firing, the end of
/// keep_firing_for.
struct active_alert {
  alert now;
  std::uint32_t rule = 0;
  std::optional<instant> deadline;
};

/// Orders timers like findings: by time, then rule, then fingerprint.
using timer = std::tuple<instant, std::uint32_t, fingerprint>;

}  // namespace

struct alert_book::state {
  using entry = std::map<fingerprint, active_alert>::iterator;

  explicit state(std::shared_ptr<const rule_set> set) : rules(std::move(set)) {}

  const rule& rule_of(std::uint32_t index) const { return rules->rule_at(index); }

  void arm(entry at, instant deadline) {
    at->second.deadline = deadline;
    timers.emplace(deadline, at->second.rule, at->first);
  }

  void disarm(entry at) {
    if (!at->second.deadline) return;
    timers.erase({*at->second.deadline, at->second.rule, at->first});
    at->second.deadline.reset();
  }

  void move(entry which, instant at, alert_state to, std::string cause, std::string actor) {
    alert& now = which->second.now;
    now.previous_state = now.state;
    now.state = to;
    now.at = at;
    now.cause = std::move(cause);
    now.actor = std::move(actor);
    ++now.number;
    if (to == alert_state::resolved) now.resolved_at = at;
    if (to == alert_state::closed) now.closed_at = at;
    out.push_back(std::make_shared<const alert>(now));
  }

  void end(entry which, instant at, alert_state to, std::string cause, std::string actor) {
    disarm(which);
    move(which, at, to, std::move(cause), std::move(actor));
    active.erase(which);
  }

  void run_timers(instant before) {
    while (!timers.empty() && std::get<instant>(*timers.begin()) < before) {
      const auto [at, rule_index, print] = *timers.begin();
      const entry due = active.find(print);
      const rule_spec& spec = rule_of(rule_index).spec;
      if (due->second.now.state == alert_state::pending) {
        disarm(due);
        move(due, at, alert_state::firing,
             fmt::format("condition held for {}", format_duration(spec.pending_for)), "rule");
      } else {
        end(due, at, alert_state::resolved, "condition cleared", "rule");
      }
    }
  }

  void begin(finding& found) {
    const rule& by = rule_of(found.rule);
    active_alert fresh;
    fresh.rule = found.rule;
    alert& now = fresh.now;
    now.alert_id = alert_id_of(found.print, by.revision, to_unix_ms(found.proof.first_event_time),
                               found.proof.first_event_position);
    now.print = found.print;
    now.rule = by.name;
    now.revision = by.revision;
    now.condition = by.condition;
    now.severity = found.severity;
    now.texts = std::move(found.texts);
    now.proof = std::move(found.proof);
    now.started_at = found.at;
    const entry which = active.emplace(found.print, std::move(fresh)).first;
    if (by.spec.pending_for > duration::zero()) {
      arm(which, found.at + by.spec.pending_for);
      move(which, found.at, alert_state::pending, "condition met", "rule");
    } else {
      move(which, found.at, alert_state::firing, std::string{found.cause}, "rule");
    }
  }

  void refresh(entry which, finding& found) {
    alert& now = which->second.now;
    // The condition holds, so what waits for it to stay false has nothing to wait for.
    if (now.state == alert_state::firing) disarm(which);
    if (found.proof.event_count > 0) now.proof = std::move(found.proof);
    if (found.texts) now.texts = std::move(found.texts);
    const bool worse = found.severity < now.severity;
    now.severity = found.severity;
    if (worse && now.state == alert_state::firing) {
      move(which, found.at, alert_state::firing, "severity upgraded", "rule");
    }
  }

  void clear(entry which, const finding& found) {
    const rule_spec& spec = rule_of(found.rule).spec;
    if (which->second.now.state == alert_state::pending) {
      end(which, found.at, alert_state::resolved,
          fmt::format("condition cleared before it held for {}", format_duration(spec.pending_for)),
          "rule");
    } else if (spec.keep_firing_for == duration::zero()) {
      end(which, found.at, alert_state::resolved, std::string{found.cause}, "rule");
    } else if (!which->second.deadline) {
      arm(which, found.at + spec.keep_firing_for);
    }
  }

  void take(finding& found) {
    const entry which = active.find(found.print);
    if (which == active.end()) {
      // What ends or updates an alert that is not there has nothing to act on.
      if (found.what == finding::kind::met) begin(found);
      return;
    }
    switch (found.what) {
      case finding::kind::met:
      case finding::kind::updated:
        return refresh(which, found);
      case finding::kind::cleared:
        return clear(which, found);
      case finding::kind::recovered:
        return end(which, found.at, alert_state::resolved, std::string{found.cause}, "event");
      case finding::kind::dismissed:
        return end(which, found.at, alert_state::closed, std::string{found.cause}, "event");
    }
  }

  std::shared_ptr<const rule_set> rules;
  std::map<fingerprint, active_alert> active;
  std::set<timer> timers;
  instant clock = instant::min();
  std::vector<transition> out;
};

alert_book::alert_book(std::shared_ptr<const rule_set> rules)
    : state_(std::make_unique<state>(std::move(rules))) {}
alert_book::~alert_book() = default;
alert_book::alert_book(alert_book&&) noexcept = default;

std::vector<transition> alert_book::step(instant clock, std::vector<finding> findings) {
  assert(clock >= state_->clock);
  std::stable_sort(findings.begin(), findings.end());
  for (finding& found : findings) {
    assert(found.at >= state_->clock && found.at <= clock);
    state_->run_timers(found.at);
    state_->take(found);
  }
  state_->run_timers(clock);
  state_->clock = clock;
  return std::exchange(state_->out, {});
}

std::vector<transition> alert_book::active() const {
  std::vector<transition> all;
  all.reserve(state_->active.size());
  for (const auto& [print, held] : state_->active) {
    all.push_back(std::make_shared<const alert>(held.now));
  }
  return all;
}

std::size_t alert_book::active_count() const noexcept {
  return state_->active.size();
}

}  // namespace tocsin
