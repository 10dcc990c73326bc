// SPDX-License-Identifier: Apache-2.0
// History and statistics by walking over all alerts.
#include "support/naive_alert_history.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <tuple>

#include "tocsin/alert_labels.hpp"

namespace tocsin::testing {
namespace {

/// ASCII words only: tests of other scripts say their words themselves.
std::set<std::string> words_of_text(const std::string& text) {
  std::set<std::string> words;
  std::string word;
  for (const char each : text + " ") {
    if (std::isalnum(static_cast<unsigned char>(each)) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(each)));
    } else if (!word.empty()) {
      words.insert(std::exchange(word, {}));
    }
  }
  return words;
}

bool begins_anew(alert_state state) {
  return state != alert_state::resolved && state != alert_state::closed;
}

std::optional<duration> mean(const std::vector<duration>& of) {
  if (of.empty()) return std::nullopt;
  duration sum{};
  for (const duration each : of) sum += each;
  return duration{(sum.count() + static_cast<std::int64_t>(of.size()) / 2) /
                  static_cast<std::int64_t>(of.size())};
}

std::optional<duration> median(std::vector<duration> of) {
  if (of.empty()) return std::nullopt;
  std::sort(of.begin(), of.end());
  const std::size_t middle = of.size() / 2;
  if (of.size() % 2 == 1) return of[middle];
  return mean({of[middle - 1], of[middle]});
}

}  // namespace

bool naive_alert_history::ended(const life& of) {
  return !begins_anew(of.now->state);
}

naive_alert_history::life& naive_alert_history::life_of(const transition& now) {
  for (auto each = lives_.rbegin(); each != lives_.rend(); ++each) {
    if (each->now->alert_id != now->alert_id) continue;
    if (ended(*each) && begins_anew(now->state)) break;
    return *each;
  }
  lives_.push_back({{}, now});
  return lives_.back();
}

void naive_alert_history::apply(const book_changes& changes) {
  for (const transition& each : changes.transitions) {
    life& of = life_of(each);
    of.transitions.push_back(each);
    of.now = each;
  }
  for (const alert_record& each : changes.alerts) life_of(each.now).now = each.now;
}

void naive_alert_history::forget(instant before) {
  std::erase_if(lives_, [&](const life& each) {
    const auto end = ended_at(each);
    return end && *end < before;
  });
}

std::optional<instant> naive_alert_history::fired_at(const life& of) {
  for (const transition& each : of.transitions) {
    if (each->state == alert_state::firing) return each->at;
  }
  return std::nullopt;
}

std::optional<instant> naive_alert_history::acknowledged_at(const life& of) {
  for (const transition& each : of.transitions) {
    if (each->state == alert_state::acknowledged) return each->at;
  }
  return std::nullopt;
}

std::optional<instant> naive_alert_history::ended_at(const life& of) {
  if (!ended(of)) return std::nullopt;
  return of.now->state == alert_state::closed ? *of.now->closed_at : *of.now->resolved_at;
}

bool naive_alert_history::has_words(const life& of, const std::string& text) {
  std::string all;
  const auto add = [&](const std::string& more) { all += more + "\n"; };
  for (const transition& each : of.transitions) add(each->note);
  for (const auto& [name, value] : alert_labels(*of.now)) {
    add(name);
    add(value);
  }
  const alert_texts& texts = *of.now->texts;
  for (const shared_text& each : {texts.title, texts.description, texts.resource_id,
                                  texts.resource_type, texts.resource_name, texts.item})
    add(each);
  const auto seen = words_of_text(all);
  const auto wanted = words_of_text(text);
  return std::includes(seen.begin(), seen.end(), wanted.begin(), wanted.end());
}

