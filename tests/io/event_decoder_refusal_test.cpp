// SPDX-License-Identifier: Apache-2.0
// What event_decoder refuses: each code with its cause, and what a refusal leaves untouched.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/event_builder.hpp"
#include "support/reference_decoder.hpp"

namespace tocsin {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using testing::event_builder;

constexpr instant arrived = from_unix_ms(1'770'000'000'000);

/// The only refusal of a message of which nothing must have been accepted.
rejection only_refusal(std::string_view message, const event_limits& limits = {}) {
  const auto [batch, refused] = testing::decode(message, limits, arrived);
  EXPECT_TRUE(batch.events.empty());
  EXPECT_TRUE(batch.labels.empty());
  EXPECT_EQ(refused.size(), 1U);
  return refused.empty() ? rejection{} : refused.front();
}

std::string code_of(std::string_view message, const event_limits& limits = {}) {
  return std::string{only_refusal(message, limits).code};
}

TEST(event_decoder_refusal, an_empty_message) {
  EXPECT_EQ(code_of(""), "empty_message");
  EXPECT_EQ(code_of(" \n"), "empty_message");
}

TEST(event_decoder_refusal, a_message_over_its_bound_is_not_read) {
  event_limits limits;
  limits.message_bytes = 20;
  const std::string message = testing::batch_of(std::vector<std::string>(20, "\x80"));
  const auto refused = only_refusal(message, limits);
  EXPECT_EQ(refused.code, "message_too_large");
  EXPECT_EQ(refused.message, "message: seen 23 bytes, wanted at most 20");
}

TEST(event_decoder_refusal, an_event_over_its_bound_whatever_else_is_wrong) {
  event_limits limits;
  limits.event_bytes = 32;
  const std::string good = event_builder{}.item("a").map();
  const std::string large = event_builder{}.source("s").title(std::string(40, 'x')).map();
  const std::string message = testing::batch_of({good, large, good});
  const auto [batch, refused] = testing::decode(message, limits, arrived);
  EXPECT_EQ(batch.events.size(), 2U);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].index, 1U);
  EXPECT_EQ(refused[0].code, "event_too_large");
  EXPECT_EQ(refused[0].source, "s");
  EXPECT_EQ(code_of(R"({"value": "no number", "title": "xxxxxxxxxxxxxxxxxxxx"})", limits),
            "event_too_large");
}

TEST(event_decoder_refusal, containers_deeper_than_the_bound) {
  EXPECT_EQ(code_of(R"({"a": [[[1]]]})"), "bad_type");
  EXPECT_EQ(code_of(R"({"a": [[[[1]]]]})"), "too_deep");
  EXPECT_EQ(code_of(R"({"labels": {"a": [[]]}})"), "bad_type");
  EXPECT_EQ(code_of(R"({"labels": {"a": [[[]]]}})"), "too_deep");
  event_limits flat;
  flat.nesting = 1;
  EXPECT_EQ(code_of(R"({"labels": {}})", flat), "too_deep");
}

TEST(event_decoder_refusal, event_ids_that_are_empty_or_too_long) {
  EXPECT_EQ(code_of(R"({"event_id": ""})"), "bad_event_id");
  const std::string longest = event_builder{}.event_id(std::string(128, 'i')).map();
  EXPECT_TRUE(testing::decode(longest, {}, arrived).refused.empty());
  EXPECT_EQ(code_of(event_builder{}.event_id(std::string(129, 'i')).map()), "bad_event_id");
}

TEST(event_decoder_refusal, more_labels_than_the_bound_counting_unknown_keys) {
  event_builder event;
  for (int i = 0; i < 64; ++i) event.label(fmt::format("l{}", i), 1.0);
  const std::string most = event.map();
  EXPECT_TRUE(testing::decode(most, {}, arrived).refused.empty());
  EXPECT_EQ(code_of(event.label("one more", 1.0).map()), "too_many_labels");
  event_limits limits;
  limits.labels = 1;
  EXPECT_EQ(code_of(R"({"a": 1, "labels": {"b": 1}})", limits), "too_many_labels");
}

TEST(event_decoder_refusal, label_names_that_are_empty_or_too_long) {
  EXPECT_EQ(code_of(R"({"labels": {"": 1}})"), "bad_label_name");
  EXPECT_EQ(code_of(event_builder{}.label(std::string(129, 'n'), 1.0).map()), "bad_label_name");
  EXPECT_EQ(code_of(R"({"": 1})"), "bad_label_name");
}

