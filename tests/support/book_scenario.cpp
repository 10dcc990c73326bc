// SPDX-License-Identifier: Apache-2.0
// Makes random turns of an alert book, and writes down what it says.
#include "support/book_scenario.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "support/naive_alert_book.hpp"

namespace tocsin::testing {
namespace {

using namespace std::chrono_literals;
using random_source = std::mt19937_64;

constexpr std::uint32_t rules_max = 5;

label_matchers matching(std::string_view text) {
  auto parsed = parse_label_matchers(text);
  if (!parsed) ADD_FAILURE() << parsed.failure().message;
  return parsed ? *parsed : label_matchers{};
}

notify_route child_of(const notify_route& root, std::string_view matchers, std::string receiver) {
  notify_route route = root;
  route.receiver = std::move(receiver);
  route.matchers = matching(matchers);
  route.routes.clear();
  route.key = fmt::format("{}/{}", root.key, matchers);
  return route;
}

std::shared_ptr<const notify_policy> notify_everything() {
  auto notify = std::make_shared<notify_policy>();
  notify->routed = true;
  notify->receivers = {{"team", {{"http://127.0.0.1/", true, 0, 10s, ""}}},
                       {"night", {{"http://127.0.0.1/", false, 0, 10s, ""}}}};
  notify->resolve_timeout = 20s;
  // Every other minute of each hour's first ten.
  time_interval odd;
  for (int minute = 1; minute < 1440; minute += 2) odd.times.push_back({minute, minute + 1});
  notify->time_intervals = {{"odd", {odd}}};
  notify_route& root = notify->root;
  root.receiver = "team";
  root.group_by = {"site"};
  root.group_wait = 2s;
  root.group_interval = 7s;
  root.repeat_interval = 40s;
  root.key = "{}";
  notify_route night = child_of(root, "{site=\"b\"}", "night");
  night.mute_time_intervals = {"odd"};
  night.continue_matching = true;
  root.routes.push_back(std::move(night));
  root.routes.push_back(child_of(root, "{alertname=\"rule-1\"}", "team"));
  notify->inhibit_rules = {
      {matching("severity=\"critical\""), matching("severity!=\"critical\""), {"site"}}};
  notify->escalations = {{"slow", matching("site=\"a\""), {{9s, {"night"}, 2, 5s}}}};
  return notify;
}

std::shared_ptr<const alert_policy> policy_with_everything() {
  auto policy = std::make_shared<alert_policy>();
  policy->notify = notify_everything();
  incident_rule storm;
  storm.name = "storm";
  storm.matchers = matching("alertname=~\"rule-.*\"");
  storm.group_by = {"site"};
  storm.within = 6s;
  storm.min_alerts = 2;
  storm.value = "load";
  incident_rule many = storm;
  many.name = "many";
  many.group_by = {};
  many.min_alerts = 4;
  many.title = "many things";
  policy->incidents = {storm, many};
  assignment_rule again;
  again.name = "again";
  again.matchers = matching("site=\"a\"");
  again.by = assign_by::last_handler;
  assignment_rule turns = again;
  turns.name = "turns";
  turns.by = assign_by::round_robin;
  turns.people = {"ann", "bob", "cy"};
  policy->assignment.rules = {again, turns};
  policy->assignment.fallback = "desk";
  policy->flap_memory = 30s;
  policy->keep_expired_silences = 60s;
  return policy;
}

class scenario_maker {
 public:
  explicit scenario_maker(std::uint64_t seed) : random_(seed) {}

