// SPDX-License-Identifier: Apache-2.0
// Reads one encoded event into a batch, or says what is wrong with it: all validation of an event's
// content is here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "io/event_decoder.hpp"
#include "io/msgpack_cursor.hpp"
#include "tocsin/event.hpp"

namespace tocsin {

/// What the sender wrote. JSON reaches the reader as msgpack, but may give `time` as text.
enum class event_encoding : std::uint8_t { msgpack, json };

/// Whose word an event's arrival is: the caller's, or that of the event itself, as in recordings.
enum class stamping : std::uint8_t { given, recorded };

/// What became of one element. Torn: its bytes cannot be read to its end, so nothing after it can.
enum class reading : std::uint8_t { accepted, refused, torn };

/// Deeper settings of event_limits::nesting count as this; bounds the recursion.
inline constexpr std::size_t nesting_max = 64;

class event_reader {
 public:
  /// Recorded stamping: an event's arrival is its `arrived_at` (Unix ms or RFC 3339; no label),
  /// else its `time`, else `arrived`; none is earlier than `arrived` or than that of an event
  /// accepted before.
  event_reader(const event_limits& limits, event_encoding encoding, instant arrived,
               event_batch& into, stamping by = stamping::given) noexcept
      : limits_(limits), encoding_(encoding), stamping_(by), arrived_(arrived), into_(into) {}

  /// Reads the next element: a map, or an array in positional form. Accepted: the event and its
  /// labels were appended. Refused: the batch is as before, `at` is behind the element, why() says
  /// the reason: the first fault in the order of the bytes, but event_too_large before all others.
  /// Torn: the batch is as before.
  [[nodiscard]] reading read(msgpack_cursor& at);

  /// The last refusal, without its index.
  [[nodiscard]] rejection& why() noexcept { return why_; }

  /// The arrival of the last accepted event; before the first one what was given.
  [[nodiscard]] instant arrived() const noexcept { return arrived_; }

 private:
  /// What a message names: a field, or a label when `label` is not null.
  struct place {
    event_field field;
    std::string_view label;
    [[nodiscard]] std::string text() const;
  };

  // All readers return false when the event is refused (why_ is set) or torn.
  bool read_element(msgpack_cursor& at);
  bool read_map(msgpack_cursor& at, std::uint32_t pairs);
  bool read_positional(msgpack_cursor& at, std::uint32_t elements);
  bool read_key(msgpack_cursor& at, std::string_view& name, std::size_t depth);
  bool read_field(msgpack_cursor& at, event_field field);
  bool read_text(msgpack_cursor& at, event_field field);
  bool read_time(msgpack_cursor& at);
  bool read_timestamp(std::string_view bytes);
  bool set_time(std::int64_t unix_ms);
  bool read_level(msgpack_cursor& at);
  bool read_value(msgpack_cursor& at);
  bool read_action(msgpack_cursor& at);
  bool read_labels(msgpack_cursor& at);
  bool read_label(msgpack_cursor& at, std::string_view name, std::size_t depth);
  bool read_label_value(msgpack_cursor& at, label& of, std::size_t depth);
  bool read_recorded_arrival(msgpack_cursor& at, std::size_t depth);
  bool stamp_recorded();
  bool check_time_ahead(instant time, instant arrived);
  void drop_overridden_labels();

  reading turn_away(const msgpack_cursor& begin, msgpack_cursor& at);
  bool refuse(std::string_view code, std::string message);
  bool refuse_kind(const msgpack_cursor& behind, const msgpack_token& seen, const place& where,
                   std::string_view wanted, std::size_t depth);
  bool refuse_text(std::string_view code, const place& where, std::string_view seen,
                   std::string_view wanted);
  bool refuse_length(std::string_view code, const place& where, std::size_t bytes, std::size_t min,
                     std::size_t max);

  const event_limits& limits_;
  event_encoding encoding_;
  stamping stamping_;
  instant arrived_;
  event_batch& into_;
  event* current_ = nullptr;                 ///< the one being read: the batch's last
  std::optional<instant> recorded_arrival_;  ///< the current event's arrived_at
  rejection why_;
  std::uint32_t seen_ = 0;          ///< known keys seen, by bit
  std::uint32_t present_ = 0;       ///< known keys with a value, by bit
  std::uint32_t label_fields_ = 0;  ///< known keys whose name a label bears, by bit
};

}  // namespace tocsin
