// SPDX-License-Identifier: Apache-2.0
// A window's lengths: defaults and what they must be.
#include <fmt/format.h>

#include <algorithm>

#include "core/rule_compiler.hpp"

namespace tocsin {
namespace {

constexpr duration length_max = std::chrono::hours{24} * 10'000;
constexpr duration default_every_min = std::chrono::seconds{1};
/// A sliding window's slices, all of which a judgement may have to read.
constexpr std::int64_t slices_max = 10'000;

/// The step nearest below `wanted` (or above, when there is none) that divides `size`.
duration nearest_step(duration size, duration wanted) {
  const std::int64_t whole = size.count();
  const std::int64_t least = (whole + slices_max - 1) / slices_max;
  std::int64_t below = 0;
  std::int64_t above = whole;
  const auto offer = [&](std::int64_t step) {
    if (step < least) return;
    if (step <= wanted.count()) below = std::max(below, step);
    if (step > wanted.count()) above = std::min(above, step);
  };
  for (std::int64_t i = 1; i * i <= whole; ++i) {
    if (whole % i != 0) continue;
    offer(i);
    offer(whole / i);
  }
  return duration{below != 0 ? below : above};
}

std::string settle_sliding(window_spec& window) {
  const bool given = window.every != duration{0};
  const duration every =
      given ? window.every : std::max(duration{window.size / 10}, default_every_min);
  const auto hint = [&] {
    return fmt::format("try every: {}", format_duration(nearest_step(window.size, every)));
  };
  if (given && every > window.size) {
    return fmt::format("window.every {} is longer than window.sliding {} ({})",
                       format_duration(every), format_duration(window.size), hint());
  }
  if (window.size % every != duration{0} ||
      (!given && window.size % duration{10} != duration{0} && every > default_every_min)) {
    return given ? fmt::format("window.every {} does not divide window.sliding {} ({})",
                               format_duration(every), format_duration(window.size), hint())
                 : fmt::format(
                       "window.sliding {} needs window.every: a tenth of it, at least 1s, "
                       "does not divide it ({})",
                       format_duration(window.size), hint());
  }
  if (window.size / every > slices_max) {
    return fmt::format("window.every {} cuts window.sliding {} into {} slices, at most {} ({})",
                       format_duration(every), format_duration(window.size), window.size / every,
                       slices_max, hint());
  }
  window.every = every;
  return "";
}

}  // namespace

std::string settle_window(window_spec& window) {
  if (window.size <= duration{0}) return "the window has no length (try window: {sliding: 5m})";
  if (window.size > length_max) return "the window is longer than 10000d";
  if (window.offset < duration{0}) return "window.offset is negative";
  switch (window.kind) {
    case window_kind::sliding:
      return settle_sliding(window);
    case window_kind::fixed:
      window.every = window.size;
      if (window.offset >= window.size) {
        return fmt::format("window.offset {} must be shorter than window.fixed {}",
                           format_duration(window.offset), format_duration(window.size));
      }
      return "";
    case window_kind::session:
      return "";
  }
  return "";
}

}  // namespace tocsin
