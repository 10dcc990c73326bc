// SPDX-License-Identifier: Apache-2.0
// The width of shared panes.
#include "core/rule_views.hpp"

#include <algorithm>
#include <numeric>

namespace tocsin {
namespace {

constexpr std::size_t views_max = 8;
/// A window's judgement merges its panes: finer ones would cost more than what sharing spares.
constexpr std::int64_t shared_panes_max = 512;

bool has_panes(const window_spec& window) noexcept {
  return window.kind == window_kind::fixed || window.kind == window_kind::sliding;
}

}  // namespace

bool may_share_panes(const window_spec& window) noexcept {
  return has_panes(window) && window.time_zone.empty() && !window.trailing;
}

duration pane_of(const std::vector<window_spec>& views) {
  if (!has_panes(views.front())) return duration{0};
  if (!views.front().time_zone.empty()) return views.front().size;
  // Panes begin where the first view's windows do, so only what offsets differ by must fit.
  std::int64_t width = 0;
  for (const window_spec& one : views) {
    width = std::gcd(width, one.size.count());
    width = std::gcd(width, one.every.count());
    width = std::gcd(width, (one.offset - views.front().offset).count());
  }
  return duration{width};
}

bool may_join(const std::vector<window_spec>& views, const window_spec& extra, duration baseline) {
  // An event too late for one view's windows would reach its baselines through the other's.
  if (views.size() >= views_max || baseline != duration{}) return false;
  std::vector<window_spec> all = views;
  all.push_back(extra);
  const duration pane = pane_of(all);
  const auto least = std::min_element(
      all.begin(), all.end(),
      [](const window_spec& left, const window_spec& right) { return left.every < right.every; });
  if (pane != least->every) return false;
  return std::all_of(all.begin(), all.end(), [pane](const window_spec& one) {
    return one.size / pane <= shared_panes_max;
  });
}

}  // namespace tocsin
