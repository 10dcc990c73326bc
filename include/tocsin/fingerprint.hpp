// SPDX-License-Identifier: Apache-2.0
// 128-bit identities (XXH3) of keys and alerts.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tocsin {

/// A 128-bit XXH3 hash. Equal prints are taken for equal keys.
struct fingerprint {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend auto operator<=>(const fingerprint&, const fingerprint&) = default;
};

/// 32 lower-case hexadecimal digits, high half first.
[[nodiscard]] std::string to_text(const fingerprint& print);
/// Reads what to_text() writes, digits in any case; nothing for anything else.
[[nodiscard]] std::optional<fingerprint> parse_fingerprint(std::string_view text);

/// For hash maps: a fingerprint is a hash already.
struct fingerprint_hash {
  [[nodiscard]] std::size_t operator()(const fingerprint& print) const noexcept {
    return static_cast<std::size_t>(print.low);
  }
};

/// One group_by field of a key: its name and its value; value.data() == nullptr is NULL, which
/// differs from "".
struct key_part {
  std::string_view name;
  std::string_view value;
};

/// The identity of an alert: XXH3-128 (seed 0) over the rule's name and each (name, value) pair in
/// group_by order. Each text is preceded by its length as 4 bytes, little endian; NULL is the
/// length 0xffffffff and no bytes. Test vectors: docs/protocol.md.
[[nodiscard]] fingerprint fingerprint_of(std::string_view rule, std::span<const key_part> key);

/// The identity of one alert: XXH3-128 over the fingerprint's two halves (low, high), the rule
/// revision's text with its length before it, and the first event's time (Unix ms) and log
/// position; all integers 8 bytes little endian, lengths 4.
[[nodiscard]] fingerprint alert_id_of(const fingerprint& print, std::string_view revision,
                                      std::int64_t first_event_ms,
                                      std::uint64_t first_event_position);

}  // namespace tocsin
