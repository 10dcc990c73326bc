// SPDX-License-Identifier: Apache-2.0
// The life of alerts under findings, clocks and shields, the slow way.
#include "support/model_book.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace tocsin::testing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

std::string seconds_text(instant at) {
  return fmt::format("{:.3f}", static_cast<double>(to_unix_ms(at)) / 1000);
}

/// All labels of an alert: what counts less is written first, what counts more over it.
std::map<std::string, std::string> labels_of(const alert& of) {
  std::map<std::string, std::string> labels;
  const auto put = [&](std::string name, const std::string& value) {
    if (!value.empty()) labels[std::move(name)] = value;
  };
  const alert_texts none;
  const alert_texts& texts = of.texts ? *of.texts : none;
  if (of.origin != alert_origin::posted) {
    put("source_id", texts.source_id);
    put("item", texts.item);
    put("resource_name", texts.resource_name);
    put("resource_type", texts.resource_type);
    put("resource_id", texts.resource_id);
    put("severity", std::string{to_text(of.severity)});
    put("alertname", of.rule);
    for (auto each = texts.group.rbegin(); each != texts.group.rend(); ++each) {
      std::string name = each->first;
      if (name.rfind("labels.", 0) == 0) name = name.substr(7);
      put(name, each->second.value_or(""));
    }
  }
  for (auto each = texts.labels.rbegin(); each != texts.labels.rend(); ++each) {
    put(each->first, each->second);
  }
  return labels;
}

std::string label_of(const alert& of, const std::string& name) {
  const auto labels = labels_of(of);
  const auto found = labels.find(name);
  return found == labels.end() ? "" : found->second;
}

bool accept(const label_matchers& all, const alert& of) {
  for (const label_matcher& each : all) {
    if (!each.accepts(label_of(of, each.name()))) return false;
  }
  return true;
}

/// Of intervals that have nothing but times of the day, in UTC.
bool holds(const std::vector<time_interval>& any_of, instant at) {
  const auto minute =
      static_cast<int>((at.time_since_epoch() % std::chrono::hours{24}) / minutes{1});
  for (const time_interval& interval : any_of) {
    if (interval.times.empty()) return true;
    for (const minute_range& range : interval.times) {
      if (minute >= range.start && minute < range.end) return true;
    }
  }
  return false;
}

bool silences_now(const silence& of, instant at) {
  if (of.scope != silence_scope::alerts || at < of.starts_at || at >= of.ends_at) return false;
  return of.recurs.empty() || holds(of.recurs, at);
}

/// Alertmanager tells starts apart by whole seconds.
bool same_second(instant left, instant right) {
  return std::chrono::floor<seconds>(left) == std::chrono::floor<seconds>(right);
}

bool is_among(const std::vector<alert_state>& some, alert_state state) {
  return std::find(some.begin(), some.end(), state) != some.end();
}

std::string wrong_with(const alert_selector& which, const std::string& by) {
  if (by.empty()) return "bad_operation";
  return which.ids.empty() && which.matchers.empty() ? "nothing_chosen" : "";
}

/// Alertmanager's walk through the tree.
void walk(const notify_route& route, const alert& of, std::vector<const notify_route*>& into) {
  const std::size_t before = into.size();
  for (const notify_route& child : route.routes) {
    if (!accept(child.matchers, of)) continue;
    walk(child, of, into);
    if (!child.continue_matching) break;
  }
  if (into.size() == before) into.push_back(&route);
}

/// Nagios' share of changes among the last 21 evaluations; those before the first were false.
double share_of_changes(const std::vector<bool>& all) {
  constexpr std::size_t looked_at = 21;
  std::vector<bool> last(looked_at, false);
  for (std::size_t i = 0; i < looked_at && i < all.size(); ++i) {
    last[looked_at - 1 - i] = all[all.size() - 1 - i];
  }
  double sum = 0;
  for (std::size_t i = 0; i + 1 < looked_at; ++i) {
    if (last[i] != last[i + 1]) sum += 0.8 + 0.4 * static_cast<double>(i) / 19;
  }
  return sum / 20;
}

}  // namespace

