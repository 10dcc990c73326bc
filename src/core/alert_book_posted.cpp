// SPDX-License-Identifier: Apache-2.0
// Alerts that others post, with Alertmanager's meaning of their times (types.Alert.Merge and
// api/v2 of Alertmanager 0.25).
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/alert_keeper.hpp"

namespace tocsin {
namespace {

using trigger = alert_trigger;

const shared_text& label_in(const text_map& labels, std::string_view name) {
  static const shared_text none;
  for (const auto& [key, value] : labels) {
    if (key == name) return value;
  }
  return none;
}

/// By name, without those that have no value: what the alert is known by.
text_map identity_of(const posted_alert& wanted, text_cache& known) {
  text_map labels;
  labels.reserve(wanted.labels.size());
  for (const auto& [name, value] : wanted.labels) {
    if (!value.empty()) labels.emplace_back(known.share(name), known.share(value));
  }
  std::sort(labels.begin(), labels.end());
  return labels;
}

error bad_alert(std::string message) {
  return {"bad_alert", std::move(message)};
}

std::optional<error> refusal_of(const text_map& labels) {
  if (labels.empty()) return bad_alert("it has no labels with a value (wanted at least one)");
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].first.empty()) {
      return bad_alert(
          fmt::format("the name of a label is empty (its value: \"{}\")", labels[i].second));
    }
    if (i > 0 && labels[i].first == labels[i - 1].first) {
      return bad_alert(fmt::format("the label \"{}\" is there twice", labels[i].first));
    }
  }
  return std::nullopt;
}

std::shared_ptr<const alert_texts> texts_of(text_map labels, const text_map& annotations,
                                            text_cache& known) {
  auto texts = std::make_shared<alert_texts>();
  texts->annotations.reserve(annotations.size());
  for (const auto& [name, value] : annotations)
    texts->annotations.emplace_back(known.share(name), known.share(value));
  const shared_text& summary = label_in(texts->annotations, "summary");
  const shared_text& name = label_in(labels, "alertname");
  texts->title = summary.empty() ? name : summary;
  texts->description = label_in(texts->annotations, "description");
  texts->resource_id = label_in(labels, "instance");
  texts->item = name;
  texts->source_id = label_in(labels, "job");
  texts->labels = std::move(labels);
  return texts;
}

posted_facts times_of(const posted_alert& wanted, instant now, duration resolve_timeout,
                      text_cache& known) {
  posted_facts facts;
  facts.times_out = !wanted.ends_at;
  facts.ends_at = wanted.ends_at ? *wanted.ends_at : now + resolve_timeout;
  const bool over = wanted.ends_at && *wanted.ends_at < now;
  facts.starts_at = wanted.starts_at ? *wanted.starts_at : over ? *wanted.ends_at : now;
  facts.generator_url = known.share(wanted.generator_url);
  return facts;
}

std::shared_ptr<alert> alert_of(text_map labels, const text_map& annotations, posted_facts times,
                                instant now, text_cache& known) {
  auto fresh = std::make_shared<alert>();
  std::vector<key_part> key;
  for (const auto& [name, value] : labels) key.push_back({name, value});
  fresh->origin = alert_origin::posted;
  fresh->print = fingerprint_of("posted", key);
  fresh->rule = label_in(labels, "alertname");
  fresh->severity = parse_severity(label_in(labels, "severity")).value_or(severity::warning);
  fresh->texts = texts_of(std::move(labels), annotations, known);
  fresh->proof.event_count = 1;
  fresh->proof.first_event_time = times.starts_at;
  fresh->proof.last_event_time = now;
  fresh->started_at = times.starts_at;
  fresh->posted = std::make_shared<const posted_facts>(std::move(times));
  return fresh;
}

}  // namespace

result<operation_result> alert_keeper::take(const post_alerts& wanted) {
  if (wanted.by.empty()) {
    return error{"bad_operation", "\"by\" is empty (wanted the name of who posts)"};
  }
  operation_result done;
  for (const posted_alert& each : wanted.alerts) done.alerts.push_back(post(each, wanted.by));
  return done;
}

operation_outcome alert_keeper::post(const posted_alert& wanted, const std::string& by) {
  text_map labels = identity_of(wanted, texts_);
  if (auto refused = refusal_of(labels)) return {{}, std::move(refused), nullptr};
  posted_facts times = times_of(wanted, clock_, policy_->notify->resolve_timeout, texts_);
  if (times.starts_at > times.ends_at) {
    return {{},
            bad_alert(fmt::format("it starts at {}, after its end at {}",
                                  format_rfc3339(times.starts_at), format_rfc3339(times.ends_at))),
            nullptr};
  }
  draft fresh = alert_of(std::move(labels), wanted.annotations, std::move(times), clock_, texts_);
  if (active_alert* const of = entries_.find(fresh->print)) {
    if (of->now->posted) return post_again(*of, *fresh, by);
    return {{},
            bad_alert(fmt::format("its labels are the group of an alert of the rule \"{}\"",
                                  of->now->rule)),
            nullptr};
  }
  // One that ended may be posted again with the start it had, even at the same instant.
  fresh->alert_id =
      alert_id_of(fresh->print, "posted", to_unix_ms(fresh->posted->starts_at), seq_ + 1);
  // One that is over before anybody heard of it.
  if (fresh->posted->ends_at <= clock_) return {fresh->alert_id, std::nullopt, nullptr};
  active_alert& of = begin(std::move(fresh), no_rule, trigger::met_at_once, clock_, {"posted", by});
  const fingerprint id = of.now->alert_id;
  return {id, std::nullopt, look(of, {clock_, false})};
}

operation_outcome alert_keeper::post_again(active_alert& of, const alert& fresh,
                                           const std::string& by) {
  const bool resolved = fresh.posted->ends_at <= clock_;
  const posted_facts& before = *of.now->posted;
  posted_facts merged = *fresh.posted;
  merged.starts_at = std::min(before.starts_at, merged.starts_at);
  // An end that was said counts more than one that was made up.
  if (!resolved && !before.times_out && before.ends_at > merged.ends_at) {
    merged.ends_at = before.ends_at;
    merged.times_out = false;
  }
  draft next = draft_of(of);
  next->texts = fresh.texts;
  next->started_at = merged.starts_at;
  ++next->proof.event_count;
  next->proof.first_event_time = merged.starts_at;
  next->proof.last_event_time = clock_;
  next->posted = std::make_shared<const posted_facts>(std::move(merged));
  evaluate(of, !resolved, clock_);
  if (resolved) {
    move(of, trigger::cleared, clock_, {"posted as resolved", by}, std::move(next));
  } else {
    update(of, std::move(next));
  }
  const fingerprint id = of.now->alert_id;
  return {id, std::nullopt, look(of, {clock_, false})};
}

}  // namespace tocsin
