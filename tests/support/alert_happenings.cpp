// SPDX-License-Identifier: Apache-2.0
// Makes what happens of seeds.
#include "support/alert_happenings.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace tocsin::testing {
namespace {

using namespace std::chrono_literals;

struct delays {
  duration pending_for{};
  duration keep_firing_for{};
  duration close_after{};
};

std::shared_ptr<const rule_set> compile_rules(const clock_places& places) {
  const duration held = places.pending_for;
  const duration kept = places.keep_firing_for;
  const duration closed = places.close_after;
  const std::vector<delays> all{{},
                                {5s + held, 0s, 0s},
                                {0s, 4s + kept, 0s},
                                {3s + held, 3s + kept, 20s + closed},
                                {0s, 0s, 12s + closed}};
  std::vector<rule_spec> specs;
  for (const delays& each : all) {
    rule_spec spec;
    spec.file = "test.yaml";
    spec.name.text = fmt::format("rule-{}", specs.size());
    spec.where.text = "true";
    spec.group_by = {placed_text{"item"}};
    spec.window = {window_kind::sliding, 5min, 1min, {}};
    spec.having.text = "count() >= 3";
    spec.pending_for = each.pending_for;
    spec.keep_firing_for = each.keep_firing_for;
    spec.close_after = each.close_after;
    specs.push_back(std::move(spec));
  }
  diagnostics found;
  auto rules = rule_set::compile(std::move(specs), found);
  for (const diagnostic& each : found) {
    if (each.kind == diagnostic::grade::error) ADD_FAILURE() << each.text();
  }
  return rules;
}

label_matcher matcher(std::string name, matcher_operator op, std::string value) {
  return label_matcher::make(std::move(name), op, std::move(value)).value();
}
label_matcher equal(std::string name, std::string value) {
  return matcher(std::move(name), matcher_operator::equal, std::move(value));
}

/// Holds in two of every four minutes.
named_time_interval every_other_two_minutes(std::string name, int shift) {
  time_interval interval;
  for (int minute = shift; minute < 24 * 60; minute += 4) {
    interval.times.push_back({minute, minute + 2});
  }
  return {std::move(name), {interval}};
}

notify_route route_to(std::string key, label_matchers matchers) {
  notify_route route;
  route.receiver = "all";
  route.key = std::move(key);
  route.matchers = std::move(matchers);
  return route;
}

}  // namespace

const std::shared_ptr<const rule_set>& happening_rules(const clock_places& places) {
  static const auto of_apart = compile_rules(apart);
  static const auto of_together = compile_rules(together);
  return places.step_end == apart.step_end ? of_apart : of_together;
}

