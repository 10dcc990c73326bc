// SPDX-License-Identifier: Apache-2.0
// One connection of the HTTP server, and what its connections share. Only for http_server.cpp.
#pragma once

// Boost.Asio 1.74 uses std::exchange under C++20 and does not include it.
#include <utility>

#if defined(__GNUC__) && !defined(__clang__)
// Asio's fences mean nothing to g++'s thread sanitizer, and its mutexes do.
#pragma GCC diagnostic ignored "-Wtsan"
#endif

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "io/http_guard.hpp"
#include "io/http_routing.hpp"
#include "io/http_server.hpp"
#include "io/http_stream.hpp"
#include "io/http_workers.hpp"

namespace tocsin::http_serving {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

class session;

/// How an answer finds its way from a worker to the sockets' thread, while there is one.
struct return_path {
  std::mutex guard;
  asio::io_context* context = nullptr;  ///< null: the server has ended

  template <class Handler>
  void post(Handler handler) {
    const std::lock_guard lock{guard};
    if (context) asio::post(*context, std::move(handler));
  }
};

/// What the sessions share; all on the sockets' thread, but `routes`, which nobody changes.
struct session_book {
  std::shared_ptr<const std::vector<http_route>> routes;
  http_limits limits;
  std::shared_ptr<http_refusals> refusals;
  std::optional<http_gate> gate;  ///< there once the address is bound
  std::set<session*> open;
  /// Sessions whose answers are being made, by a number of the request.
  std::map<std::uint64_t, std::shared_ptr<session>> asked;
  std::uint64_t requests = 0;
  std::function<void()> one_ended;
  std::size_t unsent_bytes = 0;
  bool stopping = false;
  std::shared_ptr<return_path> back = std::make_shared<return_path>();
  std::unique_ptr<http_workers> workers;

  void ask(std::shared_ptr<session> from, const http_route& route, http_request request);
};

/// One connection: reads a request, answers it, reads the next. Kept alive by
/// the operation that it waits for.
class session : public std::enable_shared_from_this<session> {
 public:
  session(std::unique_ptr<http_stream> stream, session_book& book);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  /// The handshake, when there is one, then requests.
  void open();
  /// Ends what it waits for, and so the session.
  void close() { stream_->connection().close(); }
  [[nodiscard]] bool answering() const noexcept { return asked_ || response_.has_value(); }
  void answer(http_response made);

 private:
  void read();
  void on_header(error_code failed);
  void on_body(error_code failed);
  void on_failure(error_code failed);
  void refuse(error_code why);
  void refuse(unsigned status, http_refusal why, std::string_view message);
  [[nodiscard]] bool knows_host();
  [[nodiscard]] bool admits(std::string_view method);
  void choose();
  void take_body();
  void deny(unsigned status, http_refusal why, std::string_view message);
  void read_body();
  void invite_body();
  void serve();
  void send(http_response answer, bool keep_alive);
  void on_sent(error_code failed);
  void part();
  void expect_within_limit();
  void discard();

  std::unique_ptr<http_stream> stream_;
  session_book* book_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  route_choice choice_;
  std::string caller_;  ///< whose token came with the request
  std::uint64_t body_bytes_max_ = 0;
  bool head_only_ = false;
  bool keep_alive_ = false;
  bool asked_ = false;
  std::size_t unsent_bytes_ = 0;
};

}  // namespace tocsin::http_serving
