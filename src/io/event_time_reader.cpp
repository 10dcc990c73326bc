// SPDX-License-Identifier: Apache-2.0
// Reads an event's `time`: Unix milliseconds, msgpack's timestamp extension, or RFC 3339 from JSON.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "io/event_reader.hpp"
#include "io/utf8.hpp"

namespace tocsin {
namespace {

constexpr std::int8_t timestamp_type = -1;
constexpr std::int64_t last_second = 253'402'300'799;  // 9999-12-31T23:59:59Z
constexpr std::int64_t last_ms = last_second * 1000 + 999;
constexpr std::uint32_t ns_per_second = 1'000'000'000;
constexpr std::size_t quoted_bytes_max = 60;
constexpr std::string_view wanted_range = "a time from 1970 to 9999";

}  // namespace

bool event_reader::read_time(msgpack_cursor& at) {
  msgpack_token token;
  if (!at.next(token)) return false;
  const place here{event_field::time, {}};
  if (token.kind == msgpack_kind::integer) return set_time(token.integer);
  if (token.kind == msgpack_kind::huge_integer) {
    return refuse("bad_time", fmt::format("time: seen {} ms, wanted {}", token.real, wanted_range));
  }
  if (token.kind == msgpack_kind::extension && token.extension_type == timestamp_type) {
    return read_timestamp(token.bytes);
  }
  if (encoding_ == event_encoding::msgpack) {
    return refuse_kind(at, token, here, "Unix milliseconds or a timestamp (extension -1)", 1);
  }
  constexpr std::string_view wanted = "Unix milliseconds or RFC 3339 text";
  if (token.kind != msgpack_kind::text) return refuse_kind(at, token, here, wanted, 1);
  const auto parsed = parse_rfc3339(token.bytes);
  if (!parsed) return refuse_text("bad_time", here, token.bytes, wanted);
  return set_time(to_unix_ms(*parsed));
}

/// The three forms of msgpack's specification, "Timestamp extension type".
bool event_reader::read_timestamp(std::string_view bytes) {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  switch (bytes.size()) {
    case 4:
      seconds = load_big<std::uint32_t>(bytes.data());
      break;
    case 8: {
      const auto both = load_big<std::uint64_t>(bytes.data());
      nanoseconds = static_cast<std::uint32_t>(both >> 34U);
      seconds = static_cast<std::int64_t>(both & ((std::uint64_t{1} << 34U) - 1));
      break;
    }
    case 12:
      nanoseconds = load_big<std::uint32_t>(bytes.data());
      seconds = static_cast<std::int64_t>(load_big<std::uint64_t>(bytes.data() + 4));
      break;
    default:
      return refuse("bad_time", fmt::format("time: seen a timestamp of {} bytes, wanted 4, 8 or 12",
                                            bytes.size()));
  }
  if (nanoseconds >= ns_per_second) {
    return refuse("bad_time", fmt::format("time: seen a timestamp with {} ns, wanted less than {}",
                                          nanoseconds, ns_per_second));
  }
  if (seconds < 0 || seconds > last_second) {
    return refuse("bad_time", fmt::format("time: seen {} s, wanted {}", seconds, wanted_range));
  }
  return set_time(seconds * 1000 + nanoseconds / 1'000'000);
}

bool event_reader::set_time(std::int64_t unix_ms) {
  if (unix_ms < 0 || unix_ms > last_ms) {
    return refuse("bad_time", fmt::format("time: seen {} ms, wanted {}", unix_ms, wanted_range));
  }
  const instant time = from_unix_ms(unix_ms);
  // A recorded event's arrival may stand behind its time.
  if (stamping_ == stamping::given && !check_time_ahead(time, arrived_)) return false;
  current_->time = time;
  current_->has_time = true;
  return true;
}

bool event_reader::check_time_ahead(instant time, instant arrived) {
  if (time - arrived <= limits_.time_ahead_max) return true;
  return refuse("time_in_future",
                fmt::format("time: seen {}, {} ms ahead of {}, wanted at most {} ms ahead",
                            format_rfc3339(time), (time - arrived).count(), format_rfc3339(arrived),
                            limits_.time_ahead_max.count()));
}

bool event_reader::read_recorded_arrival(msgpack_cursor& at, std::size_t depth) {
  constexpr std::string_view wanted = "Unix milliseconds or RFC 3339";
  // Up to here every double is exact to the millisecond.
  constexpr double exact_max = 9007199254740992.0;
  if (recorded_arrival_) return refuse("duplicate_key", "arrived_at: seen twice, wanted once");
  label read;
  read.name = "arrived_at";
  if (!read_label_value(at, read, depth)) return false;
  if (read.type == label::kind::text) {
    recorded_arrival_ = parse_rfc3339(read.text);
    if (recorded_arrival_) return true;
    return refuse("bad_time", fmt::format("arrived_at: seen \"{}\", wanted {}",
                                          printable(read.text, quoted_bytes_max), wanted));
  }
  if (read.type != label::kind::number || std::abs(read.number) > exact_max ||
      read.number != std::trunc(read.number)) {
    return refuse("bad_time",
                  fmt::format("arrived_at: seen {}, wanted {}",
                              read.type == label::kind::number    ? fmt::format("{}", read.number)
                              : read.type == label::kind::boolean ? "a boolean"
                                                                  : "nil",
                              wanted));
  }
  recorded_arrival_ = from_unix_ms(static_cast<long long>(read.number));
  return true;
}

bool event_reader::stamp_recorded() {
  event& of = *current_;
  if (!recorded_arrival_ && of.has_time) recorded_arrival_ = of.time;
  const instant arrived = std::max(arrived_, recorded_arrival_.value_or(arrived_));
  if (of.has_time && !check_time_ahead(of.time, arrived)) return false;
  arrived_ = arrived;
  of.arrived = arrived;
  if (!of.has_time) of.time = arrived;
  return true;
}

}  // namespace tocsin