TEST(event_decoder_refusal, strings_longer_than_the_bound) {
  const std::string longest = event_builder{}.title(std::string(4096, 't')).map();
  EXPECT_TRUE(testing::decode(longest, {}, arrived).refused.empty());
  EXPECT_EQ(code_of(event_builder{}.title(std::string(4097, 't')).map()), "value_too_long");
  EXPECT_EQ(code_of(event_builder{}.label("a", std::string(4097, 't')).map()), "value_too_long");
}

TEST(event_decoder_refusal, times_further_ahead_than_the_bound) {
  const auto refused =
      only_refusal(event_builder{}.time(arrived + std::chrono::minutes{1} + duration{1}).map());
  EXPECT_EQ(refused.code, "time_in_future");
  EXPECT_EQ(refused.message,
            "time: seen 2026-02-02T02:41:00.001Z, 60001 ms ahead of 2026-02-02T02:40:00.000Z, "
            "wanted at most 60000 ms ahead");
}

TEST(event_decoder_refusal, times_that_are_none) {
  EXPECT_EQ(code_of(R"({"time": -1})"), "bad_time");
  EXPECT_EQ(code_of(R"({"time": 253402300800000})"), "bad_time");
  EXPECT_EQ(code_of(R"({"time": 18446744073709551615})"), "bad_time");
  EXPECT_EQ(code_of(R"({"time": "yesterday"})"), "bad_time");
  EXPECT_EQ(code_of(R"({"time": "1969-12-31T23:59:59Z"})"), "bad_time");
  EXPECT_EQ(code_of("\x81\xA4time\xD4\xFF\x01"sv), "bad_time");
  // 1,000,000,000 ns << 34
  EXPECT_EQ(code_of("\x81\xA4time\xD7\xFF\xEE\x6B\x28\x00\x00\x00\x00\x00"sv), "bad_time");
  EXPECT_EQ(code_of("\x81\xA4time\xC7\x0C\xFF\0\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"sv),
            "bad_time");
}

TEST(event_decoder_refusal, times_as_text_in_msgpack_and_as_fractions) {
  EXPECT_EQ(code_of("\x81\xA4time\xB4"s + "2023-11-14T22:13:20Z"), "bad_type");
  EXPECT_EQ(code_of(R"({"time": 1700000000000.5})"), "bad_type");
  EXPECT_EQ(code_of("\x81\xA4time\xD6\x05\0\0\0\0"sv), "bad_type");
}

TEST(event_decoder_refusal, text_that_is_not_utf_8) {
  for (const std::string_view wrong :
       {"\xC0\x80"sv, "\xED\xA0\x80"sv, "\xF4\x90\x80\x80"sv, "\xE2\x82"sv, "\x80"sv, "\xFF"sv,
        "twelve bytes\xC3"sv, "\xF0\x8F\xBF\xBF and more"sv}) {
    EXPECT_EQ(code_of(event_builder{}.title(std::string{wrong}).map()), "invalid_utf8");
    EXPECT_EQ(code_of(event_builder{}.label("a", std::string{wrong}).map()), "invalid_utf8");
    EXPECT_EQ(code_of(event_builder{}.label(std::string{wrong}, 1.0).map()), "invalid_utf8");
  }
}

TEST(event_decoder_refusal, values_of_the_wrong_kind) {
  EXPECT_EQ(only_refusal(R"({"item": 7})").message, "item: seen the integer 7, wanted a string");
  EXPECT_EQ(only_refusal(R"({"value": "high"})").message,
            "value: seen \"high\", wanted a finite number");
  EXPECT_EQ(code_of("\x81\xA4item\xC4\x03"
                    "cpu"sv),
            "bad_type");
  EXPECT_EQ(code_of("\x81\x07\x01"sv), "bad_type");
  EXPECT_EQ(code_of(R"({"labels": []})"), "bad_type");
  EXPECT_EQ(code_of(R"({"extra": {"a": 1}})"), "bad_type");
  EXPECT_EQ(code_of(R"({"level": true})"), "bad_type");
  EXPECT_EQ(code_of(R"({"action": 1})"), "bad_type");
  EXPECT_EQ(code_of("[[1,2,3,4,5,6,7,8,9,10,11,12,13,14]]"), "bad_type");
}

TEST(event_decoder_refusal, levels_that_are_none) {
  EXPECT_EQ(code_of(R"({"level": 4})"), "bad_level");
  EXPECT_EQ(code_of(R"({"level": -1})"), "bad_level");
  EXPECT_EQ(code_of(R"({"level": "severe"})"), "bad_level");
}

