// SPDX-License-Identifier: Apache-2.0
// Binds names of windows, selected values, aggregates and event fields.
#include "core/rule_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "core/rule_aggregates.hpp"

namespace tocsin {
namespace {

struct bound_window_name {
  std::string_view name;
  window_name id;
  value_type type;
  trend movement;
};

constexpr std::array window_names{
    bound_window_name{"event_count", window_name::event_count, value_type::integer, trend::rising},
    bound_window_name{"first_event_time", window_name::first_event_time, value_type::text,
                      trend::any},
    bound_window_name{"last_event_time", window_name::last_event_time, value_type::text,
                      trend::any},
    bound_window_name{"window.start", window_name::window_start, value_type::text, trend::any},
    bound_window_name{"window.end", window_name::window_end, value_type::text, trend::any},
    bound_window_name{"window.size", window_name::window_size, value_type::length, trend::constant},
    bound_window_name{"duration", window_name::duration, value_type::length, trend::rising},
    bound_window_name{"max_severity", window_name::max_severity, value_type::text, trend::any},
    bound_window_name{"rule", window_name::rule, value_type::text, trend::constant},
    bound_window_name{"idle", window_name::idle, value_type::length, trend::any},
    bound_window_name{"event_ids", window_name::event_ids, value_type::text, trend::any},
};

std::optional<name_binding> find_window_name(std::string_view name) {
  for (const bound_window_name& one : window_names) {
    if (one.name == name) {
      return name_binding{static_cast<std::uint32_t>(one.id), one.type, one.movement};
    }
  }
  return std::nullopt;
}

bool is_name(std::string_view text) {
  const auto letter = [](char c) {
    return std::isalpha(static_cast<unsigned char>(c)) || c == '_';
  };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && text.size() <= 100 && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || digit(c); });
}

}  // namespace

schema rule_names::formulas() {
  schema names;
  names.find = find_window_name;
  add_names(names.names, false);
  names.aggregate = [this](const aggregate_call& call) { return add_aggregate(call); };
  return names;
}

schema rule_names::conditions() {
  schema names;
  names.find = [this](std::string_view name) {
    const auto selected = find_selected(name);
    return selected ? selected : find_window_name(name);
  };
  add_names(names.names, true);
  names.aggregate = [this](const aggregate_call& call) { return add_aggregate(call); };
  return names;
}

schema rule_names::texts() const {
  schema names;
  names.find = [this](std::string_view name) -> std::optional<name_binding> {
    if (const auto selected = find_selected(name)) return selected;
    if (const auto window = find_window_name(name)) return window;
    auto field = schema::of_event().find(name);
    if (!field) return std::nullopt;
    field->id += event_base;
    field->movement = trend::any;
    return field;
  };
  add_names(names.names, true);
  const auto& fields = schema::of_event().names;
  names.names.insert(names.names.end(), fields.begin(), fields.end());
  names.labels = true;
  return names;
}

std::string rule_names::refuse_selected(std::string_view name) const {
  if (!is_name(name)) {
    return "is not a name (letters, digits and _, not beginning with a digit, at most 100)";
  }
  if (name == "true" || name == "false" || name == "null" || name == "in" || name == "labels" ||
      name == "window") {
    return "is a word of the language; choose another name";
  }
  if (find_window_name(name)) return "is a name of every window; choose another name";
  if (parse_event_field(name)) return "is a field of events; choose another name";
  if (find_selected(name)) return "is selected twice";
  return "";
}

void rule_names::add_selected(const std::string& name, value_type type, trend movement) {
  const auto id = selected_base + static_cast<std::uint32_t>(selected_.size());
  selected_.push_back({name, {id, type, movement}});
}

std::optional<name_binding> rule_names::find_selected(std::string_view name) const {
  for (const named_binding& one : selected_) {
    if (one.name == name) return one.binding;
  }
  return std::nullopt;
}

result<name_binding> rule_names::add_aggregate(const aggregate_call& call) {
  auto bound = bind_aggregate(call);
  if (!bound) return bound.failure();
  if (needs_baseline(bound->of.function) && !has_baseline_) {
    return error{"no_baseline", fmt::format("{}() compares with the past: give the rule "
                                            "'baseline: {{length: 1h, min_samples: 30}}'",
                                            call.function)};
  }
  const auto [known, is_new] =
      slots_.emplace(canonical_text(bound->of), static_cast<std::uint32_t>(aggregates_.size()));
  if (is_new) aggregates_.push_back(std::move(bound->of));
  return name_binding{aggregate_base + known->second, bound->type, bound->movement};
}

void rule_names::add_names(std::vector<std::string>& names, bool with_selected) const {
  for (const bound_window_name& one : window_names) names.emplace_back(one.name);
  if (!with_selected) return;
  for (const named_binding& one : selected_) names.push_back(one.name);
}

}  // namespace tocsin
