// SPDX-License-Identifier: Apache-2.0
// What a fuzz target says must be so, and the bytes it is given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace tocsin::fuzzing {

/// Ends the process, which is a find, when `holds` is false. `about` is shown beside the claim.
inline void claim(bool holds, const char* what, std::string_view about = {}) {
  if (holds) return;
  std::fprintf(stderr, "this is not so: %s: %s\n", what, std::string{about}.c_str());
  std::abort();
}

/// A copy of exact size, so that the address sanitizer sees a read behind the end.
inline std::string input_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace tocsin::fuzzing