  std::vector<book_turn> turns() {
    std::vector<book_turn> made;
    for (std::uint64_t i = 2 + below(40); i > 0; --i) made.push_back(turn());
    made.push_back({clock_ + 3min, {}, {}});
    return made;
  }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  book_turn turn() {
    const instant before = clock_;
    clock_ += std::chrono::seconds{below(10) == 0 ? below(90) : below(4)};
    book_turn made;
    made.clock = clock_;
    const auto span = static_cast<std::uint64_t>((clock_ - before) / 1s);
    for (std::uint64_t i = below(4); i > 0; --i) {
      made.findings.push_back(found(before + std::chrono::seconds{below(span + 1)}));
    }
    std::stable_sort(made.findings.begin(), made.findings.end());
    for (finding& each : made.findings) each.position = ++position_;
    for (std::uint64_t i = below(3) == 0 ? 1 + below(3) : 0; i > 0; --i) {
      made.operations.push_back(an_operation());
    }
    return made;
  }

  finding found(instant at) {
    finding made;
    // Mostly what moves alerts that are there or begin.
    constexpr finding::kind kinds[] = {finding::kind::met,      finding::kind::met,
                                       finding::kind::updated,  finding::kind::cleared,
                                       finding::kind::cleared,  finding::kind::recovered,
                                       finding::kind::dismissed};
    made.what = kinds[below(std::size(kinds))];
    made.rule = static_cast<std::uint32_t>(below(rules_max));
    made.print = {below(3), made.rule};
    made.at = at;
    made.severity = static_cast<severity>(below(4));
    made.cause = "cause";
    made.proof.event_count = below(3);
    made.proof.first_event_time = at - 1s;
    made.proof.first_event_position = position_ + below(2);
    made.proof.values = {{"load", static_cast<double>(below(10))}};
    if (made.what == finding::kind::met) {
      auto texts = std::make_shared<alert_texts>();
      texts->title = fmt::format("at {}", to_unix_ms(at));
      texts->labels = {{"site", below(2) == 0 ? "a" : "b"}};
      made.texts = std::move(texts);
    }
    return made;
  }

  /// One active alert, some that matchers choose, or one that is not there.
  std::function<alert_selector(const alert_book&)> some_alerts() {
    const std::uint64_t which = below(100);
    return [which](const alert_book& book) {
      alert_selector chosen;
      const auto active = book.active();
      if (which < 20 || active.empty()) {
        chosen.matchers = matching(which % 2 == 0 ? "site=\"a\"" : "severity=~\"critical|error\"");
      } else if (which < 25) {
        chosen.ids = {{1, 2}};
      } else {
        chosen.ids = {active[which % active.size()]->alert_id};
      }
      return chosen;
    };
  }

  posted_alert a_posted_alert() {
    posted_alert made;
    made.labels = {{"alertname", "Posted"}, {"site", below(2) == 0 ? "a" : "b"}};
    if (below(2) == 0) made.labels.emplace_back("severity", "critical");
    made.annotations = {{"summary", fmt::format("posted {}", below(5))}};
    if (below(3) == 0) made.starts_at = clock_ - std::chrono::seconds{below(20)};
    if (below(2) == 0) made.ends_at = clock_ + std::chrono::seconds{below(20)} - 4s;
    return made;
  }

  silence a_silence() {
    silence made;
    made.matchers = matching(below(2) == 0 ? "site=\"b\"" : "severity=~\"error|warning\"");
    made.starts_at = clock_ + std::chrono::seconds{below(3)};
    made.ends_at = made.starts_at + std::chrono::seconds{1 + below(30)};
    made.created_by = "ann";
    made.comment = "c";
    return made;
  }

  std::function<operation(const alert_book&)> an_operation() {
    const auto some = some_alerts();
    const std::uint64_t number = below(1000);
    std::optional<instant> until;
    if (below(2) == 0) until = clock_ + std::chrono::seconds{1 + below(10)};
    switch (below(8)) {
      case 0:
      case 1:
        return [=](const alert_book& book) {
          return acknowledge_alerts{some(book), "bob", "n", until, number % 3 == 0};
        };
      case 2:
        return [=](const alert_book& book) { return unacknowledge_alerts{some(book), "bob", ""}; };
      case 3:
        return [=](const alert_book& book) { return close_alerts{some(book), "cy", "done"}; };
      case 4:
        return [=](const alert_book& book) -> operation {
          if (number % 2 == 0) return note_on_alerts{some(book), "cy", "look"};
          return assign_alerts{some(book), "ann", "", number % 3 == 0 ? "" : "dan"};
        };
      case 5:
        return [=, posted = a_posted_alert()](const alert_book&) {
          return post_alerts{{posted}, "api"};
        };
      case 6:
        return [=, wanted = a_silence()](const alert_book& book) {
          silence put = wanted;
          const auto all = book.silences().all();
          if (number % 3 == 0 && !all.empty()) put.id = all[number % all.size()]->id;
          return put_silence{put};
        };
      default:
        return [=](const alert_book& book) {
          const auto all = book.silences().all();
          return expire_silence{all.empty() ? "none" : all[number % all.size()]->id, "ann"};
        };
    }
  }

