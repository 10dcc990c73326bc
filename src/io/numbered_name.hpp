// SPDX-License-Identifier: Apache-2.0
// Names of files that are told apart, and sorted, by a number. Private to src/io.
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace tocsin {

/// 20 digits and the suffix.
[[nodiscard]] inline std::string numbered_name(std::uint64_t number, std::string_view suffix) {
  return fmt::format("{:020}{}", number, suffix);
}

/// Nothing for the name of another file.
[[nodiscard]] inline std::optional<std::uint64_t> number_in_name(std::string_view name,
                                                                 std::string_view suffix) {
  constexpr std::size_t digits = 20;
  if (name.size() != digits + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  std::uint64_t number = 0;
  const char* const end = name.data() + digits;
  const auto read = std::from_chars(name.data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return number;
}

}  // namespace tocsin
