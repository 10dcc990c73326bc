// SPDX-License-Identifier: Apache-2.0
// Names of levels.
#include "tocsin/severity.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(severity, every_level_reads_back_from_its_name) {
  for (const severity level :
       {severity::critical, severity::error, severity::warning, severity::info}) {
    EXPECT_EQ(parse_severity(to_text(level)), level);
  }
}

TEST(severity, aliases_are_read_in_any_case) {
  for (const char* name : {"fatal", "EMERGENCY", "P1", "Critical"}) {
    EXPECT_EQ(parse_severity(name), severity::critical) << name;
  }
  for (const char* name : {"high", "err", "Major", "p2"}) {
    EXPECT_EQ(parse_severity(name), severity::error) << name;
  }
  for (const char* name : {"medium", "WARN", "minor", "p3"}) {
    EXPECT_EQ(parse_severity(name), severity::warning) << name;
  }
  for (const char* name : {"low", "remind", "notice", "debug", "OK", "p4"}) {
    EXPECT_EQ(parse_severity(name), severity::info) << name;
  }
}

TEST(severity, other_words_are_no_level) {
  for (const char* name : {"", " error", "error ", "p5", "criticall", "0", "emergencyx"}) {
    EXPECT_EQ(parse_severity(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace tocsin
