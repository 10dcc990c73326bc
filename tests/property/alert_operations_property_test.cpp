// SPDX-License-Identifier: Apache-2.0
// Findings, operators, posted alerts, silences and time in random order: the alert book equals the
// model, and what it tells is whole, legal and numbered.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "support/model_book.hpp"
#include "support/random_alert.hpp"
#include "support/window_scenario.hpp"
#include "tocsin/alert_book.hpp"
#include "tocsin/alert_lifecycle.hpp"

namespace tocsin::testing {
namespace {

using namespace std::chrono_literals;

// Steps end 50 ms, findings without event come 20 ms behind full seconds, and each kind of clock
// has hundreds of its own: no two kinds ever coincide, so that what a step shows does not hang on
// which of them is taken first.
constexpr duration step_end = 50ms;
constexpr duration timed_finding = 20ms;
constexpr duration for_part = 100ms;
constexpr duration keep_part = 200ms;
constexpr duration close_part = 300ms;
constexpr duration until_part = 400ms;
constexpr duration explicit_end_part = 500ms;
constexpr duration timeout_part = 600ms;
constexpr duration silence_start_part = 700ms;
constexpr duration silence_end_part = 800ms;
const instant beginning = from_unix_ms(1'790'000'000'000) + step_end;

struct delays {
  duration pending_for{};
  duration keep_firing_for{};
  duration close_after{};
};

std::shared_ptr<const rule_set> compile_rules() {
  const std::vector<delays> all{{},
                                {5s + for_part, 0s, 0s},
                                {0s, 4s + keep_part, 0s},
                                {3s + for_part, 3s + keep_part, 20s + close_part},
                                {0s, 0s, 12s + close_part}};
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

const std::shared_ptr<const rule_set>& rules() {
  static const auto set = compile_rules();
  return set;
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

std::shared_ptr<const alert_policy> make_policy(chooser& choose) {
  auto notify = std::make_shared<notify_policy>();
  notify->routed = true;
  notify->receivers = {{"all", {}}};
  notify->root = route_to("{}", {});
  notify->resolve_timeout = 15s + timeout_part;
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
  std::vector<happening> happenings;
};

sequence make_sequence(std::uint64_t seed) {
  chooser choose{seed};
  sequence made;
  made.policy_seed = static_cast<std::uint64_t>(choose.number(1, 1'000'000'000));
  for (auto left = choose.number(1, 60); left > 0; --left) {
    // Findings and waiting are commoner than operators.
    const auto drawn = choose.number(0, 18);
    happening next;
    next.what = drawn <= 9 ? static_cast<deed>(drawn) : drawn <= 16 ? deed::find : deed::wait;
    next.seed = static_cast<std::uint64_t>(choose.number(1, 1'000'000'000));
    made.happenings.push_back(next);
  }
  return made;
}

/// Makes what happens of a seed and of how things stand.
class happening_maker {
 public:
  happening_maker(std::uint64_t seed, instant clock) : choose_(seed), clock_(clock) {}

  /// Findings of a step that ends at `until`, in log order.
  std::vector<finding> findings(instant until, std::uint64_t& position) {
    std::vector<finding> found;
    const auto span = (until - clock_) / 1s;
    for (auto left = choose_.number(1, 4); left > 0; --left) {
      const bool timed = span > 0 && choose_.one_in(3);
      finding each = one_finding();
      const std::chrono::seconds into{choose_.number(timed ? 1 : 0, span)};
      each.at = timed ? clock_ - step_end + into + timed_finding : clock_ + into;
      each.position = timed ? no_position : 0;
      found.push_back(each);
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const finding& a, const finding& b) { return a.at < b.at; });
    for (finding& each : found) {
      if (each.position != no_position) each.position = ++position;
      each.proof.first_event_time = each.at - 1s;
      // Of each window another: two alerts never begin with the same first event.
      each.proof.first_event_position = ++position;
    }
    return found;
  }

  operation post() {
    post_alerts wanted{{}, "api"};
    for (auto left = choose_.number(1, 3); left > 0; --left) wanted.alerts.push_back(one_posted());
    return wanted;
  }

  alert_selector selector(const std::vector<alert>& active, const std::vector<fingerprint>& ended) {
    alert_selector which;
    if (choose_.one_in(30)) return which;
    if (choose_.one_in(3)) {
      which.matchers = matchers();
      return which;
    }
    std::set<fingerprint> ids;
    for (auto left = choose_.number(1, 3); left > 0; --left) {
      if (!active.empty() && !choose_.one_in(8)) {
        ids.insert(choose_.of(active).alert_id);
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
        if (choose_.one_in(2)) wanted.until = in_seconds(1, 20) + until_part;
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
      if (choose_.one_in(3)) wanted.ends_at = in_seconds(1, 60) + silence_end_part;
      if (choose_.one_in(4)) wanted.starts_at = in_seconds(0, 20) + silence_start_part;
      if (choose_.one_in(4)) wanted.matchers = matchers();
      if (choose_.one_in(8)) wanted.comment = "edited";
      if (choose_.one_in(30)) wanted.id = "no-such-silence";
      return tocsin::put_silence{wanted};
    }
    wanted.matchers = matchers();
    wanted.starts_at = choose_.one_in(2) ? clock_ : in_seconds(-10, 30) + silence_start_part;
    wanted.ends_at = in_seconds(choose_.one_in(30) ? -5 : 1, 90) + silence_end_part;
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
    return clock_ - step_end + std::chrono::seconds{choose_.number(low, high)};
  }

  finding one_finding() {
    using kind = finding::kind;
    static const std::vector<kind> kinds{kind::met,     kind::met,       kind::met,
                                         kind::updated, kind::updated,   kind::cleared,
                                         kind::cleared, kind::recovered, kind::dismissed};
    finding each;
    each.what = choose_.of(kinds);
    each.rule = static_cast<std::uint32_t>(choose_.number(0, 4));
    const auto key = static_cast<std::uint64_t>(choose_.number(0, 3));
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
    if (choose_.one_in(20)) wanted.labels = {{"host", ""}};
    if (choose_.one_in(20)) wanted.labels.emplace_back("", "no name");
    if (choose_.one_in(2)) wanted.annotations = {{"summary", choose_.of(people())}};
    if (choose_.one_in(2)) {
      const long long low = choose_.one_in(3) ? -5 : 1;
      wanted.ends_at = in_seconds(low, 40) + explicit_end_part;
    }
    // Each start is another, as two alerts that began at one instant would have one id.
    if (choose_.one_in(3)) {
      wanted.starts_at = clock_ - std::chrono::milliseconds{choose_.number(1, 1'000'000)};
    }
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
  std::vector<fingerprint> ended_;
  std::map<fingerprint, transition> records_;
  std::set<fingerprint> in_this_;
};

std::string code_of(const std::optional<error>& refused) {
  return refused ? std::string{refused->code} : "";
}

/// A book and what is expected of it, side by side.
class comparison {
 public:
  explicit comparison(const std::shared_ptr<const alert_policy>& policy)
      : book_(rules(), policy), model_(rules(), policy) {
    step(beginning, {});
  }

  void run(const happening& next) {
    happening_maker make{next.seed, clock_};
    if (next.what == deed::wait || next.what == deed::find) {
      const instant until = clock_ + make.passing();
      step(until,
           next.what == deed::find ? make.findings(until, position_) : std::vector<finding>{});
      return;
    }
    operate(operation_of(next.what, make));
    if (!differs()) step(clock_ + make.passing(), {});
  }

  [[nodiscard]] bool differs() const { return !difference_.empty(); }
  [[nodiscard]] const std::string& difference() const { return difference_; }

 private:
  operation operation_of(deed what, happening_maker& make) {
    switch (what) {
      case deed::post:
        return make.post();
      case deed::silence:
      case deed::edit_silence:
        return make.put_silence(model_.silences(), what == deed::edit_silence);
      case deed::expire_silence:
        return make.expire(model_.silences());
      default:
        return make.operate(what, make.selector(model_.active(), ledger_.ended()));
    }
  }

  void step(instant clock, const std::vector<finding>& findings) {
    // Shards report one after the other: by key, each in its own order.
    std::vector<finding> shuffled = findings;
    std::stable_sort(shuffled.begin(), shuffled.end(),
                     [](const finding& a, const finding& b) { return a.print > b.print; });
    const book_changes changes = book_.step(clock, std::move(shuffled));
    model_.step(clock, findings);
    const instant from = std::exchange(clock_, clock);
    compare(changes, from, fmt::format("step to {}", to_unix_ms(clock)));
  }

  void operate(const operation& wanted) {
    const auto done = book_.operate(wanted);
    const silence_ptr made = done.outcome ? done.outcome->silence : nullptr;
    const auto expected = model_.operate(wanted, made ? made->id : "");
    const std::string code = done.outcome ? "" : std::string{done.outcome.failure().code};
    const std::string what = fmt::format("operation {}", wanted.index());
    if (code != expected.code) {
      difference_ +=
          fmt::format("{}: the book says \"{}\", the model \"{}\"\n", what, code, expected.code);
    } else if (code.empty()) {
      compare_outcomes(wanted, *done.outcome, expected);
    }
    compare(done.changes, clock_, what);
  }

  void compare_outcomes(const operation& wanted, const operation_result& seen,
                        const model_book::outcome& expected) {
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
      by_id[each.alert_id] = codes.back();
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
    if (!book_.failed_checks().empty()) difference_ += "a check failed\n";
    std::vector<std::string> seen, wanted;
    for (const transition& each : active) seen.push_back(standing(*each));
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
    if (differs()) difference_ = "after " + after + "\n" + difference_;
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

  alert_book book_;
  model_book model_;
  ledger ledger_;
  instant clock_ = beginning;
  std::uint64_t position_ = 0;
  std::string difference_;
};

/// Which of the two first differ, and how; "" when they never do.
std::string difference(const sequence& of) {
  chooser choose{of.policy_seed};
  comparison both{make_policy(choose)};
  for (std::size_t i = 0; i < of.happenings.size(); ++i) {
    both.run(of.happenings[i]);
    if (both.differs()) return fmt::format("happening {}: {}", i, both.difference());
  }
  return "";
}

/// Runs of happenings are dropped as long as it still fails, then single ones.
sequence shrunk(sequence failing) {
  for (std::size_t run = failing.happenings.size() / 2 + 1; run > 0; run /= 2) {
    for (std::size_t from = failing.happenings.size(); from-- > 0;) {
      sequence smaller = failing;
      const auto first = smaller.happenings.begin() + static_cast<std::ptrdiff_t>(from);
      const auto count = std::min(run, smaller.happenings.size() - from);
      smaller.happenings.erase(first, first + static_cast<std::ptrdiff_t>(count));
      if (!difference(smaller).empty()) failing = std::move(smaller);
      from = std::min(from, failing.happenings.size());
    }
  }
  return failing;
}

template <class Check>
void for_each_sequence(std::uint64_t many, const Check& check) {
  std::uint64_t first = 1;
  std::uint64_t last = many * property_rounds();
  if (const auto only = property_seed()) first = last = *only;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const sequence made = make_sequence(seed);
    const std::string why = check(made);
    if (why.empty()) continue;
    FAIL() << "seed " << seed << " (TOCSIN_PROPERTY_SEED=" << seed << " runs it alone)\n" << why;
  }
}

TEST(alert_operations_property, the_book_equals_the_model) {
  for_each_sequence(3000, [](const sequence& made) -> std::string {
    if (difference(made).empty()) return "";
    const sequence small = shrunk(made);
    std::string deeds;
    for (const happening& each : small.happenings) {
      deeds += fmt::format(" {}", static_cast<int>(each.what));
    }
    return fmt::format("shrunk to {} happenings ({} ), {}", small.happenings.size(), deeds,
                       difference(small));
  });
}

}  // namespace
}  // namespace tocsin::testing