std::vector<transition> naive_alert_history::history(const history_query& query) const {
  std::vector<std::pair<transition, std::size_t>> chosen;
  for (std::size_t i = 0; i < lives_.size(); ++i) {
    const life& each = lives_[i];
    const alert& now = *each.now;
    if (query.from && now.started_at < *query.from) continue;
    if (query.until && now.started_at >= *query.until) continue;
    if (!query.rule.empty() && now.rule != query.rule) continue;
    if (query.severity && now.severity != *query.severity) continue;
    if (!query.states.empty() &&
        std::find(query.states.begin(), query.states.end(), now.state) == query.states.end())
      continue;
    if (query.unacknowledged && acknowledged_at(each)) continue;
    if (!matches(query.matchers, now)) continue;
    if (!has_words(each, query.text)) continue;
    chosen.emplace_back(each.now, i);
  }
  std::sort(chosen.begin(), chosen.end(), [](const auto& left, const auto& right) {
    return std::tie(left.first->started_at, left.first->alert_id, left.second) >
           std::tie(right.first->started_at, right.first->alert_id, right.second);
  });
  std::vector<transition> all;
  for (const auto& each : chosen) all.push_back(each.first);
  return all;
}

std::vector<transition> naive_alert_history::transitions(const fingerprint& alert_id) const {
  std::vector<transition> all;
  for (const life& each : lives_) {
    if (each.now->alert_id == alert_id)
      all.insert(all.end(), each.transitions.begin(), each.transitions.end());
  }
  return all;
}

transition naive_alert_history::find(const fingerprint& alert_id) const {
  transition last;
  for (const life& each : lives_) {
    if (each.now->alert_id == alert_id) last = each.now;
  }
  return last;
}

std::vector<transition> naive_alert_history::active() const {
  std::vector<transition> all;
  for (const life& each : lives_) {
    if (!ended(each)) all.push_back(each.now);
  }
  return all;
}

alert_statistics naive_alert_history::statistics(instant from, instant until) const {
  struct sums {
    alert_statistics::of_rule of;
    std::vector<duration> to_acknowledge, to_end;
  };
  std::map<std::string, sums> rules;
  alert_statistics made;
  if (from >= until) return made;
  std::vector<duration> to_acknowledge, to_end;
  for (instant start = std::chrono::floor<std::chrono::days>(from); start < until;
       start += std::chrono::days{1}) {
    made.days.push_back({start,
                         {{severity::critical, 0},
                          {severity::error, 0},
                          {severity::warning, 0},
                          {severity::info, 0}}});
  }
  for (const life& each : lives_) {
    const auto fired = fired_at(each);
    if (!fired || *fired < from || *fired >= until) continue;
    if (each.now->origin == alert_origin::incident) continue;
    sums& rule = rules[each.now->rule];
    ++made.total;
    ++rule.of.total;
    made.active += ended(each) ? 0 : 1;
    made.resolved += each.now->state == alert_state::resolved ? 1 : 0;
    made.closed += each.now->state == alert_state::closed ? 1 : 0;
    const auto acknowledged = acknowledged_at(each);
    if (acknowledged) {
      ++made.acknowledged;
      ++rule.of.acknowledged;
      to_acknowledge.push_back(*acknowledged - *fired);
      rule.to_acknowledge.push_back(*acknowledged - *fired);
    }
    if (const auto end = ended_at(each)) {
      to_end.push_back(*end - *fired);
      rule.to_end.push_back(*end - *fired);
      const std::string& actor = each.now->actor;
      const bool by_itself =
          actor == "rule" || actor == "event" || actor == "checker" || actor == "api";
      if (each.now->state == alert_state::resolved && !acknowledged && by_itself)
        ++rule.of.self_resolved;
    }
    for (auto& day : made.days) {
      if (*fired >= day.start && *fired < day.start + std::chrono::days{1})
        ++day.by_severity[each.now->severity];
    }
  }
  made.mean_time_to_acknowledge = mean(to_acknowledge);
  made.mean_time_to_resolve = mean(to_end);
  for (auto& [name, each] : rules) {
    each.of.rule = name;
    each.of.mean_time_to_acknowledge = mean(each.to_acknowledge);
    each.of.mean_time_to_resolve = mean(each.to_end);
    each.of.median_time_to_resolve = median(each.to_end);
    made.rules.push_back(each.of);
  }
  std::stable_sort(made.rules.begin(), made.rules.end(),
                   [](const auto& left, const auto& right) { return left.total > right.total; });
  return made;
}

}  // namespace tocsin::testing
