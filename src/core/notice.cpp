// SPDX-License-Identifier: Apache-2.0
// Notices as bytes for the outbox, and back.
#include "tocsin/notice.hpp"

#include <fmt/format.h>

#include "core/state_bytes.hpp"

namespace tocsin {
namespace {

constexpr std::uint8_t notice_version = 1;
constexpr std::size_t text_bytes_min = 8;

error malformed(std::string_view what) {
  return {"malformed", fmt::format("the bytes of a notice: {}", what)};
}

}  // namespace

std::string_view to_text(notice_kind kind) noexcept {
  return kind == notice_kind::escalation ? "escalation" : "group";
}

std::string notice_bytes(const notice& of) {
  std::string bytes;
  state_writer into{bytes};
  into.put(notice_version);
  into.put_text(of.id);
  into.put(of.kind);
  into.put_text(of.receiver);
  into.put_text(of.group_key);
  into.put(static_cast<std::uint64_t>(of.group_labels.size()));
  for (const auto& [name, value] : of.group_labels) {
    into.put_text(name);
    into.put_text(value);
  }
  into.put(of.at);
  into.put(of.level);
  into.put(static_cast<std::uint64_t>(of.alerts.size()));
  for (const transition& each : of.alerts) into.put_text(alert_bytes(*each));
  return bytes;
}

result<notice> notice_from_bytes(std::string_view bytes) {
  state_reader from{bytes};
  const auto version = from.take<std::uint8_t>();
  if (!from.failed() && version > notice_version) {
    return error{"newer_version",
                 fmt::format("a notice is of version {}, this program reads up to {}", version,
                             notice_version)};
  }
  if (version != notice_version) return malformed("they do not begin with a version");
  notice made;
  made.id = from.take_text();
  const auto kind = from.take<std::uint8_t>();
  if (kind > static_cast<std::uint8_t>(notice_kind::escalation))
    return malformed(fmt::format("kind {} is neither a group's nor an escalation's", kind));
  made.kind = static_cast<notice_kind>(kind);
  made.receiver = from.take_text();
  made.group_key = from.take_text();
  for (auto left = from.take_count(2 * text_bytes_min); left > 0; --left) {
    const std::string_view name = from.take_text();
    made.group_labels.emplace_back(name, from.take_text());
  }
  made.at = from.take_instant();
  made.level = from.take<std::uint32_t>();
  for (auto left = from.take_count(text_bytes_min); left > 0; --left) {
    auto each = alert_from_bytes(from.take_text());
    if (!each) return each.failure();
    made.alerts.push_back(std::make_shared<const alert>(std::move(each).value()));
  }
  if (from.failed()) return malformed("they end too early");
  if (!from.at_end()) return malformed("something follows the notice");
  return made;
}

}  // namespace tocsin
