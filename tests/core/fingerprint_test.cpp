// SPDX-License-Identifier: Apache-2.0
// The identities of keys and alerts, byte for byte.
#include "tocsin/fingerprint.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace tocsin {
namespace {

using namespace std::string_view_literals;

TEST(fingerprint, is_written_as_32_hexadecimal_digits_high_half_first) {
  EXPECT_EQ(to_text(fingerprint{0x0123456789abcdefULL, 0x1ULL}),
            "0123456789abcdef0000000000000001");
}

TEST(fingerprint, its_text_reads_back_and_nothing_else_does) {
  const fingerprint print{0x0123456789abcdefULL, 0xfedcba9876543210ULL};
  EXPECT_EQ(parse_fingerprint(to_text(print)), print);
  EXPECT_EQ(parse_fingerprint("0123456789ABCDEFFEDCBA9876543210"), print);
  for (const std::string_view wrong :
       {"", "0123456789abcdef", "0123456789abcdeffedcba987654321",
        "0123456789abcdeffedcba98765432100", "0123456789abcdegfedcba9876543210",
        "0123456789abcdef+edcba9876543210", "0123456789abcdef 123456789abcdef",
        "0x23456789abcdeffedcba9876543210"}) {
    EXPECT_FALSE(parse_fingerprint(wrong)) << wrong;
  }
}

// Computed apart from this code: xxHash's library over bytes laid out by hand.
TEST(fingerprint, equals_its_published_vectors) {
  const std::vector<key_part> key{{"resource_id", "web-1"}, {"item", "http_status"}};
  EXPECT_EQ(to_text(fingerprint_of("http-500-burst", key)), "94968cc338004192f06020ba25832876");
  const std::vector<key_part> null_key{{"item", {}}};
  EXPECT_EQ(to_text(fingerprint_of("r", null_key)), "08789be3183d6921c87abc70b9b622e6");
  EXPECT_EQ(to_text(fingerprint_of("", {})), "2a33816ed7e0c373dbe563c737220b65");
}

TEST(fingerprint, tells_null_empty_and_a_word_apart) {
  const std::vector<key_part> null_key{{"item", std::string_view{}}};
  const std::vector<key_part> empty{{"item", ""sv}};
  const std::vector<key_part> word{{"item", "null"}};
  EXPECT_NE(fingerprint_of("r", null_key), fingerprint_of("r", empty));
  EXPECT_NE(fingerprint_of("r", null_key), fingerprint_of("r", word));
  EXPECT_NE(fingerprint_of("r", empty), fingerprint_of("r", word));
}

TEST(fingerprint, depends_on_where_one_text_ends_and_the_next_begins) {
  const std::vector<key_part> left{{"a", "bc"}};
  const std::vector<key_part> right{{"ab", "c"}};
  EXPECT_NE(fingerprint_of("r", left), fingerprint_of("r", right));
}

TEST(fingerprint, depends_on_the_order_of_the_fields) {
  const std::vector<key_part> one{{"a", "1"}, {"b", "2"}};
  const std::vector<key_part> other{{"b", "2"}, {"a", "1"}};
  EXPECT_NE(fingerprint_of("r", one), fingerprint_of("r", other));
}

TEST(fingerprint, takes_keys_of_any_length) {
  // 600 bytes in one value, and the same bytes cut differently, both beyond the stack's buffer.
  const std::string text(600, 'x');
  const std::vector<key_part> whole{{"a", text}};
  const std::vector<key_part> cut{{"a", std::string_view(text).substr(0, 300)},
                                  {"", std::string_view(text).substr(300)}};
  EXPECT_EQ(to_text(fingerprint_of("r", whole)), "01bdddbe19b51d123fac603b4d2713ca");
  EXPECT_NE(fingerprint_of("r", whole), fingerprint_of("r", cut));
}

TEST(alert_id, equals_its_published_vector) {
  const fingerprint print{0x0011223344556677ULL, 0x8899aabbccddeeffULL};
  EXPECT_EQ(to_text(alert_id_of(print, "00000000deadbeef", 1'700'000'000'000, 42)),
            "f113f71eb9324142d031243f6e3cb405");
  // As a rule's alert is named: hashed again with what made it begin (docs/protocol.md).
  EXPECT_EQ(to_text(alert_id_of(*parse_fingerprint("f113f71eb9324142d031243f6e3cb405"), "",
                                1'700'000'000'250, 57)),
            "1e4c3789ae8ec41557b7f6c3f444ad14");
}

TEST(alert_id, depends_on_the_first_event) {
  const fingerprint print{1, 2};
  const auto id = alert_id_of(print, "r", 1000, 7);
  EXPECT_NE(id, alert_id_of(print, "r", 1001, 7));
  EXPECT_NE(id, alert_id_of(print, "r", 1000, 8));
  EXPECT_NE(id, alert_id_of(print, "s", 1000, 7));
}

}  // namespace
}  // namespace tocsin
