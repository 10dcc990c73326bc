// SPDX-License-Identifier: Apache-2.0
// A name that was given, and the one that was proved.
#include "io/http_actor.hpp"

#include <fmt/format.h>

namespace tocsin {

std::string actor_of(std::string_view caller, std::string given) {
  if (caller.empty()) return given;
  if (given.empty()) return std::string{caller};
  const auto proved = fmt::format(" (via {})", caller);
  if (given == caller || given.ends_with(proved)) return given;
  return given + proved;
}

}  // namespace tocsin
