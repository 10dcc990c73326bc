// SPDX-License-Identifier: Apache-2.0
// Reads requests and writes answers over Boost.Beast; answers are made by the workers.
#include "io/http_session.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "io/utf8.hpp"

namespace tocsin::http_serving {

namespace {

/// Read at once of what a client still sends after its last answer.
constexpr std::size_t discard_bytes = 4096;
/// How much of a stranger's text an error message repeats.
constexpr std::size_t quoted_bytes_max = 100;

http_response answer_of(const http_route& route, const http_request& request) noexcept try {
  return route.answer(request);
} catch (const std::exception& failure) {
  return http_failure(500, "internal_error", failure.what());
} catch (...) {
  return http_failure(500, "internal_error", "the answer failed");
}

}  // namespace

session::session(std::unique_ptr<http_stream> stream, session_book& book)
    : stream_(std::move(stream)), book_(&book) {
  book_->open.insert(this);
}

session::~session() {
  book_->unsent_bytes -= unsent_bytes_;
  book_->open.erase(this);
  book_->one_ended();
}

void session_book::ask(std::shared_ptr<session> from, const http_route& route,
                       http_request request) {
  const auto number = ++requests;
  asked.emplace(number, std::move(from));
  // A task that outlives the server holds nothing of it but the routes.
  workers->run([this, number, path = back, all = routes, &route, asks = std::move(request)] {
    path->post([this, number, made = answer_of(route, asks)]() mutable {
      const auto waiting = asked.extract(number);
      if (!waiting.empty()) waiting.mapped()->answer(std::move(made));
    });
  });
}

void session::expect_within_limit() {
  stream_->connection().expires_after(book_->limits.timeout);
}

void session::open() {
  expect_within_limit();
  stream_->open([self = shared_from_this()](error_code failed) {
    if (!failed) {
      self->read();
    } else if (!self->book_->stopping) {
      self->book_->refusals->count(http_refusal::tls_handshake);
    }
  });
}

void session::read() {
  parser_.emplace();
  parser_->header_limit(book_->limits.header_bytes);
  // Until the header says which route's bound it is.
  parser_->body_limit(std::numeric_limits<std::uint64_t>::max());
  expect_within_limit();
  http::async_read_header(
      *stream_, buffer_, *parser_,
      [self = shared_from_this()](error_code failed, std::size_t) { self->on_header(failed); });
}

void session::on_header(error_code failed) {
  if (failed) {
    on_failure(failed);
    return;
  }
  const auto& request = parser_->get();
  const auto hosts = request.count(http::field::host);
  head_only_ = request.method() == http::verb::head;
  keep_alive_ = request.keep_alive();
  if (hosts > 1 || (hosts == 0 && request.version() >= 11)) {
    refuse(400, http_refusal::malformed, "an HTTP/1.1 request has one Host header");
  } else if (hosts == 1 && !knows_host()) {
    deny(421, http_refusal::unknown_host,
         fmt::format("this is not {}: that name is not among http.hosts",
                     printable(std::string_view{request[http::field::host].data(),
                                                request[http::field::host].size()},
                               quoted_bytes_max)));
  } else {
    choose();
  }
}

void session::on_body(error_code failed) {
  if (failed) {
    on_failure(failed);
  } else {
    serve();
  }
}

void session::on_failure(error_code failed) {
  if (failed == http::error::end_of_stream) {
    part();
  } else if (failed.category() == make_error_code(http::error::bad_method).category() &&
             failed != http::error::partial_message) {
    refuse(failed);
  }
  if (failed == beast::error::timeout && parser_->got_some()) {
    book_->refusals->count(http_refusal::timeout);
  }
  // Else the client is gone, too slow, or the server stops: there is nobody to answer.
}

void session::refuse(error_code why) {
  if (why == http::error::header_limit) {
    refuse(431, http_refusal::header_too_large,
           fmt::format("the request's headers exceed {} bytes", book_->limits.header_bytes));
  } else if (why == http::error::body_limit) {
    refuse(413, http_refusal::body_too_large,
           fmt::format("the request's body exceeds {} bytes", body_bytes_max_));
  } else {
    refuse(400, http_refusal::malformed,
           fmt::format("this is not an HTTP/1.1 request: {}", why.message()));
  }
}

/// Answers before the request is read whole; what is left of it makes the connection useless.
void session::refuse(unsigned status, http_refusal why, std::string_view message) {
  head_only_ = false;
  keep_alive_ = false;
  deny(status, why, message);
}

/// Answers a request that may have come whole; then the connection goes on.
void session::deny(unsigned status, http_refusal why, std::string_view message) {
  book_->refusals->count(why);
  auto answer = http_failure(status, to_text(why), message);
  if (why == http_refusal::unauthorized) {
    answer.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"tocsin\"");
  }
  send(std::move(answer), keep_alive_ && parser_->is_done());
}

