// SPDX-License-Identifier: Apache-2.0
// Implementation of the naive windows' scope.
#include "support/naive_scope.hpp"

#include <algorithm>

#include "support/naive_aggregates.hpp"

namespace tocsin::testing {

value naive_scope::get(std::uint32_t id) const {
  if (id >= event_base) return event_value(static_cast<event_field>(id - event_base));
  if (id >= aggregate_base) {
    const std::uint32_t slot = rule_.aggregate_slots.at(id - aggregate_base);
    return naive_aggregate(unit_.aggregates.at(slot), window_, rule_.spec.baseline, texts_);
  }
  if (id >= selected_base) return rule_.selected.at(id - selected_base).formula.evaluate(*this);
  return named(static_cast<window_name>(id));
}

value naive_scope::label(std::string_view name) const {
  const auto& fields = rules_.groups()[unit_.group].fields;
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (!fields[i].field && fields[i].label == name) return key_value(i);
  if (!window_.speaker) return {};
  return event_scope{*window_.speaker->batch, *window_.speaker->what}.label(name);
}

value naive_scope::event_value(event_field field) const {
  const auto& fields = rules_.groups()[unit_.group].fields;
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (fields[i].field == field) return key_value(i);
  if (!window_.speaker) return {};
  return event_scope{*window_.speaker->batch, *window_.speaker->what}.get(
      static_cast<std::uint32_t>(field));
}

value naive_scope::key_value(std::size_t field) const {
  const auto& part = key_.name.at(field);
  return part ? value::of(std::string_view{*part}) : value{};
}

value naive_scope::text(std::string words) const {
  return value::of(std::string_view{texts_.emplace_back(std::move(words))});
}

std::optional<severity> naive_scope::worst_level() const {
  std::optional<severity> worst;
  for (const naive_event* each : window_.events)
    if (each->what->level) worst = std::min(worst.value_or(severity::info), *each->what->level);
  return worst;
}

value naive_scope::named(window_name name) const {
  const auto& events = window_.events;
  switch (name) {
    case window_name::event_count:
      return value::of(static_cast<std::int64_t>(events.size()));
    case window_name::first_event_time:
      return events.empty() ? value{} : text(format_rfc3339(events.front()->time));
    case window_name::last_event_time:
      return events.empty() ? value{} : text(format_rfc3339(events.back()->time));
    case window_name::window_start:
      return text(format_rfc3339(window_.bounds.start));
    case window_name::window_end:
      return text(format_rfc3339(window_.bounds.end));
    case window_name::window_size:
      return value::of(rule_.spec.window.size);
    case window_name::duration:
      return events.empty() ? value{} : value::of(events.back()->time - events.front()->time);
    case window_name::max_severity: {
      const auto worst = worst_level();
      return worst ? value::of(to_text(*worst)) : value{};
    }
    case window_name::rule:
      return value::of(std::string_view{rule_.name});
    case window_name::idle:
      return idle();
    case window_name::event_ids: {
      evidence listed;
      list_ids(listed);
      std::string words;
      for (const std::string& each : listed.event_ids) words += (words.empty() ? "" : ", ") + each;
      if (listed.event_ids_truncated) words += words.empty() ? "..." : ", ...";
      return text(std::move(words));
    }
  }
  return {};
}

value naive_scope::idle() const {
  const instant last = window_.events.empty() ? window_.bounds.start : window_.events.back()->time;
  return value::of(std::max(window_.judged_at - last, duration{0}));
}

severity naive_scope::level() const {
  if (rule_.fixed_severity) return *rule_.fixed_severity;
  if (rule_.worst_level) return worst_level().value_or(severity::info);
  const value name = rule_.severity_expression->evaluate(*this);
  if (name.type != value_type::text) return severity::error;
  return parse_severity(name.text).value_or(severity::error);
}

evidence naive_scope::proof() const {
  evidence proof;
  proof.window = window_.bounds;
  proof.event_count = window_.events.size();
  if (!window_.events.empty()) {
    proof.first_event_time = window_.events.front()->time;
    proof.last_event_time = window_.events.back()->time;
    proof.first_event_position = window_.events.front()->position;
  }
  list_ids(proof);
  for (const selected_value& each : rule_.selected)
    if (const auto number = each.formula.evaluate(*this).as_number())
      proof.values.emplace_back(each.name, *number);
  return proof;
}

void naive_scope::list_ids(evidence& proof) const {
  const auto& remembered = key_.ids->remembered;
  std::size_t with_id = 0;
  for (const naive_event* each : window_.events) {
    if (!each->what->has(event_field::event_id)) continue;
    ++with_id;
    if (std::find(remembered.begin(), remembered.end(), each->position) != remembered.end())
      proof.event_ids.emplace_back(each->what->text(event_field::event_id));
  }
  proof.event_ids_truncated = with_id > proof.event_ids.size();
}

std::shared_ptr<const alert_texts> naive_scope::texts() const {
  auto made = std::make_shared<alert_texts>();
  made->title = rule_.title.render(*this);
  if (rule_.description) made->description = rule_.description->render(*this);
  for (const auto& each : rule_.labels)
    made->labels.emplace_back(each.name, each.text.render(*this));
  for (const auto& each : rule_.annotations)
    made->annotations.emplace_back(each.name, each.text.render(*this));
  const auto& fields = rules_.groups()[unit_.group].fields;
  for (std::size_t i = 0; i < fields.size(); ++i)
    made->group.emplace_back(fields[i].name, key_.name[i]);
  made->resource_id = event_value(event_field::resource_id).to_text();
  made->resource_type = event_value(event_field::resource_type).to_text();
  made->resource_name = event_value(event_field::resource_name).to_text();
  made->item = event_value(event_field::item).to_text();
  made->source_id = event_value(event_field::source_id).to_text();
  return made;
}

}  // namespace tocsin::testing
