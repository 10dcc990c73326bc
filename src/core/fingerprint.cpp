// SPDX-License-Identifier: Apache-2.0
// Hashes keys and alerts with XXH3, compiled in: a call into the library would cost as much as a
// short key.
#define XXH_INLINE_ALL
#include "tocsin/fingerprint.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <charconv>
#include <system_error>

#include "core/key_bytes.hpp"

namespace tocsin {
namespace {

fingerprint hash(const key_bytes& bytes) {
  const XXH128_hash_t hashed = XXH3_128bits(bytes.data(), bytes.size());
  return {hashed.high64, hashed.low64};
}

}  // namespace

std::string to_text(const fingerprint& print) {
  return fmt::format("{:016x}{:016x}", print.high, print.low);
}

std::optional<fingerprint> parse_fingerprint(std::string_view text) {
  constexpr std::size_t half = 16;
  if (text.size() != 2 * half) return std::nullopt;
  const auto reads = [](std::string_view digits, std::uint64_t& into) {
    const char* const end = digits.data() + digits.size();
    const auto [stopped, failed] = std::from_chars(digits.data(), end, into, 16);
    return failed == std::errc{} && stopped == end;
  };
  fingerprint print;
  if (!reads(text.substr(0, half), print.high) || !reads(text.substr(half), print.low)) {
    return std::nullopt;
  }
  return print;
}

fingerprint fingerprint_of(std::string_view rule, std::span<const key_part> key) {
  key_bytes bytes;
  // A name is never NULL, also when its view is of nothing.
  bytes.add_text(rule.data() == nullptr ? std::string_view{""} : rule);
  for (const key_part& part : key) {
    bytes.add_text(part.name);
    bytes.add_text(part.value);
  }
  return hash(bytes);
}

fingerprint alert_id_of(const fingerprint& print, std::string_view revision,
                        std::int64_t first_event_ms, std::uint64_t first_event_position) {
  key_bytes bytes;
  bytes.add_integer(print.low);
  bytes.add_integer(print.high);
  bytes.add_text(revision.data() == nullptr ? std::string_view{""} : revision);
  bytes.add_integer(static_cast<std::uint64_t>(first_event_ms));
  bytes.add_integer(first_event_position);
  return hash(bytes);
}

}  // namespace tocsin
