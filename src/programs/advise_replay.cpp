// SPDX-License-Identifier: Apache-2.0
// Gives each change of a rule a name of its own, so that one replay judges all of them.
#include "programs/advise_replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace tocsin {
namespace {

using trials_by_rule = std::map<std::string, rule_trial, std::less<>>;

result<trials_by_rule> replay_rules(const recording& events, std::vector<rule_spec> rules) {
  diagnostics found;
  auto compiled = rule_set::compile(std::move(rules), found);
  if (!compiled) {
    for (const auto& each : found) {
      if (each.kind == diagnostic::grade::error) return error{"bad_rules", each.text()};
    }
  }
  trials_by_rule trials;
  const auto count = replay_through(events, compiled, [&trials](const alert& of) {
    if (of.origin == alert_origin::rule) trials[of.rule].add(of);
  });
  if (!count) return count.failure();
  return trials;
}

std::vector<trial_alert> alerts_of(const trials_by_rule& trials, std::string_view rule) {
  const auto found = trials.find(rule);
  return found == trials.end() ? std::vector<trial_alert>{} : found->second.alerts();
}

void mark_acknowledged(std::vector<trial_alert>& alerts,
                       const std::vector<acknowledged_alert>& known) {
  for (const acknowledged_alert& each : known) {
    trial_alert span;
    span.fired_at = each.from;
    span.ended_at = each.until;
    for (trial_alert& one : alerts) {
      if (one.print == each.print && one.overlaps(span)) one.acknowledged = true;
    }
  }
}

/// A rule and what is thought of it between the two replays.
struct advised_rule {
  rule_advisor advisor;
  rule_trials trials;
};

/// Fills in what the first replay tells.
void take_alerts(advised_rule& into, std::vector<trial_alert> alerts,
                 const trial_options& options) {
  mark_acknowledged(alerts, options.acknowledged);
  into.advisor.observe(std::move(alerts), options.noise_max);
  into.trials.alerts = into.advisor.alerts().size();
  into.trials.noise = into.advisor.noise();
  into.trials.trouble = into.advisor.trouble();
  into.trials.noise_max = into.advisor.noise_max();
  into.trials.obstacle = into.advisor.obstacle();
  if (into.trials.obstacle.empty()) into.trials.changes = into.advisor.candidates();
}

std::string trial_name(std::size_t rule, std::size_t change) {
  return fmt::format("trial-{}-{}", rule, change);
}

}  // namespace

result<std::vector<rule_trials>> try_changes(const recording& events,
                                             const std::vector<rule_spec>& rules,
                                             const trial_options& options) {
  std::vector<advised_rule> advised;
  std::vector<rule_spec> observed;
  for (const rule_spec& each : rules) {
    advised.push_back({rule_advisor(each), {}});
    advised.back().trials.rule = each.name.text;
    observed.push_back(advised.back().advisor.observed());
  }
  const auto first = replay_rules(events, std::move(observed));
  if (!first) return first.failure();

  std::vector<rule_spec> variants;
  for (std::size_t i = 0; i < advised.size(); ++i) {
    take_alerts(advised[i], alerts_of(*first, advised[i].trials.rule), options);
    for (std::size_t j = 0; j < advised[i].trials.changes.size(); ++j) {
      variants.push_back(advised[i].trials.changes[j].rule);
      variants.back().name.text = trial_name(i, j);
    }
  }
  std::vector<rule_trials> all;
  trials_by_rule second;
  if (!variants.empty()) {
    auto replayed = replay_rules(events, std::move(variants));
    if (!replayed) return replayed.failure();
    second = *std::move(replayed);
  }
  for (std::size_t i = 0; i < advised.size(); ++i) {
    rule_trials& trials = advised[i].trials;
    for (std::size_t j = 0; j < trials.changes.size(); ++j) {
      trials.effects.push_back(advised[i].advisor.effect_of(alerts_of(second, trial_name(i, j))));
    }
    trials.proposal = choose(trials.effects);
    all.push_back(std::move(trials));
  }
  return all;
}

}  // namespace tocsin
