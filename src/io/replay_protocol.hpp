// SPDX-License-Identifier: Apache-2.0
// The maps of the replay socket (docs/stream.md, "What was missed"): requests, places, refusals.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "io/stream_message.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

// First frames of an answer's messages that are no transitions.
inline constexpr std::string_view replay_snapshot = "snapshot";
inline constexpr std::string_view replay_end = "end";
inline constexpr std::string_view replay_error = "error";

/// Bytes of the longest request.
inline constexpr std::size_t replay_request_bytes_max = 64 * 1024;
/// Bytes of the longest prefix.
inline constexpr std::size_t replay_prefix_bytes_max = 256;

/// Asks for what came after `since` under topics that begin with `prefix`.
struct replay_request {
  std::uint64_t since = 0;
  std::string prefix;
  std::optional<std::uint64_t> epoch;  ///< the numbering that `since` is of
};

/// Why a request got no answer, or not all of it.
struct replay_refusal {
  std::string code;
  std::string message;
};

[[nodiscard]] std::string encode_replay_request(const replay_request& request);
[[nodiscard]] std::string encode_position(const stream_position& position);
[[nodiscard]] std::string encode_refusal(std::string_view code, std::string_view message);

// Errors of all: malformed, with what was seen and wanted.
[[nodiscard]] result<replay_request> decode_replay_request(std::string_view bytes);
[[nodiscard]] result<stream_position> decode_position(std::string_view bytes);
[[nodiscard]] result<replay_refusal> decode_refusal(std::string_view bytes);

}  // namespace tocsin
