// SPDX-License-Identifier: Apache-2.0
// Notices as bytes.
#include "tocsin/notice.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

notice make() {
  notice made;
  made.id = "0123";
  made.kind = notice_kind::escalation;
  made.receiver = "ops";
  made.group_key = "{}:{a=\"b\"}";
  made.group_labels = {{"a", "b"}, {"c", ""}};
  made.at = from_unix_ms(1'767'225'600'123);
  made.level = 3;
  for (int each = 0; each < 2; ++each) {
    alert of;
    of.rule = "disk";
    of.alert_id = {1, static_cast<std::uint64_t>(each)};
    of.texts = std::make_shared<alert_texts>();
    made.alerts.push_back(std::make_shared<const alert>(of));
  }
  return made;
}

TEST(notice, comes_back_from_its_bytes) {
  const notice made = make();
  const auto read = notice_from_bytes(notice_bytes(made));
  ASSERT_TRUE(read) << read.failure().message;
  EXPECT_EQ(read->id, made.id);
  EXPECT_EQ(read->kind, made.kind);
  EXPECT_EQ(read->receiver, made.receiver);
  EXPECT_EQ(read->group_key, made.group_key);
  EXPECT_EQ(read->group_labels, made.group_labels);
  EXPECT_EQ(read->at, made.at);
  EXPECT_EQ(read->level, made.level);
  ASSERT_EQ(read->alerts.size(), 2u);
  EXPECT_EQ(read->alerts[1]->rule, "disk");
  EXPECT_EQ(read->alerts[1]->alert_id, made.alerts[1]->alert_id);
}

TEST(notice, bytes_that_are_cut_anywhere_or_continued_are_malformed) {
  const std::string bytes = notice_bytes(make());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto read = notice_from_bytes(std::string_view{bytes}.substr(0, length));
    ASSERT_FALSE(read) << length;
    EXPECT_EQ(read.failure().code, "malformed") << length;
  }
  EXPECT_EQ(notice_from_bytes(bytes + "x").failure().code, "malformed");
}

TEST(notice, a_newer_version_says_so) {
  std::string bytes = notice_bytes(make());
  bytes[0] = 9;
  EXPECT_EQ(notice_from_bytes(bytes).failure().code, "newer_version");
}

TEST(notice, kinds_have_names) {
  EXPECT_EQ(to_text(notice_kind::group), "group");
  EXPECT_EQ(to_text(notice_kind::escalation), "escalation");
}

}  // namespace
}  // namespace tocsin
