// SPDX-License-Identifier: Apache-2.0
// Counts what the HTTP server did not take, by reason.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin {

/// Why a connection or request was not served. Those that are answered have the code of the answer.
enum class http_refusal {
  connections,       ///< as many connections as there may be were open: closed at once
  tls_handshake,     ///< failed, or not done in time
  timeout,           ///< a request began and did not come whole in time
  malformed,         ///< 400
  header_too_large,  ///< 431
  body_too_large,    ///< 413
  unknown_host,      ///< 421
  unauthorized,      ///< 401
  forbidden,         ///< 403
  busy,              ///< 503: too much of other answers is on its way
};

inline constexpr std::array<http_refusal, 10> all_http_refusals{
    http_refusal::connections,  http_refusal::tls_handshake,    http_refusal::timeout,
    http_refusal::malformed,    http_refusal::header_too_large, http_refusal::body_too_large,
    http_refusal::unknown_host, http_refusal::unauthorized,     http_refusal::forbidden,
    http_refusal::busy};

/// "connections", "tls_handshake", ...
[[nodiscard]] std::string_view to_text(http_refusal why) noexcept;

/// From any thread.
class http_refusals {
 public:
  void count(http_refusal why) noexcept { ++counts_[static_cast<std::size_t>(why)]; }
  [[nodiscard]] std::uint64_t of(http_refusal why) const noexcept {
    return counts_[static_cast<std::size_t>(why)];
  }

 private:
  std::array<std::atomic<std::uint64_t>, all_http_refusals.size()> counts_{};
};

}  // namespace tocsin
