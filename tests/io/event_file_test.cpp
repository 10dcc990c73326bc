// SPDX-License-Identifier: Apache-2.0
// Files and pipes cut into messages.
#include "io/event_file.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string_view>
#include <vector>

namespace tocsin {
namespace {

class event_file_test : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "event_file_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  event_file opened(const std::string& bytes) {
    const auto path = (folder_ / "events").string();
    std::ofstream(path, std::ios::binary) << bytes;
    auto file = event_file::open(path);
    EXPECT_TRUE(file);
    return std::move(*file);
  }

  /// All messages as "NUMBER:BYTES", and the error's code at the end if there was one.
  static std::vector<std::string> read_all(event_file& from) {
    std::vector<std::string> all;
    for (;;) {
      const auto next = from.next();
      if (!next) {
        all.emplace_back(next.failure().code);
        return all;
      }
      if (!*next) return all;
      all.push_back(std::to_string((*next)->number) + ":" + std::string((*next)->bytes));
    }
  }

  std::filesystem::path folder_;
};

TEST_F(event_file_test, lines_are_numbered_and_empty_ones_skipped) {
  auto file = opened("\n{\"a\":1}\n  \n[]\r\nbroken\nlast without end");
  EXPECT_EQ(read_all(file),
            (std::vector<std::string>{"2:{\"a\":1}", "4:[]\r", "5:broken", "6:last without end"}));
  EXPECT_EQ(file.kind(), event_file::form::json_lines);
}

TEST_F(event_file_test, an_empty_file_has_no_message) {
  auto nothing = opened("");
  EXPECT_TRUE(read_all(nothing).empty());
  auto blanks = opened("\n \n");
  EXPECT_TRUE(read_all(blanks).empty());
}

TEST_F(event_file_test, msgpack_messages_stand_one_behind_the_other) {
  const std::string map =
      "\x81\xa1"
      "a\x01";
  const std::string list = "\x92\x80\x80";
  auto file = opened(map + list + map);
  EXPECT_EQ(read_all(file), (std::vector<std::string>{"1:" + map, "2:" + list, "3:" + map}));
  EXPECT_EQ(file.kind(), event_file::form::msgpack);
}

TEST_F(event_file_test, msgpack_that_is_cut_off_is_an_error_after_the_good_messages) {
  const std::string map =
      "\x81\xa1"
      "a\x01";
  auto file = opened(map + "\x81\xa1");
  EXPECT_EQ(read_all(file), (std::vector<std::string>{"1:" + map, "malformed"}));
}

TEST_F(event_file_test, messages_longer_than_a_read_come_whole) {
  const std::string text(700'000, 'x');
  auto file = opened("{\"a\":\"" + text + "\"}\n{}\n");
  EXPECT_EQ(read_all(file), (std::vector<std::string>{"1:{\"a\":\"" + text + "\"}", "2:{}"}));
}

TEST_F(event_file_test, a_line_without_end_is_an_error) {
  auto file = opened(std::string(event_file::message_bytes_max + 1'000'000, 'x'));
  EXPECT_EQ(read_all(file), (std::vector<std::string>{"message_too_large"}));
}

TEST_F(event_file_test, memory_keeps_messages_beyond_the_next_ones) {
  const std::string text(200'000, 'x');
  std::string bytes;
  for (int at = 0; at < 5; ++at) bytes += "\"" + std::to_string(at) + text + "\"\n";
  auto file = opened(bytes);
  EXPECT_EQ(file.bytes_total(), bytes.size());
  std::vector<std::string_view> seen;
  std::vector<std::shared_ptr<const void>> memory;
  for (int at = 0; at < 5; ++at) {
    const auto next = file.next();
    ASSERT_TRUE(next && *next);
    seen.push_back((*next)->bytes);
    memory.push_back(file.memory());
  }
  EXPECT_EQ(file.bytes_taken(), bytes.size());
  const auto end = file.next();
  EXPECT_TRUE(end && !*end);
  for (int at = 0; at < 5; ++at) {
    EXPECT_EQ(seen[static_cast<std::size_t>(at)], "\"" + std::to_string(at) + text + "\"");
  }
}

TEST_F(event_file_test, a_missing_file_is_named) {
  const auto file = event_file::open((folder_ / "nowhere").string());
  ASSERT_FALSE(file);
  EXPECT_NE(file.failure().message.find("nowhere"), std::string::npos);
}

}  // namespace
}  // namespace tocsin