std::string standing(const alert& of) {
  std::string words =
      fmt::format("{}/{} {} {} count {} to {} silenced [{}] inhibited [{}] muted [{}]{}",
                  to_text(of.print), of.rule, to_text(of.state), to_text(of.severity),
                  of.proof.event_count, of.assignee.empty() ? "nobody" : of.assignee,
                  fmt::join(of.shields.silenced_by, ","), fmt::join(of.shields.inhibited_by, ","),
                  fmt::join(of.shields.muted_by, ","), of.flapping ? " flapping" : "");
  if (of.acknowledged) {
    words += fmt::format(" acknowledged by {} at {}", of.acknowledged->by,
                         seconds_text(of.acknowledged->at));
    if (of.acknowledged->until) words += " until " + seconds_text(*of.acknowledged->until);
  }
  if (of.posted) words += " ends " + seconds_text(of.posted->ends_at);
  return words;
}

std::string change_in_words(const alert& after) {
  const bool moved = after.state != after.previous_state;
  const bool graded = after.cause == "severity upgraded" || after.cause == "severity downgraded";
  const bool by_hand = after.cause == "note" || after.cause == "unassigned" ||
                       after.cause == "acknowledged" ||
                       after.cause.view().rfind("assigned to ", 0) == 0;
  if (!moved && !by_hand && !(graded && after.state != alert_state::pending)) return "";
  std::string words =
      fmt::format("{} {} {}->{} {} by {} {}", seconds_text(after.at), to_text(after.print),
                  to_text(after.previous_state), to_text(after.state), after.cause, after.actor,
                  to_text(after.severity));
  if (!after.note.empty()) words += " (" + after.note + ")";
  if (after.acknowledged) words += " acknowledged by " + after.acknowledged->by;
  if (after.resolved_at) words += " resolved " + seconds_text(*after.resolved_at);
  if (after.closed_at) words += " closed " + seconds_text(*after.closed_at);
  return words;
}

model_book::model_book(std::shared_ptr<const rule_set> rules,
                       std::shared_ptr<const alert_policy> policy)
    : rules_(std::move(rules)), policy_(std::move(policy)) {}

std::vector<alert> model_book::active() const {
  std::vector<alert> all;
  for (const auto& [print, each] : alive_) all.push_back(each.now);
  return all;
}

std::vector<std::string> model_book::take_changes() {
  std::stable_sort(changes_.begin(), changes_.end(), [](const change& left, const change& right) {
    return std::tie(left.at, left.print) < std::tie(right.at, right.print);
  });
  std::vector<std::string> all;
  for (const change& each : std::exchange(changes_, {})) all.push_back(each.words);
  return all;
}

const rule_spec& model_book::spec_of(const life& of) const {
  return rules_->rule_at(*of.rule).spec;
}

/// The earliest of an alert's clocks.
std::optional<instant> model_book::next_deadline(const life& of) const {
  std::vector<instant> all;
  if (of.ends_at) all.push_back(*of.ends_at);
  if (of.rule) {
    const rule_spec& spec = spec_of(of);
    if (of.now.state == alert_state::pending) all.push_back(of.now.started_at + spec.pending_for);
    if (of.cleared_at) all.push_back(*of.cleared_at + spec.keep_firing_for);
    if (of.now.state != alert_state::pending && spec.close_after > duration{0})
      all.push_back(of.last_met + spec.close_after);
  }
  if (of.now.state == alert_state::acknowledged && of.now.acknowledged->until) {
    all.push_back(*of.now.acknowledged->until);
  }
  if (all.empty()) return std::nullopt;
  return *std::min_element(all.begin(), all.end());
}

/// Goes from one instant at which anything could change to the next.
void model_book::run_until(instant limit) {
  while (!alive_.empty()) {
    instant next = std::chrono::floor<minutes>(now_) + minutes{1};
    for (const auto& [id, each] : silences_) {
      for (const instant bound : {each.starts_at, each.ends_at}) {
        if (bound > now_) next = std::min(next, bound);
      }
    }
    for (const auto& [print, each] : alive_) {
      if (const auto deadline = next_deadline(each)) next = std::min(next, *deadline);
    }
    if (next >= limit) return;
    now_ = std::max(now_, next);
    for (auto& [print, each] : alive_) run_clocks(each);
    look_at_everything();
  }
}

