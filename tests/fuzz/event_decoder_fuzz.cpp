// SPDX-License-Identifier: Apache-2.0
// Any bytes as a message: event_decoder and its naive twin must accept and refuse the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/claim.hpp"
#include "support/reference_decoder.hpp"

namespace {

constexpr tocsin::instant arrived = tocsin::from_unix_ms(1'770'000'000'000);

/// Bounds that short inputs can reach.
tocsin::event_limits tight_limits() {
  tocsin::event_limits limits;
  limits.message_bytes = 512;
  limits.event_bytes = 96;
  limits.nesting = 2;
  limits.event_id_bytes = 6;
  limits.labels = 3;
  limits.label_name_bytes = 6;
  limits.value_bytes = 12;
  return limits;
}

void compare(std::string_view message, const tocsin::event_limits& limits) {
  using namespace tocsin::testing;
  const std::string seen =
      difference(decode(message, limits, arrived), reference_decode(message, limits, arrived));
  tocsin::fuzzing::claim(seen.empty(), "both decoders give the same", seen);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string message = tocsin::fuzzing::input_of(bytes, size);
  compare(message, tocsin::event_limits{});
  compare(message, tight_limits());
  return 0;
}
