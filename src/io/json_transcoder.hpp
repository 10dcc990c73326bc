// SPDX-License-Identifier: Apache-2.0
// Rewrites a JSON message, element by element, as msgpack, so that events are validated in one
// place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin {

/// The complete elements of a JSON message as msgpack, one behind the other, and how it ended.
struct transcoded_json {
  enum class ending : std::uint8_t { complete, malformed, trailing_bytes };
  std::string elements;
  std::uint32_t count = 0;
  ending end = ending::complete;
  std::string fault;  ///< for malformed: where and what, printable
};

/// Reads a message whose first character is '{' (one element) or '[' (a batch of elements). Keys
/// keep their order and repetitions. Containers are kept to a depth of `nesting` + 1 within an
/// element (so that a reader sees that they were too deep) and emptied below. Memory stays within
/// a small multiple of the message's.
[[nodiscard]] transcoded_json transcode_json(std::string_view message, std::size_t nesting);

}  // namespace tocsin
