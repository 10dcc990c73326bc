// SPDX-License-Identifier: Apache-2.0
// Writes alerts as gettableAlert of Alertmanager's API.
#include "io/alertmanager_api_alert_writer.hpp"

#include <algorithm>
#include <string_view>

#include "io/alertmanager_api_formats.hpp"
#include "tocsin/alert_labels.hpp"

namespace tocsin::alertmanager {

namespace {

void write_annotations(std::string& to, const alert& each) {
  if (!each.texts) {
    to += "{}";
    return;
  }
  label_list texts{each.texts->annotations.begin(), each.texts->annotations.end()};
  const auto add = [&](std::string_view name, std::string_view value) {
    const bool there = std::any_of(texts.begin(), texts.end(),
                                   [&](const auto& known) { return known.first == name; });
    if (!there && !value.empty()) texts.emplace_back(name, value);
  };
  if (each.origin != alert_origin::posted) {
    add("summary", each.texts->title);
    add("description", each.texts->description);
  }
  append_texts(to, texts);
}

}  // namespace

named_alert with_name(const alert& each) {
  auto labels = alert_labels(each);
  auto name = label_fingerprint(labels);
  return {&each, std::move(labels), std::move(name)};
}

names_by_id name_inhibitors(const std::vector<transition>& shown,
                            const std::vector<transition>& all) {
  names_by_id names;
  for (const transition& each : shown) {
    for (const std::string& id : each->shields.inhibited_by) names.emplace(id, "");
  }
  if (names.empty()) return names;
  for (const transition& each : all) {
    const auto wanted = names.find(to_text(each->alert_id));
    if (wanted != names.end()) wanted->second = label_fingerprint(alert_labels(*each));
  }
  // One that has just ended is not among them any more.
  std::erase_if(names, [](const auto& each) { return each.second.empty(); });
  return names;
}

void alert_writer::write(std::string& to, const named_alert& from,
                         const std::vector<std::string>& receivers) const {
  const alert& each = *from.what;
  to += R"({"annotations":)";
  write_annotations(to, each);
  to += R"(,"endsAt":")" + format_rfc3339(each.posted ? each.posted->ends_at : ends_at_);
  to += R"(","fingerprint":")" + from.name + R"(","receivers":[)";
  for (std::size_t i = 0; i < receivers.size(); ++i) {
    to += i == 0 ? R"({"name":)" : R"(,{"name":)";
    append_text(to, receivers[i]);
    to += '}';
  }
  to +=
      R"(],"startsAt":")" + format_rfc3339(each.posted ? each.posted->starts_at : each.started_at);
  to += R"(","status":)";
  write_status(to, each.shields);
  to += R"(,"updatedAt":")" + format_rfc3339(std::max(each.at, each.proof.last_event_time)) + '"';
  if (each.posted && !each.posted->generator_url.empty()) {
    to += R"(,"generatorURL":)";
    append_text(to, each.posted->generator_url);
  }
  to += R"(,"labels":)";
  append_texts(to, from.labels);
  to += '}';
}

void alert_writer::write_status(std::string& to, const alert_shields& shields) const {
  to += R"({"inhibitedBy":[)";
  for (std::size_t i = 0; i < shields.inhibited_by.size(); ++i) {
    if (i > 0) to += ',';
    const auto known = inhibitors_.find(shields.inhibited_by[i]);
    append_text(to, known == inhibitors_.end() ? shields.inhibited_by[i] : known->second);
  }
  to += R"(],"silencedBy":[)";
  for (std::size_t i = 0; i < shields.silenced_by.size(); ++i) {
    if (i > 0) to += ',';
    append_text(to, shields.silenced_by[i]);
  }
  const bool suppressed = !shields.inhibited_by.empty() || !shields.silenced_by.empty();
  to += suppressed ? R"(],"state":"suppressed"})" : R"(],"state":"active"})";
}

}  // namespace tocsin::alertmanager
