// SPDX-License-Identifier: Apache-2.0
// The label set of an alert, and matchers over it.
#include "tocsin/alert_labels.hpp"

#include <algorithm>
#include <array>

namespace tocsin {
namespace {

constexpr std::string_view label_prefix = "labels.";

/// Under which name a field of the group is a label.
std::string_view label_name(std::string_view field) {
  return field.starts_with(label_prefix) ? field.substr(label_prefix.size()) : field;
}

const alert_texts& texts_of(const alert& of) {
  static const alert_texts none;
  return of.texts ? *of.texts : none;
}

/// A name or a value, and who holds its characters: null when nobody does.
struct seen_text {
  seen_text(const shared_text& from) : text(from), held(&from) {}  // NOLINT: either stands here
  seen_text(std::string_view from) : text(from) {}                 // NOLINT
  [[nodiscard]] shared_text share() const { return held ? *held : shared_text{text}; }
  std::string_view text;
  const shared_text* held = nullptr;
};
using seen_label = std::pair<seen_text, seen_text>;

/// Names that every alert of a rule or incident has beside its own labels and its group.
struct standing_names {
  shared_text alertname = "alertname";
  shared_text severity = "severity";
  shared_text resource_id = "resource_id";
  shared_text resource_type = "resource_type";
  shared_text resource_name = "resource_name";
  shared_text item = "item";
  shared_text source_id = "source_id";
};

std::array<seen_label, 7> standing_labels(const alert& of, const alert_texts& texts) {
  static const standing_names names;
  return {{{names.alertname, of.rule},
           {names.severity, to_text(of.severity)},
           {names.resource_id, texts.resource_id},
           {names.resource_type, texts.resource_type},
           {names.resource_name, texts.resource_name},
           {names.item, texts.item},
           {names.source_id, texts.source_id}}};
}

/// Calls for each (name, value) that is not empty, the ones that count first before others of the
/// same name, until it returns false.
template <class Look>
void for_each_label(const alert& of, const Look& look) {
  const alert_texts& texts = texts_of(of);
  for (const auto& [name, value] : texts.labels) {
    if (!value.empty() && !look(seen_label{name, value})) return;
  }
  if (of.origin == alert_origin::posted) return;
  for (const auto& [field, value] : texts.group) {
    if (!value || value->empty()) continue;
    const std::string_view name = label_name(field);
    const bool whole = name.size() == field.size();
    if (!look(seen_label{whole ? seen_text{field} : seen_text{name}, *value})) return;
  }
  for (const seen_label& each : standing_labels(of, texts)) {
    if (!each.second.text.empty() && !look(each)) return;
  }
}

/// By name, of one name the one that counts.
std::vector<seen_label> labels_of(const alert& of) {
  std::vector<seen_label> found;
  for_each_label(of, [&](const seen_label& each) {
    found.push_back(each);
    return true;
  });
  const auto by_name = [](const seen_label& left, const seen_label& right) {
    return left.first.text < right.first.text;
  };
  const auto same_name = [](const seen_label& left, const seen_label& right) {
    return left.first.text == right.first.text;
  };
  // Stable, so that of one name the one that counts stays the first.
  std::stable_sort(found.begin(), found.end(), by_name);
  found.erase(std::unique(found.begin(), found.end(), same_name), found.end());
  return found;
}

}  // namespace

std::string_view alert_label(const alert& of, std::string_view name) {
  std::string_view found = "";
  for_each_label(of, [&](const seen_label& each) {
    if (each.first.text != name) return true;
    found = each.second.text;
    return false;
  });
  return found;
}

std::vector<std::pair<std::string, std::string>> alert_labels(const alert& of) {
  std::vector<std::pair<std::string, std::string>> labels;
  for (const auto& [name, value] : labels_of(of)) labels.emplace_back(name.text, value.text);
  return labels;
}

text_map shared_alert_labels(const alert& of) {
  const std::vector<seen_label> found = labels_of(of);
  text_map labels;
  labels.reserve(found.size());
  for (const auto& [name, value] : found) labels.emplace_back(name.share(), value.share());
  return labels;
}

bool matches(const label_matchers& all, const alert& of) {
  return all_accept(all, [&](std::string_view name) { return alert_label(of, name); });
}

}  // namespace tocsin
