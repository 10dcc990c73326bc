// SPDX-License-Identifier: Apache-2.0
// Sessions and their thread, over Boost.Beast.
#include "io/http_server.hpp"

// Boost.Asio 1.74 uses std::exchange under C++20 and does not include it.
#include <utility>

#if defined(__GNUC__) && !defined(__clang__)
// Asio's fences mean nothing to g++'s thread sanitizer, and its mutexes do.
#pragma GCC diagnostic ignored "-Wtsan"
#endif

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <chrono>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "io/json_line.hpp"
#include "io/utf8.hpp"

namespace tocsin {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

/// How much of a stranger's text an error message repeats.
constexpr std::size_t quoted_bytes_max = 100;
/// After a failed accept (no file descriptor is free, say): how long until the
/// next.
constexpr std::chrono::milliseconds accept_pause{100};
/// When stopping: how long answers under way have.
constexpr std::chrono::seconds stop_grace{1};
/// Read at once of what a client still sends after its last answer.
constexpr std::size_t discard_bytes = 4096;

http_response answer_from(const std::vector<http_route>& routes, const http_request& request) {
  std::string allowed;
  for (const http_route& route : routes) {
    if (route.path != request.path) continue;
    if (route.method == request.method) return route.answer(request);
    allowed += (allowed.empty() ? "" : ", ") + route.method;
    if (route.method == "GET") allowed += ", HEAD";
  }
  if (allowed.empty()) {
    return http_failure(
        404, "not_found",
        fmt::format("there is nothing at {}", printable(request.path, quoted_bytes_max)));
  }
  auto refused = http_failure(405, "method_not_allowed",
                              fmt::format("{} takes {}, not {}", request.path, allowed,
                                          printable(request.method, quoted_bytes_max)));
  refused.headers.emplace_back("Allow", allowed);
  return refused;
}

class session;

/// What the sessions share; all on the server's thread.
struct session_book {
  std::vector<http_route> routes;
  http_limits limits;
  std::set<session*> open;
  std::function<void()> one_ended;
  std::size_t unsent_bytes = 0;
  bool stopping = false;

  http_response answer(const http_request& request) const;
};

http_response session_book::answer(const http_request& request) const {
  if (unsent_bytes >= limits.unsent_bytes) {
    return http_failure(
        503, "busy",
        fmt::format("{} bytes of other answers are on their way; try again later", unsent_bytes));
  }
  try {
    return answer_from(routes, request);
  } catch (const std::exception& failure) {
    return http_failure(500, "internal_error", failure.what());
  }
}

/// One connection: reads a request, answers it, reads the next. Kept alive by
/// the operation that it waits for.
class session : public std::enable_shared_from_this<session> {
 public:
  session(tcp::socket socket, session_book& book) : stream_(std::move(socket)), book_(&book) {
    book_->open.insert(this);
  }
  ~session() {
    book_->unsent_bytes -= unsent_bytes_;
    book_->open.erase(this);
    book_->one_ended();
  }
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  void read();
  /// Ends what it waits for, and so the session.
  void close() { stream_.close(); }
  [[nodiscard]] bool answering() const noexcept { return response_.has_value(); }

 private:
  void on_read(error_code failed);
  void refuse(error_code why);
  void serve();
  void send(http_response answer, bool head_only, bool keep_alive);
  void on_sent(error_code failed);
  void part();
  void discard();

  beast::tcp_stream stream_;
  session_book* book_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  std::size_t unsent_bytes_ = 0;
};

void session::read() {
  parser_.emplace();
  parser_->header_limit(book_->limits.header_bytes);
  parser_->body_limit(book_->limits.body_bytes);
  stream_.expires_after(book_->limits.timeout);
  http::async_read(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](error_code failed, std::size_t) { self->on_read(failed); });
}

void session::on_read(error_code failed) {
  if (!failed) {
    serve();
  } else if (failed == http::error::end_of_stream) {
    part();
  } else if (failed.category() == make_error_code(http::error::bad_method).category() &&
             failed != http::error::partial_message) {
    refuse(failed);
  }
  // Else the client is gone, too slow, or the server stops: there is nobody to
  // answer.
}

void session::refuse(error_code why) {
  const http_limits& limits = book_->limits;
  if (why == http::error::header_limit) {
    send(http_failure(431, "header_too_large",
                      fmt::format("the request's headers exceed {} bytes", limits.header_bytes)),
         false, false);
  } else if (why == http::error::body_limit) {
    send(http_failure(413, "body_too_large",
                      fmt::format("the request's body exceeds {} bytes", limits.body_bytes)),
         false, false);
  } else {
    send(http_failure(400, "malformed",
                      fmt::format("this is not an HTTP/1.1 request: {}", why.message())),
         false, false);
  }
}

void session::serve() {
  auto request = parser_->release();
  if (request.version() >= 11 && request.count(http::field::host) != 1) {
    send(http_failure(400, "malformed", "an HTTP/1.1 request has one Host header"), false, false);
    return;
  }
  const bool head_only = request.method() == http::verb::head;
  const std::string target{request.target()};
  const auto question = std::min(target.find('?'), target.size());
  http_request asked;
  asked.method = head_only ? "GET" : std::string{request.method_string()};
  asked.path = target.substr(0, question);
  asked.query = target.substr(std::min(question + 1, target.size()));
  asked.body = std::move(request.body());
  send(book_->answer(asked), head_only, request.keep_alive() && !book_->stopping);
}

