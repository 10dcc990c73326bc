// SPDX-License-Identifier: Apache-2.0
// Builds events and encodes them as senders do: msgpack map, positional msgpack, JSON, batches.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tocsin/event.hpp"

namespace tocsin::testing {

/// A label's value as a sender writes it; monostate is nil.
using label_value = std::variant<std::monostate, std::string, double, bool>;

/// An event to be; every part that is not set is left out of the encoding (nil in the positional
/// form). It encodes what it is given, right or wrong.
class event_builder {
 public:
  /// Sets a string field; `field` must be one of the is_text() ones.
  event_builder& text(event_field field, std::string value);
  event_builder& event_id(std::string id) { return text(event_field::event_id, std::move(id)); }
  event_builder& source(std::string id) { return text(event_field::source_id, std::move(id)); }
  event_builder& resource(std::string id) { return text(event_field::resource_id, std::move(id)); }
  event_builder& item(std::string name) { return text(event_field::item, std::move(name)); }
  event_builder& title(std::string words) { return text(event_field::title, std::move(words)); }
  event_builder& time(instant when);
  event_builder& level(severity of);
  event_builder& value(double number);
  event_builder& action(event_action of);
  event_builder& label(std::string name, label_value value);
  event_builder& label(std::string name, const char* value) {
    return label(std::move(name), label_value{std::string{value}});
  }

  [[nodiscard]] std::string map() const;         ///< msgpack, keys in event_field order
  [[nodiscard]] std::string positional() const;  ///< msgpack; only valid inside a batch
  [[nodiscard]] std::string json() const;

 private:
  /// All fields but the labels: texts, numbers as they are, level as its number.
  std::map<event_field, std::variant<std::string, std::int64_t, double>> fields_;
  std::vector<std::pair<std::string, label_value>> labels_;
};

/// A msgpack array of encoded events.
[[nodiscard]] std::string batch_of(const std::vector<std::string>& encoded);
/// A JSON array of encoded events.
[[nodiscard]] std::string json_batch_of(const std::vector<std::string>& encoded);

/// A realistic event with all fields and five labels, about 320 bytes as a map; `number` makes
/// it one of many.
[[nodiscard]] event_builder sample_event(std::uint64_t number, instant when);

}  // namespace tocsin::testing
