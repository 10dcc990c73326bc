// SPDX-License-Identifier: Apache-2.0
// Whether bytes are UTF-8, fast for ASCII, and texts of strangers made fit for an error message.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tocsin {

/// The general check behind valid_utf8: no overlong forms, no surrogates, nothing beyond U+10FFFF
/// (Unicode 15, table 3-7).
[[nodiscard]] bool valid_multibyte_utf8(std::string_view text) noexcept;

/// True when no byte of `text` has its high bit set.
[[nodiscard]] inline bool is_ascii(std::string_view text) noexcept {
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  const char* at = text.data();
  std::size_t left = text.size();
  const auto load8 = [](const char* from) {
    std::uint64_t word;
    std::memcpy(&word, from, sizeof word);
    return word;
  };
  const auto load4 = [](const char* from) {
    std::uint32_t word;
    std::memcpy(&word, from, sizeof word);
    return std::uint64_t{word};
  };
  if (left < 4) {
    if (left == 0) return true;
    // First, middle and last byte are all there is.
    return ((at[0] | at[left / 2] | at[left - 1]) & 0x80) == 0;
  }
  if (left < 8) return ((load4(at) | load4(at + left - 4)) & high_bits) == 0;
  std::uint64_t seen = load8(at + left - 8);
  for (; left > 8; at += 8, left -= 8) seen |= load8(at);
  return (seen & high_bits) == 0;
}

[[nodiscard]] inline bool valid_utf8(std::string_view text) noexcept {
  return is_ascii(text) || valid_multibyte_utf8(text);
}

/// `text` cut to about `bytes_max` bytes ("..." marks the cut), control characters and what is not
/// UTF-8 replaced by '?'.
[[nodiscard]] std::string printable(std::string_view text, std::size_t bytes_max);

}  // namespace tocsin
