// SPDX-License-Identifier: Apache-2.0
// Names and presence of an event's fields.
#include "tocsin/event.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tocsin {
namespace {

TEST(event, every_field_reads_back_from_its_name) {
  for (std::size_t i = 0; i < event_field_count; ++i) {
    const auto field = static_cast<event_field>(i);
    EXPECT_FALSE(to_text(field).empty());
    EXPECT_EQ(parse_event_field(to_text(field)), field) << to_text(field);
  }
}

TEST(event, other_names_are_no_field) {
  for (const char* name : {"", "Item", "items", "valeu", "source-id", "resource_names"}) {
    EXPECT_EQ(parse_event_field(name), std::nullopt) << name;
  }
}

TEST(event, eight_fields_hold_texts) {
  std::string others;
  for (std::size_t i = 0; i < event_field_count; ++i) {
    const auto field = static_cast<event_field>(i);
    if (!is_text(field)) others += std::string{to_text(field)} + " ";
  }
  EXPECT_EQ(others, "time level value action labels ");
}

TEST(event, actions_have_names) {
  EXPECT_EQ(to_text(event_action::firing), "firing");
  EXPECT_EQ(to_text(event_action::resolved), "resolved");
  EXPECT_EQ(to_text(event_action::closed), "closed");
}

TEST(event, an_absent_text_differs_from_an_empty_one) {
  event seen;
  EXPECT_FALSE(seen.has(event_field::item));
  EXPECT_FALSE(seen.has_value());
  seen.set_text(event_field::item, "");
  seen.value = 0;
  EXPECT_TRUE(seen.has(event_field::item));
  EXPECT_TRUE(seen.has_value());
}

TEST(event, labels_of_each_event_are_its_own) {
  event_batch batch;
  batch.labels = {{"a", "1", 0, label::kind::text}, {"b", {}, 2, label::kind::number}};
  batch.events.resize(2);
  batch.events[0].labels_count = 1;
  batch.events[1].labels_begin = 1;
  batch.events[1].labels_count = 1;
  EXPECT_EQ(batch.labels_of(batch.events[0]).front().name, "a");
  EXPECT_EQ(batch.labels_of(batch.events[1]).front().name, "b");
}

}  // namespace
}  // namespace tocsin
