// SPDX-License-Identifier: Apache-2.0
// What is written of a log entry is read back in every field; what was not written is refused.
#include "tocsin/log_entry.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support/random_log_entry.hpp"
#include "tocsin/dedup_index.hpp"

namespace tocsin {
namespace {

using testing::first_difference;
using testing::random_log_entry;
using testing::random_operation;

std::string bytes_of(const log_entry& entry) {
  std::string bytes;
  encode_log_entry(entry, bytes);
  return bytes;
}

/// Decodes a copy that is exactly as long, so that reading beyond it is found out.
result<log_entry> decode_copy(std::string_view bytes) {
  const auto copy = std::make_shared<std::vector<char>>(bytes.begin(), bytes.end());
  return decode_log_entry({copy->data(), copy->size()}, copy);
}

std::string hex_of(std::string_view bytes) {
  std::string hex;
  for (const char each : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(each));
  return hex;
}

TEST(log_entry, is_read_back_in_every_field) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    std::mt19937_64 random{seed};
    const log_entry entry = random_log_entry(random);
    const auto read = decode_copy(bytes_of(entry));
    ASSERT_TRUE(read) << "seed " << seed << ": " << read.failure().message;
    ASSERT_EQ(first_difference(entry, *read), "") << "seed " << seed;
  }
}

TEST(log_entry, every_kind_of_operation_is_read_back) {
  for (std::size_t kind = 0; kind < std::variant_size_v<operation>; ++kind) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      std::mt19937_64 random{seed};
      log_entry entry{seed, from_unix_ms(1'700'000'000'000), nullptr, {}, nullptr};
      entry.asked = std::make_shared<const operation>(random_operation(random, kind));
      const auto read = decode_copy(bytes_of(entry));
      ASSERT_TRUE(read) << "kind " << kind << ", seed " << seed << ": " << read.failure().message;
      ASSERT_EQ(first_difference(entry, *read), "") << "kind " << kind << ", seed " << seed;
    }
  }
}

TEST(log_entry, entries_are_appended_to_what_is_there) {
  std::mt19937_64 random{7};
  const log_entry first = random_log_entry(random);
  const log_entry second = random_log_entry(random);
  std::string both = bytes_of(first);
  const std::size_t begin = both.size();
  encode_log_entry(second, both);
  EXPECT_EQ(both, bytes_of(first) + bytes_of(second));
  const auto read = decode_copy(std::string_view{both}.substr(begin));
  ASSERT_TRUE(read);
  EXPECT_EQ(first_difference(second, *read), "");
}

