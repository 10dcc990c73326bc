// SPDX-License-Identifier: Apache-2.0
// Who gets into the HTTP server: which names it answers to, whose tokens it knows, its TLS.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/http_file.hpp"
#include "io/http_refusals.hpp"
#include "io/http_role.hpp"
#include "io/token_book.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

class tls_identity;  // http_tls.hpp
struct http_response;

/// What protects a server. As it is made, nobody is asked who they are and nothing is encrypted.
struct http_guard {
  std::vector<std::string> hosts;      ///< http_settings::hosts
  std::shared_ptr<token_book> tokens;  ///< null: nobody is asked
  std::shared_ptr<tls_identity> tls;   ///< null: plain HTTP
  std::shared_ptr<http_refusals> refusals = std::make_shared<http_refusals>();  ///< never null
};

/// Reads the token file, the certificate and its key. What is wrong with any of them is reported,
/// by file; then the guard is not to be used.
[[nodiscard]] http_guard load_http_guard(const http_settings& from, diagnostics& found);

/// Decides on requests. One thread at a time.
class http_gate {
 public:
  /// `listen`: HOST:PORT as bound or as written.
  http_gate(const http_guard& guard, std::string_view listen);

  /// Whether a Host header names this server: localhost, 127.0.0.1, [::1], the listen address, the
  /// address `local` that the connection came to, or one of the guard's names; with any port. A web
  /// page whose own name was made to lead here (DNS rebinding) has another.
  [[nodiscard]] bool knows_host(std::string_view header, std::string_view local) const;

  struct admission {
    std::string caller;  ///< the token's name; "" when nobody is asked
    std::optional<http_refusal> refused;
    std::string message;  ///< of a refusal
  };
  /// `authorization`: the header of that name, "" when there is none. `need`: nothing for a path
  /// that has no route: any token may learn that. What was sent is never repeated.
  [[nodiscard]] admission admit(std::string_view authorization,
                                std::optional<http_need> need) const;

 private:
  std::shared_ptr<token_book> tokens_;
  std::vector<std::string> hosts_;  ///< in lower case
};

}  // namespace tocsin
