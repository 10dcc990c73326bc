// SPDX-License-Identifier: Apache-2.0
// Bodies of requests: what is read, and what is said about what cannot be.
#include "io/json_request.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

/// "code field" of the first failure, "" when there is none.
std::string told(json_request& body) {
  const auto wrong = body.failure();
  if (!wrong) return {};
  return std::string{wrong->code} + (wrong->field.empty() ? "" : " " + wrong->field);
}

TEST(json_request, each_type_is_read) {
  json_request body{
      R"({"by":"ann","replace":true,"limit":7,"at":"2026-03-01T10:00:00Z","since":1772359200000,)"
      R"("for":"1h30m","ids":["a","b"],"recurs":[{"location":"UTC"},{"location":"CET"}]})"};
  EXPECT_EQ(body.needed_text("by"), "ann");
  EXPECT_TRUE(body.flag("replace"));
  EXPECT_EQ(body.count("limit", 3, 1, 10), 7u);
  EXPECT_EQ(body.time("at"), from_unix_ms(1'772'359'200'000));
  EXPECT_EQ(body.time("since"), from_unix_ms(1'772'359'200'000));
  EXPECT_EQ(body.length("for"), duration{90min});
  EXPECT_EQ(body.texts("ids"), (std::vector<std::string>{"a", "b"}));
  std::string zones;
  body.each("recurs", [&](json_request& part) { zones += part.text("location"); });
  EXPECT_EQ(zones, "UTCCET");
  EXPECT_EQ(told(body), "");
}

TEST(json_request, what_is_not_there_or_null_is_empty) {
  json_request body{R"({"by":null})"};
  EXPECT_FALSE(body.has("by"));
  EXPECT_EQ(body.text("by"), "");
  EXPECT_FALSE(body.flag("replace"));
  EXPECT_EQ(body.count("limit", 3, 1, 10), 3u);
  EXPECT_FALSE(body.time("at"));
  EXPECT_FALSE(body.length("for"));
  EXPECT_TRUE(body.texts("ids").empty());
  EXPECT_EQ(told(body), "");
}

TEST(json_request, what_is_no_object_is_malformed) {
  for (const char* text : {"", "{", "[]", "7", "{\"a\":1}x", "{\"a\":\"\xff\"}", "nul"}) {
    json_request body{text};
    EXPECT_EQ(told(body), "malformed") << text;
  }
}

TEST(json_request, a_key_that_stands_there_twice_is_malformed) {
  json_request body{R"({"by":"ann","by":"bob"})"};
  EXPECT_EQ(told(body), "malformed");
  EXPECT_NE(body.failure()->message.find("'by'"), std::string::npos);
}

TEST(json_request, the_same_key_in_two_objects_is_fine) {
  json_request body{R"({"a":[{"x":"1"},{"x":"2"}],"x":"3"})"};
  body.each("a", [](json_request& part) { EXPECT_TRUE(part.has("x")); });
  EXPECT_EQ(body.text("x"), "3");
  EXPECT_EQ(told(body), "");
}

TEST(json_request, depth_has_a_bound) {
  const auto nested = [](int levels) {
    return "{\"a\":" + std::string(static_cast<std::size_t>(levels - 1), '[') +
           std::string(static_cast<std::size_t>(levels - 1), ']') + "}";
  };
  json_request deepest{nested(json_request::depth_max)};
  EXPECT_TRUE(deepest.has("a"));
  EXPECT_EQ(told(deepest), "");
  json_request deeper{nested(json_request::depth_max + 1)};
  EXPECT_EQ(told(deeper), "malformed");
}

TEST(json_request, the_number_of_values_has_a_bound) {
  std::string many = "{\"a\":[0";
  for (std::size_t i = 0; i < json_request::values_max; ++i) many += ",0";
  json_request body{many + "]}"};
  EXPECT_EQ(told(body), "malformed");
}

