// SPDX-License-Identifier: Apache-2.0
// One life at a time, straight from the documentation of alert_book.
#include "support/naive_alert_book.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace tocsin::testing {

namespace {

/// Where a transition stands among all: findings before timers of the same time.
struct placed_transition {
  std::tuple<instant, bool, std::uint64_t, std::uint32_t, fingerprint> place;
  alert after;
};

class naive_life {
 public:
  naive_life(const rule& by, std::vector<placed_transition>& out) : by_(by), out_(out) {}

  void take(const finding& found) {
    pass(found.at);
    const auto what = found.what;
    if (!alive_) {
      if (what == finding::kind::met) begin(found);
    } else if (what == finding::kind::met || what == finding::kind::updated) {
      go_on(found);
    } else if (what == finding::kind::recovered) {
      move(found.at, found.position, alert_state::resolved, std::string{found.cause}, "event");
    } else if (what == finding::kind::dismissed) {
      move(found.at, found.position, alert_state::closed, std::string{found.cause}, "event");
    } else if (now_.state == alert_state::pending) {
      move(found.at, found.position, alert_state::resolved,
           "condition cleared before it held for " + format_duration(by_.spec.pending_for), "rule");
    } else if (by_.spec.keep_firing_for == duration{0}) {
      move(found.at, found.position, alert_state::resolved, std::string{found.cause}, "rule");
    } else if (!cleared_at_) {
      cleared_at_ = found.at;
    }
  }

  /// Lets time pass to `until`, exclusive.
  void pass(instant until) {
    if (!alive_) return;
    if (now_.state == alert_state::pending) {
      const instant due = now_.started_at + by_.spec.pending_for;
      if (due >= until) return;
      move(due, {}, alert_state::firing,
           "condition held for " + format_duration(by_.spec.pending_for), "rule");
    }
    std::optional<instant> recovers, closes;
    if (cleared_at_) recovers = *cleared_at_ + by_.spec.keep_firing_for;
    // A clock that ran out while the alert was pending runs out when it fires.
    if (by_.spec.close_after != duration{0}) {
      closes = std::max(met_at_ + by_.spec.close_after, now_.at);
    }
    if (closes && *closes < until && (!recovers || *closes <= *recovers)) {
      move(*closes, {}, alert_state::closed, "no data for " + format_duration(by_.spec.close_after),
           "checker");
    } else if (recovers && *recovers < until) {
      move(*recovers, {}, alert_state::resolved, "condition cleared", "rule");
    }
  }

 private:
  void begin(const finding& found) {
    now_ = alert{};
    now_.print = found.print;
    // Lives that begin with the same first event are told apart by what made them begin.
    const fingerprint of_events =
        alert_id_of(found.print, by_.revision, to_unix_ms(found.proof.first_event_time),
                    found.proof.first_event_position);
    now_.alert_id = alert_id_of(of_events, "", to_unix_ms(found.at), found.position);
    now_.rule = by_.name;
    now_.revision = by_.revision;
    now_.condition = by_.condition;
    now_.severity = found.severity;
    now_.proof = found.proof;
    now_.texts = found.texts;
    now_.started_at = found.at;
    cleared_at_.reset();
    met_at_ = found.at;
    alive_ = true;
    const bool waits = by_.spec.pending_for > duration{0};
    move(found.at, found.position, waits ? alert_state::pending : alert_state::firing,
         waits ? "condition met" : std::string{found.cause}, "rule");
  }

  void go_on(const finding& found) {
    cleared_at_.reset();
    met_at_ = found.at;
    const severity before = now_.severity;
    now_.severity = found.severity;
    if (found.proof.event_count != 0) now_.proof = found.proof;
    if (found.texts) now_.texts = found.texts;
    if (now_.severity == before || now_.state != alert_state::firing) return;
    move(found.at, found.position, alert_state::firing,
         now_.severity < before ? "severity upgraded" : "severity downgraded", "rule");
  }

  void move(instant at, std::optional<std::uint64_t> position, alert_state to, std::string cause,
            std::string actor) {
    now_.previous_state = now_.state;
    now_.state = to;
    now_.number += 1;
    now_.at = at;
    now_.cause = std::move(cause);
    now_.actor = std::move(actor);
    if (to == alert_state::resolved) now_.resolved_at = at;
    if (to == alert_state::closed) now_.closed_at = at;
    alive_ = to == alert_state::pending || to == alert_state::firing;
    out_.push_back({{at, !position, position.value_or(0), by_.index, now_.print}, now_});
  }

  const rule& by_;
  std::vector<placed_transition>& out_;
  alert now_;
  bool alive_ = false;
  std::optional<instant> cleared_at_;
  instant met_at_{};
};

}  // namespace

std::shared_ptr<const rule_set> rules_with_delays(const std::vector<alert_delays>& delays) {
  std::vector<rule_spec> specs;
  for (std::size_t i = 0; i < delays.size(); ++i) {
    rule_spec spec;
    spec.file = "test.yaml";
    spec.name.text = "rule-" + std::to_string(i);
    spec.where.text = "true";
    spec.group_by = {placed_text{"item"}};
    spec.window = {window_kind::sliding, std::chrono::minutes{5}, std::chrono::minutes{1}, {}};
    spec.having.text = "count() >= 3";
    spec.pending_for = delays[i].pending_for;
    spec.keep_firing_for = delays[i].keep_firing_for;
    spec.close_after = delays[i].close_after;
    specs.push_back(std::move(spec));
  }
  diagnostics found;
  auto rules = rule_set::compile(std::move(specs), found);
  for (const diagnostic& each : found) {
    if (each.kind == diagnostic::grade::error) ADD_FAILURE() << each.text();
  }
  return rules;
}

std::vector<alert> naive_alert_history(const rule_set& rules, const std::vector<finding>& findings,
                                       instant end) {
  std::map<fingerprint, std::vector<finding>> by_print;
  for (const finding& each : findings) by_print[each.print].push_back(each);
  std::vector<placed_transition> placed;
  for (auto& [print, own] : by_print) {
    std::stable_sort(own.begin(), own.end());
    naive_life life{rules.rules()[own.front().rule], placed};
    for (const finding& each : own) life.take(each);
    life.pass(end);
  }
  std::stable_sort(placed.begin(), placed.end(),
                   [](const auto& left, const auto& right) { return left.place < right.place; });
  std::vector<alert> history;
  for (placed_transition& each : placed) history.push_back(std::move(each.after));
  return history;
}

}  // namespace tocsin::testing