bool session::knows_host() {
  error_code gone;
  const auto local = stream_->connection().socket().local_endpoint(gone).address();
  const auto host = parser_->get()[http::field::host];
  std::string reached;
  if (local.is_v6() && local.to_v6().is_v4_mapped()) {
    reached = asio::ip::make_address_v4(asio::ip::v4_mapped, local.to_v6()).to_string();
  } else {
    reached = local.is_v6() ? fmt::format("[{}]", local.to_string()) : local.to_string();
  }
  return book_->gate->knows_host({host.data(), host.size()}, reached);
}

/// Whether whoever sent the request may have what it asks for; otherwise it is answered.
bool session::admits(std::string_view method) {
  const auto& request = parser_->get();
  std::optional<http_need> need;
  if (choice_.route != nullptr) need = need_of(method, choice_.route->path);
  // Two of them would leave it to chance whose word counts.
  const bool single = request.count(http::field::authorization) == 1;
  const auto sent = single ? request[http::field::authorization] : beast::string_view{};
  auto judged = book_->gate->admit({sent.data(), sent.size()}, need);
  caller_ = std::move(judged.caller);
  if (!judged.refused) return true;
  deny(judged.refused == http_refusal::forbidden ? 403 : 401, *judged.refused, judged.message);
  return false;
}

/// Finds the route, and with it who may take it and what the body may be.
void session::choose() {
  const auto& request = parser_->get();
  const std::string_view target{request.target().data(), request.target().size()};
  const std::string method{head_only_ ? "GET" : request.method_string()};
  choice_ = choose_route(*book_->routes, method, target.substr(0, target.find('?')));
  if (!admits(method)) return;
  if (!choice_.route) {
    send(std::move(choice_.refused), keep_alive_ && parser_->is_done());
    return;
  }
  take_body();
}

void session::take_body() {
  body_bytes_max_ = choice_.route->body_bytes;
  if (parser_->content_length().value_or(0) > body_bytes_max_) {
    refuse(http::error::body_limit);
    return;
  }
  parser_->body_limit(body_bytes_max_);
  if (parser_->is_done()) {
    serve();
  } else if (beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
    invite_body();
  } else {
    read_body();
  }
}

/// The client waits to be told that its body is welcome.
void session::invite_body() {
  static constexpr std::string_view welcome = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(*stream_, asio::buffer(welcome),
                    [self = shared_from_this()](error_code failed, std::size_t) {
                      if (!failed) self->read_body();
                    });
}

void session::read_body() {
  http::async_read(
      *stream_, buffer_, *parser_,
      [self = shared_from_this()](error_code failed, std::size_t) { self->on_body(failed); });
}

void session::serve() {
  if (book_->unsent_bytes >= book_->limits.unsent_bytes) {
    deny(503, http_refusal::busy,
         fmt::format("{} bytes of other answers are on their way; try again later",
                     book_->unsent_bytes));
    return;
  }
  auto request = parser_->release();
  const std::string target{request.target()};
  const auto question = std::min(target.find('?'), target.size());
  http_request asks;
  asks.method = head_only_ ? "GET" : std::string{request.method_string()};
  asks.path = target.substr(0, question);
  asks.query = target.substr(std::min(question + 1, target.size()));
  asks.body = std::move(request.body());
  asks.content_type = std::string{request[http::field::content_type]};
  asks.captured = std::move(choice_.captured);
  asks.caller = std::move(caller_);
  asked_ = true;
  book_->ask(shared_from_this(), *choice_.route, std::move(asks));
}

void session::answer(http_response made) {
  asked_ = false;
  send(std::move(made), keep_alive_);
}

void session::send(http_response answer, bool keep_alive) {
  response_.emplace();
  response_->result(answer.status);
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  response_->set(http::field::date, fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(now)));
  if (!answer.content_type.empty()) response_->set(http::field::content_type, answer.content_type);
  // Alerts repeat what senders wrote: no browser shall take it for a page.
  response_->set("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : answer.headers) response_->set(name, value);
  response_->content_length(answer.body.size());
  response_->keep_alive(keep_alive && !book_->stopping);
  if (!head_only_) response_->body() = std::move(answer.body);
  unsent_bytes_ = response_->body().size();
  book_->unsent_bytes += unsent_bytes_;
  expect_within_limit();
  http::async_write(
      *stream_, *response_,
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
  expect_within_limit();
  stream_->finish([self = shared_from_this()](error_code) {
    error_code gone;
    self->stream_->connection().socket().shutdown(tcp::socket::shutdown_send, gone);
    if (!gone) self->discard();
  });
}

void session::discard() {
  buffer_.clear();
  stream_->connection().async_read_some(
      buffer_.prepare(discard_bytes), [self = shared_from_this()](error_code failed, std::size_t) {
        if (!failed) self->discard();
      });
}

}  // namespace tocsin::http_serving
