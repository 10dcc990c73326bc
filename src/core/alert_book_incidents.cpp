// SPDX-License-Identifier: Apache-2.0
// Incidents as alerts: what their news do to them and to their members.
#include <fmt/format.h>

#include <utility>

#include "core/alert_keeper.hpp"

namespace tocsin {
namespace {

using trigger = alert_trigger;

std::string group_text(const incident_news& news) {
  std::string text;
  for (const auto& [name, value] : news.group) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, value);
  }
  return text;
}

/// How many members it has had.
std::uint64_t members_in(const incident_news& news) {
  for (const auto& [name, value] : news.values) {
    if (name == "members") return static_cast<std::uint64_t>(value);
  }
  return news.members.size();
}

std::string title_of(const incident_rule& rule, const incident_news& news) {
  if (!rule.title.empty()) return rule.title;
  const std::string group = group_text(news);
  return fmt::format("{}: {} alerts{}", rule.name, members_in(news),
                     group.empty() ? "" : " (" + group + ")");
}

void show(const incident_rule& rule, const incident_news& news, alert& in) {
  auto texts = std::make_shared<alert_texts>();
  texts->title = title_of(rule, news);
  for (const auto& [name, value] : news.group) {
    if (!value.empty()) texts->labels.emplace_back(name, value);
    texts->group.emplace_back(name, value);
  }
  in.texts = std::move(texts);
  in.proof.event_count = members_in(news);
  in.proof.first_event_time = news.first_started_at;
  in.proof.last_event_time = news.at;
  in.proof.values = news.values;
}

}  // namespace

void alert_keeper::hear_news() {
  for (incident_news& each : std::exchange(news_, {})) hear(each);
}

void alert_keeper::hear(incident_news& news) {
  active_alert* const known = entries_.find(news.print);
  const bool open = known != nullptr && is_active(known->now->state);
  switch (news.what) {
    case incident_news::kind::raised:
      if (known == nullptr) return raise(news);
      if (open) break;
      // The one before is over, and is to be looked at for the last time first.
      news_.push_back(std::move(news));
      return;
    case incident_news::kind::changed:
      break;
    case incident_news::kind::over:
      if (!open) return;
      refresh_incident(*known, news);
      move(*known, trigger::cleared, news.at, {"all its alerts ended", "checker"});
      concerned_.push_back(news.print);
      return;
  }
  if (!open) return;
  refresh_incident(*known, news);
  known->found_severity = news.severity;
  concerned_.push_back(news.print);
  join(news, *known->now);
}

void alert_keeper::raise(const incident_news& news) {
  const incident_rule& rule = policy_->incidents[news.rule];
  auto fresh = std::make_shared<alert>();
  fresh->origin = alert_origin::incident;
  fresh->print = news.print;
  fresh->alert_id = alert_id_of(news.print, "incident", to_unix_ms(news.first_started_at),
                                static_cast<std::uint64_t>(to_unix_ms(news.at)));
  fresh->rule = rule.name;
  fresh->condition =
      fmt::format("at least {} alerts within {}", rule.min_alerts, format_duration(rule.within));
  fresh->severity = news.severity;
  fresh->started_at = news.at;
  show(rule, news, *fresh);
  std::string cause =
      fmt::format("{} alerts within {}", members_in(news), format_duration(rule.within));
  const active_alert& of = begin(std::move(fresh), no_rule, trigger::met_at_once, news.at,
                                 {std::move(cause), "checker"});
  concerned_.push_back(news.print);
  join(news, *of.now);
}

void alert_keeper::refresh_incident(active_alert& of, const incident_news& news) {
  draft next = draft_of(of);
  show(policy_->incidents[news.rule], news, *next);
  update(of, std::move(next));
}

void alert_keeper::join(const incident_news& news, const alert& incident) {
  for (const fingerprint& each : news.joined) {
    active_alert* const member = entries_.find(each);
    if (member == nullptr || !is_active(member->now->state)) continue;
    // The first incident it is part of keeps it while it is open.
    const auto& held_by = member->now->incident_id;
    if (held_by && (*held_by == incident.alert_id || entries_.find_id(*held_by) != nullptr)) {
      continue;
    }
    draft next = draft_of(*member);
    next->incident_id = incident.alert_id;
    move(*member, trigger::marked, news.at, {"joined incident " + incident.rule, "checker"},
         std::move(next));
    concerned_.push_back(each);
  }
}

}  // namespace tocsin
