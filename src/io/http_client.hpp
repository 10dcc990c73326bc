// SPDX-License-Identifier: Apache-2.0
// Asks a daemon over HTTP.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

struct http_answer {
  long status = 0;
  std::string body;
};

/// "a=1&b=x%20y" of names and values.
[[nodiscard]] std::string query_text(
    const std::vector<std::pair<std::string, std::string>>& parameters);
/// One part of a path, with what has a meaning there encoded.
[[nodiscard]] std::string path_part(std::string_view text);

/// How a client proves who it is, and how it knows the daemon.
struct http_trust {
  std::string token;    ///< sent as bearer token; "": none
  std::string ca_file;  ///< certificates (PEM) that the daemon's must lead to; "": the system's
};

/// One connection, kept for the next request. Not thread-safe. Redirects are not followed; an
/// answer is at most 1 GiB.
class http_client {
 public:
  /// `address`: HOST:PORT or http://HOST:PORT, or https://HOST[:PORT], whose certificate is
  /// checked.
  explicit http_client(std::string_view address, duration timeout = std::chrono::seconds{60},
                       http_trust trust = {});
  ~http_client();
  http_client(http_client&&) noexcept;

  /// `target`: path and query. With a body the Content-Type is JSON. Errors: unreachable (nobody
  /// answers there, or not in time, or its certificate is not trusted: the address and the reason);
  /// token_in_the_clear (a token would leave this machine unencrypted: nothing is sent).
  [[nodiscard]] result<http_answer> ask(std::string_view method, std::string_view target,
                                        std::string_view body = "");

  [[nodiscard]] const std::string& address() const noexcept;

 private:
  struct connection;
  std::unique_ptr<connection> connection_;
};

}  // namespace tocsin
