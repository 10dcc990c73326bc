// SPDX-License-Identifier: Apache-2.0
// One thread that accepts, reads, answers and closes.
#include "support/webhook_receiver.hpp"

#if defined(__GNUC__) && !defined(__clang__)
// Asio's fences mean nothing to g++'s thread sanitizer, and its mutexes do.
#pragma GCC diagnostic ignored "-Wtsan"
#endif

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cctype>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace tocsin::testing {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

tcp::endpoint loopback(std::uint16_t port) {
  return {asio::ip::address_v4::loopback(), port};
}

std::string in_lower_case(std::string_view text) {
  std::string made;
  for (const char c : text) made += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return made;
}

}  // namespace

struct webhook_receiver::running {
  running(script answers, std::uint16_t port)
      : answer_to(std::move(answers)), acceptor(context, loopback(port)) {
    thread = std::thread([this] { serve(); });
  }

  ~running() {
    stopping = true;
    // Wakes the thread where it waits for a connection.
    asio::io_context own;
    tcp::socket last(own);
    boost::system::error_code ignored;
    last.connect(acceptor.local_endpoint(), ignored);
    thread.join();
  }

  void serve() {
    while (!stopping) {
      tcp::socket socket(context);
      boost::system::error_code failed;
      acceptor.accept(socket, failed);
      if (!failed && !stopping) answer_one(socket);
    }
  }

  void answer_one(tcp::socket& socket) {
    boost::beast::flat_buffer buffer;
    http::request_parser<http::string_body> parser;
    parser.body_limit(std::uint64_t{1} << 30);
    boost::system::error_code failed;
    http::read(socket, buffer, parser, failed);
    if (failed) return;
    const auto& message = parser.get();
    request made{
        std::string{message.method_string()}, std::string{message.target()}, message.body(), {}};
    for (const auto& field : message) {
      made.headers.emplace_back(
          in_lower_case({field.name_string().data(), field.name_string().size()}),
          std::string{field.value()});
    }
    std::size_t before = 0;
    {
      const std::scoped_lock lock(mutex);
      before = requests.size();
      requests.push_back(made);
    }
    came.notify_all();
    const answer given = answer_to ? answer_to(made, before) : answer{};
    http::response<http::string_body> response{static_cast<http::status>(given.status), 11};
    for (const auto& [name, value] : given.headers) response.set(name, value);
    response.body() = given.body;
    response.keep_alive(false);
    response.prepare_payload();
    http::write(socket, response, failed);  // who has gone away is not told
    socket.shutdown(tcp::socket::shutdown_both, failed);
  }

  const script answer_to;
  asio::io_context context;
  tcp::acceptor acceptor;
  std::atomic<bool> stopping{false};
  std::mutex mutex;
  std::condition_variable came;
  std::vector<request> requests;
  std::thread thread;
};

std::string webhook_receiver::request::header(const std::string& name) const {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const auto& each) { return each.first == name; });
  return found == headers.end() ? "" : found->second;
}

webhook_receiver::webhook_receiver(script answers, std::uint16_t port)
    : parts_(std::make_unique<running>(std::move(answers), port)) {}
webhook_receiver::~webhook_receiver() = default;

std::uint16_t webhook_receiver::port() const {
  return parts_->acceptor.local_endpoint().port();
}

std::string webhook_receiver::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port()) + path;
}

std::vector<webhook_receiver::request> webhook_receiver::requests() const {
  const std::scoped_lock lock(parts_->mutex);
  return parts_->requests;
}

bool webhook_receiver::wait_for_requests(std::size_t count) const {
  std::unique_lock lock(parts_->mutex);
  return parts_->came.wait_for(lock, std::chrono::seconds{20},
                               [&] { return parts_->requests.size() >= count; });
}

webhook_receiver::script answering(std::vector<unsigned> statuses) {
  return [statuses = std::move(statuses)](const webhook_receiver::request&, std::size_t before) {
    return webhook_receiver::answer{statuses[std::min(before, statuses.size() - 1)]};
  };
}

std::uint16_t port_without_listener() {
  asio::io_context context;
  const tcp::acceptor briefly(context, loopback(0));
  return briefly.local_endpoint().port();
}

}  // namespace tocsin::testing
