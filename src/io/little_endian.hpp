// SPDX-License-Identifier: Apache-2.0
// Whole numbers of a fixed size as files hold them: the low byte first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin {

/// Writes the `count` low bytes of `number`. For signal handlers, too.
inline void write_number(char* to, std::uint64_t number, std::size_t count = 8) noexcept {
  for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<char>(number >> (8 * i));
}

/// Appends the `count` low bytes of `number`.
inline void put_number(std::string& into, std::uint64_t number, std::size_t count = 8) {
  into.resize(into.size() + count);
  write_number(into.data() + into.size() - count, number, count);
}

/// The number in `count` bytes from byte `at` on. Precondition: they are there.
[[nodiscard]] inline std::uint64_t number_at(std::string_view bytes, std::size_t at,
                                             std::size_t count = 8) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i)
    number |= std::uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  return number;
}

}  // namespace tocsin
