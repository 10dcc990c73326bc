// SPDX-License-Identifier: Apache-2.0
// Texts of values: cut, hashed, measured. XXH3 is compiled in, as texts are short.
#define XXH_INLINE_ALL
#include "core/value_text.hpp"

#include <xxhash.h>

namespace tocsin {

std::string_view text_of(const value& seen, std::string& scratch) {
  if (seen.type == value_type::text) return seen.text;
  scratch = seen.to_text();
  return scratch;
}

std::string_view cut_text(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

std::uint64_t text_hash(std::string_view text) noexcept {
  return XXH3_64bits(text.data(), text.size());
}

std::size_t heap_bytes_of(const std::string& text) noexcept {
  static const std::size_t inside = std::string{}.capacity();
  return text.capacity() > inside ? text.capacity() + 1 : 0;
}

}  // namespace tocsin
