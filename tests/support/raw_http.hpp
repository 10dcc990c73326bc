// SPDX-License-Identifier: Apache-2.0
// A client that sends any bytes over TCP or TLS and reads answers of HTTP/1.1.
#pragma once

#include <map>
#include <memory>
#include <string>

namespace tocsin::testing {

struct raw_answer {
  unsigned status = 0;                         ///< 0: the connection ended without an answer
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

/// One connection. Everything waits; what fails throws std::runtime_error.
class raw_http {
 public:
  enum class transport { plain, tls };
  /// `address`: 127.0.0.1:PORT. With TLS it does the handshake and trusts anybody.
  explicit raw_http(const std::string& address, transport over = transport::plain);
  ~raw_http();
  raw_http(const raw_http&) = delete;
  raw_http& operator=(const raw_http&) = delete;

  void send(const std::string& bytes);
  [[nodiscard]] raw_answer read();
  /// A request without a body, with Host 127.0.0.1 when `headers` (lines that end in \r\n) has
  /// none.
  [[nodiscard]] raw_answer ask(const std::string& method, const std::string& target,
                               const std::string& headers = "");
  /// What comes until the server ends the connection.
  [[nodiscard]] std::string rest();
  /// "TLSv1.3"; "" without TLS.
  [[nodiscard]] std::string version() const;

 private:
  struct connection;
  std::unique_ptr<connection> connection_;
};

}  // namespace tocsin::testing
