// SPDX-License-Identifier: Apache-2.0
// The HTTP server's guard over real sockets: tokens, hosts, TLS, and that the OpenAPI document says
// of every operation who may have it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "io/alertmanager_api.hpp"
#include "io/http_client.hpp"
#include "io/http_guard.hpp"
#include "io/http_server.hpp"
#include "io/tocsin_api.hpp"
#include "support/alert_api_scene.hpp"
#include "support/diagnostics_text.hpp"
#include "support/openapi_check.hpp"
#include "support/raw_http.hpp"
#include "support/scratch_folder.hpp"
#include "support/test_certificate.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::raw_answer;
using testing::raw_http;
using testing::scratch_folder;

const std::string sender = "sender-0123456789abcdef0123456789abcdef";
const std::string viewer = "viewer-0123456789abcdef0123456789abcdef";
const std::string operates = "operator-0123456789abcdef0123456789abcdef";

std::string bearer(const std::string& token) {
  return "Authorization: Bearer " + token + "\r\n";
}

class http_security : public ::testing::Test {
 protected:
  void ask_for_tokens() {
    folder.write("tokens",
                 token_line({http_role::send, "prometheus", hash_of_token(sender)}) + "\n" +
                     token_line({http_role::view, "wall", hash_of_token(viewer)}) + "\n" +
                     token_line({http_role::operate, "ann", hash_of_token(operates)}) + "\n");
    from.tokens = folder.file("tokens");
  }
  void speak_tls() {
    identity = testing::make_test_certificate();
    from.cert_file = folder.write("cert.pem", identity.certificate);
    from.key_file = folder.write("key.pem", identity.key);
  }
  void serve(std::vector<http_route> routes, http_limits limits = {}) {
    diagnostics found;
    guard = load_http_guard(from, found);
    ASSERT_EQ(testing::texts(found), "");
    auto started = http_server::start("127.0.0.1:0", std::move(routes), limits, guard);
    ASSERT_TRUE(started) << started.failure().message;
    server = std::move(*started);
  }
  static std::vector<http_route> echoing() {
    const auto echo = [](const http_request& request) {
      return http_response{200, "text/plain", request.caller + "|" + request.body, {}};
    };
    return {{"GET", "/what", echo},
            {"POST", "/what", echo},
            {"POST", "/api/v2/alerts", echo},
            {"GET", "/-/healthy", echo}};
  }
  static std::string code_of(const raw_answer& refused) {
    const auto body = nlohmann::json::parse(refused.body);
    EXPECT_FALSE(body.at("message").get<std::string>().empty());
    return fmt::format("{} {}", refused.status, body.at("code").get<std::string>());
  }
  [[nodiscard]] std::uint64_t refused(http_refusal why) const { return guard.refusals->of(why); }
  /// Waits until it has been counted.
  void await_refused(http_refusal why, std::uint64_t count) const {
    while (refused(why) < count) std::this_thread::yield();
  }

  scratch_folder folder;
  http_settings from;
  testing::test_certificate identity;
  http_guard guard;
  std::unique_ptr<http_server> server;
};

TEST_F(http_security, a_token_lets_its_role_in_under_its_name) {
  ask_for_tokens();
  serve(echoing());
  raw_http one{server->address()};
  EXPECT_EQ(one.ask("GET", "/what", bearer(viewer)).body, "wall|");
  EXPECT_EQ(one.ask("POST", "/what", bearer(operates)).body, "ann|");
  EXPECT_EQ(one.ask("POST", "/api/v2/alerts", bearer(sender)).body, "prometheus|");
  EXPECT_EQ(one.ask("GET", "/-/healthy").body, "|");
  EXPECT_EQ(one.ask("HEAD", "/what", bearer(viewer)).status, 200U);
}

TEST_F(http_security, without_a_token_and_with_the_wrong_role_nobody_gets_in_and_it_is_counted) {
  ask_for_tokens();
  serve(echoing());
  raw_http one{server->address()};
  const auto bare = one.ask("GET", "/what");
  EXPECT_EQ(code_of(bare), "401 unauthorized");
  EXPECT_EQ(bare.headers.at("www-authenticate"), "Bearer realm=\"tocsin\"");
  EXPECT_EQ(code_of(one.ask("GET", "/what", bearer(viewer + "x"))), "401 unauthorized");
  EXPECT_EQ(code_of(one.ask("GET", "/what", bearer(viewer) + bearer(viewer))), "401 unauthorized");
  EXPECT_EQ(code_of(one.ask("GET", "/nothing/here")), "401 unauthorized") << "not even that";
  EXPECT_EQ(code_of(one.ask("GET", "/nothing/here", bearer(sender))), "404 not_found");
  EXPECT_EQ(code_of(one.ask("POST", "/what", bearer(viewer))), "403 forbidden");
  EXPECT_EQ(code_of(one.ask("GET", "/what", bearer(sender))), "403 forbidden");
  EXPECT_EQ(refused(http_refusal::unauthorized), 4U);
  EXPECT_EQ(refused(http_refusal::forbidden), 2U);
}

