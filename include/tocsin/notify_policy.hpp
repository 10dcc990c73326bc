// SPDX-License-Identifier: Apache-2.0
// Who is told of which alerts, in what groups and when: Alertmanager's routing tree, and what
// escalates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/inhibition.hpp"
#include "tocsin/label_matcher.hpp"
#include "tocsin/time.hpp"
#include "tocsin/time_interval.hpp"

namespace tocsin {

/// One node of the tree, with what it inherits filled in.
struct notify_route {
  std::string receiver;
  label_matchers matchers;            ///< the root has none
  std::vector<std::string> group_by;  ///< label names, sorted
  bool group_by_all = false;          ///< group_by: ['...']: each label set is its own group
  duration group_wait = std::chrono::seconds{30};
  duration group_interval = std::chrono::minutes{5};  ///< less than 1 s is taken for 1 s
  duration repeat_interval = std::chrono::hours{4};
  bool continue_matching = false;                  ///< `continue`
  std::vector<std::string> mute_time_intervals;    ///< names
  std::vector<std::string> active_time_intervals;  ///< names; empty: always
  std::vector<notify_route> routes;
  std::string key;  ///< "{}/{a=\"b\"}": the matchers on the way from the root; names the route
};

/// A webhook of a receiver.
struct webhook_target {
  std::string url;
  bool send_resolved = true;
  std::size_t max_alerts = 0;  ///< in one notice; 0: all
  duration timeout = std::chrono::seconds{10};
  std::string bearer_token;  ///< "": none; never printed
};

struct notify_receiver {
  std::string name;
  std::vector<webhook_target> webhooks;
};

/// One level of an escalation.
struct escalation_level {
  duration after{};                    ///< since the alert began to fire
  std::vector<std::string> receivers;  ///< names
  std::uint32_t repeat = 1;            ///< how often these are told
  duration every{};                    ///< between repeats
};

/// Applies to the alerts it accepts; of several the first that does.
struct escalation_policy {
  std::string name;
  label_matchers matchers;
  std::vector<escalation_level> levels;  ///< by `after`
};

struct notify_policy {
  notify_route root;
  std::vector<notify_receiver> receivers;
  std::vector<inhibit_rule> inhibit_rules;
  std::vector<named_time_interval> time_intervals;
  std::vector<escalation_policy> escalations;
  duration resolve_timeout = std::chrono::minutes{5};  ///< of alerts posted without an end
  std::string original;  ///< its YAML as written, secrets replaced: what /api/v2/status shows
  bool routed = false;   ///< false: there is no `notify.route`, and nobody is notified
};

/// The routes an alert takes, in the order of the tree: a node's matching children; the node itself
/// when none matches; after a match without `continue` no further sibling. Never empty. Pointers
/// into `root`.
[[nodiscard]] std::vector<const notify_route*> routes_of(const notify_route& root, const alert& of);
/// The same for a label set; `lookup(name)` gives "" for what is missing.
[[nodiscard]] std::vector<const notify_route*> routes_of(
    const notify_route& root, const std::vector<std::pair<std::string, std::string>>& labels);

/// The names of the intervals that keep a route quiet at `at`, sorted; of active_time_intervals all
/// names when none of them holds.
[[nodiscard]] std::vector<std::string> muting(const notify_policy& policy,
                                              const notify_route& route, instant at);

}  // namespace tocsin