TEST(event_decoder_refusal, numbers_that_are_not_finite) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const auto refused = only_refusal(event_builder{}.value(nan).map());
  EXPECT_EQ(refused.code, "bad_value");
  EXPECT_EQ(refused.message, "value: seen NaN, wanted a finite number");
  EXPECT_EQ(code_of(event_builder{}.value(-infinity).map()), "bad_value");
  EXPECT_EQ(code_of(event_builder{}.label("a", infinity).map()), "bad_value");
}

TEST(event_decoder_refusal, actions_that_are_none) {
  EXPECT_EQ(only_refusal(R"({"action": "opened"})").message,
            "action: seen \"opened\", wanted firing, resolved or closed");
  EXPECT_EQ(code_of(R"({"action": "Firing"})"), "bad_action");
}

TEST(event_decoder_refusal, the_same_name_twice) {
  EXPECT_EQ(code_of(R"({"item": "a", "item": "a"})"), "duplicate_key");
  EXPECT_EQ(code_of(R"({"item": null, "item": "a"})"), "duplicate_key");
  EXPECT_EQ(code_of(R"({"a": 1, "a": 2})"), "duplicate_key");
  EXPECT_EQ(code_of(R"({"labels": {"a": 1, "a": 1}})"), "duplicate_key");
  EXPECT_EQ(code_of(R"({"a": 1, "labels": {"a": 1}})"), "duplicate_key");
  EXPECT_EQ(code_of(R"({"labels": {"a": 1}, "a": 1})"), "duplicate_key");
  EXPECT_EQ(code_of(R"({"labels": {}, "labels": {}})"), "duplicate_key");
}

TEST(event_decoder_refusal, elements_that_are_no_events) {
  EXPECT_EQ(code_of("\x2A"sv), "not_an_event");
  EXPECT_EQ(code_of("\xC0"sv), "not_an_event");
  const auto [batch, refused] = testing::decode(R"([{}, 1, "a", null, {}])", {}, arrived);
  EXPECT_EQ(batch.events.size(), 2U);
  ASSERT_EQ(refused.size(), 3U);
  EXPECT_EQ(refused[1].index, 2U);
  EXPECT_EQ(refused[1].code, "not_an_event");
}

TEST(event_decoder_refusal, bytes_behind_the_message) {
  for (const std::string_view message :
       {"\x80\x01"sv, "\x91\x80\x80"sv, "{} {}"sv, "[{}]x"sv, "{}\0"sv, "{}\0{}"sv}) {
    const auto [batch, refused] = testing::decode(message, {}, arrived);
    EXPECT_EQ(batch.events.size(), 1U);
    ASSERT_EQ(refused.size(), 1U);
    EXPECT_EQ(refused[0].code, "trailing_bytes");
    EXPECT_EQ(refused[0].index, 1U);
  }
}

TEST(event_decoder_refusal, whatever_is_cut_off) {
  const std::string whole = testing::sample_event(1, arrived).map();
  for (std::size_t bytes = 1; bytes < whole.size(); ++bytes) {
    ASSERT_EQ(code_of(std::string_view{whole}.substr(0, bytes)), "malformed") << bytes;
  }
  const std::string json = testing::sample_event(1, arrived).json();
  for (std::size_t bytes = 1; bytes < json.size(); ++bytes) {
    ASSERT_EQ(code_of(std::string_view{json}.substr(0, bytes)), "malformed") << bytes;
  }
}

TEST(event_decoder_refusal, a_torn_batch_keeps_the_events_before_the_tear) {
  const std::string torn =
      "\x95"s + event_builder{}.item("a").map() + event_builder{}.item("b").map() + "\xC1" + "\x80";
  for (const std::string& message : {torn, R"([{"item":"a"}, {"item":"b"}, {"item" "c"}, {}])"s}) {
    const auto [batch, refused] = testing::decode(message, {}, arrived);
    EXPECT_EQ(batch.events.size(), 2U);
    ASSERT_EQ(refused.size(), 1U);
    EXPECT_EQ(refused[0].code, "malformed");
    EXPECT_EQ(refused[0].index, 2U);
  }
}

TEST(event_decoder_refusal, json_that_is_none) {
  for (const std::string_view message :
       {"{"sv, "[}"sv, "{\"a\": nul}"sv, "{\"value\": 1e999}"sv, "{\"a\": \"\xFF\"}"sv,
        "{\"a\": \"\\ud800\"}"sv, "{'a': 1}"sv, "[,]"sv, "{\"a\": NaN}"sv}) {
    EXPECT_EQ(code_of(message), "malformed") << message;
  }
}

