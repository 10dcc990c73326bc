// SPDX-License-Identifier: Apache-2.0
// Finds who looks after an alert, and remembers whose turn it is and who had it last.
#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "tocsin/alert_labels.hpp"
#include "tocsin/assignment.hpp"

namespace tocsin {
namespace {

constexpr std::string_view turn_key = "turn/";
constexpr std::string_view handler_key = "handler/";

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string handler_key_of(const fingerprint& print) {
  return std::string(handler_key) + to_text(print);
}

}  // namespace

std::string assigner::choose(const assignment_rule& rule, const alert& of) {
  switch (rule.by) {
    case assign_by::person:
      return rule.to;
    case assign_by::label:
      return std::string(alert_label(of, rule.label));
    case assign_by::resource_type: {
      if (!of.texts) return "";
      const auto found =
          std::find_if(rule.by_type.begin(), rule.by_type.end(), [&](const auto& type_and_person) {
            return type_and_person.first == of.texts->resource_type;
          });
      return found == rule.by_type.end() ? "" : found->second;
    }
    case assign_by::last_handler: {
      const auto found = handlers_.find(of.print);
      return found == handlers_.end() ? "" : found->second.second;
    }
    case assign_by::round_robin: {
      if (rule.people.empty()) return "";
      std::uint64_t& turn = turns_[rule.name];
      // The list may have become shorter since the turn was stored.
      const std::uint64_t mine = turn % rule.people.size();
      turn = (mine + 1) % rule.people.size();
      changed_[std::string(turn_key) + rule.name] = fmt::format("{}", turn);
      return rule.people[mine];
    }
  }
  return "";
}

assigner::choice assigner::assign(instant at, const alert& of) {
  for (const assignment_rule& rule : policy_.rules) {
    if (!matches(rule.matchers, of)) continue;
    if (!rule.times.empty() && !contains(rule.times, at)) continue;
    std::string to = choose(rule, of);
    if (!to.empty()) return {std::move(to), fmt::format("assigned by {}", rule.name)};
  }
  if (policy_.fallback.empty()) return {};
  return {policy_.fallback, "assigned to the fallback"};
}

void assigner::handled(const fingerprint& print, const std::string& by) {
  if (by.empty()) return;
  remember(print, age_ + 1, by);
  const auto& [age, name] = handlers_.at(print);
  changed_[handler_key_of(print)] = fmt::format("{} {}", age, name);
}

void assigner::remember(const fingerprint& print, std::uint64_t age, std::string by) {
  if (const auto known = handlers_.find(print); known != handlers_.end()) {
    by_age_.erase(known->second.first);
  }
  handlers_[print] = {age, std::move(by)};
  by_age_[age] = print;
  age_ = std::max(age_, age);
  while (handlers_.size() > handlers_max) {
    const auto oldest = by_age_.begin();
    changed_[handler_key_of(oldest->second)] = "";
    handlers_.erase(oldest->second);
    by_age_.erase(oldest);
  }
}

std::vector<std::pair<std::string, std::string>> assigner::take_changed() {
  std::vector<std::pair<std::string, std::string>> taken(changed_.begin(), changed_.end());
  changed_.clear();
  return taken;
}

bool assigner::restore(std::string_view key, std::string_view value) {
  if (key.starts_with(turn_key)) {
    const auto turn = whole_number(value);
    if (turn) turns_[std::string(key.substr(turn_key.size()))] = *turn;
    return turn.has_value();
  }
  if (!key.starts_with(handler_key)) return false;
  const auto print = parse_fingerprint(key.substr(handler_key.size()));
  const auto space = value.find(' ');
  if (!print || space == std::string_view::npos || space + 1 == value.size()) return false;
  const auto age = whole_number(value.substr(0, space));
  if (!age || by_age_.count(*age) != 0) return false;
  remember(*print, *age, std::string(value.substr(space + 1)));
  return true;
}

}  // namespace tocsin