void session::send(http_response answer, bool head_only, bool keep_alive) {
  response_.emplace();
  response_->result(answer.status);
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  response_->set(http::field::date, fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(now)));
  response_->set(http::field::content_type, answer.content_type);
  // Alerts repeat what senders wrote: no browser shall take it for a page.
  response_->set("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : answer.headers) response_->set(name, value);
  response_->content_length(answer.body.size());
  response_->keep_alive(keep_alive);
  if (!head_only) response_->body() = std::move(answer.body);
  unsent_bytes_ = response_->body().size();
  book_->unsent_bytes += unsent_bytes_;
  stream_.expires_after(book_->limits.timeout);
  http::async_write(
      stream_, *response_,
      [self = shared_from_this()](error_code failed, std::size_t) { self->on_sent(failed); });
}

void session::on_sent(error_code failed) {
  book_->unsent_bytes -= std::exchange(unsent_bytes_, 0);
  const bool keep_alive = response_->keep_alive();
  response_.reset();
  if (failed || book_->stopping) return;
  if (keep_alive) {
    read();
  } else {
    part();
  }
}

/// Says that no more comes and waits until the client has gone, too: closing
/// with bytes unread would reset the connection, and the client might lose the
/// answer.
void session::part() {
  error_code gone;
  stream_.socket().shutdown(tcp::socket::shutdown_send, gone);
  if (gone) return;
  stream_.expires_after(book_->limits.timeout);
  discard();
}

void session::discard() {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(discard_bytes),
                          [self = shared_from_this()](error_code failed, std::size_t) {
                            if (!failed) self->discard();
                          });
}

/// The address in "HOST:PORT", or nothing.
std::optional<tcp::endpoint> endpoint_of(std::string_view listen) {
  const auto colon = listen.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = listen.substr(0, colon);
  const std::string_view port_text = listen.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  std::uint16_t port = 0;
  const auto [end, wrong] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  error_code failed;
  const auto address = asio::ip::make_address(std::string{host}, failed);
  if (failed || wrong != std::errc{} || end != port_text.data() + port_text.size()) {
    return std::nullopt;
  }
  return tcp::endpoint{address, port};
}

}  // namespace

struct http_server::thread_state {
  session_book book;
  asio::io_context context{1};
  tcp::acceptor acceptor{context};
  asio::steady_timer pause{context};  ///< until the next accept; when stopping, stop_grace
  bool accepting = false;
  std::string address;
  std::mutex joining;
  std::thread thread;

  error_code open(const tcp::endpoint& at);
  void accept_next();
  void end_sessions();
};

error_code http_server::thread_state::open(const tcp::endpoint& at) {
  error_code failed;
  acceptor.open(at.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address{true}, failed);
  if (!failed) acceptor.bind(at, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) return failed;
  const auto bound = acceptor.local_endpoint(failed);
  const auto host = bound.address().to_string();
  address = bound.address().is_v6() ? fmt::format("[{}]:{}", host, bound.port())
                                    : fmt::format("{}:{}", host, bound.port());
  return failed;
}

void http_server::thread_state::accept_next() {
  if (accepting || book.stopping || book.open.size() >= book.limits.connections) return;
  accepting = true;
  acceptor.async_accept([this](error_code failed, tcp::socket socket) {
    accepting = false;
    if (book.stopping) return;
    if (failed) {
      pause.expires_after(accept_pause);
      pause.async_wait([this](error_code cancelled) {
        if (!cancelled) accept_next();
      });
      return;
    }
    std::make_shared<session>(std::move(socket), book)->read();
    accept_next();
  });
}

void http_server::thread_state::end_sessions() {
  book.stopping = true;
  error_code ignored;
  acceptor.close(ignored);
  pause.cancel();
  if (book.open.empty()) return;
  for (session* each : book.open) {
    if (!each->answering()) each->close();
  }
  pause.expires_after(stop_grace);
  pause.async_wait([this](error_code cancelled) {
    if (cancelled) return;
    for (session* each : book.open) each->close();
  });
}

http_response http_failure(unsigned status, std::string_view code, std::string_view message) {
  json_line body;
  body.begin_object().key("code").text(code).key("message").text(message).end_object();
  return {status, "application/json", body.line(), {}};
}

http_server::http_server(std::unique_ptr<thread_state> started) : state_(std::move(started)) {}
http_server::~http_server() {
  stop();
}

result<std::unique_ptr<http_server>> http_server::start(const std::string& listen,
                                                        std::vector<http_route> routes,
                                                        http_limits limits) {
  const auto at = endpoint_of(listen);
  if (!at) {
    return error{"bad_endpoint",
                 fmt::format("'{}' is not an address for HTTP (wanted 127.0.0.1:PORT)", listen)};
  }
  auto started = std::make_unique<thread_state>();
  started->book.routes = std::move(routes);
  started->book.limits = limits;
  started->book.one_ended = [state = started.get()] {
    if (!state->book.stopping) {
      state->accept_next();
    } else if (state->book.open.empty()) {
      state->pause.cancel();
    }
  };
  if (const auto failed = started->open(*at)) {
    return error{"bind_failed",
                 fmt::format("cannot serve HTTP on {}: {}", listen, failed.message())};
  }
  started->accept_next();
  started->thread = std::thread{[state = started.get()] {
    ::pthread_setname_np(::pthread_self(), "http_server");
    state->context.run();
  }};
  return std::unique_ptr<http_server>{new http_server{std::move(started)}};
}

void http_server::stop() {
  const std::lock_guard one_at_a_time{state_->joining};
  if (!state_->thread.joinable()) return;
  asio::post(state_->context, [state = state_.get()] { state->end_sessions(); });
  state_->thread.join();
}

const std::string& http_server::address() const noexcept {
  return state_->address;
}

}  // namespace tocsin
