// SPDX-License-Identifier: Apache-2.0
// Makes alerts and their changes.
#include "support/stored_alerts.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace tocsin::testing {

alert sample_alert(std::uint64_t number, std::uint64_t rule) {
  alert made;
  made.rule = fmt::format("rule-{}", rule);
  const std::string host = fmt::format("web-{}", number);
  const key_part key{"resource_id", host};
  made.print = fingerprint_of(made.rule, {&key, 1});
  made.revision = "r1";
  made.started_at = sample_noon + std::chrono::seconds{number};
  made.alert_id = alert_id_of(made.print, made.revision, to_unix_ms(made.started_at), number);
  made.at = made.started_at;
  made.state = alert_state::firing;
  made.severity = static_cast<severity>(number % 4);
  made.condition = "event_count >= 3";
  alert_texts texts;
  texts.title = fmt::format("Too many errors on {}", host);
  texts.description = fmt::format("{} errors of service checkout within five minutes", number);
  texts.labels = {{"team", number % 2 == 0 ? "web" : "db"}, {"zone", "north"}};
  texts.annotations = {{"runbook", "https://example.com/runbook"}};
  texts.group = {{"resource_id", host}};
  texts.resource_id = host;
  texts.resource_type = "host";
  texts.resource_name = fmt::format("frontend {}", number);
  texts.item = "http_errors";
  texts.source_id = "agent-7";
  made.texts = std::make_shared<const alert_texts>(std::move(texts));
  made.proof.event_count = 3;
  made.proof.event_ids = {"a1", "a2", "a3"};
  made.proof.first_event_time = made.started_at - std::chrono::seconds{20};
  made.proof.last_event_time = made.started_at;
  made.proof.first_event_position = number;
  made.proof.window = {window_kind::sliding, made.started_at - std::chrono::minutes{5},
                       made.started_at};
  made.proof.values = {{"rate", 0.6}, {"errors", 3.0}};
  return made;
}

transition change_maker::begin(alert of) {
  of.number = 1;
  of.previous_state = alert_state::none;
  if (of.cause.empty()) of.cause = "condition met";
  if (of.actor.empty()) of.actor = "rule";
  of.seq = ++seq_;
  const transition made = collect(std::move(of));
  changes_.transitions.push_back(made);
  return made;
}

transition change_maker::move(const transition& from, alert_state to, instant at, std::string actor,
                              std::string cause, std::string note) {
  alert made = *from;
  made.seq = ++seq_;
  ++made.number;
  made.previous_state = std::exchange(made.state, to);
  made.at = at;
  made.actor = std::move(actor);
  made.cause = std::move(cause);
  made.note = std::move(note);
  if (to == alert_state::acknowledged && made.previous_state != to)
    made.acknowledged = acknowledgement{made.actor, at, std::nullopt};
  if (to == alert_state::firing) made.acknowledged.reset();
  if (to == alert_state::resolved) made.resolved_at = at;
  if (to == alert_state::closed) made.closed_at = at;
  const transition held = collect(std::move(made));
  changes_.transitions.push_back(held);
  return held;
}

transition change_maker::update(const transition& from, const std::function<void(alert&)>& edit) {
  alert made = *from;
  edit(made);
  return collect(std::move(made));
}

transition change_maker::collect(alert made) {
  changes_.clock = std::max(changes_.clock, made.at);
  const auto held = std::make_shared<const alert>(std::move(made));
  now_[held->alert_id] = held;
  return held;
}

book_changes change_maker::take() {
  for (const auto& [id, now] : std::exchange(now_, {}))
    changes_.alerts.push_back({now, fmt::format("book of {}", now->number)});
  const instant clock = changes_.clock;
  book_changes taken = std::exchange(changes_, {});
  changes_.clock = clock;
  return taken;
}

}  // namespace tocsin::testing
