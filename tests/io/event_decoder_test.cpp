// SPDX-License-Identifier: Apache-2.0
// What event_decoder accepts: shapes, encodings, fields, labels, batches and who keeps what alive.
#include "io/event_decoder.hpp"

#include <gtest/gtest.h>

#include "support/event_builder.hpp"
#include "support/reference_decoder.hpp"

namespace tocsin {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using testing::event_builder;

constexpr instant arrived = from_unix_ms(1'770'000'000'000);

testing::decoded_message decode(std::string_view message) {
  return testing::decode(message, {}, arrived);
}

/// The only event of a message that must have been accepted whole.
event only_event(const testing::decoded_message& decoded) {
  EXPECT_TRUE(decoded.refused.empty()) << decoded.refused.front().message;
  EXPECT_EQ(decoded.batch.events.size(), 1U);
  return decoded.batch.events.empty() ? event{} : decoded.batch.events.front();
}

void expect_sample(const testing::decoded_message& decoded) {
  const event seen = only_event(decoded);
  EXPECT_EQ(seen.text(event_field::event_id), "evt-000000000005");
  EXPECT_EQ(seen.text(event_field::source_id), "agent-05");
  EXPECT_EQ(seen.text(event_field::resource_id), "host-0005");
  EXPECT_EQ(seen.text(event_field::resource_type), "server");
  EXPECT_EQ(seen.text(event_field::resource_name), "web-0005.example.org");
  EXPECT_EQ(seen.text(event_field::item), "http_status");
  EXPECT_EQ(seen.text(event_field::title), "upstream answered 503");
  EXPECT_EQ(seen.text(event_field::description), "GET /api/v1/orders failed after 3 tries");
  EXPECT_TRUE(seen.has_time);
  EXPECT_EQ(seen.time, arrived - duration{1500});
  EXPECT_EQ(seen.arrived, arrived);
  EXPECT_EQ(seen.level, severity::error);
  EXPECT_EQ(seen.value, 500.5);
  EXPECT_EQ(seen.action, event_action::firing);
  const auto labels = decoded.batch.labels_of(seen);
  ASSERT_EQ(labels.size(), 5U);
  EXPECT_EQ(labels[0].name, "env");
  EXPECT_EQ(labels[0].text, "prod");
  EXPECT_EQ(labels[0].type, label::kind::text);
  EXPECT_EQ(labels[3].name, "attempt");
  EXPECT_EQ(labels[3].number, 3);
  EXPECT_EQ(labels[3].type, label::kind::number);
  EXPECT_EQ(labels[4].type, label::kind::boolean);
  EXPECT_EQ(labels[4].number, 0);
}

TEST(event_decoder, reads_every_field_of_a_msgpack_map) {
  const std::string message = testing::sample_event(5, arrived - duration{1500}).map();
  expect_sample(decode(message));
}

TEST(event_decoder, reads_every_field_of_the_positional_form_in_a_batch) {
  const std::string message =
      testing::batch_of({testing::sample_event(5, arrived - duration{1500}).positional()});
  expect_sample(decode(message));
}

TEST(event_decoder, reads_every_field_of_json) {
  const std::string message = testing::sample_event(5, arrived - duration{1500}).json();
  expect_sample(decode(message));
}

TEST(event_decoder, what_is_absent_differs_from_what_is_empty) {
  const std::string message = event_builder{}.source("").map();
  const auto decoded = decode(message);
  const event seen = only_event(decoded);
  EXPECT_TRUE(seen.has(event_field::source_id));
  EXPECT_EQ(seen.text(event_field::source_id), "");
  EXPECT_FALSE(seen.has(event_field::item));
  EXPECT_FALSE(seen.has_value());
  EXPECT_FALSE(seen.level.has_value());
  EXPECT_EQ(seen.action, event_action::firing);
}

TEST(event_decoder, nil_for_a_known_key_means_absent) {
  const auto decoded = decode(R"({"item": null, "time": null, "value": null, "labels": null})");
  const event seen = only_event(decoded);
  EXPECT_FALSE(seen.has(event_field::item));
  EXPECT_FALSE(seen.has_time);
  EXPECT_FALSE(seen.has_value());
  EXPECT_EQ(seen.labels_count, 0U);
}

TEST(event_decoder, an_event_without_a_time_happened_when_it_arrived) {
  const std::string message = event_builder{}.item("cpu").map();
  const event seen = only_event(decode(message));
  EXPECT_FALSE(seen.has_time);
  EXPECT_EQ(seen.time, arrived);
}

TEST(event_decoder, trailing_positional_elements_may_be_left_out) {
  const auto decoded = decode("[[\"id-1\", \"agent\"], []]");
  ASSERT_EQ(decoded.batch.events.size(), 2U);
  EXPECT_EQ(decoded.batch.events[0].text(event_field::source_id), "agent");
  EXPECT_FALSE(decoded.batch.events[1].has(event_field::event_id));
}

TEST(event_decoder, a_batch_keeps_its_order_and_each_event_its_own_labels) {
  const std::string message = testing::batch_of({
      event_builder{}.item("a").label("n", 1.0).map(),
      event_builder{}.item("b").map(),
      event_builder{}.item("c").label("n", 3.0).label("m", true).positional(),
  });
  const auto [batch, refused] = decode(message);
  ASSERT_EQ(batch.events.size(), 3U);
  EXPECT_EQ(batch.events[0].text(event_field::item), "a");
  EXPECT_EQ(batch.labels_of(batch.events[0])[0].number, 1);
  EXPECT_TRUE(batch.labels_of(batch.events[1]).empty());
  ASSERT_EQ(batch.labels_of(batch.events[2]).size(), 2U);
  EXPECT_EQ(batch.labels_of(batch.events[2])[0].number, 3);
}

TEST(event_decoder, appends_to_what_the_batch_already_holds) {
  const std::string first = event_builder{}.item("a").label("n", 1.0).map();
  const std::string second = event_builder{}.item("b").label("n", 2.0).map();
  testing::decoded_message out;
  event_decoder decoder{event_limits{}};
  decoder.decode(first, arrived, out.batch, out.refused);
  decoder.decode(second, arrived, out.batch, out.refused);
  ASSERT_EQ(out.batch.events.size(), 2U);
  EXPECT_EQ(out.batch.labels_of(out.batch.events[1])[0].number, 2);
}

TEST(event_decoder, an_empty_batch_holds_no_events_and_is_no_error) {
  for (const std::string_view message : {"\x90"sv, "[]"sv, " [ ] "sv}) {
    const auto decoded = decode(message);
    EXPECT_TRUE(decoded.batch.events.empty());
    EXPECT_TRUE(decoded.refused.empty());
  }
}

TEST(event_decoder, views_of_msgpack_point_into_the_message) {
  const std::string message = event_builder{}.item("disk").map();
  const auto decoded = decode(message);
  const char* at = only_event(decoded).text(event_field::item).data();
  EXPECT_TRUE(at >= message.data() && at < message.data() + message.size());
  EXPECT_TRUE(decoded.batch.owners.empty());
}

TEST(event_decoder, the_batch_keeps_alive_what_json_was_rewritten_to) {
  testing::decoded_message out;
  {
    const std::string message = R"({"item": "d\u0069sk", "labels": {"env": "prod"}})";
    out = decode(message);
  }
  ASSERT_EQ(out.batch.owners.size(), 1U);
  EXPECT_EQ(only_event(out).text(event_field::item), "disk");
  EXPECT_EQ(out.batch.labels[0].text, "prod");
}

TEST(event_decoder, json_may_begin_and_end_with_white_space) {
  EXPECT_EQ(only_event(decode("\r\n\t {\"value\": 1} \n")).value, 1);
}

TEST(event_decoder, a_level_is_a_number_a_name_or_an_alias) {
  EXPECT_EQ(only_event(decode(R"({"level": 0})")).level, severity::critical);
  EXPECT_EQ(only_event(decode(R"({"level": "warning"})")).level, severity::warning);
  EXPECT_EQ(only_event(decode(R"({"level": "P2"})")).level, severity::error);
  EXPECT_EQ(only_event(decode(R"({"level": 3})")).level, severity::info);
}

TEST(event_decoder, actions_go_by_name) {
  EXPECT_EQ(only_event(decode(R"({"action": "firing"})")).action, event_action::firing);
  EXPECT_EQ(only_event(decode(R"({"action": "resolved"})")).action, event_action::resolved);
  EXPECT_EQ(only_event(decode(R"({"action": "closed"})")).action, event_action::closed);
}

TEST(event_decoder, any_finite_number_is_a_value) {
  EXPECT_EQ(only_event(decode(R"({"value": -7})")).value, -7);
  EXPECT_EQ(only_event(decode(R"({"value": 18446744073709551615})")).value, 18446744073709551615.0);
  EXPECT_EQ(only_event(decode("\x81\xA5value\xCA\x3F\x00\x00\x00"sv)).value, 0.5);
  EXPECT_EQ(only_event(decode("\x81\xA5value\xD1\xFF\x00"sv)).value, -256);
}

TEST(event_decoder, unknown_keys_with_a_scalar_value_become_labels) {
  const auto decoded = decode(R"({"rack": "r7", "slot": 4, "spare": true, "owner": null})");
  const auto labels = decoded.batch.labels_of(only_event(decoded));
  ASSERT_EQ(labels.size(), 4U);
  EXPECT_EQ(labels[0].text, "r7");
  EXPECT_EQ(labels[1].number, 4);
  EXPECT_EQ(labels[2].type, label::kind::boolean);
  EXPECT_EQ(labels[2].number, 1);
  EXPECT_EQ(labels[3].type, label::kind::null);
}

TEST(event_decoder, a_known_key_wins_over_a_label_of_its_name_wherever_it_stands) {
  for (const std::string_view message :
       {R"({"item": "cpu", "labels": {"item": "x", "env": "prod"}})"sv,
        R"({"labels": {"item": "x", "env": "prod"}, "item": "cpu"})"sv}) {
    const auto decoded = decode(message);
    const auto labels = decoded.batch.labels_of(only_event(decoded));
    ASSERT_EQ(labels.size(), 1U);
    EXPECT_EQ(labels[0].name, "env");
    EXPECT_EQ(decoded.batch.labels.size(), 1U);
  }
}

TEST(event_decoder, a_label_named_like_an_absent_known_key_stays) {
  const auto decoded = decode(R"({"item": null, "labels": {"item": "x"}})");
  EXPECT_EQ(decoded.batch.labels_of(only_event(decoded)).size(), 1U);
}

TEST(event_decoder, reads_the_three_forms_of_msgpack_timestamps) {
  const auto time_of = [](std::string_view extension) {
    const std::string message = "\x81\xA4time"s + std::string{extension};
    return only_event(decode(message)).time;
  };
  EXPECT_EQ(time_of("\xD6\xFF\x65\x53\xF1\x00"sv), from_unix_ms(1'700'000'000'000));
  // 500,000,000 ns << 34 | 1,700,000,000 s
  EXPECT_EQ(time_of("\xD7\xFF\x77\x35\x94\x00\x65\x53\xF1\x00"sv), from_unix_ms(1'700'000'000'500));
  EXPECT_EQ(time_of("\xC7\x0C\xFF\x0F\x42\x40\x00\x00\x00\x00\x00\x65\x53\xF1\x00"sv),
            from_unix_ms(1'700'000'000'256));
}

TEST(event_decoder, reads_rfc_3339_times_in_json) {
  EXPECT_EQ(only_event(decode(R"({"time": "2023-11-14T22:13:20.250Z"})")).time,
            from_unix_ms(1'700'000'000'250));
  EXPECT_EQ(only_event(decode(R"([[null, null, "2023-11-14T23:13:20+01:00"]])")).time,
            from_unix_ms(1'700'000'000'000));
}

TEST(event_decoder, a_time_may_lie_just_so_far_ahead) {
  const std::string message = event_builder{}.time(arrived + std::chrono::minutes{1}).map();
  EXPECT_EQ(only_event(decode(message)).time, arrived + std::chrono::minutes{1});
}

}  // namespace
}  // namespace tocsin
