// SPDX-License-Identifier: Apache-2.0
// Token buckets and sets of keys by source.
#include "tocsin/source_quotas.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "tocsin/fingerprint.hpp"

namespace tocsin {
namespace {

constexpr std::int64_t whole_event = 1000;
constexpr double shed_info_above = 0.5;
constexpr double shed_warnings_above = 0.75;
constexpr double shed_errors_above = 0.9;
/// Whose quota the sources beyond sources_max have together.
constexpr std::string_view other_sources = "__other__";

bool bounds(const source_quota& of) noexcept {
  return of.events_per_second != 0 || of.keys != 0 || of.disabled;
}

bool bounds_any(const ingest_quotas& wanted) {
  return bounds(wanted.every) ||
         std::any_of(wanted.by_source.begin(), wanted.by_source.end(),
                     [](const auto& named) { return bounds(named.second); });
}

std::uint64_t key_of(const event& one) {
  const std::array<key_part, 2> parts{
      {{"resource_id", one.text(event_field::resource_id)}, {"item", one.text(event_field::item)}}};
  return fingerprint_of("", parts).low;
}

}  // namespace

bool is_shed_at(double pressure, const std::optional<severity>& level) noexcept {
  switch (level.value_or(severity::info)) {
    case severity::critical:
      return false;
    case severity::error:
      return pressure > shed_errors_above;
    case severity::warning:
      return pressure > shed_warnings_above;
    case severity::info:
      break;
  }
  return pressure > shed_info_above;
}

source_quotas::source_quotas(ingest_quotas wanted)
    : wanted_(std::move(wanted)), any_(bounds_any(wanted_)) {}

const source_quota& source_quotas::quota_of(std::string_view source) const {
  const auto named = wanted_.by_source.find(source);
  return named == wanted_.by_source.end() ? wanted_.every : named->second;
}

bool source_quotas::disabled(std::string_view source) const {
  const auto named = wanted_.by_source.find(source);
  return named != wanted_.by_source.end() && named->second.disabled;
}

std::int64_t source_quotas::full(const source_quota& of) const noexcept {
  // Events a second times milliseconds are thousandths of events.
  return std::max(static_cast<std::int64_t>(of.events_per_second) * wanted_.burst.count(),
                  whole_event);
}

void source_quotas::fill(state& at, instant now) const {
  const std::int64_t most = full(*at.quota);
  const auto rate = static_cast<std::int64_t>(at.quota->events_per_second);
  const std::int64_t passed = (now - at.filled).count();
  at.filled = now;
  if (rate == 0) return;
  // What is missing may take less time than has passed: multiplied first, it could overflow.
  at.thousandths = passed > (most - at.thousandths) / rate
                       ? most
                       : std::min(most, at.thousandths + passed * rate);
}

void source_quotas::begin_hour(instant now) {
  const auto hour = std::chrono::floor<std::chrono::hours>(now).time_since_epoch().count();
  if (hour == hour_) return;
  hour_ = hour;
  keys_ = 0;
  for (auto each = sources_.begin(); each != sources_.end();) {
    state& at = each->second;
    at.keys.clear();
    fill(at, now);
    const bool rests = at.quota->events_per_second == 0 || at.thousandths >= full(*at.quota);
    each = rests ? sources_.erase(each) : std::next(each);
  }
}

source_quotas::state& source_quotas::of(std::string_view source, instant now) {
  begin_hour(now);
  std::string name{source};
  auto found = sources_.find(name);
  if (found == sources_.end()) {
    const bool named = wanted_.by_source.find(source) != wanted_.by_source.end();
    if (!named && sources_.size() >= sources_max + wanted_.by_source.size()) name = other_sources;
    const source_quota& quota = named ? quota_of(source) : wanted_.every;
    found = sources_.try_emplace(name, state{&quota, full(quota), now, {}}).first;
  }
  fill(found->second, now);
  return found->second;
}

bool source_quotas::take_one(std::string_view source, instant now) {
  if (quota_of(source).events_per_second == 0) return true;
  state& at = of(source, now);
  if (at.thousandths < whole_event) return false;
  at.thousandths -= whole_event;
  return true;
}

std::optional<duration> source_quotas::take_all(std::span<const demand> wanted, instant now) {
  duration wait{};
  for (const demand& each : wanted) {
    if (quota_of(each.source).events_per_second == 0) continue;
    const state& at = of(each.source, now);
    const std::int64_t needed =
        std::min(static_cast<std::int64_t>(each.events) * whole_event, full(*at.quota));
    if (at.thousandths >= needed) continue;
    const auto rate = static_cast<std::int64_t>(at.quota->events_per_second);
    wait = std::max(wait, duration{(needed - at.thousandths + rate - 1) / rate});
  }
  if (wait > duration{}) return wait;
  for (const demand& each : wanted) {
    if (quota_of(each.source).events_per_second == 0) continue;
    of(each.source, now).thousandths -= static_cast<std::int64_t>(each.events) * whole_event;
  }
  return std::nullopt;
}

bool source_quotas::admit_key(const event& one, instant now) {
  const std::string_view source = one.text(event_field::source_id);
  if (quota_of(source).keys == 0) return true;
  state& at = of(source, now);
  const std::uint64_t key = key_of(one);
  if (at.keys.size() < at.quota->keys && keys_ < keys_max) {
    if (at.keys.insert(key).second) ++keys_;
    return true;
  }
  return at.keys.count(key) != 0;
}

}  // namespace tocsin