/// What the clocks of one alert bring about by now, in the order of the checks.
void model_book::run_clocks(life& of) {
  alert& now = of.now;
  if (of.rule) {
    const rule_spec& spec = spec_of(of);
    if (now.state == alert_state::pending && now.started_at + spec.pending_for <= now_) {
      evaluate(now.print, true);
      move(of, alert_state::firing, "condition held for " + format_duration(spec.pending_for),
           "rule");
    }
    if (now.state != alert_state::pending && spec.close_after > duration{0} &&
        of.last_met + spec.close_after <= now_) {
      return move(of, alert_state::closed, "no data for " + format_duration(spec.close_after),
                  "checker");
    }
    if (of.cleared_at && *of.cleared_at + spec.keep_firing_for <= now_) {
      return move(of, alert_state::resolved, "condition cleared", "rule");
    }
  }
  if (of.ends_at && *of.ends_at <= now_) {
    evaluate(now.print, false);
    return move(of, alert_state::resolved, "end time passed", "checker");
  }
  if (now.state == alert_state::acknowledged && now.acknowledged->until &&
      *now.acknowledged->until <= now_) {
    now.acknowledged.reset();
    move(of, alert_state::firing, "acknowledge expired", "checker");
  }
}

/// Ended alerts go; of all others every flag is found out anew.
void model_book::look_at_everything() {
  std::erase_if(alive_, [](const auto& entry) {
    const alert_state state = entry.second.now.state;
    return state == alert_state::resolved || state == alert_state::closed;
  });
  for (auto& [print, each] : alive_) {
    each.now.shields = shields_of(each.now);
    each.now.flapping = evaluated_[print].flapping;
  }
}

alert_shields model_book::shields_of(const alert& of) const {
  alert_shields shields;
  for (const auto& [id, each] : silences_) {
    if (silences_now(each, now_) && accept(each.matchers, of)) shields.silenced_by.push_back(id);
  }
  shields.inhibited_by = inhibited_by(of);
  shields.muted_by = muted_by(of);
  return shields;
}

