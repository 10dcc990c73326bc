// SPDX-License-Identifier: Apache-2.0
// The HTTP server over real sockets: routes, errors, keep-alive, every bound, stopping.
#include "io/http_server.hpp"

// Boost.Asio 1.74 uses std::exchange under C++20 and does not include it.
#include <utility>

#if defined(__GNUC__) && !defined(__clang__)
// Asio's fences mean nothing to g++'s thread sanitizer, and its mutexes do.
#pragma GCC diagnostic ignored "-Wtsan"
#endif

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using answer = http::response<http::string_body>;

/// One connection of a client that does one thing after the other.
class client {
 public:
  explicit client(const std::string& address) {
    const auto colon = address.rfind(':');
    const auto port = static_cast<unsigned short>(std::stoi(address.substr(colon + 1)));
    socket_.connect({asio::ip::make_address(address.substr(0, colon)), port});
  }
  void send(const std::string& bytes) { asio::write(socket_, asio::buffer(bytes)); }
  answer read(bool to_head = false) {
    http::response_parser<http::string_body> parser;
    parser.body_limit(1 << 30);
    parser.skip(to_head);
    http::read(socket_, buffer_, parser);
    return parser.release();
  }
  answer ask(const std::string& method, const std::string& target, const std::string& more = "") {
    send(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n");
    return read(method == "HEAD");
  }
  /// What comes until the server ends the connection.
  std::string rest() {
    std::string bytes;
    boost::system::error_code ended;
    asio::read(socket_, asio::dynamic_buffer(bytes), ended);
    EXPECT_EQ(ended, asio::error::eof) << ended.message();
    return bytes;
  }
  /// The answer's status; nothing when the connection ends before it.
  std::optional<unsigned> status_of(const std::string& bytes) {
    boost::system::error_code failed;
    asio::write(socket_, asio::buffer(bytes), failed);
    http::response_parser<http::string_body> parser;
    if (!failed) http::read(socket_, buffer_, parser, failed);
    if (failed) return std::nullopt;
    return parser.get().result_int();
  }
  [[nodiscard]] std::size_t available() { return socket_.available(); }

 private:
  asio::io_context context_;
  tcp::socket socket_{context_};
  boost::beast::flat_buffer buffer_;
};

http_response echo(const http_request& request) {
  http_response made;
  made.content_type = "text/plain";
  made.body = request.method + "|" + request.path + "|" + request.query + "|" + request.body;
  return made;
}

std::vector<http_route> routes() {
  return {{"GET", "/echo", echo},
          {"POST", "/echo", echo},
          {"POST", "/post", echo},
          {"GET", "/large",
           [](const http_request&) {
             return http_response{200, "text/plain", std::string(32 * 1024 * 1024, 'x'), {}};
           }},
          {"GET", "/throws",
           [](const http_request&) -> http_response { throw std::runtime_error{"no luck"}; }}};
}

std::unique_ptr<http_server> serve(http_limits limits = {}) {
  auto started = http_server::start("127.0.0.1:0", routes(), limits);
  if (!started) throw std::runtime_error{started.failure().message};
  return std::move(*started);
}

std::string code_of(const answer& failed) {
  EXPECT_EQ(failed[http::field::content_type], "application/json");
  const auto body = nlohmann::json::parse(failed.body());
  EXPECT_EQ(body.size(), 2U) << failed.body();
  EXPECT_FALSE(body.at("message").get<std::string>().empty());
  return body.at("code");
}

TEST(http_server, a_route_gets_method_path_query_and_body) {
  const auto server = serve();
  client one{server->address()};
  const auto plain = one.ask("GET", "/echo");
  EXPECT_EQ(plain.result_int(), 200U);
  EXPECT_EQ(plain.body(), "GET|/echo||");
  EXPECT_EQ(plain[http::field::content_type], "text/plain");
  EXPECT_TRUE(plain[http::field::date].ends_with(" GMT")) << plain[http::field::date];
  EXPECT_EQ(one.ask("GET", "/echo?a=%20b?c").body(), "GET|/echo|a=%20b?c|");
  EXPECT_EQ(one.ask("GET", "/echo?").body(), "GET|/echo||");
  one.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(one.read().body(), "POST|/echo||hello");
}

TEST(http_server, many_requests_share_a_connection_and_may_be_sent_ahead) {
  const auto server = serve();
  client one{server->address()};
  std::string ahead;
  for (int i = 0; i < 100; ++i) {
    ahead += "GET /echo?" + std::to_string(i) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  }
  one.send(ahead);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(one.read().body(), "GET|/echo|" + std::to_string(i) + "|");
}

TEST(http_server, a_connection_ends_when_the_client_asks_for_it) {
  const auto server = serve();
  client one{server->address()};
  EXPECT_FALSE(one.ask("GET", "/echo", "Connection: close\r\n").keep_alive());
  EXPECT_EQ(one.rest(), "");
}

TEST(http_server, head_gets_the_headers_of_get_alone) {
  const auto server = serve();
  client one{server->address()};
  const auto head = one.ask("HEAD", "/echo?x");
  EXPECT_EQ(head.result_int(), 200U);
  EXPECT_EQ(head[http::field::content_length], "12");
  EXPECT_EQ(one.ask("GET", "/echo").body(), "GET|/echo||") << "no body came in between";
}

TEST(http_server, an_unknown_path_is_not_found) {
  const auto server = serve();
  client one{server->address()};
  const auto missing = one.ask("GET", "/nothing/\"here\"");
  EXPECT_EQ(missing.result_int(), 404U);
  EXPECT_EQ(code_of(missing), "not_found");
  EXPECT_EQ(one.ask("GET", "/echo/").result_int(), 404U) << "the connection goes on";
}

TEST(http_server, a_wrong_method_is_told_the_right_ones) {
  const auto server = serve();
  client one{server->address()};
  const auto refused = one.ask("DELETE", "/echo");
  EXPECT_EQ(refused.result_int(), 405U);
  EXPECT_EQ(refused[http::field::allow], "GET, HEAD, POST");
  EXPECT_EQ(code_of(refused), "method_not_allowed");
  EXPECT_EQ(one.ask("GET", "/post")[http::field::allow], "POST");
  EXPECT_EQ(one.ask("WHATEVER", "/post").result_int(), 405U);
}

TEST(http_server, a_handler_that_throws_is_an_internal_error_and_no_end) {
  const auto server = serve();
  client one{server->address()};
  const auto failed = one.ask("GET", "/throws");
  EXPECT_EQ(failed.result_int(), 500U);
  EXPECT_EQ(code_of(failed), "internal_error");
  EXPECT_EQ(one.ask("GET", "/echo").result_int(), 200U);
}

TEST(http_server, what_is_not_http_is_malformed) {
  const auto server = serve();
  for (const std::string wrong :
       {"hello\r\n\r\n", "GET /echo HTTP/2.0\r\nHost: localhost\r\n\r\n",
        "GET /echo HTTP/1.1\r\n\r\n", "GET /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n"}) {
    client one{server->address()};
    one.send(wrong);
    const auto refused = one.read();
    EXPECT_EQ(refused.result_int(), 400U) << wrong;
    EXPECT_EQ(code_of(refused), "malformed") << wrong;
    EXPECT_EQ(one.rest(), "") << wrong;
  }
}

TEST(http_server, headers_over_their_bound_are_refused_and_up_to_it_taken) {
  const auto server = serve();
  client fits{server->address()};
  EXPECT_EQ(fits.ask("GET", "/echo", "X: " + std::string(8000, 'x') + "\r\n").result_int(), 200U);
  client over{server->address()};
  const auto refused = over.ask("GET", "/echo", "X: " + std::string(8 * 1024, 'x') + "\r\n");
  EXPECT_EQ(refused.result_int(), 431U);
  EXPECT_EQ(code_of(refused), "header_too_large");
  EXPECT_EQ(over.rest(), "");
  client endless{server->address()};
  endless.send("GET /" + std::string(100'000, 'x'));
  EXPECT_EQ(endless.read().result_int(), 431U) << "without waiting for their end";
}

TEST(http_server, a_body_over_its_bound_is_refused_and_up_to_it_taken) {
  const auto server = serve();
  const auto post = [](std::size_t bytes) {
    return "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(bytes) +
           "\r\n\r\n" + std::string(bytes, 'x');
  };
  client one{server->address()};
  one.send(post(64 * 1024));
  EXPECT_EQ(one.read().result_int(), 200U);
  one.send(post(64 * 1024 + 1));
  const auto refused = one.read();
  EXPECT_EQ(refused.result_int(), 413U);
  EXPECT_EQ(code_of(refused), "body_too_large");
  client chunked{server->address()};
  chunked.send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n" +
      std::string(0x20000, 'x') + "\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.read().result_int(), 413U);
}

TEST(http_server, a_client_that_says_nothing_or_half_a_request_is_cut_off) {
  const auto server = serve({.timeout = 50ms});
  client silent{server->address()};
  client half{server->address()};
  half.send("GET /echo HTT");
  EXPECT_EQ(silent.rest(), "");
  EXPECT_EQ(half.rest(), "");
}

/// Asks on new connections until one is let in.
unsigned ask_until_let_in(const std::string& address) {
  for (;;) {
    client next{address};
    if (const auto status = next.status_of("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
      return *status;
    }
    std::this_thread::yield();
  }
}

TEST(http_server, a_client_that_does_not_take_its_answer_is_cut_off) {
  const auto server = serve({.connections = 1, .timeout = 200ms});
  client slow{server->address()};
  slow.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  while (slow.available() == 0) std::this_thread::yield();
  // Only the slow one's end makes room for another.
  EXPECT_EQ(ask_until_let_in(server->address()), 200U);
}

TEST(http_server, connections_beyond_the_bound_are_closed_at_once) {
  const auto server = serve({.connections = 2});
  client first{server->address()};
  EXPECT_EQ(first.ask("GET", "/echo").result_int(), 200U);
  auto second = std::make_unique<client>(server->address());
  EXPECT_EQ(second->ask("GET", "/echo").result_int(), 200U);
  client third{server->address()};
  EXPECT_EQ(third.rest(), "");
  EXPECT_EQ(first.ask("GET", "/echo").result_int(), 200U);
  second.reset();
  EXPECT_EQ(ask_until_let_in(server->address()), 200U) << "there is room again";
}

TEST(http_server, while_too_much_is_unsent_others_are_told_to_come_again) {
  const auto server = serve({.unsent_bytes = 1});
  client slow{server->address()};
  slow.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  while (slow.available() == 0) std::this_thread::yield();
  client other{server->address()};
  const auto refused = other.ask("GET", "/echo");
  EXPECT_EQ(refused.result_int(), 503U);
  EXPECT_EQ(code_of(refused), "busy");
  EXPECT_EQ(slow.read().body().size(), 32U * 1024 * 1024);
  while (other.ask("GET", "/echo").result_int() == 503U) std::this_thread::yield();
}

TEST(http_server, a_taken_port_is_said) {
  const auto server = serve();
  const auto second = http_server::start(server->address(), routes());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.failure().code, "bind_failed");
  EXPECT_EQ(second.failure().message,
            "cannot serve HTTP on " + server->address() + ": Address already in use");
}

TEST(http_server, what_is_no_address_is_said) {
  for (const std::string wrong : {"", "9093", "example.org:80", "127.0.0.1:", "127.0.0.1:65536",
                                  "127.0.0.1:80x", "127.0.0.1:-1"}) {
    const auto refused = http_server::start(wrong, routes());
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.failure().code, "bad_endpoint") << wrong;
  }
}

TEST(http_server, localhost_is_the_loopback_address) {
  const auto started = http_server::start("localhost:0", routes());
  ASSERT_TRUE(started) << started.failure().message;
  EXPECT_TRUE((*started)->address().starts_with("127.0.0.1:")) << (*started)->address();
}

TEST(http_server, stopping_ends_idle_connections_and_frees_the_port) {
  auto server = serve();
  const auto address = server->address();
  client idle{address};
  EXPECT_EQ(idle.ask("GET", "/echo").result_int(), 200U);
  server->stop();
  server->stop();
  EXPECT_EQ(idle.rest(), "");
  server.reset();
  EXPECT_TRUE(http_server::start(address, routes()));
}

TEST(http_server, an_answer_under_way_survives_the_stop) {
  std::promise<void> asked;
  std::promise<void> go_on;
  auto started =
      http_server::start("127.0.0.1:0", {{"GET", "/slow", [&](const http_request&) {
                                            asked.set_value();
                                            go_on.get_future().wait();
                                            return http_response{200, "text/plain", "done", {}};
                                          }}});
  ASSERT_TRUE(started) << started.failure().message;
  client one{(*started)->address()};
  one.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  asked.get_future().wait();
  auto stopped = std::async(std::launch::async, [&] { (*started)->stop(); });
  go_on.set_value();
  EXPECT_EQ(one.read().body(), "done");
  stopped.wait();
  EXPECT_EQ(one.rest(), "");
}

std::unique_ptr<http_server> serve_these(std::vector<http_route> table, http_limits limits = {}) {
  auto started = http_server::start("127.0.0.1:0", std::move(table), limits);
  if (!started) throw std::runtime_error{started.failure().message};
  return std::move(*started);
}

http_route told(const std::string& method, const std::string& path, const std::string& name) {
  return {method, path, [name](const http_request& request) {
            std::string text = name;
            for (const auto& [part, value] : request.captured) text += "|" + part + "=" + value;
            return http_response{200, "text/plain", text, {}};
          }};
}

TEST(http_server, a_part_in_braces_takes_any_text_and_gives_it_decoded) {
  const auto server =
      serve_these({told("GET", "/a/{id}", "one"), told("GET", "/a/{x}/b/{y}", "two"),
                   told("DELETE", "/a/{id}", "gone")});
  client one{server->address()};
  EXPECT_EQ(one.ask("GET", "/a/7?q=1").body(), "one|id=7");
  EXPECT_EQ(one.ask("DELETE", "/a/7").body(), "gone|id=7");
  EXPECT_EQ(one.ask("GET", "/a/a%20b%2Fc%c3%a9+").body(), "one|id=a b/c\xc3\xa9+");
  EXPECT_EQ(one.ask("GET", "/a/1/b/2").body(), "two|x=1|y=2");
  for (const std::string nowhere : {"/a/", "/a", "/a/1/", "/a/1/b", "/a//b/2", "//a/1", "/a/1/c/2"})
    EXPECT_EQ(one.ask("GET", nowhere).result_int(), 404U) << nowhere;
  const auto refused = one.ask("PUT", "/a/7");
  EXPECT_EQ(refused.result_int(), 405U);
  EXPECT_EQ(refused[http::field::allow], "GET, HEAD, DELETE");
  for (const std::string wrong : {"/a/%", "/a/%2", "/a/%zz", "/a/x%2g"}) {
    const auto malformed = one.ask("GET", wrong);
    EXPECT_EQ(malformed.result_int(), 400U) << wrong;
    EXPECT_EQ(code_of(malformed), "malformed") << wrong;
  }
}

TEST(http_server, a_route_without_braces_goes_before_one_with) {
  const auto server = serve_these({told("GET", "/a/{id}", "any"), told("GET", "/a/top", "top"),
                                   told("POST", "/a/{id}", "posted")});
  client one{server->address()};
  EXPECT_EQ(one.ask("GET", "/a/top").body(), "top");
  EXPECT_EQ(one.ask("GET", "/a/tops").body(), "any|id=tops");
  EXPECT_EQ(one.ask("POST", "/a/top").body(), "posted|id=top");
}

TEST(http_server, a_request_knows_its_parts_and_query_values) {
  http_request asks;
  asks.captured = {{"id", "7"}, {"name", ""}};
  EXPECT_EQ(asks.part("id"), "7");
  EXPECT_EQ(asks.part("name"), "");
  EXPECT_EQ(asks.part("other"), "");
  asks.query = "filter=a%3D%22b%22&filter=c+d%2B&&x=%zz&empty=&bare&f%69lter=e=f&filte=no";
  using texts = std::vector<std::string>;
  EXPECT_EQ(asks.values("filter"), (texts{"a=\"b\"", "c d+", "e=f"}));
  EXPECT_EQ(asks.values("x"), texts{"%zz"}) << "what is no %XX stays";
  EXPECT_EQ(asks.values("empty"), texts{""});
  EXPECT_EQ(asks.values("bare"), texts{""});
  EXPECT_EQ(asks.values("nothing"), texts{});
}

TEST(http_server, a_route_sees_the_content_type) {
  const auto server =
      serve_these({{"POST", "/type", [](const http_request& request) {
                      return http_response{200, "text/plain", "<" + request.content_type + ">", {}};
                    }}});
  client one{server->address()};
  EXPECT_EQ(one.ask("POST", "/type", "Content-Type: text/x; charset=u\r\n").body(),
            "<text/x; charset=u>");
  EXPECT_EQ(one.ask("POST", "/type").body(), "<>");
}

TEST(http_server, an_answer_may_be_a_status_alone) {
  const auto server = serve_these({{"GET", "/bare", [](const http_request&) {
                                      return http_response{200, "", "", {}};
                                    }}});
  client one{server->address()};
  const auto bare = one.ask("GET", "/bare");
  EXPECT_EQ(bare.result_int(), 200U);
  EXPECT_EQ(bare.count(http::field::content_type), 0U);
  EXPECT_EQ(bare[http::field::content_length], "0");
}

TEST(http_server, each_route_has_its_own_bound_of_bodies) {
  const auto length = [](const http_request& request) {
    return http_response{200, "text/plain", std::to_string(request.body.size()), {}};
  };
  const auto server = serve_these({{"POST", "/small", length, 10},
                                   {"POST", "/large", length, 3'000'000},
                                   {"POST", "/large/{id}", length, 0}});
  const auto post = [](const std::string& path, std::size_t bytes) {
    return "POST " + path +
           " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" +
           std::string(bytes, 'x');
  };
  const auto chunked = [](const std::string& path) {
    return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" +
           "6\r\nxxxxxx\r\n5\r\nxxxxx\r\n0\r\n\r\n";
  };
  client one{server->address()};
  one.send(post("/small", 10));
  EXPECT_EQ(one.read().body(), "10");
  one.send(post("/large", 3'000'000));
  EXPECT_EQ(one.read().body(), "3000000");
  one.send(chunked("/large"));
  EXPECT_EQ(one.read().body(), "11");
  for (const auto& wrong : {post("/small", 11), chunked("/small"), post("/large/1", 1)}) {
    client refused_one{server->address()};
    refused_one.send(wrong);
    const auto refused = refused_one.read();
    EXPECT_EQ(refused.result_int(), 413U) << wrong;
    EXPECT_EQ(code_of(refused), "body_too_large") << wrong;
    EXPECT_EQ(refused_one.rest(), "") << wrong;
  }
}

TEST(http_server, a_body_for_nobody_is_not_waited_for) {
  const auto server = serve();
  client one{server->address()};
  one.send("POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_EQ(one.read().result_int(), 404U);
  EXPECT_EQ(one.rest(), "");
}

TEST(http_server, a_client_that_waits_to_be_asked_for_its_body_is_asked) {
  const auto server = serve();
  client one{server->address()};
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: ";
  one.send(head + "5\r\n\r\n");
  EXPECT_EQ(one.read().result_int(), 100U);
  one.send("hello");
  EXPECT_EQ(one.read().body(), "POST|/echo||hello");
  one.send(head + "70000\r\n\r\n");
  EXPECT_EQ(one.read().result_int(), 413U) << "and not asked when it is too large";
}

TEST(http_server, a_slow_answer_keeps_only_its_own_client_waiting) {
  std::promise<void> go_on;
  auto table = routes();
  table.push_back({"GET", "/slow", [&](const http_request&) {
                     go_on.get_future().wait();
                     return http_response{200, "text/plain", "done", {}};
                   }});
  const auto server = serve_these(std::move(table), {.workers = 2, .connections = 2});
  client slow{server->address()};
  slow.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client other{server->address()};
  for (int i = 0; i < 100; ++i) EXPECT_EQ(other.ask("GET", "/echo").body(), "GET|/echo||");
  go_on.set_value();
  EXPECT_EQ(slow.read().body(), "done");
}

TEST(http_server, as_many_answers_as_workers_are_made_at_once_and_more_wait) {
  constexpr std::size_t workers = 3;
  std::mutex guard;
  std::condition_variable changed;
  std::size_t inside = 0;
  std::size_t most = 0;
  bool open = false;
  const auto server = serve_these({{"GET", "/count",
                                    [&](const http_request&) {
                                      std::unique_lock lock{guard};
                                      most = std::max(most, ++inside);
                                      changed.notify_all();
                                      changed.wait(lock, [&] { return open; });
                                      --inside;
                                      return http_response{200, "text/plain", "done", {}};
                                    }}},
                                  {.workers = workers});
  std::vector<std::unique_ptr<client>> clients;
  for (std::size_t i = 0; i < 2 * workers; ++i) {
    clients.push_back(std::make_unique<client>(server->address()));
    clients.back()->send("GET /count HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  {
    std::unique_lock lock{guard};
    changed.wait(lock, [&] { return inside == workers; });
    open = true;
    changed.notify_all();
  }
  for (const auto& each : clients) EXPECT_EQ(each->read().body(), "done");
  EXPECT_EQ(most, workers);
}

TEST(http_server, answers_leave_while_all_connections_wait_for_theirs) {
  std::promise<void> go_on;
  const auto released = go_on.get_future().share();
  const auto server = serve_these({{"GET", "/slow",
                                    [&](const http_request&) {
                                      released.wait();
                                      return http_response{200, "text/plain", "done", {}};
                                    }}},
                                  {.workers = 2, .connections = 2});
  client one{server->address()};
  client two{server->address()};
  one.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  two.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  go_on.set_value();
  EXPECT_EQ(one.read().body(), "done");
  EXPECT_EQ(two.read().body(), "done");
}

TEST(http_server, an_answer_that_does_not_end_is_left_behind_by_the_stop) {
  // What the answer uses must outlast the server; the server itself need not.
  struct shared {
    std::promise<void> asked, go_on, ended;
  };
  const auto both = std::make_shared<shared>();
  auto server = serve_these({{"GET", "/stuck",
                              [both](const http_request&) {
                                both->asked.set_value();
                                both->go_on.get_future().wait();
                                both->ended.set_value_at_thread_exit();
                                return http_response{200, "text/plain", "too late", {}};
                              }}},
                            {.workers = 1});
  const auto ended = both->ended.get_future();
  client stuck{server->address()};
  stuck.send("GET /stuck HTTP/1.1\r\nHost: localhost\r\n\r\n");
  both->asked.get_future().wait();
  client queued{server->address()};
  queued.send("GET /stuck HTTP/1.1\r\nHost: localhost\r\n\r\n");
  server->stop();
  EXPECT_EQ(stuck.rest(), "");
  server.reset();
  both->go_on.set_value();
  ended.wait();
}

}  // namespace
}  // namespace tocsin
