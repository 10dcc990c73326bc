// SPDX-License-Identifier: Apache-2.0
// Findings as window engines make them, given to the book by hand.
#include "support/alert_api_scene.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "io/sqlite_store.hpp"
#include "support/rules.hpp"
#include "tocsin/fingerprint.hpp"

namespace tocsin::testing {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view scene_rules = R"(
rules:
  - name: disk-full
    where: item == "disk"
    group_by: [resource_id]
    window: {sliding: 5m, every: 1m}
    select:
      failures: count()
    having: failures >= 3
    severity: error
    title: "disk full"
  - name: fan-slow
    where: item == "fan"
    group_by: [resource_id]
    window: {fixed: 1m}
    having: event_count >= 1
    severity: warning
    for: 1m
)";

label_matcher matcher(std::string_view text) {
  auto read = parse_label_matcher(text);
  if (!read) throw std::invalid_argument(read.failure().message);
  return std::move(*read);
}

notify_route route_to(std::string receiver, std::string key) {
  notify_route made;
  made.receiver = std::move(receiver);
  made.group_by = {"alertname"};
  made.key = std::move(key);
  return made;
}

std::shared_ptr<const alert_policy> scene_policy() {
  notify_policy notify;
  notify.root = route_to("pager", "{}");
  notify.root.routes.push_back(route_to("web-pager", "{}/{team=\"web\"}"));
  notify.root.routes.back().matchers = {matcher("team=\"web\"")};
  notify.receivers = {{"pager", {}}, {"web-pager", {}}};
  inhibit_rule disk_over_fan;
  disk_over_fan.source = {matcher("alertname=\"disk-full\"")};
  disk_over_fan.target = {matcher("alertname=\"fan-slow\"")};
  disk_over_fan.equal = {"resource_id"};
  notify.inhibit_rules = {disk_over_fan};
  notify.original = "route: {receiver: pager}\n";
  notify.routed = true;
  alert_policy policy;
  policy.notify = std::make_shared<const notify_policy>(std::move(notify));
  incident_rule zone;
  zone.name = "zone-down";
  zone.matchers = {matcher("alertname=\"disk-full\"")};
  zone.group_by = {"zone"};
  zone.min_alerts = 3;
  zone.value = "failures";
  policy.incidents = {zone};
  return std::make_shared<const alert_policy>(std::move(policy));
}

std::unique_ptr<alert_store> temporary_store() {
  auto opened = open_sqlite_store("");
  if (!opened) throw std::runtime_error(opened.failure().message);
  return std::move(*opened);
}

fingerprint print_of(const rule& of, const std::string& host) {
  const key_part key[] = {{"resource_id", host}};
  return fingerprint_of(of.name, key);
}

std::shared_ptr<alert_texts> texts_about(const std::string& host, std::string title) {
  auto texts = std::make_shared<alert_texts>();
  texts->title = std::move(title);
  texts->description = "on " + host;
  texts->group = {{"resource_id", host}};
  texts->resource_id = host;
  texts->resource_type = "host";
  return texts;
}

}  // namespace

alert_api_scene::alert_api_scene()
    : rules_(rules_from_yaml(scene_rules)),
      backend_(std::make_unique<direct_backend>(rules_, temporary_store(), scene_begin,
                                                scene_policy())) {}

std::string alert_api_scene::begin(std::uint32_t rule_index, const std::string& host,
                                   severity level, std::shared_ptr<const alert_texts> texts,
                                   double failures) {
  const rule& of = rules_->rules().at(rule_index);
  finding met;
  met.rule = rule_index;
  met.print = print_of(of, host);
  met.at = backend_->now() + 1s;
  met.position = ++position_;
  met.severity = level;
  met.cause = "condition met";
  met.texts = std::move(texts);
  met.proof.event_count = static_cast<std::uint64_t>(failures);
  met.proof.event_ids = {"e-1", "e-2"};
  met.proof.event_ids_truncated = true;
  met.proof.first_event_time = met.at - 30s;
  met.proof.last_event_time = met.at;
  met.proof.first_event_position = position_;
  met.proof.window = {window_kind::sliding, met.at - 5min, met.at};
  met.proof.values = {{"failures", failures}};
  const fingerprint of_events =
      alert_id_of(met.print, of.revision, to_unix_ms(met.proof.first_event_time), position_);
  const fingerprint id = alert_id_of(of_events, "", to_unix_ms(met.at), met.position);
  const instant clock = met.at + 1ms;
  static_cast<void>(backend_->step(clock, {std::move(met)}));
  return to_text(id);
}

std::string alert_api_scene::disk_full(const std::string& host, double failures,
                                       const std::string& zone) {
  auto texts = texts_about(host, "disk full on " + host);
  texts->labels = {{"team", host.starts_with("web") ? "web" : "db"}, {"zone", zone}};
  return begin(0, host, severity::error, std::move(texts), failures);
}

std::string alert_api_scene::fan_slow(const std::string& host) {
  return begin(1, host, severity::warning, texts_about(host, "fan slow on " + host), 1);
}

void alert_api_scene::disk_well(const std::string& host) {
  finding cleared;
  cleared.what = finding::kind::cleared;
  cleared.print = print_of(rules_->rules().front(), host);
  cleared.at = backend_->now() + 1s;
  cleared.position = ++position_;
  cleared.severity = severity::error;
  cleared.cause = "condition cleared";
  const instant clock = cleared.at + 1ms;
  static_cast<void>(backend_->step(clock, {std::move(cleared)}));
}

}  // namespace tocsin::testing
