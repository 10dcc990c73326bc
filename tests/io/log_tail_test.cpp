// SPDX-License-Identifier: Apache-2.0
// Lines across reads, rotation, truncation and late creation; patterns over lines.
#include "io/log_tail.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace tocsin {
namespace {

using lines_type = std::vector<std::string>;

class log_tail_test : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "log_tail_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    file_ = (folder_ / "app.log").string();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& text) { std::ofstream(file_, std::ios::app) << text; }

  static log_tail::happening look(log_tail& at, lines_type& lines) {
    const auto happened = at.look(lines);
    EXPECT_TRUE(happened) << happened.failure().message;
    return happened ? *happened : log_tail::happening::none;
  }

  std::filesystem::path folder_;
  std::string file_;
};

TEST(line_splitter, a_line_may_come_in_pieces) {
  line_splitter splitter;
  lines_type lines;
  splitter.feed("on", lines);
  splitter.feed("e\ntwo\r", lines);
  EXPECT_EQ(lines, (lines_type{"one"}));
  splitter.feed("\n\nthr", lines);
  EXPECT_EQ(lines, (lines_type{"one", "two", ""}));
  splitter.finish(lines);
  splitter.finish(lines);
  EXPECT_EQ(lines, (lines_type{"one", "two", "", "thr"}));
}

TEST(line_splitter, a_line_that_is_too_long_is_cut_once_and_counted) {
  line_splitter splitter(4);
  lines_type lines;
  splitter.feed("abc", lines);
  splitter.feed("def", lines);
  splitter.feed("ghi\nok\nabcd\n", lines);
  EXPECT_EQ(lines, (lines_type{"abcd", "ok", "abcd"}));
  EXPECT_EQ(splitter.cut(), 1U);
}

TEST_F(log_tail_test, only_what_is_added_is_read) {
  write("old\n");
  log_tail tail(file_, false);
  lines_type lines;
  EXPECT_EQ(look(tail, lines), log_tail::happening::opened);
  EXPECT_TRUE(lines.empty());
  write("new\nhalf");
  EXPECT_EQ(look(tail, lines), log_tail::happening::none);
  EXPECT_EQ(lines, (lines_type{"new"}));
  write(" line\n");
  look(tail, lines);
  EXPECT_EQ(lines, (lines_type{"new", "half line"}));
}

TEST_F(log_tail_test, from_start_reads_what_is_there) {
  write("old\n");
  log_tail tail(file_, true);
  lines_type lines;
  look(tail, lines);
  EXPECT_EQ(lines, (lines_type{"old"}));
}

TEST_F(log_tail_test, a_file_that_comes_later_is_read_from_its_start) {
  log_tail tail(file_, false);
  lines_type lines;
  EXPECT_EQ(look(tail, lines), log_tail::happening::missing);
  EXPECT_EQ(look(tail, lines), log_tail::happening::none) << "told once";
  write("first\n");
  EXPECT_EQ(look(tail, lines), log_tail::happening::opened);
  EXPECT_EQ(lines, (lines_type{"first"}));
}

TEST_F(log_tail_test, rotation_loses_no_line_of_the_old_or_the_new_file) {
  log_tail tail(file_, true);
  lines_type lines;
  write("a\n");
  look(tail, lines);
  write("b\nunfinished");
  std::filesystem::rename(file_, file_ + ".1");
  EXPECT_EQ(look(tail, lines), log_tail::happening::none) << "nothing new at the path yet";
  write("d\n");
  look(tail, lines);
  std::ofstream(file_ + ".1", std::ios::app) << " c\n";  // a writer that switches late
  EXPECT_EQ(look(tail, lines), log_tail::happening::rotated);
  EXPECT_EQ(lines, (lines_type{"a", "b", "unfinished c", "d"}));
  write("e\n");
  look(tail, lines);
  EXPECT_EQ(lines.back(), "e");
}

TEST_F(log_tail_test, a_truncated_file_is_read_from_its_start) {
  log_tail tail(file_, true);
  lines_type lines;
  write("a long first line\n");
  look(tail, lines);
  std::filesystem::resize_file(file_, 0);
  write("b\n");
  EXPECT_EQ(look(tail, lines), log_tail::happening::truncated);
  EXPECT_EQ(lines, (lines_type{"a long first line", "b"}));
}

TEST_F(log_tail_test, a_big_file_is_read_in_several_looks) {
  const std::string line(999, 'x');
  for (int count = 0; count < 3000; ++count) write(line + "\n");
  log_tail tail(file_, true);
  lines_type lines;
  look(tail, lines);
  EXPECT_TRUE(tail.more());
  EXPECT_LT(lines.size(), 3000U);
  while (tail.more()) look(tail, lines);
  EXPECT_EQ(lines.size(), 3000U);
}

TEST_F(log_tail_test, a_folder_is_not_a_log_file) {
  log_tail tail(folder_.string(), true);
  lines_type lines;
  const auto happened = tail.look(lines);
  ASSERT_FALSE(happened);
  EXPECT_NE(happened.failure().message.find("is not a regular file"), std::string::npos);
}

TEST(line_pattern, named_groups_that_took_part_are_given) {
  const auto pattern = line_pattern::compile(
      "ssh", "Failed (?P<how>\\w+) for (?:invalid (?P<odd>\\w+) )?(?P<user>\\w+)");
  ASSERT_TRUE(pattern) << pattern.failure().message;
  const auto found = pattern->match("sshd: Failed password for root from 10.0.0.1");
  ASSERT_TRUE(found);
  using group = std::pair<std::string, std::string>;
  EXPECT_EQ(*found, (std::vector<group>{{"how", "password"}, {"user", "root"}}));
  EXPECT_FALSE(pattern->match("all is well"));
}

TEST(line_pattern, a_bad_expression_is_named) {
  const auto pattern = line_pattern::compile("x", "a(b");
  ASSERT_FALSE(pattern);
  EXPECT_EQ(pattern.failure().code, "bad_pattern");
  EXPECT_NE(pattern.failure().message.find("a(b"), std::string::npos);
}

TEST(bounded_utf8, a_cut_splits_no_character_and_stray_bytes_are_replaced) {
  EXPECT_EQ(bounded_utf8("plain", 10), "plain");
  EXPECT_EQ(bounded_utf8("plain", 3), "pla");
  EXPECT_EQ(bounded_utf8("aé", 2), "a");
  EXPECT_EQ(bounded_utf8("a\xff"
                         "b",
                         10),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(bounded_utf8("\xc3", 10), "\xef\xbf\xbd");
}

}  // namespace
}  // namespace tocsin
