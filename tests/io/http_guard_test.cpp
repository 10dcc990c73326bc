// SPDX-License-Identifier: Apache-2.0
// Who gets in: addresses, names in Host, roles, tokens, and what is recorded of who asked.
#include "io/http_guard.hpp"

#include <gtest/gtest.h>

#include <string>

#include "io/http_actor.hpp"
#include "io/http_address.hpp"
#include "io/metrics_page.hpp"
#include "support/diagnostics_text.hpp"
#include "support/scratch_folder.hpp"
#include "support/test_certificate.hpp"

namespace tocsin {
namespace {

using testing::scratch_folder;
using testing::texts;

TEST(http_address, hosts_and_ports_are_told_apart) {
  const auto parts = [](std::string_view text) {
    const auto split = split_address(text);
    return split ? std::string{split->host} + "|" + std::string{split->port} : "none";
  };
  EXPECT_EQ(parts("localhost:9093"), "localhost|9093");
  EXPECT_EQ(parts("localhost"), "localhost|");
  EXPECT_EQ(parts("[::1]:9093"), "[::1]|9093");
  EXPECT_EQ(parts("[::1]"), "[::1]|");
  for (const char* wrong : {"", ":1", "::1", "a:b:c", "[::1", "[::1]x:1", "[::1]1:2:3"}) {
    EXPECT_EQ(parts(wrong), "none") << wrong;
  }
}

TEST(http_address, only_addresses_of_this_machine_are_loopback) {
  for (const char* here : {"localhost", "127.0.0.1", "127.255.0.9", "[::1]", "[0:0::1]"}) {
    EXPECT_TRUE(is_loopback_host(here)) << here;
  }
  for (const char* there : {"0.0.0.0", "128.0.0.1", "127.1", "127.0.0.1.example.org", "[::]", "::1",
                            "localhost.example.org", "", "[127.0.0.1]"}) {
    EXPECT_FALSE(is_loopback_host(there)) << there;
  }
}

TEST(http_gate, a_host_is_known_by_its_names_with_any_port) {
  http_guard guard;
  guard.hosts = {"Alerts.Example.org", "[fe80::1]"};
  const http_gate gate{guard, "10.0.0.5:9093"};
  for (const char* known :
       {"localhost", "LOCALHOST:1", "127.0.0.1:9093", "[::1]:9093", "10.0.0.5:9093",
        "alerts.example.ORG", "alerts.example.org:443", "[FE80::1]", "192.0.2.7:80"}) {
    EXPECT_TRUE(gate.knows_host(known, "192.0.2.7")) << known;
  }
  for (const char* other :
       {"", "evil.example.org", "alerts.example.org.", "localhost.evil.org",
        "alerts.example.org:80:90", "10.0.0.6", "localhost@evil.org", "[::2]"}) {
    EXPECT_FALSE(gate.knows_host(other, "192.0.2.7")) << other;
  }
}

TEST(http_gate, nobody_is_asked_without_a_token_file) {
  const http_gate gate{http_guard{}, "127.0.0.1:9093"};
  const auto let_in = gate.admit("", http_need::operate);
  EXPECT_FALSE(let_in.refused);
  EXPECT_EQ(let_in.caller, "");
}

class asked_gate : public ::testing::Test {
 protected:
  asked_gate() {
    std::string text;
    for (const auto role : {http_role::view, http_role::operate, http_role::send}) {
      const std::string word{to_text(role)};
      text += token_line({role, "the-" + word, hash_of_token(token_of(word))}) + "\n";
    }
    diagnostics found;
    guard.tokens = token_book::load(folder.write("tokens", text), found);
    gate.emplace(guard, "127.0.0.1:9093");
  }
  static std::string token_of(const std::string& role) { return role + std::string(32, 'x'); }
  std::string outcome(const std::string& authorization, std::optional<http_need> need) {
    const auto judged = gate->admit(authorization, need);
    return judged.refused ? std::string{to_text(*judged.refused)} : "in as " + judged.caller;
  }
  std::string as(const std::string& role, std::optional<http_need> need) {
    return outcome("Bearer " + token_of(role), need);
  }

