// SPDX-License-Identifier: Apache-2.0
// Splits a rule's alerts into noise and trouble, and weighs what changes of the rule do to both.
#include "tocsin/rule_advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tocsin {
namespace {

std::string group_text(const alert& of) {
  std::string text;
  if (!of.texts) return text;
  for (const auto& [name, value] : of.texts->group) {
    // Lengths keep apart what joined texts would not.
    text += value ? fmt::format("{}={}:{};", name, value->size(), *value) : name + ";";
  }
  return text;
}

void widen(trial_alert& into, std::string_view name, double value) {
  const auto [at, is_new] = into.reached.try_emplace(std::string(name), value, value);
  if (is_new) return;
  at->second.first = std::min(at->second.first, value);
  at->second.second = std::max(at->second.second, value);
}

void take_values(trial_alert& into, const evidence& proof) {
  for (const auto& [name, value] : proof.values) widen(into, name, value);
  widen(into, "event_count", static_cast<double>(proof.event_count));
}

using alerts_by_group = std::map<std::string_view, std::vector<const trial_alert*>>;

alerts_by_group by_group(const std::vector<trial_alert>& alerts) {
  alerts_by_group sorted;
  for (const trial_alert& each : alerts) sorted[each.group].push_back(&each);
  return sorted;
}

/// The first alert of the group of `of` that overlaps it; null: none does.
const trial_alert* first_overlap(const alerts_by_group& among, const trial_alert& of) {
  const auto group = among.find(of.group);
  if (group == among.end()) return nullptr;
  const auto found = std::find_if(group->second.begin(), group->second.end(),
                                  [&of](const trial_alert* each) { return each->overlaps(of); });
  return found == group->second.end() ? nullptr : *found;
}

}  // namespace

bool trial_alert::overlaps(const trial_alert& other) const noexcept {
  const auto begins_before_the_end_of = [](const trial_alert& one, const trial_alert& two) {
    return !two.ended_at || one.fired_at < std::max(*two.ended_at, two.fired_at + duration{1});
  };
  return begins_before_the_end_of(*this, other) && begins_before_the_end_of(other, *this);
}

void rule_trial::add(const alert& after) {
  const auto known = active_.find(after.print);
  const bool ends = after.state == alert_state::resolved || after.state == alert_state::closed;
  if (known != active_.end()) {
    trial_alert& held = alerts_[known->second];
    take_values(held, after.proof);
    if (!ends) return;
    held.ended_at = after.at;
    active_.erase(known);
    return;
  }
  if (after.state != alert_state::firing) return;
  trial_alert fresh;
  fresh.print = after.print;
  fresh.group = group_text(after);
  fresh.fired_at = after.at;
  take_values(fresh, after.proof);
  active_.emplace(after.print, alerts_.size());
  alerts_.push_back(std::move(fresh));
}

rule_advisor::rule_advisor(rule_spec rule) : rule_(std::move(rule)), observed_(rule_) {
  find_thresholds();
}

void rule_advisor::observe(std::vector<trial_alert> alerts, std::optional<duration> noise_max) {
  alerts_ = std::move(alerts);
  lengths_.clear();
  for (const trial_alert& each : alerts_) {
    if (each.ended_at) lengths_.push_back(*each.ended_at - each.fired_at);
  }
  std::sort(lengths_.begin(), lengths_.end());
  const duration median = lengths_.empty() ? duration{} : lengths_[(lengths_.size() - 1) / 2];
  noise_max_ = noise_max.value_or(median);
}

bool rule_advisor::is_noise(const trial_alert& of) const noexcept {
  return of.ended_at && *of.ended_at - of.fired_at <= noise_max_ && !of.acknowledged;
}

std::uint64_t rule_advisor::noise() const noexcept {
  return static_cast<std::uint64_t>(std::count_if(
      alerts_.begin(), alerts_.end(), [this](const trial_alert& each) { return is_noise(each); }));
}

std::uint64_t rule_advisor::trouble() const noexcept {
  return alerts_.size() - noise();
}

std::string rule_advisor::obstacle() const {
  if (alerts_.size() < alerts_min) {
    return fmt::format("{} alerts: fewer than {} tell nothing", alerts_.size(), alerts_min);
  }
  if (noise() == 0) {
    return fmt::format("no alert ended by itself within {}", format_duration(noise_max_));
  }
  if (trouble() == 0) {
    return fmt::format(
        "all {} alerts ended within {} and nobody acknowledged one: nothing tells noise from "
        "trouble",
        alerts_.size(), format_duration(noise_max_));
  }
  return {};
}

change_effect rule_advisor::effect_of(const std::vector<trial_alert>& after) const {
  change_effect effect;
  effect.before = alerts_.size();
  effect.after = after.size();
  const alerts_by_group changed = by_group(after);
  const alerts_by_group unchanged = by_group(alerts_);
  std::vector<duration> delays;
  for (const trial_alert& each : alerts_) {
    const trial_alert* const stays = first_overlap(changed, each);
    if (is_noise(each)) {
      effect.noise_gone += stays == nullptr ? 1 : 0;
    } else if (stays == nullptr) {
      ++effect.trouble_lost;
    } else {
      delays.push_back(std::max(duration{}, stays->fired_at - each.fired_at));
    }
  }
  effect.appeared = static_cast<std::uint64_t>(std::count_if(
      after.begin(), after.end(),
      [&unchanged](const trial_alert& each) { return first_overlap(unchanged, each) == nullptr; }));
  if (!delays.empty()) {
    std::sort(delays.begin(), delays.end());
    effect.delay_median = delays[(delays.size() - 1) / 2];
    effect.delay_max = delays.back();
  }
  return effect;
}

std::optional<std::size_t> choose(const std::vector<change_effect>& effects) {
  std::optional<std::size_t> best;
  const auto gain = [](const change_effect& of) { return of.noise_gone - of.appeared; };
  for (std::size_t i = 0; i < effects.size(); ++i) {
    const change_effect& each = effects[i];
    if (each.trouble_lost > 0 || each.noise_gone <= each.appeared || each.after >= each.before) {
      continue;
    }
    if (best) {
      const change_effect& other = effects[*best];
      if (gain(each) < gain(other)) continue;
      if (gain(each) == gain(other) && each.delay_max >= other.delay_max) continue;
    }
    best = i;
  }
  return best;
}

}  // namespace tocsin
