// SPDX-License-Identifier: Apache-2.0
// The listening socket, the sockets' thread, and how it ends.
#include "io/http_server.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "io/http_guard.hpp"
#include "io/http_session.hpp"
#include "io/http_tls.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/steady_timer.hpp>

namespace tocsin {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using http_serving::session;

/// After a failed accept (no file descriptor is free, say): how long until the
/// next.
constexpr std::chrono::milliseconds accept_pause{100};
/// When stopping: how long answers under way have.
constexpr std::chrono::seconds stop_grace{1};
constexpr std::size_t workers_max = 64;

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
  std::shared_ptr<tls_identity> tls;  ///< before the sessions, which use it
  http_serving::session_book book;
  asio::io_context context{1};
  /// While all connections wait for their answers nothing else keeps the thread.
  asio::executor_work_guard<asio::io_context::executor_type> serving{context.get_executor()};
  tcp::acceptor acceptor{context};
  asio::steady_timer pause{context};  ///< until the next accept; when stopping, stop_grace
  std::string address;
  std::mutex joining;
  std::thread thread;

  error_code open(const tcp::endpoint& at);
  void accept_next();
  void take(tcp::socket socket);
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
  if (book.stopping) return;
  acceptor.async_accept([this](error_code failed, tcp::socket socket) {
    if (book.stopping) return;
    if (failed) {
      pause.expires_after(accept_pause);
      pause.async_wait([this](error_code cancelled) {
        if (!cancelled) accept_next();
      });
      return;
    }
    take(std::move(socket));
    accept_next();
  });
}

void http_server::thread_state::take(tcp::socket socket) {
  // To let it wait would hold a file descriptor or a place in the system's queue for it.
  if (book.open.size() >= book.limits.connections) {
    book.refusals->count(http_refusal::connections);
    return;
  }
  std::make_shared<session>(tls ? http_serving::tls_stream(std::move(socket), *tls)
                                : http_serving::plain_stream(std::move(socket)),
                            book)
      ->open();
}

void http_server::thread_state::end_sessions() {
  book.stopping = true;
  error_code ignored;
  acceptor.close(ignored);
  pause.cancel();
  serving.reset();
  if (book.open.empty()) return;
  for (session* each : book.open) {
    if (!each->answering()) each->close();
  }
  pause.expires_after(stop_grace);
  pause.async_wait([this](error_code cancelled) {
    if (cancelled) return;
    for (session* each : book.open) each->close();
    // Nobody waits for these answers any longer.
    std::exchange(book.asked, {}).clear();
  });
}

http_server::http_server(std::unique_ptr<thread_state> started) : state_(std::move(started)) {}
http_server::~http_server() {
  stop();
}

result<std::unique_ptr<http_server>> http_server::start(const std::string& listen,
                                                        std::vector<http_route> routes,
                                                        http_limits limits) {
  return start(listen, std::move(routes), limits, http_guard{});
}

result<std::unique_ptr<http_server>> http_server::start(const std::string& listen,
                                                        std::vector<http_route> routes,
                                                        http_limits limits,
                                                        const http_guard& guard) {
  const auto at = endpoint_of(listen);
  if (!at) {
    return error{"bad_endpoint",
                 fmt::format("'{}' is not an address for HTTP (wanted 127.0.0.1:PORT)", listen)};
  }
  auto started = std::make_unique<thread_state>();
  started->book.routes = std::make_shared<const std::vector<http_route>>(std::move(routes));
  started->book.limits = limits;
  started->book.refusals = guard.refusals;
  started->tls = guard.tls;
  started->book.one_ended = [state = started.get()] {
    if (state->book.stopping && state->book.open.empty()) state->pause.cancel();
  };
  if (const auto failed = started->open(*at)) {
    return error{"bind_failed",
                 fmt::format("cannot serve HTTP on {}: {}", listen, failed.message())};
  }
  started->book.gate.emplace(guard, listen);
  started->book.back->context = &started->context;
  started->book.workers = std::make_unique<http_workers>(
      std::clamp<std::size_t>(limits.workers, 1, workers_max), "http_worker");
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
  const auto until = std::chrono::steady_clock::now() + stop_grace;
  asio::post(state_->context, [state = state_.get()] { state->end_sessions(); });
  state_->thread.join();
  {
    const std::lock_guard lock{state_->book.back->guard};
    state_->book.back->context = nullptr;
  }
  state_->book.workers->stop(until);
}

const std::string& http_server::address() const noexcept {
  return state_->address;
}

}  // namespace tocsin
