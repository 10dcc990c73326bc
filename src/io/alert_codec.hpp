// SPDX-License-Identifier: Apache-2.0
// The alert map (docs/stream.md) in msgpack and JSON, and the stream's headers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tocsin/alert.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// The header of a stream message.
struct stream_header {
  std::string stream;       ///< the stream's name, constant for a daemon's data
  std::uint64_t epoch = 0;  ///< changes when `seq` begins anew
  std::uint64_t seq = 0;    ///< of this transition; of the last one in a heartbeat
  std::string kind;         ///< "transition" or "heartbeat"
};

[[nodiscard]] std::string encode_alert_msgpack(const alert& of);
/// One line, no newline; keys in the order of the docs.
[[nodiscard]] std::string encode_alert_json(const alert& of);
[[nodiscard]] std::string encode_header(const stream_header& header);
[[nodiscard]] result<stream_header> decode_header(std::string_view bytes);
/// Any msgpack map as one line of JSON (non-UTF-8 bytes replaced; keys that are no texts as the
/// text of their JSON); errors: malformed, which a key that is a list or a map is, too.
[[nodiscard]] result<std::string> msgpack_to_json(std::string_view bytes);
/// "alert.<severity>.<rule>".
[[nodiscard]] std::string topic_of(const alert& of);

}  // namespace tocsin
