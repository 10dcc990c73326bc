// SPDX-License-Identifier: Apache-2.0
// Numbers the routes of a policy and names the groups that alerts make on them.
#include "core/notify_policy_routes.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "tocsin/alert_labels.hpp"

namespace tocsin {
namespace {

/// How many bytes of well-formed UTF-8 `text` begins with, and the code point; 0: none.
std::size_t code_point_of(std::string_view text, std::uint32_t& point) {
  const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  std::size_t bytes = 0;
  std::uint32_t least = 0;
  if (byte(0) < 0x80) {
    point = byte(0);
    return 1;
  }
  if (byte(0) >= 0xc2 && byte(0) < 0xe0) {
    bytes = 2, least = 0x80, point = byte(0) & 0x1fU;
  } else if (byte(0) >= 0xe0 && byte(0) < 0xf0) {
    bytes = 3, least = 0x800, point = byte(0) & 0x0fU;
  } else if (byte(0) >= 0xf0 && byte(0) < 0xf5) {
    bytes = 4, least = 0x10000, point = byte(0) & 0x07U;
  }
  if (bytes == 0 || text.size() < bytes) return 0;
  for (std::size_t at = 1; at < bytes; ++at) {
    if ((byte(at) & 0xc0U) != 0x80) return 0;
    point = point << 6 | (byte(at) & 0x3fU);
  }
  const bool surrogate = point >= 0xd800 && point < 0xe000;
  return point < least || point > 0x10ffff || surrogate ? 0 : bytes;
}

bool append_short_escape(unsigned char byte, std::string& into) {
  static constexpr std::string_view escaped = "\"\\\a\b\f\n\r\t\v";
  static constexpr std::string_view letters = "\"\\abfnrtv";
  const std::size_t which = escaped.find(static_cast<char>(byte));
  if (which == std::string_view::npos) return false;
  into += '\\';
  into += letters[which];
  return true;
}

/// Go's %q, but that of the characters which Go does not print only controls, U+00AD and the
/// byte order mark are escaped.
void append_quoted(std::string_view text, std::string& into) {
  into += '"';
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    std::uint32_t point = 0;
    std::size_t bytes = code_point_of(text, point);
    if (bytes == 0) {
      into += fmt::format("\\x{:02x}", first);
      bytes = 1;
    } else if (append_short_escape(bytes == 1 ? first : 0, into)) {
      // Written.
    } else if (point < 0x20 || point == 0x7f) {
      into += fmt::format("\\x{:02x}", point);
    } else if ((point >= 0x80 && point <= 0xa0) || point == 0xad || point == 0xfeff) {
      into += fmt::format("\\u{:04x}", point);
    } else {
      into += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  into += '"';
}

void append_label(std::string_view name, std::string_view value, std::string& into) {
  if (into.size() > 1) into += ", ";
  into += name;
  into += '=';
  append_quoted(value, into);
}

}  // namespace

receiver_appetite appetite_of(const notify_policy& policy, std::string_view receiver) {
  for (const notify_receiver& each : policy.receivers) {
    if (each.name != receiver) continue;
    const auto takes_resolved = [](const webhook_target& hook) { return hook.send_resolved; };
    return {!each.webhooks.empty(),
            std::any_of(each.webhooks.begin(), each.webhooks.end(), takes_resolved)};
  }
  return {};
}

route_table::route_table(std::shared_ptr<const notify_policy> policy) : policy_(std::move(policy)) {
  add(policy_->root);
}

void route_table::add(const notify_route& route) {
  facts made;
  made.route = &route;
  for (const facts& before : routes_) {
    if (before.route->key == route.key && before.route->receiver == route.receiver)
      ++made.occurrence;
  }
  made.takes = appetite_of(*policy_, route.receiver);
  made.interval = std::max<duration>(route.group_interval, std::chrono::seconds{1});
  made.receiver = route.receiver;
  made.group_by.assign(route.group_by.begin(), route.group_by.end());
  std::sort(made.group_by.begin(), made.group_by.end());
  made.group_by.erase(std::unique(made.group_by.begin(), made.group_by.end()), made.group_by.end());
  has_intervals_ =
      has_intervals_ || !route.mute_time_intervals.empty() || !route.active_time_intervals.empty();
  numbers_.emplace(&route, static_cast<std::uint32_t>(routes_.size()));
  routes_.push_back(std::move(made));
  for (const notify_route& child : route.routes) add(child);
}

void route_table::routes_of(const alert& of, std::vector<std::uint32_t>& into) {
  taken_.clear();
  append_routes_of(policy_->root, of, taken_);
  into.clear();
  for (const notify_route* route : taken_) into.push_back(numbers_.at(route));
}

const std::vector<std::string>& route_table::muted_by(std::uint32_t route, instant at) {
  facts& of = routes_[route];
  const notify_route& said = *of.route;
  if (said.mute_time_intervals.empty() && said.active_time_intervals.empty()) return of.muted_by;
  // What an interval contains changes at full minutes only.
  const instant minute = std::chrono::floor<std::chrono::minutes>(at);
  if (of.muting_from != minute) {
    of.muted_by = muting(*policy_, said, at);
    of.muting_from = minute;
  }
  return of.muted_by;
}

std::optional<std::uint32_t> route_table::find(std::string_view key, std::string_view receiver,
                                               std::uint32_t occurrence) const {
  for (std::uint32_t number = 0; number < routes_.size(); ++number) {
    const facts& each = routes_[number];
    if (each.route->key == key && each.route->receiver == receiver && each.occurrence == occurrence)
      return number;
  }
  return std::nullopt;
}

text_map route_table::group_labels(std::uint32_t route, const alert& of) const {
  if (routes_[route].route->group_by_all) return shared_alert_labels(of);
  text_map labels;
  for (const shared_text& name : routes_[route].group_by) {
    const std::string_view value = alert_label(of, name);
    if (!value.empty()) labels.emplace_back(name, value);
  }
  return labels;
}

void route_table::group_labels_text(std::uint32_t route, const alert& of, std::string& into) const {
  into = "{";
  if (routes_[route].route->group_by_all) {
    for (const auto& [name, value] : alert_labels(of)) append_label(name, value, into);
  } else {
    for (const shared_text& name : routes_[route].group_by) {
      const std::string_view value = alert_label(of, name);
      if (!value.empty()) append_label(name, value, into);
    }
  }
  into += '}';
}

fingerprint route_table::group_print(std::uint32_t route, std::string_view labels_text) const {
  const facts& of = routes_[route];
  const std::uint32_t occurrence = of.occurrence;
  const std::string_view occurrence_bytes{reinterpret_cast<const char*>(&occurrence),
                                          sizeof occurrence};
  const key_part parts[] = {
      {"receiver", of.route->receiver}, {"occurrence", occurrence_bytes}, {"labels", labels_text}};
  return fingerprint_of(of.route->key, parts);
}

std::string route_table::group_key(std::uint32_t route, std::string_view labels_text) const {
  return fmt::format("{}:{}", routes_[route].route->key, labels_text);
}

std::string_view route_table::labels_text_of(std::uint32_t route, std::string_view key) const {
  return key.substr(routes_[route].route->key.size() + 1);
}

}  // namespace tocsin
