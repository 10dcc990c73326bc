// SPDX-License-Identifier: Apache-2.0
// Alertmanager's webhook body.
#include "io/webhook_body.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "io/json_line.hpp"
#include "tocsin/alert_labels.hpp"
#include "tocsin/alert_lifecycle.hpp"

namespace tocsin {
namespace {

/// Alertmanager's time of what has not ended.
constexpr std::string_view no_end = "0001-01-01T00:00:00Z";

void write_map(json_line& to, std::string_view name, const auto& texts) {
  to.key(name).begin_object();
  for (const auto& [key, text] : texts) to.key(key).text(text);
  to.end_object();
}

const shared_text* find(const text_map& in, const shared_text& name) {
  const auto found =
      std::find_if(in.begin(), in.end(), [&](const auto& entry) { return entry.first == name; });
  return found == in.end() ? nullptr : &found->second;
}

/// By name, of one name the first.
text_map annotations_of(const alert& of) {
  if (!of.texts) return {};
  static const shared_text summary = "summary";
  static const shared_text description = "description";
  text_map all = of.texts->annotations;
  // Receivers made for Prometheus look for these two.
  if (!of.texts->title.empty()) all.emplace_back(summary, of.texts->title);
  if (!of.texts->description.empty()) all.emplace_back(description, of.texts->description);
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& left, const auto& right) { return left.first < right.first; });
  all.erase(
      std::unique(all.begin(), all.end(),
                  [](const auto& left, const auto& right) { return left.first == right.first; }),
      all.end());
  return all;
}

/// Keeps in `common` what `each` has with the same text.
void keep_common(text_map& common, const text_map& each) {
  std::erase_if(common, [&](const auto& entry) {
    const shared_text* const found = find(each, entry.first);
    return found == nullptr || *found != entry.second;
  });
}

void write_alert(json_line& to, const alert& of) {
  const bool active = is_active(of.state);
  to.begin_object().key("status").text(active ? "firing" : "resolved");
  write_map(to, "labels", shared_alert_labels(of));
  write_map(to, "annotations", annotations_of(of));
  const instant starts = of.posted ? of.posted->starts_at : of.started_at;
  to.key("startsAt").text(format_rfc3339(starts));
  to.key("endsAt").text(active ? std::string{no_end} : format_rfc3339(of.at));
  to.key("generatorURL").text(of.posted ? of.posted->generator_url : "");
  to.key("fingerprint").text(to_text(of.print)).key("alertID").text(to_text(of.alert_id));
  to.end_object();
}

}  // namespace

bool is_all_resolved(const notice& of) {
  return std::none_of(of.alerts.begin(), of.alerts.end(),
                      [](const transition& each) { return is_active(each->state); });
}

std::string webhook_body(const notice& of, std::size_t max_alerts,
                         const std::string& external_url) {
  const std::size_t shown =
      max_alerts == 0 ? of.alerts.size() : std::min(max_alerts, of.alerts.size());
  text_map labels;
  text_map annotations;
  for (std::size_t i = 0; i < of.alerts.size(); ++i) {
    if (i == 0) {
      labels = shared_alert_labels(*of.alerts[i]);
      annotations = annotations_of(*of.alerts[i]);
      continue;
    }
    if (!labels.empty()) keep_common(labels, shared_alert_labels(*of.alerts[i]));
    if (!annotations.empty()) keep_common(annotations, annotations_of(*of.alerts[i]));
  }
  json_line body;
  body.begin_object().key("version").text("4");
  body.key("groupKey").text(of.group_key).key("truncatedAlerts").count(of.alerts.size() - shown);
  body.key("status").text(is_all_resolved(of) ? "resolved" : "firing");
  body.key("receiver").text(of.receiver);
  write_map(body, "groupLabels", of.group_labels);
  write_map(body, "commonLabels", labels);
  write_map(body, "commonAnnotations", annotations);
  body.key("externalURL").text(external_url);
  if (of.kind == notice_kind::escalation) body.key("escalationLevel").count(of.level);
  body.key("alerts").begin_list();
  for (std::size_t i = 0; i < shown; ++i) write_alert(body, *of.alerts[i]);
  body.end_list().end_object();
  return body.line();
}

}  // namespace tocsin