TEST(log_entry, its_texts_keep_the_bytes_alive) {
  const auto bytes = std::make_shared<std::string>();
  auto batch = std::make_shared<event_batch>();
  batch->events.emplace_back().set_text(event_field::item, "cpu");
  encode_log_entry({1, {}, batch, {}, nullptr}, *bytes);
  auto read = decode_log_entry(*bytes, bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(bytes.use_count(), 2);
  const std::string_view text = read->batch->events[0].text(event_field::item);
  EXPECT_TRUE(text.data() > bytes->data() && text.data() < bytes->data() + bytes->size());
  read->batch.reset();
  EXPECT_EQ(bytes.use_count(), 1);
}

TEST(log_entry, a_null_text_is_told_from_an_empty_one_also_beside_others) {
  auto batch = std::make_shared<event_batch>();
  for (const char* text : {"x", "", static_cast<const char*>(nullptr), "", "x"}) {
    event& one = batch->events.emplace_back();
    if (text != nullptr) one.set_text(event_field::title, text);
  }
  const auto read = decode_copy(bytes_of({1, {}, batch, {}, nullptr}));
  ASSERT_TRUE(read);
  EXPECT_EQ(first_difference(*batch, *read->batch), "");
}

TEST(log_entry, events_that_have_much_in_common_take_few_bytes) {
  auto batch = std::make_shared<event_batch>();
  const instant clock = from_unix_ms(1'700'000'000'000);
  batch->clock = clock;
  batch->labels = {{"team", "web", 0, label::kind::text}};
  for (int i = 0; i < 1000; ++i) {
    event& one = batch->events.emplace_back();
    one.set_text(event_field::source_id, "agent-1");
    one.set_text(event_field::resource_id, "host-1.example.org");
    one.time = one.arrived = clock;
    one.labels_count = 1;
  }
  const std::string bytes = bytes_of({1, clock, batch, {}, nullptr});
  EXPECT_LT(bytes.size(), 4 * 1000 + 100U);
  const auto read = decode_copy(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(first_difference(*batch, *read->batch), "");
}

/// One of everything that an entry can hold.
log_entry sample() {
  const instant clock = from_unix_ms(1'700'000'000'000);
  auto batch = std::make_shared<event_batch>();
  batch->first_position = 300;
  batch->clock = clock;
  batch->labels = {{"a", "b", 0, label::kind::text},
                   {"c", {}, 1.5, label::kind::number},
                   {"d", {}, 1, label::kind::boolean},
                   {"e", {}, 0, label::kind::boolean},
                   {"f", {}, 0, label::kind::null}};
  for (int i = 0; i < 2; ++i) {
    event& one = batch->events.emplace_back();
    one.set_text(event_field::event_id, i == 0 ? "e1" : "e2");
    one.set_text(event_field::source_id, "s");
    one.set_text(event_field::item, "");
    one.arrived = clock;
    one.time = clock - duration{100 * i};
    one.has_time = i == 1;
    one.labels_count = 5;
  }
  batch->events[0].value = -2.5;
  batch->events[0].level = severity::warning;
  batch->events[1].action = event_action::resolved;
  log_entry made{200, clock, batch, {}, nullptr, false};
  made.seen.push_back({{1, 2}, 3, clock - duration{100}});
  made.seen.push_back({{4, 5}, 6, remembered_event::no_time});
  silence quiet;
  quiet.id = "i";
  quiet.matchers = parse_label_matchers("{a=~\"b\"}").value();
  quiet.starts_at = clock;
  quiet.ends_at = clock + duration{1};
  quiet.created_by = "me";
  quiet.scope = silence_scope::events;
  quiet.recurs.push_back({{{0, 1440}}, {{1, 5}}, {{-3, -1}}, {}, {}, "UTC"});
  quiet.updated_at = clock;
  made.asked = std::make_shared<const operation>(put_silence{quiet});
  return made;
}

// What version 1 wrote on the day it was made: it must be read for as long as logs last.
TEST(log_entry, the_bytes_of_version_1_do_not_change) {
  const std::string golden =
      "01c80180a0abfef96207ac0200022300110c00000000000004c002653101730005096101620a630000000000"
      "00f83f0c640b65086601222601c7010265320201000000000000000200000000000000030000000000000001"
      "c70104000000000000000500000000000000060000000000000000070169010201610162000200026d650001"
      "010100c01601020a010501000003555443";
  EXPECT_EQ(hex_of(bytes_of(sample())), golden);
  std::string bytes;
  for (std::size_t i = 0; i < golden.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(golden.substr(i, 2), nullptr, 16));
  }
  const auto read = decode_copy(bytes);
  ASSERT_TRUE(read) << read.failure().message;
  EXPECT_EQ(first_difference(sample(), *read), "");
}

TEST(log_entry, what_is_remembered_of_an_event_is_the_same_when_it_is_read) {
  std::mt19937_64 random{7};
  int recognised = 0;
  for (int round = 0; round < 300; ++round) {
    const log_entry made = random_log_entry(random);
    const auto read = decode_copy(bytes_of(made));
    ASSERT_TRUE(read) << read.failure().message;
    if (!made.batch) continue;
    for (std::size_t i = 0; i < made.batch->events.size(); ++i) {
      const auto before =
          recognisable(made.batch->events[i], made.batch->labels_of(made.batch->events[i]));
      const auto after =
          recognisable(read->batch->events[i], read->batch->labels_of(read->batch->events[i]));
      ASSERT_EQ(before, after) << "round " << round << ", event " << i;
      recognised += before.has_value();
    }
  }
  EXPECT_GT(recognised, 100);
}

TEST(log_entry, only_events_that_are_there_can_be_seen) {
  log_entry made;
  made.step = 1;
  std::string bytes = bytes_of(made);
  bytes.back() = 8;
  const auto read = decode_copy(bytes);
  ASSERT_FALSE(read);
  EXPECT_NE(read.failure().message.find("seen contents 0x08"), std::string::npos)
      << read.failure().message;
}

TEST(log_entry, an_unknown_version_is_refused_by_its_name) {
  std::string bytes = bytes_of(sample());
  bytes[0] = 2;
  const auto read = decode_copy(bytes);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.failure().code, "bad_log_entry");
  EXPECT_EQ(read.failure().message,
            fmt::format("log entry of {} bytes, byte 0: seen version 2, wanted 1", bytes.size()));
}

TEST(log_entry, whatever_is_cut_off_is_refused_and_the_byte_named) {
  const std::string bytes = bytes_of(sample());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto read = decode_copy(std::string_view{bytes}.substr(0, length));
    ASSERT_FALSE(read) << length << " of " << bytes.size() << " bytes";
    EXPECT_EQ(read.failure().code, "bad_log_entry");
    EXPECT_TRUE(
        read.failure().message.starts_with(fmt::format("log entry of {} bytes, byte ", length)))
        << read.failure().message;
  }
}

TEST(log_entry, bytes_behind_its_end_are_refused) {
  const std::string bytes = bytes_of(sample());
  const auto read = decode_copy(bytes + "x");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.failure().message,
            fmt::format("log entry of {} bytes, byte {}: seen 1 bytes more, wanted the entry's end",
                        bytes.size() + 1, bytes.size()));
}

TEST(log_entry, flipped_bits_are_refused_or_read_as_something_else_and_do_no_harm) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    std::mt19937_64 random{seed};
    const std::string good = bytes_of(random_log_entry(random));
    for (int i = 0; i < 50; ++i) {
      std::string bytes = good;
      for (auto left = 1 + random() % 3; left > 0; --left) {
        bytes[random() % bytes.size()] ^= static_cast<char>(1U << random() % 8);
      }
      const auto read = decode_copy(bytes);
      if (!read) continue;
      // What is read holds together: it can be written and is the same again.
      const auto again = decode_copy(bytes_of(*read));
      ASSERT_TRUE(again) << "seed " << seed << ": " << again.failure().message;
    }
  }
}

TEST(log_entry, a_count_that_cannot_be_takes_no_memory) {
  // Version 1, step 1, clock 0, a batch at position 1, clock 0, of 2^62 events.
  const std::string bytes{"\x01\x01\x00\x01\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff\x3f", 15};
  const auto read = decode_copy(bytes);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.failure().message,
            "log entry of 15 bytes, byte 6: seen a count of 4611686018427387903, wanted what fits "
            "into the 0 bytes that are left");
}

}  // namespace
}  // namespace tocsin