sequence make_sequence(std::uint64_t seed) {
  chooser choose{seed};
  sequence made;
  made.policy_seed = static_cast<std::uint64_t>(choose.number(1, 1'000'000'000));
  made.narrow = choose.one_in(8);
  for (auto left = choose.number(1, made.narrow ? 120 : 60); left > 0; --left) {
    // Findings and waiting are commoner than operators.
    const auto drawn = choose.number(0, 18);
    happening next;
    next.what = drawn <= 9 ? static_cast<deed>(drawn) : drawn <= 16 ? deed::find : deed::wait;
    if (made.narrow && !choose.one_in(3)) next.what = choose.one_in(3) ? deed::post : deed::find;
    next.seed = static_cast<std::uint64_t>(choose.number(1, 1'000'000'000));
    made.happenings.push_back(next);
  }
  return made;
}

std::shared_ptr<const alert_policy> make_policy(const sequence& of, const clock_places& places) {
  chooser choose{of.policy_seed};
  auto notify = std::make_shared<notify_policy>();
  notify->routed = true;
  notify->receivers = {{"all", {}}};
  notify->root = route_to("{}", {});
  notify->resolve_timeout = 15s + places.resolve_timeout;
  if (choose.one_in(2)) {
    notify->time_intervals = {every_other_two_minutes("even", 0),
                              every_other_two_minutes("odd", 1)};
    auto of_b = route_to("{}/{host=\"b\"}", {equal("host", "b")});
    of_b.mute_time_intervals = {"even"};
    of_b.continue_matching = choose.one_in(2);
    auto of_critical = route_to("{}/{severity=\"critical\"}", {equal("severity", "critical")});
    of_critical.active_time_intervals = {"odd"};
    notify->root.routes = {of_b, of_critical};
  }
  const std::vector<inhibit_rule> inhibitions{
      {{equal("severity", "critical")},
       {matcher("severity", matcher_operator::matches, "warning|info")},
       {"host"}},
      {{equal("alertname", "rule-0")},
       {matcher("alertname", matcher_operator::matches, "rule-[123]|Down")},
       {}},
      {{equal("host", "a")}, {equal("host", "a")}, {"zone"}},
      {{equal("alertname", "Down")}, {matcher("item", matcher_operator::unequal, "")}, {"host"}}};
  for (const inhibit_rule& each : inhibitions) {
    if (choose.one_in(3)) notify->inhibit_rules.push_back(each);
  }
  auto policy = std::make_shared<alert_policy>();
  policy->notify = std::move(notify);
  policy->detect_flapping = !choose.one_in(4);
  // Longer than any sequence: what is forgotten of ended alerts is not the model's.
  policy->flap_memory = 240h;
  return policy;
}

std::vector<finding> happening_maker::findings(instant until, std::uint64_t& position) {
  std::vector<finding> found;
  const auto span = (until - clock_) / 1s;
  for (auto left = choose_.number(1, narrow_ ? 8 : 4); left > 0; --left) {
    const bool timed = span > 0 && choose_.one_in(3);
    finding each = one_finding();
    const std::chrono::seconds into{choose_.number(timed ? 1 : 0, span)};
    each.at = timed ? clock_ - places_.step_end + into + places_.timed_finding : clock_ + into;
    each.position = timed ? no_position : 0;
    // Of one key an instant brings about one thing, but for its events.
    const bool twice = std::any_of(found.begin(), found.end(), [&](const finding& other) {
      return timed && other.at == each.at && other.print == each.print;
    });
    if (!twice) found.push_back(each);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const finding& a, const finding& b) { return a.at < b.at; });
  for (finding& each : found) {
    if (each.position != no_position) each.position = ++position;
    // A window often still has the first event of the one before.
    each.proof.first_event_time = clock_;
    each.proof.first_event_position = choose_.one_in(2) ? 1 : ++position;
  }
  return found;
}

operation happening_maker::post() {
  post_alerts wanted{{}, "api"};
  for (auto left = choose_.number(1, 3); left > 0; --left) wanted.alerts.push_back(one_posted());
  return wanted;
}

alert_selector happening_maker::selector(const std::vector<transition>& active,
                                         const std::vector<fingerprint>& ended) {
  alert_selector which;
  if (choose_.one_in(30)) return which;
  if (choose_.one_in(3)) {
    which.matchers = matchers();
    return which;
  }
  std::set<fingerprint> ids;
  for (auto left = choose_.number(1, 3); left > 0; --left) {
    if (!active.empty() && !choose_.one_in(8)) {
      ids.insert(choose_.of(active)->alert_id);
    } else if (!ended.empty()) {
      ids.insert(choose_.of(ended));
    } else {
      ids.insert({7, 7});
    }
  }
  which.ids.assign(ids.begin(), ids.end());
  return which;
}

operation happening_maker::operate(deed what, const alert_selector& which) {
  const std::string by = choose_.one_in(40) ? "" : choose_.of(people());
  const std::string note = choose_.one_in(2) ? "" : "note";
  switch (what) {
    case deed::acknowledge: {
      acknowledge_alerts wanted{which, by, note, std::nullopt, choose_.one_in(3)};
      if (choose_.one_in(2)) wanted.until = in_seconds(1, 20) + places_.until;
      if (choose_.one_in(30)) wanted.until = clock_;
      return wanted;
    }
    case deed::unacknowledge:
      return unacknowledge_alerts{which, by, note};
    case deed::close:
      return close_alerts{which, by, note};
    case deed::note:
      return note_on_alerts{which, by, note};
    default:
      return assign_alerts{which, by, note, choose_.one_in(3) ? "" : choose_.of(people())};
  }
}

operation happening_maker::put_silence(const std::map<std::string, silence>& known, bool edit) {
  silence wanted;
  if (edit && !known.empty()) {
    auto chosen = known.begin();
    std::advance(chosen, choose_.number(0, static_cast<long long>(known.size()) - 1));
    wanted = chosen->second;
    if (choose_.one_in(3)) wanted.ends_at = in_seconds(1, 60) + places_.silence_end;
    if (choose_.one_in(4)) wanted.starts_at = in_seconds(0, 20) + places_.silence_start;
    if (choose_.one_in(4)) wanted.matchers = matchers();
    if (choose_.one_in(8)) wanted.comment = "edited";
    if (choose_.one_in(30)) wanted.id = "no-such-silence";
    return tocsin::put_silence{wanted};
  }
  wanted.matchers = matchers();
  wanted.starts_at = choose_.one_in(2) ? clock_ : in_seconds(-10, 30) + places_.silence_start;
  wanted.ends_at = in_seconds(choose_.one_in(30) ? -5 : 1, 90) + places_.silence_end;
  wanted.created_by = choose_.of(people());
  wanted.comment = choose_.one_in(30) ? "" : "quiet";
  if (choose_.one_in(8)) wanted.scope = silence_scope::events;
  if (choose_.one_in(4)) {
    wanted.recurs = every_other_two_minutes("", static_cast<int>(choose_.number(0, 3))).intervals;
    wanted.ends_at += 10min;
  }
  return tocsin::put_silence{wanted};
}

operation happening_maker::expire(const std::map<std::string, silence>& known) {
  if (known.empty() || choose_.one_in(20)) return expire_silence{"no-such-silence", "ann"};
  auto chosen = known.begin();
  std::advance(chosen, choose_.number(0, static_cast<long long>(known.size()) - 1));
  return expire_silence{chosen->first, "ann"};
}

duration happening_maker::passing() {
  if (choose_.one_in(3)) return 0s;
  return std::chrono::seconds{choose_.one_in(8) ? choose_.number(60, 300) : choose_.number(1, 9)};
}

const std::vector<std::string>& happening_maker::people() {
  static const std::vector<std::string> all{"ann", "bob", "cyd"};
  return all;
}

const std::vector<std::string>& happening_maker::hosts() {
  static const std::vector<std::string> all{"a", "b"};
  return all;
}

const std::vector<std::string>& happening_maker::severities() {
  static const std::vector<std::string> all{"critical", "error", "warning", "info"};
  return all;
}

instant happening_maker::in_seconds(long long low, long long high) {
  return clock_ - places_.step_end + std::chrono::seconds{choose_.number(low, high)};
}

finding happening_maker::one_finding() {
  using kind = finding::kind;
  static const std::vector<kind> kinds{kind::met,     kind::met,       kind::met,
                                       kind::updated, kind::updated,   kind::cleared,
                                       kind::cleared, kind::recovered, kind::dismissed};
  finding each;
  each.what = choose_.of(kinds);
  each.rule = narrow_ ? 2 : static_cast<std::uint32_t>(choose_.number(0, 4));
  const auto key = narrow_ ? 0 : static_cast<std::uint64_t>(choose_.number(0, 3));
  each.print = {key, each.rule};
  each.severity = static_cast<severity>(choose_.number(0, 3));
  each.cause = "finding's cause";
  each.proof.event_count = static_cast<std::uint64_t>(choose_.number(0, 3));
  if (each.what == kind::met) {
    alert_texts texts;
    texts.title = "title";
    texts.labels = {{"host", hosts()[key % 2]}};
    texts.group = {{"item", std::to_string(key)},
                   {"labels.zone", key < 2 ? std::nullopt : std::optional<std::string>{"north"}}};
    each.texts = std::make_shared<const alert_texts>(std::move(texts));
  }
  return each;
}

posted_alert happening_maker::one_posted() {
  posted_alert wanted;
  wanted.labels = {{"alertname", choose_.one_in(2) ? "Down" : "Slow"},
                   {"host", choose_.of(hosts())},
                   {"severity", choose_.one_in(3) ? "" : choose_.of(severities())}};
  if (narrow_) wanted.labels = {{"alertname", "Down"}, {"host", "a"}};
  if (choose_.one_in(20)) wanted.labels = {{"host", ""}};
  if (choose_.one_in(20)) wanted.labels.emplace_back("", "no name");
  if (choose_.one_in(2)) wanted.annotations = {{"summary", choose_.of(people())}};
  if (choose_.one_in(2)) {
    const long long low = choose_.one_in(3) ? -5 : 1;
    wanted.ends_at = in_seconds(low, 40) + places_.ends_at;
  }
  // Prometheus posts the start that it posted before.
  if (choose_.one_in(3)) wanted.starts_at = beginning - 1s * choose_.number(1, 3);
  return wanted;
}

label_matchers happening_maker::matchers() {
  switch (choose_.number(0, 6)) {
    case 0:
      return {equal("host", choose_.of(hosts()))};
    case 1:
      return {equal("severity", choose_.of(severities()))};
    case 2:
      return {matcher("alertname", matcher_operator::matches, "rule-[0-2]"),
              matcher("zone", matcher_operator::equal, "")};
    case 3:
      return {equal("alertname", "Down"), matcher("host", matcher_operator::unequal, "a")};
    case 4:
      return {matcher("item", matcher_operator::does_not_match, "[01]?")};
    case 5:
      return {matcher("zone", matcher_operator::equal, "")};
    default:
      return {matcher("alertname", matcher_operator::matches, ".+")};
  }
}

}  // namespace tocsin::testing