TEST_F(http_security, a_body_that_nobody_may_send_is_not_waited_for) {
  ask_for_tokens();
  serve(echoing());
  raw_http one{server->address()};
  one.send("POST /what HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n");
  EXPECT_EQ(code_of(one.read()), "401 unauthorized");
  EXPECT_EQ(one.rest(), "");
}

TEST_F(http_security, a_revoked_token_is_refused_at_the_next_request) {
  ask_for_tokens();
  serve(echoing());
  raw_http one{server->address()};
  EXPECT_EQ(one.ask("GET", "/what", bearer(viewer)).status, 200U);
  folder.write("tokens", "# nobody\n");
  EXPECT_EQ(code_of(one.ask("GET", "/what", bearer(viewer))), "401 unauthorized");
}

TEST_F(http_security, a_request_to_another_host_is_misdirected) {
  from.hosts = {"alerts.example.org"};
  serve(echoing());
  raw_http one{server->address()};
  for (const char* known : {"localhost:1", "127.0.0.1", "[::1]:9093", "Alerts.example.org:443"}) {
    EXPECT_EQ(one.ask("GET", "/what", fmt::format("Host: {}\r\n", known)).status, 200U) << known;
  }
  for (const char* other :
       {"evil.example.org", "alerts.example.org.evil.org", "10.1.2.3", "", ":"}) {
    EXPECT_EQ(code_of(one.ask("GET", "/-/healthy", fmt::format("Host: {}\r\n", other))),
              "421 unknown_host")
        << other;
  }
  EXPECT_EQ(refused(http_refusal::unknown_host), 5U);
  raw_http old{server->address()};
  old.send("GET /what HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.read().status, 200U) << "no browser speaks so";
  raw_http bare{server->address()};
  bare.send("GET /what HTTP/1.1\r\n\r\n");
  EXPECT_EQ(code_of(bare.read()), "400 malformed");
}

TEST_F(http_security, tls_carries_requests_and_large_bodies_both_ways) {
  speak_tls();
  auto routes = echoing();
  constexpr std::size_t large = 3'000'000;
  routes.push_back({"POST", "/large",
                    [](const http_request& request) {
                      return http_response{200, "text/plain", request.body + "!", {}};
                    },
                    large});
  serve(std::move(routes));
  raw_http one{server->address(), raw_http::transport::tls};
  EXPECT_EQ(one.version(), "TLSv1.3");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(one.ask("GET", "/what").status, 200U);
  const std::string body(large, 'x');
  one.send(fmt::format("POST /large HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}",
                       large, body));
  EXPECT_EQ(one.read().body, body + "!");
  EXPECT_EQ(one.ask("GET", "/what", "Connection: close\r\n").status, 200U);
  EXPECT_EQ(one.rest(), "");
}

TEST_F(http_security, the_client_checks_the_certificate_and_sends_its_token) {
  speak_tls();
  ask_for_tokens();
  serve(echoing());
  const std::string address = "https://" + server->address();
  http_client trusting{address, 60s, {viewer, folder.file("cert.pem")}};
  const auto answer = trusting.ask("GET", "/what");
  ASSERT_TRUE(answer) << answer.failure().message;
  EXPECT_EQ(answer->body, "wall|");
  http_client wary{address, 60s, {viewer, ""}};
  const auto refused_by_client = wary.ask("GET", "/what");
  ASSERT_FALSE(refused_by_client);
  EXPECT_EQ(refused_by_client.failure().code, "unreachable");
  EXPECT_NE(refused_by_client.failure().message.find("certificate"), std::string::npos)
      << refused_by_client.failure().message;
}

TEST_F(http_security, a_client_does_not_send_its_token_where_others_could_read_it) {
  for (const char* far : {"http://192.0.2.1:9093", "alerts.example.org:9093", "http://0.0.0.0:1"}) {
    const auto answer = http_client{far, 60s, {viewer, ""}}.ask("GET", "/what");
    ASSERT_FALSE(answer) << far;
    EXPECT_EQ(answer.failure().code, "token_in_the_clear") << far;
    EXPECT_EQ(answer.failure().message.find(viewer), std::string::npos);
  }
}

TEST_F(http_security, garbage_in_the_place_of_a_handshake_ends_the_connection_and_is_counted) {
  speak_tls();
  serve(echoing());
  std::uint64_t count = 0;
  for (const std::string& garbage :
       {std::string{"GET /what HTTP/1.1\r\nHost: localhost\r\n\r\n"}, std::string(100'000, '\0'),
        std::string(5000, '\x16'),
        std::string{"\x16\x03\x01\xff\xff"} + std::string(70'000, 'x')}) {
    raw_http one{server->address()};
    one.send(garbage);
    (void)one.rest();
    await_refused(http_refusal::tls_handshake, ++count);
  }
  raw_http well{server->address(), raw_http::transport::tls};
  EXPECT_EQ(well.ask("GET", "/what").status, 200U);
}

TEST_F(http_security, who_connects_and_never_speaks_is_cut_off_before_the_handshake_too) {
  speak_tls();
  serve(echoing(), {.timeout = 50ms});
  raw_http silent{server->address()};
  raw_http half{server->address()};
  half.send("\x16\x03\x01");
  (void)silent.rest();
  (void)half.rest();
  await_refused(http_refusal::tls_handshake, 2);
  raw_http idle{server->address(), raw_http::transport::tls};
  (void)idle.rest();
  raw_http slow{server->address(), raw_http::transport::tls};
  slow.send("GET /what HT");
  (void)slow.rest();
  await_refused(http_refusal::timeout, 1);
}

TEST_F(http_security, many_idle_connections_are_closed_at_once_beyond_the_limit_and_counted) {
  constexpr std::size_t limit = 10;
  constexpr std::size_t more = 300;
  serve(echoing(), {.connections = limit});
  std::vector<std::unique_ptr<raw_http>> idle;
  for (std::size_t i = 0; i < limit; ++i) {
    idle.push_back(std::make_unique<raw_http>(server->address()));
    EXPECT_EQ(idle.back()->ask("GET", "/what").status, 200U);
  }
  for (std::size_t i = 0; i < more; ++i) {
    idle.push_back(std::make_unique<raw_http>(server->address()));
    EXPECT_EQ(idle.back()->rest(), "");
  }
  EXPECT_EQ(refused(http_refusal::connections), more);
  EXPECT_EQ(idle.front()->ask("GET", "/what").status, 200U) << "those inside do not notice";
}

TEST_F(http_security, stopping_ends_tls_connections) {
  speak_tls();
  serve(echoing());
  raw_http idle{server->address(), raw_http::transport::tls};
  EXPECT_EQ(idle.ask("GET", "/what").status, 200U);
  raw_http handshaking{server->address()};
  server->stop();
  EXPECT_EQ(idle.rest(), "");
  EXPECT_EQ(handshaking.rest(), "");
}

/// Routes of everything that the daemon serves.
std::vector<http_route> all_routes(alert_backend& backend) {
  const auto word = [](const http_request&) { return http_response{200, "text/plain", "", {}}; };
  std::vector<http_route> routes{
      {"GET", "/metrics", word}, {"GET", "/-/healthy", word}, {"GET", "/-/ready", word}};
  for (auto& each : alertmanager_routes(backend)) routes.push_back(std::move(each));
  for (auto& each : tocsin_routes(backend)) routes.push_back(std::move(each));
  return routes;
}

/// A role's token that a need is not met with; "" when there is none.
std::string wrong_token(http_need need) {
  if (need == http_need::nothing) return "";
  return need == http_need::send ? viewer : (need == http_need::view ? sender : viewer);
}

TEST_F(http_security, the_document_says_of_every_operation_which_role_it_needs) {
  const auto document = testing::openapi_check::of_file(TOCSIN_SOURCE_DIR "/docs/openapi.yaml");
  const std::vector<std::string> words{"none", "viewer", "sender", "operator"};
  for (const auto& each : document.operations()) {
    EXPECT_EQ(document.extension(each, "x-role"),
              words.at(static_cast<std::size_t>(need_of(each.method, each.path))))
        << each.method << ' ' << each.path;
  }
}

TEST_F(http_security, every_operation_refuses_strangers_as_the_document_says) {
  testing::alert_api_scene scene;
  ask_for_tokens();
  serve(all_routes(scene.backend()));
  const auto document = testing::openapi_check::of_file(TOCSIN_SOURCE_DIR "/docs/openapi.yaml");
  raw_http one{server->address()};
  for (const auto& each : document.operations()) {
    const auto need = need_of(each.method, each.path);
    const auto expect = [&](const std::string& headers, const std::string& outcome) {
      const auto answer = one.ask(each.method, each.path, headers);
      EXPECT_EQ(code_of(answer), outcome) << each.method << ' ' << each.path;
      const auto type = answer.headers.at("content-type");
      EXPECT_EQ(document.check_answer(each, answer.status, type, answer.body),
                std::vector<std::string>{})
          << each.method << ' ' << each.path;
    };
    expect("Host: evil.example.org\r\n" + bearer(operates), "421 unknown_host");
    if (need == http_need::nothing) {
      EXPECT_EQ(one.ask(each.method, each.path).status, 200U) << each.path;
      continue;
    }
    expect("", "401 unauthorized");
    expect(bearer("nobody-" + operates), "401 unauthorized");
    expect(bearer(wrong_token(need)), "403 forbidden");
    const auto let_in = one.ask(each.method, each.path, bearer(operates)).status;
    EXPECT_TRUE(let_in != 401 && let_in != 403 && let_in != 421) << each.method << ' ' << each.path;
  }
}

}  // namespace
}  // namespace tocsin
