// SPDX-License-Identifier: Apache-2.0
// A small HTTP/1.1 server: one thread for the sockets, a few that answer, bounded in everything,
// answers from a table of routes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

struct http_request {
  std::string method;  ///< "GET", "POST", ...; HEAD comes as the GET that it stands for
  std::string path;    ///< as sent, not decoded, without the query: "/metrics"
  std::string query;   ///< what follows the '?', as sent; "" when nothing does
  std::string body;
  std::string content_type;  ///< as sent; "" when it was not
  std::string caller;        ///< the name of the token that came with it; "" when nobody is asked
  /// What stood for the `{name}` parts of the route's path, percent-decoded.
  std::vector<std::pair<std::string, std::string>> captured;

  /// One of `captured`; "" when there is none of that name.
  [[nodiscard]] std::string_view part(std::string_view name) const noexcept;
  /// The values of a query parameter, decoded (%XX, + is a space), in their order.
  [[nodiscard]] std::vector<std::string> values(std::string_view name) const;
};

struct http_response {
  unsigned status = 200;
  std::string content_type = "application/json";  ///< "": not said
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  ///< beside Content-Type and -Length
};

/// An answer that says what went wrong: {"code": "...", "message": "..."}.
[[nodiscard]] http_response http_failure(unsigned status, std::string_view code,
                                         std::string_view message);

/// Who answers a method at a path. Called on one of the server's worker threads, several at a time.
/// What it throws becomes a 500.
struct http_route {
  std::string method;
  std::string path;  ///< a part may be `{name}`, which takes any text that is not empty
  std::function<http_response(const http_request&)> answer;
  std::uint64_t body_bytes = 64 * 1024;  ///< a request's body; more: 413
};

struct http_limits {
  std::uint32_t header_bytes = 8 * 1024;  ///< a request's line and headers; more: 431
  std::size_t workers = 4;                ///< answers made at once, 1 to 64
  std::size_t connections = 256;          ///< at once; further ones are closed at once
  /// Answers on their way, of all connections together; while there are as
  /// many: 503.
  std::size_t unsent_bytes = 64 * 1024 * 1024;
  /// For a TLS handshake, for a request to come whole, the idle time before it included, and for
  /// its answer to be taken; then the connection is closed.
  duration timeout = std::chrono::seconds{10};
};

struct http_guard;

/// A path without a route is 404, a method without one at a path that has others 405. Of several
/// routes that fit the one with the fewest `{name}` parts answers.
class http_server {
 public:
  /// Binds and starts the threads. `listen` is HOST:PORT, HOST an address ([...]
  /// for IPv6) or localhost (127.0.0.1), PORT 0 for any. Errors: bad_endpoint,
  /// bind_failed.
  [[nodiscard]] static result<std::unique_ptr<http_server>> start(const std::string& listen,
                                                                  std::vector<http_route> routes,
                                                                  http_limits limits,
                                                                  const http_guard& guard);
  /// The same with a guard that lets everybody in who names a loopback host.
  [[nodiscard]] static result<std::unique_ptr<http_server>> start(const std::string& listen,
                                                                  std::vector<http_route> routes,
                                                                  http_limits limits = {});
  ~http_server();  ///< stops

  /// Takes no more requests; answers under way have 1 s to be made and to leave. One that is not
  /// made by then is left behind with its thread and its route: what that refers to must outlive
  /// it. Idempotent.
  void stop();

  /// HOST:PORT as bound.
  [[nodiscard]] const std::string& address() const noexcept;

 private:
  struct thread_state;
  explicit http_server(std::unique_ptr<thread_state> started);
  std::unique_ptr<thread_state> state_;
};

}  // namespace tocsin
