// SPDX-License-Identifier: Apache-2.0
// Whole numbers in as few bytes as they need: 7 bits a byte, the low ones first (LEB128).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tocsin {

/// Bytes that `number` takes: 1 below 128, 2 below 16,384, at most 10.
[[nodiscard]] constexpr std::size_t varint_bytes(std::uint64_t number) noexcept {
  std::size_t bytes = 1;
  for (; number >= 0x80; number >>= 7) ++bytes;
  return bytes;
}

/// Writes varint_bytes(number) bytes and gives the place behind them.
inline char* write_varint(char* to, std::uint64_t number) noexcept {
  for (; number >= 0x80; number >>= 7) *to++ = static_cast<char>(number | 0x80);
  *to++ = static_cast<char>(number);
  return to;
}

/// Small numbers of either sign as small numbers: 0, -1, 1, -2 -> 0, 1, 2, 3.
[[nodiscard]] constexpr std::uint64_t zigzag_of(std::uint64_t number) noexcept {
  return (number << 1U) ^ (number >> 63U != 0 ? ~std::uint64_t{0} : 0);
}
[[nodiscard]] constexpr std::uint64_t number_of_zigzag(std::uint64_t zigzag) noexcept {
  return (zigzag >> 1U) ^ ((zigzag & 1U) != 0 ? ~std::uint64_t{0} : 0);
}

/// Takes a number off the front; what is cut short reads as what is there.
[[nodiscard]] inline std::uint64_t take_varint(std::string_view& from) noexcept {
  std::uint64_t number = 0;
  for (unsigned shift = 0; !from.empty() && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(from.front());
    from.remove_prefix(1);
    number |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) break;
  }
  return number;
}

}  // namespace tocsin
