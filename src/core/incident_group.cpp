// SPDX-License-Identifier: Apache-2.0
// Finds the alerts that began close together, and keeps what their incident says of them.
#include "core/incident_group.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

#include "core/state_bytes.hpp"

namespace tocsin {
namespace {

constexpr std::uint8_t bytes_version = 1;
constexpr auto severities = 4;

void put_alert(state_writer& out, const fingerprint& print, const incident_alert& one) {
  out.put(print);
  out.put(one.alert_id);
  out.put(one.started_at);
  out.put(one.severity);
  out.put(one.part);
  out.put(static_cast<std::uint8_t>(one.value.has_value()));
  out.put(one.value.value_or(0));
}

std::pair<fingerprint, incident_alert> take_alert(state_reader& in) {
  const fingerprint print = in.take_fingerprint();
  incident_alert one;
  one.alert_id = in.take_fingerprint();
  one.started_at = in.take_instant();
  one.severity = in.take<severity>();
  one.part = in.take<incident_part>();
  const auto has_value = in.take<std::uint8_t>();
  const auto value = in.take<double>();
  if (has_value != 0) one.value = value;
  one.restored = true;
  if (static_cast<int>(one.severity) >= severities || one.part > incident_part::apart) in.fail();
  return {print, one};
}

constexpr std::size_t alert_bytes_min = 4 * 8 + 8 + 3 + 8;

}  // namespace

const incident_alert* incident_group::find(const fingerprint& print) const {
  const auto found = alerts_.find(print);
  return found == alerts_.end() ? nullptr : &found->second;
}

void incident_group::add(const fingerprint& print, incident_alert what) {
  what.part = incident_part::waiting;
  const auto [place, added] = alerts_.emplace(print, what);
  assert(added);
  if (open_) {
    join(place->second);
  } else {
    waiting_.emplace(what.started_at, print);
  }
}

void incident_group::remove(const fingerprint& print) {
  const auto found = alerts_.find(print);
  assert(found != alerts_.end());
  const incident_alert& one = found->second;
  if (one.part == incident_part::waiting) waiting_.erase({one.started_at, print});
  if (one.part == incident_part::apart) --apart_;
  if (one.part == incident_part::member) count(one, -1);
  alerts_.erase(found);
}

void incident_group::refresh(const fingerprint& print, const incident_alert& newest) {
  incident_alert& one = alerts_.at(print);
  if (one.part == incident_part::waiting) waiting_.erase({one.started_at, print});
  if (one.part == incident_part::member) count(one, -1);
  one.started_at = newest.started_at;
  one.severity = newest.severity;
  one.value = newest.value;
  one.restored = false;
  if (one.part == incident_part::waiting) waiting_.emplace(one.started_at, print);
  if (one.part == incident_part::member) count(one, 1);
}

std::vector<fingerprint> incident_group::raise(const fingerprint& newest, duration within,
                                               std::uint32_t min_alerts) {
  if (open_) return {};
  const instant start = alerts_.at(newest).started_at;
  // Without `newest` there were not enough: so these are few.
  std::vector<std::pair<instant, fingerprint>> near;
  for (auto one = waiting_.lower_bound({start - within, fingerprint{}});
       one != waiting_.end() && one->first <= start + within; ++one) {
    near.push_back(*one);
  }
  auto last = near.begin();
  for (auto first = near.begin(); first != near.end() && first->first <= start; ++first) {
    while (last != near.end() && last->first <= first->first + within) ++last;
    if (last - first < static_cast<std::ptrdiff_t>(min_alerts)) continue;
    open_ = true;
    first_started_at_ = first->first;
    joined_ = 0;
    listed_.clear();
    std::vector<fingerprint> joined;
    for (auto one = first; one != last; ++one) {
      waiting_.erase(*one);
      join(alerts_.at(one->second));
      joined.push_back(one->second);
    }
    return joined;
  }
  return {};
}

void incident_group::close() {
  open_ = false;
  listed_.clear();
  for (auto& [print, one] : alerts_) {
    if (one.part != incident_part::member) continue;
    count(one, -1);
    one.part = incident_part::apart;
    ++apart_;
  }
}

void incident_group::join(incident_alert& one) {
  one.part = incident_part::member;
  ++joined_;
  if (listed_.size() < incident_book::members_listed_max) listed_.push_back(one.alert_id);
  count(one, 1);
}

void incident_group::count(const incident_alert& one, std::ptrdiff_t change) {
  by_severity_[static_cast<std::size_t>(one.severity)] += static_cast<std::size_t>(change);
  active_members_ += static_cast<std::size_t>(change);
  const auto worst = std::find_if(by_severity_.begin(), by_severity_.end(),
                                  [](std::size_t members) { return members > 0; });
  if (worst == by_severity_.end()) return;
  worst_ = static_cast<severity>(worst - by_severity_.begin());
}

incident_summary incident_group::summary(bool with_value) const {
  incident_summary made;
  made.severity = worst_;
  made.values.emplace_back("count", static_cast<double>(active_members_));
  made.values.emplace_back("members", static_cast<double>(joined_));
  if (!with_value) return made;
  std::size_t having = 0;
  double sum = 0;
  double most = -std::numeric_limits<double>::infinity();
  double least = std::numeric_limits<double>::infinity();
  // In the order of fingerprints, so that a restart adds up in the same order.
  for (const auto& [print, one] : alerts_) {
    if (one.part != incident_part::member || !one.value) continue;
    ++having;
    sum += *one.value;
    most = std::max(most, *one.value);
    least = std::min(least, *one.value);
  }
  if (having == 0) return made;
  made.values.emplace_back("sum", sum);
  made.values.emplace_back("avg", sum / static_cast<double>(having));
  made.values.emplace_back("max", most);
  made.values.emplace_back("min", least);
  return made;
}

std::string incident_group::bytes(std::string_view rule) const {
  std::string written;
  state_writer out(written);
  out.put(bytes_version);
  out.put_text(rule);
  out.put(static_cast<std::uint64_t>(labels_.size()));
  for (const auto& [name, value] : labels_) {
    out.put_text(name);
    out.put_text(value);
  }
  out.put(static_cast<std::uint8_t>(open_));
  out.put(first_started_at_);
  out.put(joined_);
  out.put(static_cast<std::uint64_t>(listed_.size()));
  for (const fingerprint& id : listed_) out.put(id);
  // Who waits while nothing is open is told again after a restart, and then counts as before.
  const auto kept = [&](const incident_alert& one) {
    return open_ || one.part == incident_part::apart;
  };
  const auto count = std::count_if(alerts_.begin(), alerts_.end(),
                                   [&](const auto& one) { return kept(one.second); });
  out.put(static_cast<std::uint64_t>(count));
  for (const auto& [print, one] : alerts_) {
    if (kept(one)) put_alert(out, print, one);
  }
  return written;
}

std::optional<std::pair<std::string, incident_group>> incident_group::from_bytes(
    std::string_view bytes) {
  state_reader in(bytes);
  if (in.take<std::uint8_t>() != bytes_version) return std::nullopt;
  std::string rule(in.take_text());
  labels group;
  for (auto left = in.take_count(16); left > 0; --left) {
    std::string name(in.take_text());
    group.emplace_back(std::move(name), in.take_text());
  }
  incident_group made(std::move(group));
  made.open_ = in.take<std::uint8_t>() != 0;
  made.first_started_at_ = in.take_instant();
  made.joined_ = in.take<std::uint64_t>();
  for (auto left = in.take_count(16); left > 0; --left)
    made.listed_.push_back(in.take_fingerprint());
  for (auto left = in.take_count(alert_bytes_min); left > 0 && !in.failed(); --left) {
    const auto [print, one] = take_alert(in);
    if (in.failed() || !made.alerts_.emplace(print, one).second) return std::nullopt;
    if (one.part == incident_part::waiting) made.waiting_.emplace(one.started_at, print);
    if (one.part == incident_part::apart) ++made.apart_;
    if (one.part == incident_part::member) made.count(one, 1);
  }
  if (in.failed() || !in.at_end()) return std::nullopt;
  if (made.open_ != (made.active_members_ > 0) || !made.lasting()) return std::nullopt;
  return std::pair{std::move(rule), std::move(made)};
}

}  // namespace tocsin
