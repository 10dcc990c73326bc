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

using label_view = std::pair<std::string_view, std::string_view>;

/// What every alert of a rule or incident says beside its own labels and its group.
std::array<label_view, 7> standing_labels(const alert& of, const alert_texts& texts) {
  return {{{"alertname", of.rule},
           {"severity", to_text(of.severity)},
           {"resource_id", texts.resource_id},
           {"resource_type", texts.resource_type},
           {"resource_name", texts.resource_name},
           {"item", texts.item},
           {"source_id", texts.source_id}}};
}

/// Calls for each (name, value) that is not empty, the ones that count first before others of the
/// same name, until it returns false.
template <class Look>
void for_each_label(const alert& of, const Look& look) {
  const alert_texts& texts = texts_of(of);
  for (const auto& [name, value] : texts.labels) {
    if (!value.empty() && !look(label_view{name, value})) return;
  }
  if (of.origin == alert_origin::posted) return;
  for (const auto& [field, value] : texts.group) {
    if (value && !value->empty() && !look(label_view{label_name(field), *value})) return;
  }
  for (const label_view& each : standing_labels(of, texts)) {
    if (!each.second.empty() && !look(each)) return;
  }
}

}  // namespace

std::string_view alert_label(const alert& of, std::string_view name) {
  std::string_view found = "";
  for_each_label(of, [&](const label_view& each) {
    if (each.first != name) return true;
    found = each.second;
    return false;
  });
  return found;
}

std::vector<std::pair<std::string, std::string>> alert_labels(const alert& of) {
  std::vector<label_view> found;
  for_each_label(of, [&](const label_view& each) {
    found.push_back(each);
    return true;
  });
  const auto by_name = [](const label_view& left, const label_view& right) {
    return left.first < right.first;
  };
  const auto same_name = [](const label_view& left, const label_view& right) {
    return left.first == right.first;
  };
  // Stable, so that of one name the one that counts stays the first.
  std::stable_sort(found.begin(), found.end(), by_name);
  found.erase(std::unique(found.begin(), found.end(), same_name), found.end());
  return {found.begin(), found.end()};
}

bool matches(const label_matchers& all, const alert& of) {
  return all_accept(all, [&](std::string_view name) { return alert_label(of, name); });
}

}  // namespace tocsin
