// SPDX-License-Identifier: Apache-2.0
// Events as the pipeline holds them: flat batches whose strings are views into memory that the
// batch keeps alive.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "tocsin/severity.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// What an event says of the trouble: that it is there, that it has ended, or that nobody need care
/// any more.
enum class event_action : std::uint8_t { firing, resolved, closed };

[[nodiscard]] std::string_view to_text(event_action action) noexcept;

/// The known keys of an event, in the order of the positional form. The first eight of
/// `text_fields` are strings.
enum class event_field : std::uint8_t {
  event_id,
  source_id,
  time,
  resource_id,
  resource_type,
  resource_name,
  item,
  level,
  value,
  title,
  description,
  action,
  labels,
};
inline constexpr std::size_t event_field_count = 13;

/// "event_id", "source_id", ... as on the wire and in expressions.
[[nodiscard]] std::string_view to_text(event_field field) noexcept;
/// The field of that name; nothing when it is not a known key.
[[nodiscard]] std::optional<event_field> parse_event_field(std::string_view name) noexcept;
/// True for the fields that hold a string (all but time, level, value, action, labels).
[[nodiscard]] bool is_text(event_field field) noexcept;

/// One label of an event. A null label stands for "removed" where labels of several events are
/// merged.
struct label {
  enum class kind : std::uint8_t { null, text, number, boolean };
  std::string_view name;
  std::string_view text;  ///< for kind::text
  double number = 0;      ///< for kind::number, finite; 0 or 1 for kind::boolean
  kind type = kind::null;
};

/// One event. An absent string has data() == nullptr, which differs from an empty one; an absent
/// value is NaN.
struct event {
  std::array<std::string_view, 8> texts{};  ///< see text() and set_text()
  instant time{};                           ///< when it happened; arrival when the sender gave none
  instant arrived{};                        ///< the log's clock when it came in
  double value = std::numeric_limits<double>::quiet_NaN();
  std::uint32_t labels_begin = 0;  ///< into event_batch::labels
  std::uint32_t labels_count = 0;
  std::optional<severity> level;
  event_action action = event_action::firing;
  bool has_time = false;      ///< false: the sender gave none, `time` is the arrival
  std::uint32_t message = 0;  ///< index in event_batch::messages, where it has some

  [[nodiscard]] std::string_view text(event_field field) const noexcept {
    return texts[place(field)];
  }
  /// Precondition: is_text(field).
  void set_text(event_field field, std::string_view text) noexcept { texts[place(field)] = text; }
  [[nodiscard]] bool has(event_field field) const noexcept { return text(field).data() != nullptr; }
  [[nodiscard]] bool has_value() const noexcept { return !std::isnan(value); }

 private:
  /// Only eight fields are texts: events are many, so they are kept small.
  [[nodiscard]] static constexpr std::size_t place(event_field field) noexcept {
    constexpr std::array<std::uint8_t, event_field_count> places{0, 1, 0, 2, 3, 4, 5,
                                                                 0, 0, 6, 7, 0, 0};
    return places[static_cast<std::size_t>(field)];
  }
};

/// Bounds on what an event may be. Each refusal has its own code (docs/protocol.md).
struct event_limits {
  std::size_t message_bytes = 1024 * 1024;  ///< a whole message; larger: message_too_large
  std::size_t events_per_message = 10'000;  ///< of a batch; more: the rest is too_many_events
  std::size_t event_bytes = 64 * 1024;      ///< one encoded event; larger: event_too_large
  std::size_t nesting = 4;  ///< containers inside containers of one event; deeper: too_deep
  std::size_t event_id_bytes = 128;    ///< 1 to this; otherwise bad_event_id
  std::size_t labels = 64;             ///< labels of one event; more: too_many_labels
  std::size_t label_name_bytes = 128;  ///< 1 to this; otherwise bad_label_name
  std::size_t value_bytes = 4 * 1024;  ///< one string; longer: value_too_long
  duration time_ahead_max =
      std::chrono::minutes{1};  ///< beyond the log's clock; further: time_in_future
};

/// Events that arrived together. Immutable once stamped and shared; all views point into `owners`
/// or into string literals. Positions are consecutive: event i has position first_position + i.
struct event_batch {
  std::vector<event> events;
  std::vector<label> labels;
  std::vector<std::shared_ptr<const void>> owners;  ///< what keeps the views' memory alive
  std::uint64_t first_position = 0;                 ///< log position of events[0]
  instant clock{};                                  ///< the log's clock: the last event's arrival
  /// What the events came in as, of the burst that `owners` keep; none: they were read from a log
  /// or a recording.
  std::span<const std::string_view> messages{};

  [[nodiscard]] std::span<const label> labels_of(const event& of) const noexcept {
    return std::span<const label>{labels}.subspan(of.labels_begin, of.labels_count);
  }
};

}  // namespace tocsin
