// SPDX-License-Identifier: Apache-2.0
// The cold side of event_reader: undoes a refused event, skips it, finds its source, words the
// reason.
#include <fmt/format.h>

#include <algorithm>

#include "io/event_keys.hpp"
#include "io/event_reader.hpp"
#include "io/utf8.hpp"

namespace tocsin {
namespace {

constexpr std::size_t quoted_bytes_max = 60;

/// Whether containers from `depth` on, the one whose head was just read included, stay within
/// `nesting`. Torn bytes stay within it: the caller finds them when it skips.
bool fits_nesting(msgpack_cursor& at, const msgpack_token& head, std::size_t depth,
                  std::size_t nesting) {
  if (depth > nesting) return false;
  for (std::uint64_t i = 0; i < head.children(); ++i) {
    msgpack_token child;
    if (!at.next(child)) return true;
    if (child.is_container() && !fits_nesting(at, child, depth + 1, nesting)) return false;
  }
  return true;
}

std::string describe(const msgpack_token& seen) {
  switch (seen.kind) {
    case msgpack_kind::nil:
      return "nil";
    case msgpack_kind::boolean:
      return seen.boolean ? "true" : "false";
    case msgpack_kind::integer:
      return fmt::format("the integer {}", seen.integer);
    case msgpack_kind::huge_integer:
      return fmt::format("the integer {}", seen.real);
    case msgpack_kind::real:
      return fmt::format("the number {}", seen.real);
    case msgpack_kind::text:
      return fmt::format("\"{}\"", printable(seen.bytes, quoted_bytes_max));
    case msgpack_kind::binary:
      return fmt::format("{} bytes of binary", seen.bytes.size());
    case msgpack_kind::extension:
      return fmt::format("an extension {}", seen.extension_type);
    case msgpack_kind::array:
      return fmt::format("an array of {}", seen.count);
    case msgpack_kind::map:
      return fmt::format("a map of {}", seen.count);
  }
  return "an unknown token";
}

/// The source_id of an element that can be skipped; "" when it has none that could be counted by.
std::string source_of(msgpack_cursor at, std::size_t bytes_max) {
  msgpack_token head;
  if (!at.next(head) || !head.is_container()) return {};
  msgpack_token value;
  const auto readable = [&] {
    return at.next(value) && value.kind == msgpack_kind::text && value.bytes.size() <= bytes_max &&
           valid_utf8(value.bytes);
  };
  if (head.kind == msgpack_kind::array) {
    constexpr auto index = static_cast<std::uint32_t>(event_field::source_id);
    if (head.count > index && at.skip(index) && readable()) return std::string{value.bytes};
    return {};
  }
  for (std::uint32_t i = 0; i < head.count; ++i) {
    const msgpack_cursor before = at;
    if (!at.next(value)) return {};
    if (value.kind == msgpack_kind::text && recognise_key(value.bytes) == event_field::source_id) {
      return readable() ? std::string{value.bytes} : std::string{};
    }
    at = before;
    if (!at.skip(2)) return {};
  }
  return {};
}

}  // namespace

std::string event_reader::place::text() const {
  if (label.data() != nullptr)
    return fmt::format("label \"{}\"", printable(label, quoted_bytes_max));
  return field == unknown_key ? "key" : std::string{to_text(field)};
}

reading event_reader::turn_away(const msgpack_cursor& begin, msgpack_cursor& at) {
  into_.labels.resize(current_->labels_begin);
  into_.events.pop_back();
  at = begin;
  if (!at.skip()) return reading::torn;
  const auto bytes = static_cast<std::size_t>(at.position() - begin.position());
  if (bytes > limits_.event_bytes) {
    refuse("event_too_large", fmt::format("event: seen {} bytes as msgpack, wanted at most {}",
                                          bytes, limits_.event_bytes));
  }
  why_.source = source_of(begin, limits_.value_bytes);
  return reading::refused;
}

bool event_reader::refuse(std::string_view code, std::string message) {
  why_.code = code;
  why_.message = std::move(message);
  return false;
}

/// `behind` stands behind the token `seen`, which lies in a container of depth `depth`.
bool event_reader::refuse_kind(const msgpack_cursor& behind, const msgpack_token& seen,
                               const place& where, std::string_view wanted, std::size_t depth) {
  msgpack_cursor inside = behind;
  const std::size_t nesting = std::min(limits_.nesting, nesting_max);
  if (seen.is_container() && !fits_nesting(inside, seen, depth + 1, nesting)) {
    return refuse("too_deep",
                  fmt::format("{}: seen containers more than {} deep, wanted at most {}",
                              where.text(), nesting, nesting));
  }
  return refuse("bad_type",
                fmt::format("{}: seen {}, wanted {}", where.text(), describe(seen), wanted));
}

bool event_reader::refuse_text(std::string_view code, const place& where, std::string_view seen,
                               std::string_view wanted) {
  return refuse(code, fmt::format("{}: seen \"{}\", wanted {}", where.text(),
                                  printable(seen, quoted_bytes_max), wanted));
}

bool event_reader::refuse_length(std::string_view code, const place& where, std::size_t bytes,
                                 std::size_t min, std::size_t max) {
  return refuse(code,
                fmt::format("{}: seen {} bytes, wanted {} to {}", where.text(), bytes, min, max));
}

}  // namespace tocsin