std::vector<std::string> model_book::inhibited_by(const alert& of) const {
  std::vector<std::string> ids;
  for (const inhibit_rule& rule : policy_->notify->inhibit_rules) {
    if (!accept(rule.target, of)) continue;
    const bool both_sides = accept(rule.source, of);
    for (const auto& [print, other] : alive_) {
      const bool fires =
          other.now.state == alert_state::firing || other.now.state == alert_state::acknowledged;
      if (!fires || !accept(rule.source, other.now)) continue;
      if (both_sides && accept(rule.target, other.now)) continue;
      const alert& now = other.now;
      const bool same = std::all_of(rule.equal.begin(), rule.equal.end(), [&](const auto& name) {
        return label_of(of, name) == label_of(now, name);
      });
      if (same) ids.push_back(to_text(other.now.alert_id));
    }
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

std::vector<std::string> model_book::muted_by(const alert& of) const {
  const notify_policy& policy = *policy_->notify;
  const auto holds_now = [&](const std::string& name) {
    for (const named_time_interval& each : policy.time_intervals) {
      if (each.name == name) return holds(each.intervals, now_);
    }
    return false;
  };
  std::vector<const notify_route*> taken;
  walk(policy.root, of, taken);
  std::vector<std::string> names;
  for (const notify_route* route : taken) {
    for (const std::string& name : route->mute_time_intervals) {
      if (holds_now(name)) names.push_back(name);
    }
    const auto& wanted = route->active_time_intervals;
    if (std::none_of(wanted.begin(), wanted.end(), holds_now)) {
      names.insert(names.end(), wanted.begin(), wanted.end());
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void model_book::step(instant clock, std::vector<finding> findings) {
  std::stable_sort(findings.begin(), findings.end());
  for (const finding& each : findings) {
    run_until(each.at);
    now_ = each.at;
    take(each);
    look_at_everything();
  }
  run_until(clock);
  now_ = clock;
}

void model_book::take(const finding& found) {
  using kind = finding::kind;
  const auto known = alive_.find(found.print);
  if (known == alive_.end() && found.what != kind::met) return;
  if (known == alive_.end()) return begin(found);
  life& of = known->second;
  const rule_spec& spec = spec_of(of);
  const bool waits = of.now.state == alert_state::pending;
  if (!waits) evaluate(found.print, found.what == kind::met || found.what == kind::updated);
  const std::string cause{found.cause};
  if (found.what == kind::met || found.what == kind::updated) {
    go_on(of, found);
  } else if (found.what == kind::recovered) {
    move(of, alert_state::resolved, cause, "event");
  } else if (found.what == kind::dismissed) {
    move(of, alert_state::closed, cause, "event");
  } else if (waits) {
    move(of, alert_state::resolved,
         "condition cleared before it held for " + format_duration(spec.pending_for), "rule");
  } else if (spec.keep_firing_for == duration{0}) {
    move(of, alert_state::resolved, cause, "rule");
  } else if (!of.cleared_at) {
    of.cleared_at = now_;
  }
}

void model_book::begin(const finding& found) {
  const rule& by = rules_->rule_at(found.rule);
  life of;
  of.rule = found.rule;
  of.last_met = now_;
  alert& now = of.now;
  now.print = found.print;
  now.alert_id = found.print;
  now.rule = by.name;
  now.severity = found.severity;
  now.texts = found.texts;
  now.proof = found.proof;
  now.started_at = now_;
  life& kept = alive_[found.print] = of;
  const bool waits = by.spec.pending_for > duration{0};
  if (!waits) evaluate(found.print, true);
  move(kept, waits ? alert_state::pending : alert_state::firing,
       waits ? "condition met" : std::string{found.cause}, "rule");
}

void model_book::go_on(life& of, const finding& found) {
  of.last_met = now_;
  of.cleared_at.reset();
  if (found.proof.event_count > 0) of.now.proof = found.proof;
  if (found.texts) of.now.texts = found.texts;
  change_severity(of, found.severity);
}

void model_book::change_severity(life& of, severity to) {
  const severity from = std::exchange(of.now.severity, to);
  if (to == from) return;
  if (to > from) return move(of, of.now.state, "severity downgraded", "rule");
  const bool lifts = of.now.state == alert_state::acknowledged;
  if (lifts) of.now.acknowledged.reset();
  move(of, lifts ? alert_state::firing : of.now.state, "severity upgraded", "rule");
}

void model_book::evaluate(const fingerprint& print, bool firing) {
  if (!policy_->detect_flapping) return;
  evaluations& of = evaluated_[print];
  const bool same = !of.all.empty() && of.all.back() == firing;
  if (same && now_ - of.last < seconds{1}) return;
  of.all.push_back(firing);
  of.last = now_;
  const double share = share_of_changes(of.all);
  constexpr double rounding = 1e-9;
  of.flapping = of.flapping ? share >= 0.25 - rounding : share > 0.5 + rounding;
}

void model_book::move(life& of, alert_state to, std::string cause, std::string actor,
                      std::string note) {
  alert& now = of.now;
  now.previous_state = now.state;
  now.state = to;
  now.at = now_;
  now.cause = std::move(cause);
  now.actor = std::move(actor);
  now.note = std::move(note);
  if (to == alert_state::resolved) now.resolved_at = now_;
  if (to == alert_state::closed) now.closed_at = now_;
  const std::string words = change_in_words(now);
  if (!words.empty()) changes_.push_back({now_, now.print, words});
}

// What operators and other systems ask for.

model_book::outcome model_book::operate(const operation& wanted, const std::string& made) {
  outcome done;
  if (const auto* put_wanted = std::get_if<put_silence>(&wanted)) {
    done = put(put_wanted->wanted, made);
  } else if (const auto* expire_wanted = std::get_if<expire_silence>(&wanted)) {
    done = expire(expire_wanted->id);
  } else if (const auto* one = std::get_if<acknowledge_alerts>(&wanted)) {
    done = run(*one);
  } else if (const auto* two = std::get_if<unacknowledge_alerts>(&wanted)) {
    done = run(*two);
  } else if (const auto* three = std::get_if<close_alerts>(&wanted)) {
    done = run(*three);
  } else if (const auto* four = std::get_if<note_on_alerts>(&wanted)) {
    done = run(*four);
  } else if (const auto* five = std::get_if<assign_alerts>(&wanted)) {
    done = run(*five);
  } else {
    done = run(std::get<post_alerts>(wanted));
  }
  look_at_everything();
  return done;
}

/// Those chosen for whom it is legal; who was named and is not among them is refused.
void model_book::choose(const alert_selector& which, const std::vector<alert_state>& legal,
                        outcome& into, std::vector<life*>& chosen) {
  for (const fingerprint& id : which.ids) {
    into.alerts[id] = "not_found";
    for (auto& [print, each] : alive_) {
      if (each.now.alert_id != id) continue;
      into.alerts[id] = is_among(legal, each.now.state) ? "" : "illegal_transition";
      if (into.alerts[id].empty()) chosen.push_back(&each);
    }
  }
  if (!which.ids.empty()) return;
  for (auto& [print, each] : alive_) {
    if (!accept(which.matchers, each.now) || !is_among(legal, each.now.state)) continue;
    into.alerts[each.now.alert_id] = "";
    chosen.push_back(&each);
  }
}

model_book::outcome model_book::run(const acknowledge_alerts& wanted) {
  outcome done;
  done.code = wrong_with(wanted.which, wanted.by);
  if (done.code.empty() && wanted.until && *wanted.until <= now_) done.code = "bad_operation";
  if (!done.code.empty()) return done;
  std::vector<alert_state> legal{alert_state::firing};
  const bool named = !wanted.which.ids.empty();
  if (wanted.replace || named) legal.push_back(alert_state::acknowledged);
  std::vector<life*> chosen;
  choose(wanted.which, legal, done, chosen);
  for (life* each : chosen) {
    if (each->now.state == alert_state::acknowledged && !wanted.replace) {
      done.alerts[each->now.alert_id] = "already_acknowledged";
      continue;
    }
    each->now.acknowledged = acknowledgement{wanted.by, now_, wanted.until};
    move(*each, alert_state::acknowledged, "acknowledged", wanted.by, wanted.note);
  }
  return done;
}

model_book::outcome model_book::run(const unacknowledge_alerts& wanted) {
  outcome done;
  done.code = wrong_with(wanted.which, wanted.by);
  if (!done.code.empty()) return done;
  std::vector<life*> chosen;
  choose(wanted.which, {alert_state::acknowledged}, done, chosen);
  for (life* each : chosen) {
    each->now.acknowledged.reset();
    move(*each, alert_state::firing, "unacknowledged", wanted.by, wanted.note);
  }
  return done;
}

namespace {
const std::vector<alert_state> any_active{alert_state::pending, alert_state::firing,
                                          alert_state::acknowledged};
}  // namespace

model_book::outcome model_book::run(const close_alerts& wanted) {
  outcome done;
  done.code = wrong_with(wanted.which, wanted.by);
  if (!done.code.empty()) return done;
  std::vector<life*> chosen;
  choose(wanted.which, any_active, done, chosen);
  for (life* each : chosen) {
    move(*each, alert_state::closed, "closed by an operator", wanted.by, wanted.note);
  }
  return done;
}

model_book::outcome model_book::run(const note_on_alerts& wanted) {
  outcome done;
  done.code = wrong_with(wanted.which, wanted.by);
  if (done.code.empty() && wanted.note.empty()) done.code = "bad_operation";
  if (!done.code.empty()) return done;
  std::vector<life*> chosen;
  choose(wanted.which, any_active, done, chosen);
  for (life* each : chosen) move(*each, each->now.state, "note", wanted.by, wanted.note);
  return done;
}

model_book::outcome model_book::run(const assign_alerts& wanted) {
  outcome done;
  done.code = wrong_with(wanted.which, wanted.by);
  if (!done.code.empty()) return done;
  std::vector<life*> chosen;
  choose(wanted.which, any_active, done, chosen);
  for (life* each : chosen) {
    if (each->now.assignee == wanted.to && wanted.note.empty()) continue;
    each->now.assignee = wanted.to;
    move(*each, each->now.state, wanted.to.empty() ? "unassigned" : "assigned to " + wanted.to,
         wanted.by, wanted.note);
  }
  return done;
}

model_book::outcome model_book::run(const post_alerts& wanted) {
  outcome done;
  for (const posted_alert& each : wanted.alerts) {
    done.posted.push_back(post(each, wanted.by));
    look_at_everything();
  }
  return done;
}

std::string model_book::post(const posted_alert& wanted, const std::string& by) {
  std::map<std::string, std::string> labels;
  for (const auto& [name, value] : wanted.labels) {
    if (value.empty()) continue;
    if (name.empty()) return "bad_alert";
    labels[name] = value;
  }
  if (labels.empty()) return "bad_alert";
  posted_facts facts;
  facts.times_out = !wanted.ends_at;
  facts.ends_at = wanted.ends_at.value_or(now_ + policy_->notify->resolve_timeout);
  const bool ended = facts.ends_at <= now_;
  facts.starts_at = wanted.starts_at.value_or(ended ? facts.ends_at : now_);
  facts.generator_url = wanted.generator_url;
  if (facts.starts_at > facts.ends_at) return "bad_alert";
  std::vector<key_part> key;
  for (const auto& [name, value] : labels) key.push_back({name, value});
  const fingerprint print = fingerprint_of("posted", key);
  const auto known = alive_.find(print);
  if (known == alive_.end() && ended) return "";
  evaluate(print, !ended);
  if (known != alive_.end()) {
    if (ended) {
      move(known->second, alert_state::resolved, "posted as resolved", by);
    } else {
      post_again(known->second, wanted, facts);
    }
    return "";
  }
  life& of = alive_[print];
  of.now.origin = alert_origin::posted;
  of.now.print = print;
  of.now.alert_id = print;
  of.now.rule = labels["alertname"];
  of.now.severity = parse_severity(labels["severity"]).value_or(severity::warning);
  labels.erase("");
  alert_texts texts;
  for (const auto& [name, value] : labels) {
    if (!value.empty()) texts.labels.emplace_back(name, value);
  }
  of.now.texts = std::make_shared<const alert_texts>(texts);
  of.now.proof.event_count = 1;
  of.ends_at = facts.ends_at;
  of.times_out = facts.times_out;
  of.now.posted = std::make_shared<const posted_facts>(facts);
  move(of, alert_state::firing, "posted", by);
  return "";
}

/// An end that was given stays when it is later than the newest posting's.
void model_book::post_again(life& of, const posted_alert&, const posted_facts& facts) {
  ++of.now.proof.event_count;
  posted_facts merged = facts;
  if (!of.times_out && *of.ends_at > facts.ends_at) {
    merged.ends_at = *of.ends_at;
    merged.times_out = false;
  }
  merged.starts_at = std::min(of.now.posted->starts_at, facts.starts_at);
  of.ends_at = merged.ends_at;
  of.times_out = merged.times_out;
  of.now.posted = std::make_shared<const posted_facts>(merged);
}

model_book::outcome model_book::put(const silence& wanted, const std::string& made) {
  outcome done;
  const bool silences_nothing_named =
      std::all_of(wanted.matchers.begin(), wanted.matchers.end(), [](const label_matcher& each) {
        const bool negative =
            each.op() == matcher_operator::unequal || each.op() == matcher_operator::does_not_match;
        return !negative && each.accepts("");
      });
  if (silences_nothing_named || wanted.created_by.empty() || wanted.comment.empty() ||
      wanted.ends_at <= wanted.starts_at || wanted.ends_at <= now_) {
    done.code = "bad_silence";
    return done;
  }
  const auto old = silences_.find(wanted.id);
  if (!wanted.id.empty() && old == silences_.end()) {
    done.code = "silence_not_found";
    return done;
  }
  if (old != silences_.end() && now_ < old->second.ends_at) {
    silence& held = old->second;
    const bool began = now_ >= held.starts_at;
    const bool harmless =
        held.matchers == wanted.matchers && held.scope == wanted.scope &&
        held.recurs == wanted.recurs &&
        (began ? same_second(held.starts_at, wanted.starts_at) : wanted.starts_at >= now_);
    if (harmless) {
      const instant start = began ? held.starts_at : wanted.starts_at;
      held = wanted;
      held.starts_at = start;
      return done;
    }
    if (!began) held.starts_at = now_;
    held.ends_at = now_;
  }
  done.new_silence = true;
  silence fresh = wanted;
  fresh.id = made;
  fresh.starts_at = std::max(fresh.starts_at, now_);
  silences_[made] = fresh;
  return done;
}

model_book::outcome model_book::expire(const std::string& id) {
  outcome done;
  const auto found = silences_.find(id);
  if (found == silences_.end()) {
    done.code = "silence_not_found";
  } else if (now_ >= found->second.ends_at) {
    done.code = "silence_expired";
  } else {
    if (now_ < found->second.starts_at) found->second.starts_at = now_;
    found->second.ends_at = now_;
  }
  return done;
}

}  // namespace tocsin::testing
