// SPDX-License-Identifier: Apache-2.0
// Folding of labels. Removed names stay on the list: an earlier event may still come.
#include "core/folded_labels.hpp"

#include <algorithm>
#include <tuple>

#include "core/value_text.hpp"

namespace tocsin {

void folded_labels::add(std::int64_t time_ms, std::uint64_t position,
                        std::span<const label> labels) {
  for (const label& one : labels) {
    std::string scratch;
    std::string_view text = one.text;
    if (one.type == label::kind::number)
      text = text_of(value::of(one.number), scratch);
    else if (one.type == label::kind::boolean)
      text = one.number != 0 ? "true" : "false";
    add(time_ms, position, one.name, one.type == label::kind::null,
        cut_text(text, shown_text_bytes));
  }
}

void folded_labels::add(std::int64_t time_ms, std::uint64_t position, std::string_view name,
                        bool removed, std::string_view text) {
  const auto place = std::partition_point(names_.begin(), names_.end(),
                                          [&](const named& one) { return one.name < name; });
  if (place == names_.end() || place->name != name) {
    if (names_.size() == followed_max && place == names_.end()) return;
    const auto made = names_.insert(
        place, {time_ms, position, removed, std::string{name}, std::string{removed ? "" : text}});
    text_bytes_ += heap_bytes_of(made->name) + heap_bytes_of(made->text);
    if (names_.size() <= followed_max) return;
    text_bytes_ -= heap_bytes_of(names_.back().name) + heap_bytes_of(names_.back().text);
    names_.pop_back();
    return;
  }
  if (std::tie(time_ms, position) < std::tie(place->time_ms, place->position)) return;
  place->time_ms = time_ms;
  place->position = position;
  place->removed = removed;
  text_bytes_ -= heap_bytes_of(place->text);
  place->text.assign(removed ? "" : text);
  text_bytes_ += heap_bytes_of(place->text);
}

void folded_labels::merge(const folded_labels& other) {
  for (const named& one : other.names_)
    add(one.time_ms, one.position, one.name, one.removed, one.text);
}

std::string folded_labels::text() const {
  std::string all;
  std::size_t shown = 0;
  for (const named& one : names_) {
    if (one.removed) continue;
    if (shown == shown_max) break;
    if (shown++ != 0) all += ", ";
    all.append(one.name).append("=").append(one.text);
  }
  return all;
}

void folded_labels::save(state_writer& to) const {
  to.put(static_cast<std::uint64_t>(names_.size()));
  for (const named& one : names_) {
    to.put(one.time_ms);
    to.put(one.position);
    to.put(static_cast<std::uint8_t>(one.removed));
    to.put_text(one.name);
    to.put_text(one.text);
  }
}

void folded_labels::load(state_reader& from) {
  const std::uint64_t size = from.take_count(4 * sizeof(std::uint64_t));
  if (size > followed_max) from.fail();
  for (std::uint64_t i = 0; i < size && !from.failed(); ++i) {
    const auto time_ms = from.take<std::int64_t>();
    const auto position = from.take<std::uint64_t>();
    const bool removed = from.take<std::uint8_t>() != 0;
    const std::string_view name = from.take_text();
    add(time_ms, position, name, removed, from.take_text());
  }
}

}  // namespace tocsin
