// SPDX-License-Identifier: Apache-2.0
// CSV by RFC 4180, and what is none.
#include "io/csv_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tocsin {
namespace {

using records = std::vector<std::vector<std::string>>;

struct reading {
  records read;
  std::vector<int> lines;
  std::string failure;  ///< "LINE: WHY" or ""
};

reading read_all(std::string_view text) {
  csv_reader reader(text);
  reading all;
  while (reader.next()) {
    all.read.push_back(reader.fields());
    all.lines.push_back(reader.line());
  }
  if (reader.failure()) all.failure = std::to_string(reader.line()) + ": " + *reader.failure();
  return all;
}

TEST(csv_reader, records_are_lines_and_fields_are_between_commas) {
  const auto all = read_all("a,b,c\n1,, 3 \n,,\n");
  EXPECT_EQ(all.read, (records{{"a", "b", "c"}, {"1", "", " 3 "}, {"", "", ""}}));
  EXPECT_EQ(all.lines, (std::vector{1, 2, 3}));
  EXPECT_EQ(all.failure, "");
}

TEST(csv_reader, lines_end_with_lf_crlf_or_the_text) {
  EXPECT_EQ(read_all("a,b\r\nc,d\ne,f").read, (records{{"a", "b"}, {"c", "d"}, {"e", "f"}}));
  EXPECT_EQ(read_all("a,").read, (records{{"a", ""}}));
}

TEST(csv_reader, quotes_hold_commas_quotes_and_line_breaks) {
  const auto all = read_all("\"a,b\",\"say \"\"hi\"\"\",\"two\r\nlines\n\"\nnext,\"\",z\n");
  EXPECT_EQ(all.read, (records{{"a,b", "say \"hi\"", "two\r\nlines\n"}, {"next", "", "z"}}));
  EXPECT_EQ(all.lines, (std::vector{1, 4}));
}

TEST(csv_reader, a_byte_order_mark_and_blank_lines_are_passed_over) {
  const auto all = read_all("\xef\xbb\xbfname,x\n\n\r\n1,2\n\n");
  EXPECT_EQ(all.read, (records{{"name", "x"}, {"1", "2"}}));
  EXPECT_EQ(all.lines, (std::vector{1, 4}));
  EXPECT_TRUE(read_all("\xef\xbb\xbf").read.empty());
  EXPECT_TRUE(read_all("\n\n").read.empty());
}

TEST(csv_reader, broken_quoting_is_a_failure_with_its_line) {
  EXPECT_EQ(read_all("a\nb\"c\n").failure.substr(0, 10), "2: a quote");
  EXPECT_EQ(read_all("a\n\"b\nc").failure, "2: a quote that is not closed before the file ends");
  EXPECT_EQ(read_all("a\n\"b\n\"c\n").failure.substr(0, 14), "3: text behind");
  EXPECT_EQ(read_all("a\rb\n").failure.substr(0, 20), "1: a carriage return");
  const auto all = read_all("a\n\"\"x\nb\n");
  EXPECT_EQ(all.read, (records{{"a"}})) << "nothing is read behind a failure";
}

}  // namespace
}  // namespace tocsin
