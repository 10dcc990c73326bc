// SPDX-License-Identifier: Apache-2.0
// Looks through everything at every step.
#include "support/naive_incidents.hpp"

#include <algorithm>
#include <cmath>

#include "tocsin/alert_labels.hpp"

namespace tocsin::testing {

naive_incidents::naive_incidents(incident_rule rule, std::size_t index)
    : rule_(std::move(rule)), index_(index) {}

bool naive_incidents::accepts(const alert& what) const {
  return std::all_of(rule_.matchers.begin(), rule_.matchers.end(), [&](const label_matcher& one) {
    return one.accepts(alert_label(what, one.name()));
  });
}

naive_incidents::group naive_incidents::group_of(const alert& what) const {
  group made;
  for (const std::string& name : rule_.group_by) {
    made.emplace_back(name, std::string(alert_label(what, name)));
  }
  return made;
}

fingerprint naive_incidents::print_of(const group& of) const {
  std::vector<key_part> key;
  for (const auto& [name, value] : of) key.push_back({name, value});
  return fingerprint_of(rule_.name, key);
}

naive_incidents::incident* naive_incidents::open_in(const group& of) {
  for (incident& one : open_) {
    if (one.of == of) return &one;
  }
  return nullptr;
}

std::vector<naive_incidents::entry*> naive_incidents::members(const group& of) {
  std::vector<entry*> found;
  for (entry& one : entries_) {
    if (one.of == of && one.is == part::member) found.push_back(&one);
  }
  // Numbers are added in the order of fingerprints.
  std::sort(found.begin(), found.end(),
            [](const entry* l, const entry* r) { return l->what.print < r->what.print; });
  return found;
}

std::vector<std::pair<std::string, double>> naive_incidents::values(const group& of) {
  const auto in = members(of);
  std::vector<double> having;
  for (const entry* one : in) {
    for (const auto& [name, value] : one->what.proof.values) {
      if (!rule_.value.empty() && name == rule_.value && !std::isnan(value))
        having.push_back(value);
    }
  }
  std::vector<std::pair<std::string, double>> made{
      {"count", static_cast<double>(in.size())},
      {"members", static_cast<double>(open_in(of)->joined.size())}};
  if (having.empty()) return made;
  double sum = 0;
  for (const double value : having) sum += value;
  made.emplace_back("sum", sum);
  made.emplace_back("avg", sum / static_cast<double>(having.size()));
  made.emplace_back("max", *std::max_element(having.begin(), having.end()));
  made.emplace_back("min", *std::min_element(having.begin(), having.end()));
  return made;
}

incident_news naive_incidents::news(incident_news::kind what, incident& of, instant at,
                                    std::vector<fingerprint> joined) {
  for (std::size_t i = 0; const entry* one : members(of.of)) {
    of.worst = i++ == 0 ? one->what.severity : std::min(of.worst, one->what.severity);
  }
  of.told = values(of.of);
  of.told_severity = of.worst;
  incident_news made;
  made.what = what;
  made.rule = index_;
  made.print = print_of(of.of);
  made.at = at;
  made.severity = of.worst;
  made.values = of.told;
  made.members = of.joined;
  made.group = of.of;
  made.first_started_at = of.first_started_at;
  made.joined = std::move(joined);
  return made;
}

void naive_incidents::begin(const alert& now, instant at, std::vector<incident_news>& told) {
  const group of = group_of(now);
  entries_.push_back({now, of, part::waiting});
  if (incident* open = open_in(of)) {
    entries_.back().is = part::member;
    open->joined.push_back(now.alert_id);
    told.push_back(news(incident_news::kind::changed, *open, at, {now.print}));
    return;
  }
  std::vector<entry*> waiting;
  for (entry& one : entries_) {
    if (one.of == of && one.is == part::waiting) waiting.push_back(&one);
  }
  std::sort(waiting.begin(), waiting.end(), [](const entry* l, const entry* r) {
    return std::pair(l->what.started_at, l->what.print) <
           std::pair(r->what.started_at, r->what.print);
  });
  for (const entry* first : waiting) {
    std::vector<entry*> close;
    bool has_newest = false;
    for (entry* one : waiting) {
      const duration later = one->what.started_at - first->what.started_at;
      if (later < duration{0} || later > rule_.within) continue;
      // Of those that began together with the first one, none is before it.
      if (later == duration{0} && one->what.print < first->what.print) continue;
      close.push_back(one);
      has_newest |= one->what.print == now.print;
    }
    if (!has_newest || close.size() < rule_.min_alerts) continue;
    incident raised;
    raised.of = of;
    raised.first_started_at = first->what.started_at;
    std::vector<fingerprint> joined;
    for (entry* one : close) {
      one->is = part::member;
      raised.joined.push_back(one->what.alert_id);
      joined.push_back(one->what.print);
    }
    open_.push_back(std::move(raised));
    told.push_back(news(incident_news::kind::raised, open_.back(), at, std::move(joined)));
    return;
  }
}

void naive_incidents::end(const fingerprint& print, instant at, std::vector<incident_news>& told) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const entry& one) { return one.what.print == print; });
  const entry gone = *found;
  entries_.erase(found);
  if (gone.is != part::member) return;
  incident& open = *open_in(gone.of);
  const bool over = members(gone.of).empty();
  told.push_back(
      news(over ? incident_news::kind::over : incident_news::kind::changed, open, at, {}));
  if (over) std::erase_if(open_, [&](const incident& one) { return one.of == gone.of; });
}

std::vector<incident_news> naive_incidents::update(instant at, const alert& now) {
  std::vector<incident_news> told;
  const bool active = now.state == alert_state::firing || now.state == alert_state::acknowledged;
  const auto known = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const entry& one) { return one.what.print == now.print; });
  if (known == entries_.end()) {
    if (active && accepts(now)) begin(now, at, told);
    return told;
  }
  if (!active) {
    if (known->what.alert_id == now.alert_id) end(now.print, at, told);
    return told;
  }
  const bool elsewhere =
      known->is == part::waiting && (!accepts(now) || group_of(now) != known->of);
  if (known->what.alert_id != now.alert_id || elsewhere) {
    end(now.print, at, told);
    if (accepts(now)) begin(now, at, told);
    return told;
  }
  known->what = now;
  if (known->is != part::member) return told;
  incident& open = *open_in(known->of);
  severity worst = severity::info;
  for (const entry* one : members(known->of)) worst = std::min(worst, one->what.severity);
  if (worst == open.told_severity && values(known->of) == open.told) return told;
  told.push_back(news(incident_news::kind::changed, open, at, {}));
  return told;
}

void naive_incidents::forget(const fingerprint& print) {
  for (entry& one : entries_) {
    if (one.is == part::member && print_of(one.of) == print) one.is = part::apart;
  }
  std::erase_if(open_, [&](const auto& one) { return print_of(one.of) == print; });
}

std::vector<fingerprint> naive_incidents::open() const {
  std::vector<fingerprint> prints;
  for (const incident& one : open_) prints.push_back(print_of(one.of));
  return prints;
}

}  // namespace tocsin::testing
