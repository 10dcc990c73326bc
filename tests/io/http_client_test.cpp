// SPDX-License-Identifier: Apache-2.0
// Asking a daemon: requests as the server sees them, answers, addresses, failures.
#include "io/http_client.hpp"

#include <gtest/gtest.h>

#include <string>

#include "io/http_server.hpp"
#include "support/webhook_receiver.hpp"

namespace tocsin {
namespace {

http_response echo(const http_request& request) {
  http_response made;
  made.content_type = "text/plain";
  made.body = request.method + "|" + request.path + "|" + request.query + "|" +
              request.content_type + "|" + request.body;
  return made;
}

std::unique_ptr<http_server> echoing_server() {
  auto started = http_server::start("127.0.0.1:0", {{"GET", "/{a}/{b}", echo},
                                                    {"POST", "/{a}/{b}", echo, 1 << 20},
                                                    {"DELETE", "/{a}/{b}", echo}});
  return std::move(started).value();
}

TEST(http_client, asks_with_method_path_query_and_body) {
  const auto server = echoing_server();
  http_client client{server->address()};
  const auto read = client.ask("GET", "/api/alerts?a=b&c=d");
  ASSERT_TRUE(read) << read.failure().message;
  EXPECT_EQ(read->status, 200);
  EXPECT_EQ(read->body, "GET|/api/alerts|a=b&c=d||");
  const auto posted = client.ask("POST", "/api/silences", R"({"a":1})");
  EXPECT_EQ(posted->body, R"(POST|/api/silences||application/json|{"a":1})");
  const auto deleted = client.ask("DELETE", "/api/silence");
  EXPECT_EQ(deleted->body, "DELETE|/api/silence|||") << "nothing is left of the body before";
}

TEST(http_client, a_large_body_goes_through_whole) {
  const auto server = echoing_server();
  http_client client{server->address()};
  const std::string large(1'000'000, 'x');
  const auto posted = client.ask("POST", "/a/b", large);
  ASSERT_TRUE(posted) << posted.failure().message;
  EXPECT_EQ(posted->status, 200);
  EXPECT_TRUE(posted->body.ends_with(large));
}

TEST(http_client, an_answer_that_refuses_is_an_answer) {
  const auto server = echoing_server();
  http_client client{server->address()};
  const auto missing = client.ask("GET", "/nowhere");
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->status, 404);
  EXPECT_FALSE(missing->body.empty());
  EXPECT_EQ(client.ask("PUT", "/a/b", "x")->status, 405);
}

TEST(http_client, an_address_may_name_the_scheme_and_end_with_a_slash) {
  const auto server = echoing_server();
  http_client client{"http://" + server->address() + "//"};
  EXPECT_EQ(client.address(), "http://" + server->address());
  EXPECT_EQ(client.ask("GET", "/a/b")->body, "GET|/a/b|||");
  EXPECT_EQ(http_client{"localhost:9093"}.address(), "http://localhost:9093");
}

TEST(http_client, redirects_are_not_followed) {
  const testing::webhook_receiver elsewhere;
  const testing::webhook_receiver moved{
      [&](const testing::webhook_receiver::request&, std::size_t) {
        return testing::webhook_receiver::answer{301, "", {{"Location", elsewhere.url()}}};
      }};
  http_client client{moved.url("")};
  const auto answer = client.ask("GET", "/a");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 301);
  EXPECT_TRUE(elsewhere.requests().empty());
}

TEST(http_client, where_nobody_listens_the_error_names_the_address) {
  const auto address = "127.0.0.1:" + std::to_string(testing::port_without_listener());
  http_client client{address};
  const auto answer = client.ask("GET", "/a");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.failure().code, "unreachable");
  EXPECT_EQ(answer.failure().message.rfind("http://" + address + ": ", 0), 0U)
      << answer.failure().message;
}

TEST(http_client, another_scheme_is_refused) {
  for (const char* address : {"file:///etc", "https://127.0.0.1:1", "ftp://127.0.0.1:1"}) {
    http_client client{address};
    const auto answer = client.ask("GET", "/hostname");
    ASSERT_FALSE(answer) << address;
    EXPECT_EQ(answer.failure().code, "unreachable");
  }
}

TEST(http_client, one_asks_again_after_a_failure) {
  const auto port = testing::port_without_listener();
  http_client client{"127.0.0.1:" + std::to_string(port)};
  EXPECT_FALSE(client.ask("GET", "/a"));
  const testing::webhook_receiver there{{}, port};
  EXPECT_EQ(client.ask("GET", "/a")->status, 200);
}

TEST(http_client, parameters_and_parts_of_paths_are_encoded) {
  EXPECT_EQ(query_text({}), "");
  EXPECT_EQ(query_text({{"filter", "a=\"b c\"&d"}, {"filter", ""}, {"x-y", "1._~-"}}),
            "filter=a%3D%22b%20c%22%26d&filter=&x-y=1._~-");
  EXPECT_EQ(path_part("a/b?c#d %"), "a%2Fb%3Fc%23d%20%25");
  EXPECT_EQ(path_part("\xc3\xbc"), "%C3%BC");
}

TEST(http_client, what_is_encoded_reads_back_at_the_server) {
  const std::string odd = "a/b?c&d=e+f %\"\xc3\xbc";
  std::string part;
  std::vector<std::string> values;
  const auto server =
      std::move(http_server::start("127.0.0.1:0", {{"GET", "/alerts/{id}",
                                                    [&](const http_request& request) {
                                                      part = request.part("id");
                                                      values = request.values("q");
                                                      return http_response{};
                                                    }}}))
          .value();
  http_client client{server->address()};
  const auto answer =
      client.ask("GET", "/alerts/" + path_part(odd) + "?" + query_text({{"q", odd}}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(part, odd);
  EXPECT_EQ(values, std::vector<std::string>{odd});
}

}  // namespace
}  // namespace tocsin
