// SPDX-License-Identifier: Apache-2.0
// The words for refusals, and their metric.
#include "io/http_refusals.hpp"

#include <fmt/format.h>

namespace tocsin {

std::string_view to_text(http_refusal why) noexcept {
  static constexpr std::array<std::string_view, all_http_refusals.size()> words{
      "connections",    "tls_handshake", "timeout",      "malformed", "header_too_large",
      "body_too_large", "unknown_host",  "unauthorized", "forbidden", "busy"};
  return words[static_cast<std::size_t>(why)];
}

std::string http_refusals::metrics() const {
  std::string page =
      "# HELP tocsin_http_refused_total HTTP connections and requests refused, by reason.\n"
      "# TYPE tocsin_http_refused_total counter\n";
  for (const http_refusal why : all_http_refusals) {
    page += fmt::format("tocsin_http_refused_total{{reason=\"{}\"}} {}\n", to_text(why), of(why));
  }
  return page;
}

}  // namespace tocsin
