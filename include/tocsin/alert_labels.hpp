// SPDX-License-Identifier: Apache-2.0
// The label set of an alert: what matchers, routes, silences and Alertmanager's API see of it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/label_matcher.hpp"

namespace tocsin {

/// One label of an alert, "" when it has none of that name. Of several with one name the first of
/// these counts: the alert's own labels (alert_texts::labels); the fields of its group, `labels.x`
/// under the name `x`, NULL and "" being no label; `alertname` (the rule) and `severity`;
/// `resource_id`, `resource_type`, `resource_name`, `item`, `source_id` when they are not "". An
/// alert that was posted has only its own labels. The view lives as long as the alert's texts and
/// rule.
[[nodiscard]] std::string_view alert_label(const alert& of, std::string_view name);

/// All of them, by name, none with an empty value.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> alert_labels(const alert& of);

/// The same, sharing the characters of the alert's texts where they are the same.
[[nodiscard]] text_map shared_alert_labels(const alert& of);

[[nodiscard]] bool matches(const label_matchers& all, const alert& of);

}  // namespace tocsin
