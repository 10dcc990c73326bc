// SPDX-License-Identifier: Apache-2.0
// The alert book equals the naive one on random findings, however the log is cut into steps.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "support/naive_alert_book.hpp"
#include "support/window_scenario.hpp"
#include "tocsin/alert_book.hpp"

namespace tocsin::testing {
namespace {

using namespace std::chrono_literals;

/// Findings in log order and where the log is cut: steps[i] holds the findings before it.
struct findings_log {
  std::vector<finding> findings;
  std::vector<std::pair<instant, std::size_t>> steps;  ///< clock, findings up to there
  instant end{};
};

const std::shared_ptr<const rule_set>& rules() {
  static const auto set =
      rules_with_delays({{0s, 0s}, {5s, 0s}, {0s, 4s}, {3s, 3s}, {0s, 3s, 6s}, {4s, 0s, 3s}});
  return set;
}

/// The naive book has no idea of flapping.
std::shared_ptr<const alert_policy> without_flapping() {
  auto policy = std::make_shared<alert_policy>();
  policy->detect_flapping = false;
  return policy;
}

/// Times are whole seconds close together, so that findings and timers often coincide.
findings_log make_log(std::uint64_t seed) {
  std::mt19937_64 random{seed};
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  findings_log log;
  instant clock = from_unix_ms(1'000'000);
  std::uint64_t position = 0;
  const std::size_t steps = 1 + below(30);
  for (std::size_t step = 0; step < steps; ++step) {
    const instant before = clock;
    clock += std::chrono::seconds{below(4)};
    std::vector<finding> found;
    for (std::size_t i = below(5); i > 0; --i) {
      finding each;
      each.what = static_cast<finding::kind>(below(5));
      each.rule = static_cast<std::uint32_t>(below(6));
      each.print = {below(2), each.rule};
      const auto span = static_cast<std::uint64_t>((clock - before) / 1s);
      const bool timed = span > 0 && below(3) == 0;
      // What time brings about lies before the clock, what events do up to it.
      each.at = before + std::chrono::seconds{below(timed ? span : span + 1)};
      each.position = timed ? no_position : 0;
      each.severity = static_cast<severity>(below(4));
      each.cause = "cause";
      each.proof.event_count = below(3);
      each.proof.first_event_time = each.at - 1s;
      each.proof.first_event_position = position;
      found.push_back(each);
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const finding& a, const finding& b) { return a.at < b.at; });
    for (finding& each : found) {
      if (each.position != no_position) each.position = ++position;
    }
    std::stable_sort(found.begin(), found.end());
    log.findings.insert(log.findings.end(), found.begin(), found.end());
    log.steps.emplace_back(clock, log.findings.size());
  }
  log.end = clock + 1min;
  log.steps.emplace_back(log.end, log.findings.size());
  return log;
}

std::string listed(const alert& of) {
  return std::to_string(to_unix_ms(of.at) / 1000) + " " + to_text(of.print).substr(15, 1) + "/" +
         of.rule + " #" + std::to_string(of.number) + " " +
         std::string{to_text(of.previous_state)} + "->" + std::string{to_text(of.state)} + " " +
         of.cause + " by " + of.actor + " " + std::string{to_text(of.severity)} + " count " +
         std::to_string(of.proof.event_count) + " started " +
         std::to_string(to_unix_ms(of.started_at) / 1000) + " id " + to_text(of.alert_id) +
         (of.resolved_at ? " resolved" : "") + (of.closed_at ? " closed" : "") + "\n";
}

/// What the book says, taking the findings of each step in a random order of rules and keys.
std::vector<transition> run_book(const findings_log& log, alert_book& book) {
  std::vector<transition> all;
  std::size_t taken = 0;
  for (const auto& [clock, until] : log.steps) {
    std::vector<finding> part(log.findings.begin() + static_cast<std::ptrdiff_t>(taken),
                              log.findings.begin() + static_cast<std::ptrdiff_t>(until));
    // Shards report one after the other: by key, each in its own order.
    std::stable_sort(part.begin(), part.end(),
                     [](const finding& a, const finding& b) { return a.print > b.print; });
    for (auto& each : book.step(clock, std::move(part)).transitions) all.push_back(std::move(each));
    taken = until;
  }
  return all;
}

std::string difference(const findings_log& log) {
  alert_book book{rules(), without_flapping()};
  std::string seen, wanted;
  for (const auto& each : run_book(log, book)) seen += listed(*each);
  for (const auto& each : naive_alert_history(*rules(), log.findings, log.end)) {
    wanted += listed(each);
  }
  return seen == wanted ? "" : "book:\n" + seen + "naive:\n" + wanted;
}

/// The log without finding number `index`.
findings_log without(findings_log log, std::size_t index) {
  log.findings.erase(log.findings.begin() + static_cast<std::ptrdiff_t>(index));
  for (auto& [clock, until] : log.steps) {
    if (until > index) --until;
  }
  return log;
}

template <class Check>
void for_each_log(const Check& check) {
  std::uint64_t first = 1;
  std::uint64_t last = 2000 * property_rounds();
  if (const auto only = property_seed()) first = last = *only;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    findings_log log = make_log(seed);
    if (check(log).empty()) continue;
    for (std::size_t i = log.findings.size(); i-- > 0;) {
      findings_log smaller = without(log, i);
      if (!check(smaller).empty()) log = std::move(smaller);
    }
    FAIL() << "seed " << seed << " (TOCSIN_PROPERTY_SEED=" << seed << " runs it alone), shrunk to "
           << log.findings.size() << " findings:\n"
           << check(log);
  }
}

TEST(alert_book_property, transitions_equal_those_of_each_life_told_alone) {
  for_each_log(difference);
}

TEST(alert_book_property, times_never_decrease_and_numbers_have_no_gap) {
  for_each_log([](const findings_log& log) -> std::string {
    alert_book book{rules(), without_flapping()};
    std::map<fingerprint, std::uint64_t> numbers;
    instant before{};
    for (const auto& each : run_book(log, book)) {
      if (each->at < before) return "before its predecessor: " + listed(*each);
      before = each->at;
      std::uint64_t& number = numbers[each->print];
      const bool begins = each->previous_state == alert_state::none;
      if (each->number != (begins ? 1 : number + 1)) return "out of number: " + listed(*each);
      number = each->number;
    }
    return {};
  });
}

TEST(alert_book_property, exactly_the_alerts_not_yet_ended_are_active) {
  for_each_log([](const findings_log& log) -> std::string {
    alert_book book{rules(), without_flapping()};
    std::map<fingerprint, alert_state> last;
    for (const auto& each : run_book(log, book)) last[each->print] = each->state;
    std::erase_if(last, [](const auto& entry) {
      return entry.second == alert_state::resolved || entry.second == alert_state::closed;
    });
    std::map<fingerprint, alert_state> active;
    for (const auto& each : book.active()) active[each->print] = each->state;
    if (active != last || book.active_count() != last.size()) {
      return std::to_string(active.size()) + " active, wanted " + std::to_string(last.size());
    }
    return {};
  });
}

}  // namespace
}  // namespace tocsin::testing
