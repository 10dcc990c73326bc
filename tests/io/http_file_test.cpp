// SPDX-License-Identifier: Apache-2.0
// The settings below `http`: what is read, and that nothing opens a door to strangers.
#include "io/http_file.hpp"

#include <gtest/gtest.h>

#include <string>

#include "io/settings_file.hpp"
#include "support/diagnostics_text.hpp"

namespace tocsin {
namespace {

using testing::texts;

http_settings parse(const std::string& http) {
  diagnostics found;
  const auto read = parse_settings("http: " + http, "/etc/tocsin/t.yaml", found);
  EXPECT_EQ(texts(found), "") << http;
  return read.http;
}

std::string errors_of(const std::string& http) {
  diagnostics found;
  (void)parse_settings("http: " + http, "t.yaml", found);
  return texts(found);
}

TEST(http_file, every_setting_is_read_and_files_are_relative_to_the_settings_folder) {
  const auto read = parse(
      "{listen: '0.0.0.0:443', tokens: tokens, tls: {cert_file: tls/c.pem, key_file: /k.pem}, "
      "hosts: [alerts.example.org, 192.0.2.7, '[fe80::1]']}");
  EXPECT_EQ(read.listen, "0.0.0.0:443");
  EXPECT_EQ(read.tokens, "/etc/tocsin/tokens");
  EXPECT_EQ(read.cert_file, "/etc/tocsin/tls/c.pem");
  EXPECT_EQ(read.key_file, "/k.pem");
  EXPECT_EQ(read.hosts, (std::vector<std::string>{"alerts.example.org", "192.0.2.7", "[fe80::1]"}));
  EXPECT_EQ(parse("{}"), http_settings{});
  EXPECT_EQ(parse("{listen: '', tokens: '', tls: {cert_file: '', key_file: ''}, hosts: []}").listen,
            "");
}

TEST(http_file, strangers_reach_it_with_tokens_and_tls_only) {
  const std::string tls = ", tls: {cert_file: c, key_file: k}";
  const std::string tokens = ", tokens: t";
  EXPECT_EQ(errors_of("{listen: '0.0.0.0:1'" + tokens + tls + "}"), "");
  EXPECT_EQ(errors_of("{listen: '[::]:1'" + tokens + tls + "}"), "");
  EXPECT_EQ(errors_of("{listen: '127.9.9.9:1'}"), "");
  EXPECT_EQ(errors_of("{listen: '[::1]:1'" + tls + "}"), "");
  const auto lacks = [](const std::string& http, const std::string& what) {
    const std::string told = errors_of(http);
    EXPECT_NE(told.find("is not a loopback address"), std::string::npos) << told;
    EXPECT_TRUE(told.ends_with("not set: " + what + "\n")) << told;
  };
  lacks("{listen: '0.0.0.0:1'}", "'tokens', 'tls'");
  lacks("{listen: '192.0.2.7:1'" + tls + "}", "'tokens'");
  lacks("{listen: '[::]:1'" + tokens + "}", "'tls'");
}

TEST(http_file, what_is_no_address_is_an_error) {
  for (const char* wrong : {"9093", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x",
                            "example.org:80", "127.0.0.1:1:2", "::1:80", "[::1:80"}) {
    EXPECT_NE(errors_of(std::string{"{listen: '"} + wrong + "'}"), "") << wrong;
  }
}

TEST(http_file, others_reach_it_under_its_first_name) {
  EXPECT_EQ(parse("{listen: '127.0.0.1:80'}").public_url(), "http://127.0.0.1:80");
  EXPECT_EQ(parse("{listen: '127.0.0.1:80', hosts: [a.org, b.org]}").public_url(),
            "http://a.org:80");
  EXPECT_EQ(
      parse("{listen: '[::1]:80', hosts: [a.org], tls: {cert_file: c, key_file: k}}").public_url(),
      "https://a.org:80");
  EXPECT_EQ(parse("{listen: '', hosts: [a.org]}").public_url(), "http://");
  EXPECT_EQ(parse("{}").url("127.0.0.1:5"), "http://127.0.0.1:5");
}

TEST(http_file, a_certificate_goes_with_a_key) {
  EXPECT_EQ(errors_of("{tls: {cert_file: c}}"),
            "t.yaml:1:13: error: 'tls': 'key_file' is missing: TLS needs 'cert_file' and "
            "'key_file', both or none\n");
  EXPECT_NE(errors_of("{tls: {key_file: k}}").find("'cert_file' is missing"), std::string::npos);
}

TEST(http_file, hosts_are_names_without_ports_or_patterns) {
  for (const char* wrong : {"a.example.org:80", "'*'", "'*.example.org'", "'https://a'", "''",
                            "a/b", ".a", "a..b", "a."}) {
    EXPECT_NE(errors_of(std::string{"{hosts: ["} + wrong + "]}"), "") << wrong;
  }
}

TEST(http_file, all_errors_are_told_at_once) {
  diagnostics found;
  (void)parse_settings(
      "http:\n  listen: 0.0.0.0:80\n  token: x\n  tls: {cert_file: c}\n  hosts: ['a b', ':']\n",
      "t.yaml", found);
  EXPECT_EQ(found.size(), 5U) << texts(found);
}

}  // namespace
}  // namespace tocsin