TEST(json_request, a_field_of_the_wrong_type_is_named) {
  const auto tell = [](std::string text, auto&& ask) {
    json_request body{"{\"x\":" + std::move(text) + "}"};
    ask(body);
    return told(body);
  };
  const auto as_text = [](json_request& body) { static_cast<void>(body.text("x")); };
  const auto as_flag = [](json_request& body) { static_cast<void>(body.flag("x")); };
  const auto as_count = [](json_request& body) { static_cast<void>(body.count("x", 1, 1, 9)); };
  const auto as_time = [](json_request& body) { static_cast<void>(body.time("x")); };
  const auto as_length = [](json_request& body) { static_cast<void>(body.length("x")); };
  const auto as_texts = [](json_request& body) { static_cast<void>(body.texts("x")); };
  const auto as_objects = [](json_request& body) { body.each("x", [](json_request&) {}); };
  EXPECT_EQ(tell("7", as_text), "bad_field x");
  EXPECT_EQ(tell("\"true\"", as_flag), "bad_field x");
  EXPECT_EQ(tell("0", as_count), "bad_field x");
  EXPECT_EQ(tell("10", as_count), "bad_field x");
  EXPECT_EQ(tell("-1", as_count), "bad_field x");
  EXPECT_EQ(tell("1.5", as_count), "bad_field x");
  EXPECT_EQ(tell("9", as_count), "");
  EXPECT_EQ(tell("\"tomorrow\"", as_time), "bad_field x");
  EXPECT_EQ(tell("\"1772359200000\"", as_time), "bad_field x");
  EXPECT_EQ(tell("-1", as_time), "bad_field x");
  EXPECT_EQ(tell("253402300800000", as_time), "bad_field x");
  EXPECT_EQ(tell("1.5", as_time), "bad_field x");
  EXPECT_EQ(tell("\"soon\"", as_length), "bad_field x");
  EXPECT_EQ(tell("60", as_length), "bad_field x");
  EXPECT_EQ(tell("\"a\"", as_texts), "bad_field x");
  EXPECT_EQ(tell("[\"a\",7]", as_texts), "bad_field x[1]");
  EXPECT_EQ(tell("{}", as_objects), "bad_field x");
  EXPECT_EQ(tell("[{},7]", as_objects), "bad_field x[1]");
}

TEST(json_request, a_field_inside_a_list_is_named_with_its_place) {
  json_request body{R"({"recurs":[{},{"times":[{"start_time":9}]}]})"};
  body.each("recurs", [](json_request& part) {
    part.each("times",
              [](json_request& inner) { static_cast<void>(inner.needed_text("start_time")); });
  });
  EXPECT_EQ(told(body), "bad_field recurs[1].times[0].start_time");
}

TEST(json_request, a_number_beyond_a_double_is_malformed) {
  json_request body{R"({"count":1e400})"};
  EXPECT_EQ(told(body), "malformed");
}

TEST(json_request, a_field_that_nobody_asked_for_is_told_with_its_likely_name) {
  json_request body{R"({"nots":"x"})"};
  static_cast<void>(body.text("note"));
  EXPECT_EQ(told(body), "unknown_field nots");
  EXPECT_NE(body.failure()->message.find("did you mean note?"), std::string::npos);
}

TEST(json_request, a_needed_text_must_not_be_empty) {
  json_request absent{"{}"};
  static_cast<void>(absent.needed_text("by"));
  EXPECT_EQ(told(absent), "missing_field by");
  json_request empty{R"({"by":""})"};
  static_cast<void>(empty.needed_text("by"));
  EXPECT_EQ(told(empty), "missing_field by");
}

TEST(json_request, the_first_failure_stays) {
  json_request body{R"({"a":1,"b":2})"};
  static_cast<void>(body.text("a"));
  static_cast<void>(body.text("b"));
  body.refuse("c", "also wrong");
  EXPECT_EQ(told(body), "bad_field a");
}

TEST(request_time, is_rfc_3339_or_unix_milliseconds) {
  EXPECT_EQ(parse_request_time("2026-03-01T10:00:00+01:00"), from_unix_ms(1'772'355'600'000));
  EXPECT_EQ(parse_request_time("1772355600000"), from_unix_ms(1'772'355'600'000));
  EXPECT_EQ(parse_request_time("0"), from_unix_ms(0));
  EXPECT_FALSE(parse_request_time("-1"));
  EXPECT_FALSE(parse_request_time("253402300800000"));
  EXPECT_FALSE(parse_request_time("99999999999999999999"));
  EXPECT_FALSE(parse_request_time(""));
  EXPECT_FALSE(parse_request_time("1772355600000 "));
}

}  // namespace
}  // namespace tocsin
