// SPDX-License-Identifier: Apache-2.0
// Recognises the known keys of an event by length and a fixed-size comparison: no table, no hash.
#pragma once

#include <cstring>
#include <string_view>

#include "tocsin/event.hpp"

namespace tocsin {

/// What recognise_key returns for a name that is not a known key.
inline constexpr event_field unknown_key = static_cast<event_field>(event_field_count);

[[nodiscard]] inline event_field recognise_key(std::string_view name) noexcept {
  // A comparison with a literal of the same constant length compiles to a few integer compares.
  const auto is = [&](const auto& literal) {
    return std::memcmp(name.data(), literal, sizeof literal - 1) == 0;
  };
  switch (name.size()) {
    case 4:
      if (is("item")) return event_field::item;
      if (is("time")) return event_field::time;
      break;
    case 5:
      if (is("level")) return event_field::level;
      if (is("value")) return event_field::value;
      if (is("title")) return event_field::title;
      break;
    case 6:
      if (is("labels")) return event_field::labels;
      if (is("action")) return event_field::action;
      break;
    case 8:
      if (is("event_id")) return event_field::event_id;
      break;
    case 9:
      if (is("source_id")) return event_field::source_id;
      break;
    case 11:
      if (is("resource_id")) return event_field::resource_id;
      if (is("description")) return event_field::description;
      break;
    case 13:
      if (is("resource_name")) return event_field::resource_name;
      if (is("resource_type")) return event_field::resource_type;
      break;
    default:
      break;
  }
  return unknown_key;
}

}  // namespace tocsin
