// SPDX-License-Identifier: Apache-2.0
// Names of an event's fields and actions.
#include "tocsin/event.hpp"

namespace tocsin {

namespace {

constexpr std::array<std::string_view, event_field_count> field_names{
    "event_id", "source_id", "time",  "resource_id", "resource_type", "resource_name", "item",
    "level",    "value",     "title", "description", "action",        "labels"};

}  // namespace

std::string_view to_text(event_action action) noexcept {
  switch (action) {
    case event_action::firing:
      return "firing";
    case event_action::resolved:
      return "resolved";
    case event_action::closed:
      return "closed";
  }
  return "firing";
}

std::string_view to_text(event_field field) noexcept {
  return field_names[static_cast<std::size_t>(field) % event_field_count];
}

std::optional<event_field> parse_event_field(std::string_view name) noexcept {
  // Asked for every key of every event that comes as a map: at most three names share a length.
  const auto one_of =
      [name](std::initializer_list<event_field> fields) -> std::optional<event_field> {
    for (const event_field field : fields) {
      if (field_names[static_cast<std::size_t>(field)] == name) return field;
    }
    return std::nullopt;
  };
  using enum event_field;
  switch (name.size()) {
    case 4:
      return one_of({item, time});
    case 5:
      return one_of({value, level, title});
    case 6:
      return one_of({labels, action});
    case 8:
      return one_of({event_id});
    case 9:
      return one_of({source_id});
    case 11:
      return one_of({resource_id, description});
    case 13:
      return one_of({resource_type, resource_name});
    default:
      return std::nullopt;
  }
}

bool is_text(event_field field) noexcept {
  using enum event_field;
  switch (field) {
    case time:
    case level:
    case value:
    case action:
    case labels:
      return false;
    default:
      return true;
  }
}

}  // namespace tocsin