  random_source random_;
  instant clock_ = from_unix_ms(1'000'000);
  std::uint64_t position_ = 0;
};

std::string shields_text(const alert_shields& of) {
  return fmt::format("[{}|{}|{}]", fmt::join(of.silenced_by, ","), fmt::join(of.inhibited_by, ","),
                     fmt::join(of.muted_by, ","));
}

}  // namespace

book_scenario make_book_scenario(std::uint64_t seed) {
  static const auto rules =
      rules_with_delays({{0s, 0s, 0s}, {5s, 0s, 0s}, {0s, 4s, 0s}, {3s, 3s, 0s}, {0s, 3s, 8s}});
  static const auto policy = policy_with_everything();
  return {rules, policy, scenario_maker{seed}.turns()};
}

std::string listed(const alert& of, bool with_seq) {
  const std::string text = fmt::format(
      "{} {}/{} #{} {}->{} \"{}\" by {} {} note \"{}\" count {} started {} shields {} to "
      "\"{}\"{}{}{} id {}",
      to_unix_ms(of.at) / 1000, to_text(of.print).substr(14, 2), of.rule, of.number,
      to_text(of.previous_state), to_text(of.state), of.cause, of.actor, to_text(of.severity),
      of.note, of.proof.event_count, to_unix_ms(of.started_at) / 1000, shields_text(of.shields),
      of.assignee, of.flapping ? " flapping" : "",
      of.acknowledged ? " acknowledged by " + of.acknowledged->by : "",
      of.incident_id ? " in " + to_text(*of.incident_id).substr(0, 6) : "",
      to_text(of.alert_id).substr(0, 6));
  alert rest = of;
  if (!with_seq) rest.seq = 0;
  const std::string bytes = alert_bytes(rest);
  return text + fmt::format(" hash {:x}\n", std::hash<std::string>{}(bytes));
}

std::string listed(const book_changes& of, bool with_seq) {
  std::string text;
  for (const transition& each : of.transitions) text += listed(*each, with_seq);
  for (const notice_ptr& each : of.notices) {
    text += fmt::format("  notice {} {} {} {} level {} at {}:", each->id.view().substr(0, 6),
                        to_text(each->kind), each->receiver, each->group_key, each->level,
                        to_unix_ms(each->at) / 1000);
    for (const transition& one : each->alerts) {
      text += fmt::format(" {}#{}", to_text(one->alert_id).substr(0, 6), one->number);
    }
    text += "\n";
  }
  return text;
}

std::string listed(const alert_book& of) {
  std::string text;
  for (const transition& each : of.active()) text += "  active " + listed(*each, true);
  for (const group_view& each : of.groups().groups()) {
    text += fmt::format("  group {} {} of", each.receiver, each.key);
    for (const transition& one : each.alerts) {
      text += fmt::format(" {}#{}", to_text(one->alert_id).substr(0, 6), one->number);
    }
    text += "\n";
  }
  for (const silence_ptr& each : of.silences().all()) {
    text += fmt::format("  silence {} until {}\n", each->id, to_unix_ms(each->ends_at));
  }
  for (const auto& [name, count] : of.failed_checks()) {
    text += fmt::format("  failed {} {}\n", name, count);
  }
  return text;
}

}  // namespace tocsin::testing
