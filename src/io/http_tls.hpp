// SPDX-License-Identifier: Apache-2.0
// The server's certificate and key, and what of TLS it speaks. Only for http_*.cpp.
#pragma once

// Boost.Asio 1.74 uses std::exchange under C++20 and does not include it.
#include <utility>

#if defined(__GNUC__) && !defined(__clang__)
// Asio's fences mean nothing to g++'s thread sanitizer, and its mutexes do.
#pragma GCC diagnostic ignored "-Wtsan"
#endif

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "tocsin/result.hpp"

namespace tocsin {

/// TLS 1.2 and 1.3, forward secrecy and authenticated ciphers only, no renegotiation.
class tls_identity {
 public:
  /// Reads a certificate (PEM, the server's own first, then those that it is signed by) and its
  /// key (PEM, not encrypted). Null when something is wrong: `found` names the file and the reason.
  [[nodiscard]] static std::shared_ptr<tls_identity> load(const std::string& cert_file,
                                                          const std::string& key_file,
                                                          diagnostics& found);

  [[nodiscard]] boost::asio::ssl::context& context() noexcept { return context_; }

 private:
  tls_identity() : context_(boost::asio::ssl::context::tls_server) {}

  boost::asio::ssl::context context_;
};

}  // namespace tocsin
