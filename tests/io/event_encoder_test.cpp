// SPDX-License-Identifier: Apache-2.0
// What senders encode is what the decoder reads.
#include "io/event_encoder.hpp"

#include <gtest/gtest.h>

#include "io/event_decoder.hpp"

namespace tocsin {
namespace {

const instant arrival = from_unix_ms(1'772'366'400'000);

event_batch decoded(const std::string& message) {
  event_batch batch;
  std::vector<rejection> refused;
  event_decoder{event_limits{}}.decode(message, arrival, batch, refused);
  for (const rejection& each : refused) ADD_FAILURE() << each.code << ": " << each.message;
  return batch;
}

TEST(event_encoder, an_event_with_every_field_reads_back) {
  event sent;
  for (std::size_t i = 0; i < event_field_count; ++i) {
    const auto field = static_cast<event_field>(i);
    if (is_text(field)) sent.set_text(field, to_text(field));
  }
  sent.has_time = true;
  sent.time = arrival - std::chrono::seconds{5};
  sent.value = 2.5;
  sent.level = severity::warning;
  sent.action = event_action::resolved;
  const std::vector<label> labels{{"env", "prod", 0, label::kind::text},
                                  {"port", {}, 8080, label::kind::number},
                                  {"ok", {}, 1, label::kind::boolean},
                                  {"gone", {}, 0, label::kind::null}};
  const std::string message = encode_event(sent, labels);
  const event_batch batch = decoded(message);
  ASSERT_EQ(batch.events.size(), 1u);
  const event& got = batch.events[0];
  EXPECT_EQ(got.texts, sent.texts);
  EXPECT_TRUE(got.has_time);
  EXPECT_EQ(got.time, sent.time);
  EXPECT_EQ(got.value, 2.5);
  EXPECT_EQ(got.level, severity::warning);
  EXPECT_EQ(got.action, event_action::resolved);
  const auto got_labels = batch.labels_of(got);
  ASSERT_EQ(got_labels.size(), labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    EXPECT_EQ(got_labels[i].name, labels[i].name);
    EXPECT_EQ(got_labels[i].type, labels[i].type);
    EXPECT_EQ(got_labels[i].text, labels[i].text);
    EXPECT_EQ(got_labels[i].number, labels[i].number);
  }
}

TEST(event_encoder, what_an_event_does_not_have_is_left_out) {
  EXPECT_EQ(encode_event(event{}, {}), "\x80");
  event sent;
  sent.set_text(event_field::item, "");
  EXPECT_EQ(encode_event(sent, {}), std::string("\x81\xa4item\xa0", 7));
}

TEST(event_encoder, whole_numbers_are_integers) {
  event sent;
  sent.value = 5;
  EXPECT_EQ(encode_event(sent, {}), "\x81\xa5value\x05");
}

TEST(message_builder, one_event_is_itself_and_more_are_a_batch) {
  message_builder builder;
  EXPECT_EQ(builder.take(), "");
  builder.add("\x80");
  EXPECT_EQ(builder.take(), "\x80");
  builder.add("\x80");
  builder.add("\x80");
  EXPECT_EQ(builder.count(), 2u);
  EXPECT_EQ(builder.take(), "\x92\x80\x80");
  EXPECT_EQ(builder.count(), 0u);
}

TEST(message_builder, a_full_message_reads_back_event_by_event) {
  message_builder builder;
  for (int i = 0; !builder.full(); ++i) {
    event sent;
    sent.value = i;
    builder.add(encode_event(sent, {}));
  }
  const std::string message = builder.take();
  const event_batch batch = decoded(message);
  ASSERT_EQ(batch.events.size(), message_builder::events_max);
  for (std::size_t i = 0; i < batch.events.size(); ++i) {
    EXPECT_EQ(batch.events[i].value, static_cast<double>(i));
  }
}

}  // namespace
}  // namespace tocsin