TEST(event_decoder_refusal, a_bad_event_leaves_its_neighbours_and_no_labels) {
  const std::string good = event_builder{}.source("s").label("env", "prod").map();
  const std::string bad = event_builder{}.source("noisy").label("a", 1.0).label("b", "\xFF").map();
  const std::string message = testing::batch_of({good, bad, good, bad});
  const auto [batch, refused] = testing::decode(message, {}, arrived);
  EXPECT_EQ(batch.events.size(), 2U);
  EXPECT_EQ(batch.labels.size(), 2U);
  EXPECT_EQ(batch.labels_of(batch.events[1])[0].text, "prod");
  ASSERT_EQ(refused.size(), 2U);
  EXPECT_EQ(refused[0].index, 1U);
  EXPECT_EQ(refused[1].index, 3U);
  EXPECT_EQ(refused[0].message, "label \"b\": seen \"?\", wanted UTF-8");
}

TEST(event_decoder_refusal, the_source_is_found_before_and_behind_the_fault) {
  EXPECT_EQ(only_refusal(R"({"source_id": "s", "value": "x"})").source, "s");
  EXPECT_EQ(only_refusal(R"({"value": "x", "more": [1, {}], "source_id": "s"})").source, "s");
  EXPECT_EQ(only_refusal(R"([[7, "s"]])").source, "s");
  EXPECT_EQ(only_refusal(R"({"value": "x", "source_id": 7})").source, "");
  EXPECT_EQ(only_refusal(R"({"value": "x"})").source, "");
}

TEST(event_decoder_refusal, declared_lengths_beyond_the_bytes_cost_nothing) {
  for (const std::string_view message :
       {"\xDD\xFF\xFF\xFF\xFF"sv, "\xDF\xFF\xFF\xFF\xFF"sv, "\xDB\xFF\xFF\xFF\xFF"sv,
        "\xC6\xFF\xFF\xFF\xFF"sv, "\xC9\xFF\xFF\xFF\xFF\x01"sv, "\xDC\xFF\xFF"sv,
        "\x81\xA6labels\xDF\xFF\xFF\xFF\xFF"sv,
        "\x81\xA1"
        "a\xDD\xFF\xFF\xFF\xFF"sv}) {
    EXPECT_EQ(code_of(message), "malformed");
  }
  const std::string one = "\xDD\xFF\xFF\xFF\xFF" + event_builder{}.item("a").map();
  const auto [batch, refused] = testing::decode(one, {}, arrived);
  EXPECT_EQ(batch.events.size(), 1U);
  EXPECT_LT(batch.events.capacity(), 64U);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].code, "malformed");
}

TEST(event_decoder_refusal, a_batch_of_too_many_is_taken_up_to_the_bound) {
  event_limits limits;
  limits.events_per_message = 2;
  for (const std::string_view message :
       {"\x94\x80\x01\x80\xC1"sv, "[{}, 7, {}, {}]"sv, "[{}, 7, {}"sv}) {
    const auto [batch, refused] = testing::decode(std::string{message}, limits, arrived);
    EXPECT_EQ(batch.events.size(), 1U);
    ASSERT_EQ(refused.size(), 2U);
    EXPECT_EQ(refused[0].code, "not_an_event");
    EXPECT_EQ(refused[1].code, "too_many_events");
    EXPECT_EQ(refused[1].index, 2U);
  }
  EXPECT_EQ(testing::decode("\x92\x80\x80", limits, arrived).batch.events.size(), 2U);
}

TEST(event_decoder_refusal, depth_bombs_are_walked_not_recursed_into) {
  constexpr std::size_t deep = 1'000'000;
  const std::string arrays =
      "\x91\x81\xA1"
      "a" +
      std::string(deep, '\x91') + "\x01";
  EXPECT_EQ(code_of(arrays), "event_too_large");
  event_limits limits;
  limits.event_bytes = limits.message_bytes = 4 * deep;
  limits.nesting = 2 * deep;
  EXPECT_EQ(code_of(arrays, limits), "too_deep");
  EXPECT_EQ(code_of(R"({"a":)" + std::string(deep, '[') + std::string(deep, ']') + "}", limits),
            "too_deep");
  EXPECT_EQ(code_of(std::string(deep, '[')), "malformed");
}

TEST(event_decoder_refusal, quoted_text_is_cut_and_made_printable) {
  EXPECT_EQ(only_refusal("{\"action\": \"a\\nb\\u0000\\u00fc\"}").message,
            "action: seen \"a?b?\xC3\xBC\", wanted firing, resolved or closed");
  const std::string message = R"({"action": ")" + std::string(3000, 'x') + R"("})";
  EXPECT_EQ(only_refusal(message).message,
            "action: seen \"" + std::string(60, 'x') + "...\", wanted firing, resolved or closed");
}

}  // namespace
}  // namespace tocsin
