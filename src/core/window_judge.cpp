// SPDX-License-Identifier: Apache-2.0
// Judgements: `having`, severity, texts and evidence of one window for one rule and key.
#include "core/window_judge.hpp"

#include <algorithm>
#include <tuple>

#include "core/packed_event.hpp"
#include "core/window_scope.hpp"

namespace tocsin {

std::vector<id_ring::entry> listed_ids(const window_record& window, const id_ring& known) {
  std::vector<id_ring::entry> ids = known.entries();
  std::erase_if(ids, [&](const id_ring::entry& one) {
    return one.time_ms < window.first_ms || one.time_ms > window.last_ms;
  });
  std::sort(ids.begin(), ids.end(), [](const auto& left, const auto& right) {
    return std::tie(left.time_ms, left.position) < std::tie(right.time_ms, right.position);
  });
  return ids;
}

value window_scope::get(std::uint32_t id) const {
  if (id >= event_base) return event_value(static_cast<event_field>(id - event_base));
  if (id >= aggregate_base)
    return records_.layout().read(
        rule_.aggregate_slots[id - aggregate_base], *window_.record,
        record_store::cells(*window_.record),
        window_.baseline == nullptr ? nullptr : record_store::cells(*window_.baseline), texts_);
  if (id >= selected_base) return rule_.selected[id - selected_base].formula.evaluate(*this);
  return window_value(static_cast<window_name>(id));
}

value window_scope::label(std::string_view name) const {
  for (std::size_t i = 0; i < group_.fields.size(); ++i)
    if (!group_.fields[i].field && group_.fields[i].label == name)
      return value::of(*key_text(group_.fields[i].name));
  if (key_.representative == nullptr) return {};
  return event_scope{*key_.batch, *key_.representative}.label(name);
}

value window_scope::window_value(window_name name) const {
  const window_record& record = *window_.record;
  switch (name) {
    case window_name::event_count:
      return value::of(static_cast<std::int64_t>(record.count));
    case window_name::first_event_time:
      return record.count == 0 ? value{} : time_text(name, from_unix_ms(record.first_ms));
    case window_name::last_event_time:
      return record.count == 0 ? value{} : time_text(name, from_unix_ms(record.last_ms));
    case window_name::window_start:
      return time_text(name, window_.bounds.start);
    case window_name::window_end:
      return time_text(name, window_.bounds.end);
    case window_name::window_size:
      return value::of(rule_.spec.window.size);
    case window_name::duration:
      return record.count == 0 ? value{} : value::of(duration{record.last_ms - record.first_ms});
    case window_name::max_severity:
      return record.worst == window_record::no_level
                 ? value{}
                 : value::of(to_text(static_cast<severity>(record.worst)));
    case window_name::rule:
      return value::of(std::string_view{rule_.name});
    case window_name::idle:
      return idle_length();
    case window_name::event_ids:
      return event_ids_text();
  }
  return {};
}

value window_scope::idle_length() const {
  if (window_.record->count == 0) return value::of(window_.bounds.end - window_.bounds.start);
  return value::of(duration{std::max<std::int64_t>(0, window_.now_ms - window_.record->last_ms)});
}

value window_scope::event_ids_text() const {
  if (key_.ids == nullptr) return {};
  const std::vector<id_ring::entry> ids = listed_ids(*window_.record, *key_.ids);
  std::string& text = texts_.emplace_back();
  for (const id_ring::entry& one : ids) text.append(text.empty() ? "" : ", ").append(one.id);
  if (window_.record->with_id > ids.size()) text.append(text.empty() ? "..." : ", ...");
  return text.empty() ? value{} : value::of(std::string_view{text});
}

value window_scope::event_value(event_field field) const {
  if (is_text(field))
    if (const auto text = key_text(to_text(field))) return value::of(*text);
  if (key_.representative == nullptr) return {};
  return event_scope{*key_.batch, *key_.representative}.get(static_cast<std::uint32_t>(field));
}

value window_scope::time_text(window_name name, instant at) const {
  std::string& kept = time_texts_[static_cast<std::size_t>(name) -
                                  static_cast<std::size_t>(window_name::first_event_time)];
  kept = format_rfc3339(at);
  return value::of(std::string_view{kept});
}

std::optional<std::string_view> window_scope::key_text(std::string_view field) const {
  for (std::size_t i = 0; i < group_.fields.size(); ++i) {
    if (group_.fields[i].name != field) continue;
    if (key_texts_.empty()) key_texts_ = unpack_key(key_.values);
    return key_texts_[i];
  }
  return std::nullopt;
}

bool window_judge::holds(const rule& of, const judged_window& window, const judged_key& key) {
  // What is absent has no events: only there does a window without any say something.
  if (window.record->count < of.count_floor && unit_->kind != window_kind::absence) return false;
  ++judgements_;
  return of.having.holds(window_scope{of, *unit_, group_of(), *records_, window, key});
}

severity window_judge::severity_of(const rule& of, const judged_window& window,
                                   const judged_key& key) const {
  if (of.fixed_severity) return *of.fixed_severity;
  if (of.worst_level)
    return window.record->worst == window_record::no_level
               ? severity::info
               : static_cast<severity>(window.record->worst);
  const window_scope names{of, *unit_, group_of(), *records_, window, key};
  const value seen = of.severity_expression->evaluate(names);
  if (seen.type != value_type::text) return severity::error;
  return parse_severity(seen.text).value_or(severity::error);
}

fingerprint window_judge::print_of(const rule& of, std::string_view values) const {
  const std::vector<std::string_view> texts = unpack_key(values);
  std::vector<key_part> parts;
  parts.reserve(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i)
    parts.push_back({group_of().fields[i].name, texts[i]});
  if (is_shards_own(texts)) parts.push_back({"shard", shard_});
  return fingerprint_of(of.name, parts);
}

bool window_judge::is_shards_own(const std::vector<std::string_view>& values) const {
  return !shard_.empty() && std::all_of(values.begin(), values.end(), [](std::string_view value) {
    return value == overflow_value;
  });
}

std::shared_ptr<const alert_texts> window_judge::texts_of(const rule& of,
                                                          const judged_window& window,
                                                          const judged_key& key) const {
  const window_scope names{of, *unit_, group_of(), *records_, window, key};
  auto texts = std::make_shared<alert_texts>();
  texts->title = of.title.render(names);
  if (of.description) texts->description = of.description->render(names);
  for (const named_template& one : of.labels)
    texts->labels.emplace_back(one.name, one.text.render(names));
  for (const named_template& one : of.annotations)
    texts->annotations.emplace_back(one.name, one.text.render(names));
  const std::vector<std::string_view> values = unpack_key(key.values);
  for (std::size_t i = 0; i < values.size(); ++i)
    texts->group.emplace_back(group_of().fields[i].name,
                              values[i].data() == nullptr
                                  ? std::nullopt
                                  : std::optional<std::string>{std::string{values[i]}});
  if (is_shards_own(values)) texts->group.emplace_back("shard", shard_);
  const auto field_text = [&](event_field field) {
    return std::string{names.get(event_base + static_cast<std::uint32_t>(field)).text};
  };
  texts->resource_id = field_text(event_field::resource_id);
  texts->resource_type = field_text(event_field::resource_type);
  texts->resource_name = field_text(event_field::resource_name);
  texts->item = field_text(event_field::item);
  texts->source_id = field_text(event_field::source_id);
  return texts;
}

finding window_judge::report_action(finding::kind what, const rule& of, const judged_key& key,
                                    const judged_cause& cause) const {
  finding said;
  said.what = what;
  said.rule = of.index;
  said.print = print_of(of, key.values);
  said.at = cause.at;
  said.position = cause.position;
  said.cause = cause.words;
  return said;
}

finding window_judge::report(finding::kind what, const rule& of, const judged_window& window,
                             const judged_key& key, const judged_cause& cause) const {
  const window_record& record = *window.record;
  finding said = report_action(what, of, key, cause);
  said.severity = severity_of(of, window, key);
  said.proof.window = window.bounds;
  const window_scope names{of, *unit_, group_of(), *records_, window, key};
  for (const selected_value& one : of.selected)
    if (const auto number = one.formula.evaluate(names).as_number())
      said.proof.values.emplace_back(one.name, *number);
  if (record.count == 0) return said;
  said.proof.event_count = record.count;
  said.proof.first_event_time = from_unix_ms(record.first_ms);
  said.proof.last_event_time = from_unix_ms(record.last_ms);
  said.proof.first_event_position = record.first_position;
  if (key.ids != nullptr)
    for (const id_ring::entry& one : listed_ids(record, *key.ids))
      said.proof.event_ids.emplace_back(one.id);
  said.proof.event_ids_truncated = record.with_id > said.proof.event_ids.size();
  return said;
}

}  // namespace tocsin