  scratch_folder folder;
  http_guard guard;
  std::optional<http_gate> gate;
};

TEST_F(asked_gate, each_role_may_what_it_may) {
  struct row {
    const char* role;
    bool view, send, operate;
  };
  for (const row& each : {row{"viewer", true, false, false}, row{"operator", true, true, true},
                          row{"sender", false, true, false}}) {
    const std::string in = std::string{"in as the-"} + each.role;
    EXPECT_EQ(as(each.role, http_need::view), each.view ? in : "forbidden") << each.role;
    EXPECT_EQ(as(each.role, http_need::send), each.send ? in : "forbidden") << each.role;
    EXPECT_EQ(as(each.role, http_need::operate), each.operate ? in : "forbidden") << each.role;
    EXPECT_EQ(as(each.role, std::nullopt), in) << "to learn that there is nothing";
  }
}

TEST_F(asked_gate, without_a_known_token_nobody_gets_in_but_where_none_is_needed) {
  const std::string token = token_of("viewer");
  for (const std::string& wrong :
       {std::string{}, std::string{"Bearer"}, std::string{"Bearer "}, token, "Basic " + token,
        "Bearer " + token + "y", "Bearer x" + token}) {
    EXPECT_EQ(outcome(wrong, http_need::view), "unauthorized") << wrong;
    EXPECT_EQ(outcome(wrong, std::nullopt), "unauthorized") << wrong;
    EXPECT_EQ(outcome(wrong, http_need::nothing), "in as ") << wrong;
  }
  EXPECT_EQ(outcome("bEARER  " + token, http_need::view), "in as the-viewer");
}

TEST_F(asked_gate, a_refusal_names_the_role_that_is_wanted_and_no_token) {
  const auto judged = gate->admit("Bearer " + token_of("viewer"), http_need::send);
  EXPECT_EQ(judged.message,
            "the token of the-viewer has the role viewer, wanted sender or operator");
  const auto unknown = gate->admit("Bearer secret-" + token_of("viewer"), http_need::send);
  EXPECT_EQ(unknown.message.find("secret"), std::string::npos) << unknown.message;
}

TEST(http_guard, what_is_wrong_with_its_files_is_told_by_file_all_at_once) {
  const scratch_folder folder;
  http_settings from;
  from.tokens = folder.write("tokens", "viewer\n");
  from.cert_file = folder.file("none.pem");
  from.key_file = folder.write("key.pem", "no key\n");
  diagnostics found;
  (void)load_http_guard(from, found);
  const std::string all = texts(found);
  EXPECT_NE(all.find("tokens:1: error: 1 words"), std::string::npos) << all;
  EXPECT_NE(all.find("none.pem: error: the certificate cannot be used: cannot read"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("key.pem: error: the key cannot be used: "), std::string::npos) << all;
}

TEST(http_guard, a_key_belongs_to_its_certificate) {
  const scratch_folder folder;
  const auto one = testing::make_test_certificate();
  const auto other = testing::make_test_certificate();
  http_settings from;
  from.cert_file = folder.write("cert.pem", one.certificate);
  from.key_file = folder.write("key.pem", one.key);
  diagnostics found;
  EXPECT_TRUE(load_http_guard(from, found).tls) << texts(found);
  EXPECT_EQ(texts(found), "");
  folder.write("key.pem", other.key);
  EXPECT_FALSE(load_http_guard(from, found).tls);
  EXPECT_NE(texts(found).find("key.pem: error: the key cannot be used: it does not belong to "),
            std::string::npos)
      << texts(found);
}

TEST(http_actor, the_last_name_of_a_record_is_one_that_was_proved) {
  EXPECT_EQ(actor_of("", "ann"), "ann");
  EXPECT_EQ(actor_of("", ""), "");
  EXPECT_EQ(actor_of("ops", ""), "ops");
  EXPECT_EQ(actor_of("ops", "ops"), "ops");
  EXPECT_EQ(actor_of("ops", "ann"), "ann (via ops)");
  EXPECT_EQ(actor_of("ops", "ann (via ops)"), "ann (via ops)");
  EXPECT_EQ(actor_of("ops", "ann (via boss)"), "ann (via boss) (via ops)");
}

TEST(http_refusals, every_reason_is_a_series_from_the_start) {
  http_refusals counts;
  counts.count(http_refusal::unauthorized);
  counts.count(http_refusal::unauthorized);
  const std::string page =
      metrics_page{"1", 0}.render({}, {}, {}, {.surfaces = {}, .acked = {}, .http = &counts});
  EXPECT_NE(page.find("tocsin_http_refused_total{reason=\"unauthorized\"} 2\n"), std::string::npos);
  for (const http_refusal why : all_http_refusals) {
    EXPECT_NE(page.find("{reason=\"" + std::string{to_text(why)} + "\"} "), std::string::npos);
  }
}

}  // namespace
}  // namespace tocsin
