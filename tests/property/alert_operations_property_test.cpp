// SPDX-License-Identifier: Apache-2.0
// Findings, operators, posted alerts, silences and time in random order: the alert book equals the
// model, and what it tells is whole, legal and numbered.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <stdexcept>

#include "support/model_book.hpp"
#include "support/random_alert.hpp"
#include "support/window_scenario.hpp"
#include "tocsin/alert_book.hpp"
#include "tocsin/alert_lifecycle.hpp"

namespace tocsin::testing {
namespace {

using namespace std::chrono_literals;

/// Where in a second the clocks of each kind fall. Apart, no two kinds ever coincide, so that what
/// a step shows does not hang on which of them is taken first.
struct clock_places {
  duration step_end{};
  duration timed_finding{};
  duration pending_for{};
  duration keep_firing_for{};
  duration close_after{};
  duration until{};
  duration ends_at{};
  duration resolve_timeout{};
  duration silence_start{};
  duration silence_end{};
};
constexpr clock_places apart{50ms, 20ms, 100ms, 200ms, 300ms, 400ms, 500ms, 600ms, 700ms, 800ms};
/// All on full seconds.
constexpr clock_places together{};

constexpr instant beginning = from_unix_ms(1'790'000'000'000);

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

/// Compiled once for each of the two.
const std::shared_ptr<const rule_set>& rules(const clock_places& places) {
  static const auto of_apart = compile_rules(apart);
  static const auto of_together = compile_rules(together);
  return places.step_end == apart.step_end ? of_apart : of_together;
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

std::shared_ptr<const alert_policy> make_policy(chooser& choose, const clock_places& places) {
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

enum class deed : std::uint8_t {
  find,
  post,
  acknowledge,
  unacknowledge,
  close,
  note,
  assign,
  silence,
  edit_silence,
  expire_silence,
  wait,
};

/// One thing that happens: all of it comes from its seed and from how things stand then, so that a
/// sequence without it still makes sense.
struct happening {
  deed what = deed::wait;
  std::uint64_t seed = 0;
};

struct sequence {
  std::uint64_t policy_seed = 0;
  bool narrow = false;  ///< all about one rule's key and one posted alert
  std::vector<happening> happenings;
};

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

/// Makes what happens of a seed and of how things stand.
class happening_maker {
 public:
  happening_maker(std::uint64_t seed, bool narrow, const clock_places& places, instant clock)
      : choose_(seed), narrow_(narrow), places_(places), clock_(clock) {}

  /// Findings of a step that ends at `until`, in log order.
  std::vector<finding> findings(instant until, std::uint64_t& position) {
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

  operation post() {
    post_alerts wanted{{}, "api"};
    for (auto left = choose_.number(1, 3); left > 0; --left) wanted.alerts.push_back(one_posted());
    return wanted;
  }

  alert_selector selector(const std::vector<transition>& active,
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

  operation operate(deed what, const alert_selector& which) {
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

  operation put_silence(const std::map<std::string, silence>& known, bool edit) {
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

  operation expire(const std::map<std::string, silence>& known) {
    if (known.empty() || choose_.one_in(20)) return expire_silence{"no-such-silence", "ann"};
    auto chosen = known.begin();
    std::advance(chosen, choose_.number(0, static_cast<long long>(known.size()) - 1));
    return expire_silence{chosen->first, "ann"};
  }

  /// Of a happening mostly none, sometimes seconds, seldom minutes.
  duration passing() {
    if (choose_.one_in(3)) return 0s;
    return std::chrono::seconds{choose_.one_in(8) ? choose_.number(60, 300) : choose_.number(1, 9)};
  }

 private:
  static const std::vector<std::string>& people() {
    static const std::vector<std::string> all{"ann", "bob", "cyd"};
    return all;
  }
  static const std::vector<std::string>& hosts() {
    static const std::vector<std::string> all{"a", "b"};
    return all;
  }
  static const std::vector<std::string>& severities() {
    static const std::vector<std::string> all{"critical", "error", "warning", "info"};
    return all;
  }

  instant in_seconds(long long low, long long high) {
    return clock_ - places_.step_end + std::chrono::seconds{choose_.number(low, high)};
  }

  finding one_finding() {
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

  posted_alert one_posted() {
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

  label_matchers matchers() {
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

  chooser choose_;
  bool narrow_;
  clock_places places_;
  instant clock_;
};

/// Follows all that a book gives out, as a store would, and says what is wrong with it.
class ledger {
 public:
  void take(const book_changes& changes, instant from, instant until) {
    for (const transition& each : changes.transitions) check(*each, from, until);
    for (const alert_record& each : changes.alerts) {
      const auto [place, fresh] = in_this_.insert(each.now->alert_id);
      if (!fresh) wrong("given twice by one change", *each.now);
      records_[each.now->alert_id] = each.now;
    }
    in_this_.clear();
    for (const transition& each : changes.transitions) {
      const auto record = records_.find(each->alert_id);
      if (record == records_.end() || record->second->number < each->number) {
        wrong("its record was not given with its transition", *each);
      }
    }
  }

  /// What the records say against what is active.
  void compare(const std::vector<transition>& active) {
    std::map<fingerprint, transition> by_id;
    for (const transition& each : active) by_id[each->alert_id] = each;
    if (by_id.size() != active.size()) wrong_ += "two active alerts have one id\n";
    for (const auto& [print, id] : active_) {
      if (by_id.count(id) == 0) wrong_ += "lost: " + to_text(id) + "\n";
    }
    for (const auto& [id, each] : by_id) {
      const auto began = active_.find(each->print);
      if (began == active_.end() || began->second != id) wrong("active without a beginning", *each);
      const auto record = records_.find(id);
      if (record == records_.end()) {
        wrong("has no record", *each);
      } else if (const auto field = first_difference(*record->second, *each); !field.empty()) {
        wrong("its record differs in " + field, *each);
      }
    }
  }

  [[nodiscard]] const std::string& found() const { return wrong_; }
  [[nodiscard]] const std::vector<fingerprint>& ended() const { return ended_; }
  [[nodiscard]] const std::set<std::string>& causes() const { return causes_; }
  /// The fingerprint under which an alert that is active has this id; else the id.
  [[nodiscard]] fingerprint print_of(const fingerprint& id) const {
    for (const auto& [print, active] : active_) {
      if (active == id) return print;
    }
    return id;
  }

 private:
  struct last_transition {
    std::uint64_t number = 0;
    alert_state state = alert_state::none;
  };

  void wrong(const std::string& what, const alert& of) {
    wrong_ += fmt::format("{}: seq {} number {} at {} {}->{} {}: {}\n", what, of.seq, of.number,
                          to_unix_ms(of.at), to_text(of.previous_state), to_text(of.state),
                          of.cause, standing(of));
  }

  void check(const alert& after, instant from, instant until) {
    causes_.insert(after.cause);
    last_transition& last = lives_[after.alert_id];
    if (after.seq != ++seq_) wrong(fmt::format("wanted seq {}", seq_), after);
    seq_ = after.seq;
    if (after.number != last.number + 1) {
      wrong(fmt::format("wanted number {}", last.number + 1), after);
    }
    if (after.previous_state != last.state) wrong("another state was before", after);
    const auto table = lifecycle_table();
    const bool legal = std::any_of(table.begin(), table.end(), [&](const lifecycle_move& each) {
      return each.from == after.previous_state && each.to == after.state;
    });
    if (!legal) wrong("illegal", after);
    if (after.at < at_ || after.at < from || after.at > until) wrong("out of time", after);
    if (after.cause.empty() || after.actor.empty()) wrong("without cause or actor", after);
    const bool resolved = after.state == alert_state::resolved;
    const bool closed = after.state == alert_state::closed;
    if (resolved != after.resolved_at.has_value() || closed != after.closed_at.has_value()) {
      wrong("its end and its state differ", after);
    }
    check_active(after, resolved || closed);
    at_ = std::max(at_, after.at);
    last = {after.number, after.state};
  }

  void check_active(const alert& after, bool ends) {
    const auto active = active_.find(after.print);
    if (after.previous_state == alert_state::none) {
      if (!ids_.insert(after.alert_id).second) wrong("another alert had its id", after);
      if (active != active_.end()) wrong("a second one under its fingerprint", after);
      active_[after.print] = after.alert_id;
    } else if (active == active_.end() || active->second != after.alert_id) {
      wrong("not active", after);
    }
    if (!ends) return;
    active_.erase(after.print);
    ended_.push_back(after.alert_id);
  }

  std::string wrong_;
  std::uint64_t seq_ = 0;
  instant at_ = instant::min();
  std::map<fingerprint, last_transition> lives_;
  std::map<fingerprint, fingerprint> active_;  ///< fingerprint -> alert id
  std::set<fingerprint> ids_;
  std::vector<fingerprint> ended_;
  std::set<std::string> causes_;
  std::map<fingerprint, transition> records_;
  std::set<fingerprint> in_this_;
};

std::string code_of(const std::optional<error>& refused) {
  return refused ? std::string{refused->code} : "";
}

/// A book and what is expected of it, side by side.
class comparison {
 public:
  /// `equal`: the model must say the same; else only what the book tells must fit together.
  comparison(const sequence& of, const clock_places& places, bool equal)
      : narrow_(of.narrow),
        places_(places),
        equal_(equal),
        book_(book_of(of, places)),
        model_(rules(places), policy_of(of, places)),
        clock_(beginning + places.step_end) {
    step(clock_, {});
  }

  void run(const happening& next) {
    happening_maker make{next.seed, narrow_, places_, clock_};
    if (next.what == deed::wait || next.what == deed::find) {
      const instant until = clock_ + make.passing();
      step(until,
           next.what == deed::find ? make.findings(until, position_) : std::vector<finding>{});
      return;
    }
    operate(operation_of(next.what, make));
    if (!differs()) step(clock_ + make.passing(), {});
  }

  [[nodiscard]] alert_book& book() { return book_; }
  [[nodiscard]] const ledger& told() const { return ledger_; }
  [[nodiscard]] bool differs() const { return !difference_.empty(); }
  [[nodiscard]] const std::string& difference() const { return difference_; }

 private:
  static std::shared_ptr<const alert_policy> policy_of(const sequence& of,
                                                       const clock_places& places) {
    chooser choose{of.policy_seed};
    return make_policy(choose, places);
  }
  static alert_book book_of(const sequence& of, const clock_places& places) {
    return alert_book{rules(places), policy_of(of, places)};
  }

  operation operation_of(deed what, happening_maker& make) {
    switch (what) {
      case deed::post:
        return make.post();
      case deed::silence:
      case deed::edit_silence:
        return make.put_silence(silences(), what == deed::edit_silence);
      case deed::expire_silence:
        return make.expire(silences());
      default:
        return make.operate(what, make.selector(book_.active(), ledger_.ended()));
    }
  }

  [[nodiscard]] std::map<std::string, silence> silences() const {
    std::map<std::string, silence> by_id;
    for (const silence_ptr& each : book_.silences().all()) by_id[each->id] = *each;
    return by_id;
  }

  /// Ids as the model knows them.
  [[nodiscard]] operation with_prints(operation wanted) const {
    std::visit(
        [&](auto& each) {
          if constexpr (requires { each.which; }) {
            for (fingerprint& id : each.which.ids) id = ledger_.print_of(id);
          }
        },
        wanted);
    return wanted;
  }
  [[nodiscard]] std::string standing_with_prints(alert of) const {
    for (std::string& each : of.shields.inhibited_by) {
      for (const transition& other : book_.active()) {
        if (to_text(other->alert_id) == each) each = to_text(other->print);
      }
    }
    std::sort(of.shields.inhibited_by.begin(), of.shields.inhibited_by.end());
    return standing(of);
  }

  void step(instant clock, const std::vector<finding>& findings) {
    // Shards report one after the other: by key, each in its own order.
    std::vector<finding> shuffled = findings;
    std::stable_sort(shuffled.begin(), shuffled.end(),
                     [](const finding& a, const finding& b) { return a.print > b.print; });
    const book_changes changes = book_.step(clock, std::move(shuffled));
    if (equal_) model_.step(clock, findings);
    const instant from = std::exchange(clock_, clock);
    compare(changes, from, fmt::format("step to {}", to_unix_ms(clock)));
  }

  void operate(const operation& wanted) {
    // Before the book changes: who is chosen by id is active now.
    const operation for_model = with_prints(wanted);
    const ledger before = ledger_;
    const auto done = book_.operate(wanted);
    if (!equal_) return compare(done.changes, clock_, "operation");
    const silence_ptr made = done.outcome ? done.outcome->silence : nullptr;
    const auto expected = model_.operate(for_model, made ? made->id : "");
    const std::string code = done.outcome ? "" : std::string{done.outcome.failure().code};
    const std::string what = fmt::format("operation {}", wanted.index());
    if (code != expected.code) {
      difference_ +=
          fmt::format("{}: the book says \"{}\", the model \"{}\"\n", what, code, expected.code);
    } else if (code.empty()) {
      compare_outcomes(wanted, *done.outcome, expected, before);
    }
    compare(done.changes, clock_, what);
  }

  void compare_outcomes(const operation& wanted, const operation_result& seen,
                        const model_book::outcome& expected, const ledger& before) {
    if (const auto* put = std::get_if<put_silence>(&wanted)) {
      if (expected.new_silence == (seen.silence->id == put->wanted.id)) {
        difference_ += fmt::format("put_silence: new is {} to the model, the book says id {}\n",
                                   expected.new_silence, seen.silence->id);
      }
    }
    std::vector<std::string> codes;
    std::map<fingerprint, std::string> by_id;
    for (const operation_outcome& each : seen.alerts) {
      codes.push_back(code_of(each.refused));
      by_id[before.print_of(each.alert_id)] = codes.back();
    }
    const bool posted = std::holds_alternative<post_alerts>(wanted);
    if (posted ? codes != expected.posted
               : by_id != expected.alerts || by_id.size() != codes.size()) {
      difference_ += fmt::format("outcomes of operation {}: [{}]; the model: [{}]{}\n",
                                 wanted.index(), fmt::join(codes, ", "),
                                 fmt::join(expected.posted, ", "), listed(expected.alerts));
    }
  }

  static std::string listed(const std::map<fingerprint, std::string>& codes) {
    std::string text;
    for (const auto& [id, code] : codes) text += fmt::format(" {} \"{}\"", to_text(id), code);
    return text;
  }

  void compare(const book_changes& changes, instant from, const std::string& after) {
    ledger_.take(changes, from, clock_);
    const std::vector<transition> active = book_.active();
    ledger_.compare(active);
    if (!ledger_.found().empty()) difference_ += ledger_.found();
    if (changes.clock != clock_ || book_.clock() != clock_) difference_ += "another clock\n";
    if (equal_) compare_with_model(changes, active);
    if (differs()) difference_ = "after " + after + "\n" + difference_;
  }

  void compare_with_model(const book_changes& changes, const std::vector<transition>& active) {
    if (!book_.failed_checks().empty()) difference_ += "a check failed\n";
    std::vector<std::string> seen, wanted;
    for (const transition& each : active) seen.push_back(standing_with_prints(*each));
    for (const alert& each : model_.active()) wanted.push_back(standing(each));
    compare_lists("active", seen, wanted);
    auto sorted = changes.transitions;
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& left, const auto& right) {
      return std::tie(left->at, left->print) < std::tie(right->at, right->print);
    });
    seen.clear();
    for (const transition& each : sorted) {
      if (auto words = change_in_words(*each); !words.empty()) seen.push_back(std::move(words));
    }
    compare_lists("changes", seen, model_.take_changes());
  }

  void compare_lists(std::string_view what, const std::vector<std::string>& seen,
                     const std::vector<std::string>& wanted) {
    for (const auto& each : seen) {
      if (std::count(seen.begin(), seen.end(), each) !=
          std::count(wanted.begin(), wanted.end(), each)) {
        difference_ += fmt::format("{}: only the book has   {}\n", what, each);
      }
    }
    for (const auto& each : wanted) {
      if (std::count(seen.begin(), seen.end(), each) !=
          std::count(wanted.begin(), wanted.end(), each)) {
        difference_ += fmt::format("{}: only the model has  {}\n", what, each);
      }
    }
    if (!differs() && seen != wanted) difference_ += fmt::format("{}: in another order\n", what);
  }

  bool narrow_;
  clock_places places_;
  bool equal_;
  alert_book book_;
  model_book model_;
  ledger ledger_;
  instant clock_;
  std::uint64_t position_ = 0;
  std::string difference_;
};

using run_of_sequence = std::function<std::string(const sequence&)>;

/// Runs of happenings are dropped as long as it still fails, then single ones.
sequence shrunk(sequence failing, const run_of_sequence& run) {
  for (std::size_t many = failing.happenings.size() / 2 + 1; many > 0; many /= 2) {
    for (std::size_t from = failing.happenings.size(); from-- > 0;) {
      sequence smaller = failing;
      const auto first = smaller.happenings.begin() + static_cast<std::ptrdiff_t>(from);
      const auto count = std::min(many, smaller.happenings.size() - from);
      smaller.happenings.erase(first, first + static_cast<std::ptrdiff_t>(count));
      if (!run(smaller).empty()) failing = std::move(smaller);
      from = std::min(from, failing.happenings.size());
    }
  }
  return failing;
}

/// `run` gives what is wrong, "" when nothing is.
void for_each_sequence(std::uint64_t many, const run_of_sequence& run) {
  std::uint64_t first = 1;
  std::uint64_t last = many * property_rounds();
  if (const auto only = property_seed()) first = last = *only;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const sequence made = make_sequence(seed);
    if (run(made).empty()) continue;
    const sequence small = shrunk(made, run);
    FAIL() << "seed " << seed << " (TOCSIN_PROPERTY_SEED=" << seed << " runs it alone), shrunk to "
           << small.happenings.size() << " happenings; " << run(small);
  }
}

/// What first goes wrong.
std::string run_through(comparison& both, const sequence& of) {
  for (std::size_t i = 0; i < of.happenings.size() && !both.differs(); ++i) {
    both.run(of.happenings[i]);
    if (both.differs()) {
      return fmt::format("happening {} of kind {}: {}", i, static_cast<int>(of.happenings[i].what),
                         both.difference());
    }
  }
  return both.difference();
}

TEST(alert_operations_property, the_book_equals_the_model) {
  std::set<std::string> causes;
  for_each_sequence(3000, [&](const sequence& made) {
    comparison both{made, apart, true};
    std::string wrong = run_through(both, made);
    causes.insert(both.told().causes().begin(), both.told().causes().end());
    return wrong;
  });
  if (property_seed() || HasFailure()) return;
  for (const std::string_view cause : {"condition met",
                                       "condition held for 5s100ms",
                                       "condition cleared before it held for 5s100ms",
                                       "condition cleared",
                                       "no data for 12s300ms",
                                       "severity upgraded",
                                       "severity downgraded",
                                       "acknowledged",
                                       "unacknowledged",
                                       "acknowledge expired",
                                       "closed by an operator",
                                       "note",
                                       "assigned to ann",
                                       "unassigned",
                                       "silenced",
                                       "no longer silenced",
                                       "inhibited",
                                       "no longer inhibited",
                                       "muted",
                                       "no longer muted",
                                       "shields changed",
                                       "flapping",
                                       "flapping ended",
                                       "posted",
                                       "posted as resolved",
                                       "end time passed"}) {
    EXPECT_EQ(causes.count(std::string{cause}), 1U) << "no sequence came to: " << cause;
  }
}

TEST(alert_operations_property, what_is_told_fits_together_when_clocks_of_all_kinds_coincide) {
  for_each_sequence(1500, [](const sequence& made) {
    comparison both{made, together, false};
    return run_through(both, made);
  });
}

TEST(alert_operations_property, what_is_told_fits_together_while_checks_fail) {
  for_each_sequence(1500, [](const sequence& made) {
    comparison both{made, apart, false};
    std::mt19937_64 random{made.policy_seed};
    bool fails = true;
    both.book().on_check([&](std::string_view) {
      if (fails && random() % 8 == 0) throw std::runtime_error{"a check that fails"};
    });
    std::string wrong = run_through(both, made);
    fails = false;
    return wrong;
  });
}

/// Two operators do the same to one alert, one after the other; "" when one of them succeeds.
std::string no_single_winner(alert_book& book, const alert& of) {
  const auto wins = [&](const operation& wanted) {
    const auto done = book.operate(wanted);
    return done.outcome && !done.outcome->alerts.front().refused;
  };
  const alert_selector which{{of.alert_id}, {}};
  const auto both_do = [&](const std::string& what, const operation& first,
                           const operation& second) -> std::string {
    const int winners = (wins(first) ? 1 : 0) + (wins(second) ? 1 : 0);
    if (winners == 1) return "";
    return fmt::format("{} won to {}: {}\n", winners, what, standing(of));
  };
  std::string wrong;
  if (of.state == alert_state::firing) {
    wrong += both_do("acknowledge", acknowledge_alerts{which, "ann", "", std::nullopt, false},
                     acknowledge_alerts{which, "bob", "", std::nullopt, false});
  }
  if (of.state != alert_state::pending) {
    wrong += both_do("unacknowledge", unacknowledge_alerts{which, "ann", ""},
                     unacknowledge_alerts{which, "bob", ""});
  }
  return wrong + both_do("close", close_alerts{which, "ann", ""}, close_alerts{which, "bob", ""});
}

TEST(alert_operations_property, of_two_operators_who_do_the_same_exactly_one_wins) {
  std::size_t alerts = 0;
  for_each_sequence(300, [&](const sequence& made) {
    comparison both{made, apart, false};
    std::string wrong = run_through(both, made);
    for (const transition& each : both.book().active()) {
      wrong += no_single_winner(both.book(), *each);
      ++alerts;
    }
    return wrong;
  });
  if (property_seed()) return;
  EXPECT_GT(alerts, 300U);
}

}  // namespace
}  // namespace tocsin::testing
