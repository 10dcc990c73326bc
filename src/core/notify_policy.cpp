// SPDX-License-Identifier: Apache-2.0
// Walks the routing tree, and asks which time intervals keep a route quiet.
#include "tocsin/notify_policy.hpp"

#include <algorithm>
#include <string_view>

#include "core/notify_policy_routes.hpp"
#include "tocsin/alert_labels.hpp"

namespace tocsin {
namespace {

template <class Lookup>
void append_taken(const notify_route& node, const Lookup& lookup,
                  std::vector<const notify_route*>& into) {
  const std::size_t before = into.size();
  for (const notify_route& child : node.routes) {
    if (!all_accept(child.matchers, lookup)) continue;
    append_taken(child, lookup, into);
    if (!child.continue_matching) break;
  }
  if (into.size() == before) into.push_back(&node);
}

const named_time_interval* interval_named(const notify_policy& policy, const std::string& name) {
  for (const named_time_interval& each : policy.time_intervals) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

}  // namespace

void append_routes_of(const notify_route& root, const alert& of,
                      std::vector<const notify_route*>& into) {
  append_taken(
      root, [&of](std::string_view name) { return alert_label(of, name); }, into);
}

std::vector<const notify_route*> routes_of(const notify_route& root, const alert& of) {
  std::vector<const notify_route*> taken;
  append_routes_of(root, of, taken);
  return taken;
}

std::vector<const notify_route*> routes_of(
    const notify_route& root, const std::vector<std::pair<std::string, std::string>>& labels) {
  std::vector<const notify_route*> taken;
  const auto lookup = [&labels](std::string_view name) -> std::string_view {
    for (const auto& [have, value] : labels) {
      if (have == name) return value;
    }
    return "";
  };
  append_taken(root, lookup, taken);
  return taken;
}

std::vector<std::string> muting(const notify_policy& policy, const notify_route& route,
                                instant at) {
  std::vector<std::string> names;
  const auto holds = [&policy, at](const std::string& name) {
    const named_time_interval* interval = interval_named(policy, name);
    return interval != nullptr && contains(interval->intervals, at);
  };
  for (const std::string& name : route.mute_time_intervals) {
    if (holds(name)) names.push_back(name);
  }
  const auto& active = route.active_time_intervals;
  if (std::none_of(active.begin(), active.end(), holds))
    names.insert(names.end(), active.begin(), active.end());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace tocsin
