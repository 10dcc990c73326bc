// SPDX-License-Identifier: Apache-2.0
// The words for refusals.
#include "io/http_refusals.hpp"

namespace tocsin {

std::string_view to_text(http_refusal why) noexcept {
  static constexpr std::array<std::string_view, all_http_refusals.size()> words{
      "connections",    "tls_handshake", "timeout",      "malformed", "header_too_large",
      "body_too_large", "unknown_host",  "unauthorized", "forbidden", "busy"};
  return words[static_cast<std::size_t>(why)];
}

}  // namespace tocsin
