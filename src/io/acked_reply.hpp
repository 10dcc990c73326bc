// SPDX-License-Identifier: Apache-2.0
// What a daemon answers to acknowledged events, as the map on the wire (docs/protocol.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/burst.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// Bytes that the id of a request may have; a longer one is a bad_request.
inline constexpr std::size_t acked_id_bytes_max = 128;

enum class acked_status : std::uint8_t {
  ok,     ///< what was accepted or a duplicate is the daemon's, for good where it has a log
  retry,  ///< nothing is known to last: to be sent again, not before retry_after
  reject  ///< every event was rejected, or the request could not be read
};

[[nodiscard]] std::string_view to_text(acked_status status) noexcept;

struct acked_reply {
  struct refusal {
    std::uint32_t index = 0;  ///< in the request's batch; 0 for a single event
    std::string code;
    std::string message;
  };
  acked_status status = acked_status::ok;
  std::uint64_t accepted = 0;
  std::uint64_t duplicate = 0;
  std::vector<refusal> rejected;
  duration retry_after{};
};

/// What an outcome means to its sender: retry as it says; reject when there is nothing in it but
/// rejections; else ok.
[[nodiscard]] acked_status status_of(const burst_outcome& outcome) noexcept;

[[nodiscard]] std::string encode_acked_reply(const burst_outcome& outcome);
/// Errors: malformed.
[[nodiscard]] result<acked_reply> decode_acked_reply(std::string_view map);

}  // namespace tocsin
