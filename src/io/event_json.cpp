// SPDX-License-Identifier: Apache-2.0
// Writes an event's keys as senders spell them.
#include "io/event_json.hpp"

#include "io/json_line.hpp"
#include "tocsin/severity.hpp"

namespace tocsin {
namespace {

void add_label(json_line& to, const label& of) {
  to.key(of.name);
  switch (of.type) {
    case label::kind::null:
      to.null();
      break;
    case label::kind::text:
      to.text(of.text);
      break;
    case label::kind::number:
      to.number(of.number);
      break;
    case label::kind::boolean:
      to.flag(of.number != 0);
      break;
  }
}

}  // namespace

std::string event_json(const event& of, std::span<const label> labels) {
  json_line line;
  line.begin_object().key("arrived_at").time(of.arrived);
  if (of.has_time) line.key("time").time(of.time);
  for (std::size_t i = 0; i < event_field_count; ++i) {
    const auto field = static_cast<event_field>(i);
    if (is_text(field) && of.has(field)) line.key(to_text(field)).text(of.text(field));
  }
  if (of.level) line.key("level").text(to_text(*of.level));
  if (of.has_value()) line.key("value").number(of.value);
  if (of.action != event_action::firing) line.key("action").text(to_text(of.action));
  if (!labels.empty()) {
    line.key("labels").begin_object();
    for (const label& each : labels) add_label(line, each);
    line.end_object();
  }
  line.end_object();
  return line.line();
}

}  // namespace tocsin
