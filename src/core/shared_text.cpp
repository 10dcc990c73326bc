// SPDX-License-Identifier: Apache-2.0
// Keeps the characters of a shared text behind the number of its holders, in one piece of memory.
#include "tocsin/shared_text.hpp"

#include <cassert>
#include <cstring>
#include <limits>
#include <new>
#include <ostream>

namespace tocsin {

shared_text::characters* shared_text::make(std::string_view text) {
  assert(text.size() <= std::numeric_limits<std::uint32_t>::max());
  void* const place = ::operator new(sizeof(characters) + text.size());
  auto* const made = new (place) characters{{1}, static_cast<std::uint32_t>(text.size())};
  std::memcpy(static_cast<char*>(place) + sizeof(characters), text.data(), text.size());
  return made;
}

void shared_text::destroy(characters* gone) noexcept {
  gone->~characters();
  ::operator delete(gone);
}

std::ostream& operator<<(std::ostream& into, const shared_text& text) {
  return into << text.view();
}

}  // namespace tocsin
