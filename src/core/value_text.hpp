// SPDX-License-Identifier: Apache-2.0
// The one text of a value, by which aggregates tell values apart and name them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tocsin/expression.hpp"

namespace tocsin {

/// The value's text (value::to_text): the text "1", the integer 1 and the number 1 have the same.
/// A text is not copied; what is not one is written into `scratch`.
[[nodiscard]] std::string_view text_of(const value& seen, std::string& scratch);

/// The text itself, or its beginning of at most `bytes_max` bytes, cut between characters of UTF-8.
[[nodiscard]] std::string_view cut_text(std::string_view text, std::size_t bytes_max) noexcept;

/// XXH3-64, seed 0. Two different texts share one with a chance of 2^-64.
[[nodiscard]] std::uint64_t text_hash(std::string_view text) noexcept;

/// Bytes the string holds on the heap; a short one lies in the string itself.
[[nodiscard]] std::size_t heap_bytes_of(const std::string& text) noexcept;

/// Longest text, in bytes, that top, collect and merge_labels keep of a value.
inline constexpr std::size_t shown_text_bytes = 128;

}  // namespace tocsin
