// SPDX-License-Identifier: Apache-2.0
// The machine's file system as the event log sees it.
#include "io/file_system.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "support/stored_alerts.hpp"

namespace tocsin {
namespace {

using testing::scratch_folder;

TEST(file_system, what_is_appended_is_read_behind_what_was_there) {
  const scratch_folder folder;
  const auto files = files_of(folder.path());
  ASSERT_FALSE(files->make_folder("log"));
  ASSERT_FALSE(files->make_folder("log")) << "a folder that is there is fine";
  {
    auto file = files->open("log/a");
    ASSERT_TRUE(file);
    ASSERT_FALSE((*file)->append("one "));
    ASSERT_FALSE((*file)->append("two"));
    ASSERT_FALSE((*file)->sync());
    EXPECT_EQ((*file)->size(), 7U);
  }
  auto again = files->open("log/a");
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->size(), 7U);
  ASSERT_FALSE((*again)->truncate(4));
  ASSERT_FALSE((*again)->append("three"));
  EXPECT_EQ((*again)->size(), 9U);
  EXPECT_EQ(files->read("log/a")->bytes, "one three");
}

TEST(file_system, room_that_was_reserved_goes_when_the_file_is_closed) {
  const scratch_folder folder;
  const auto files = files_of(folder.path());
  {
    auto file = files->open("f");
    ASSERT_TRUE(file);
    (*file)->reserve_ahead(100'000);
    ASSERT_FALSE((*file)->append("abc"));
    ASSERT_FALSE((*file)->append("def"));
    ASSERT_FALSE((*file)->sync());
    EXPECT_EQ((*file)->size(), 6U);
    const auto held = files->read("f");
    ASSERT_TRUE(held);
    EXPECT_EQ(held->bytes.substr(0, 6), "abcdef");
    EXPECT_EQ(held->bytes.find_first_not_of('\0', 6), std::string_view::npos);
    ASSERT_FALSE((*file)->truncate(4));
    ASSERT_FALSE((*file)->append("x"));
  }
  EXPECT_EQ(files->read("f")->bytes, "abcdx");
}

TEST(file_system, a_mapping_outlives_the_removal_of_its_file) {
  const scratch_folder folder;
  const auto files = files_of(folder.path());
  ASSERT_FALSE((*files->open("a"))->append(std::string(10'000, 'x')));
  const auto held = files->read("a");
  ASSERT_TRUE(held);
  ASSERT_FALSE(files->remove("a"));
  EXPECT_FALSE(files->read("a"));
  EXPECT_EQ(held->bytes, std::string(10'000, 'x'));
}

TEST(file_system, names_are_listed_sorted_and_without_folders) {
  const scratch_folder folder;
  const auto files = files_of(folder.path());
  for (const char* name : {"c", "a", "b"}) ASSERT_TRUE(files->open(name));
  ASSERT_FALSE(files->make_folder("d"));
  ASSERT_FALSE(files->rename("c", "e"));
  ASSERT_FALSE(files->sync_folder(""));
  EXPECT_EQ(*files->list(""), (std::vector<std::string>{"a", "b", "e"}));
  EXPECT_TRUE(files->list("d")->empty());
  EXPECT_TRUE(files->read("a")->bytes.empty());
}

TEST(file_system, failures_name_the_path_and_the_reason) {
  const scratch_folder folder;
  const auto files = files_of(folder.path());
  const auto missing = files->read("log/a");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.failure().code, "io");
  EXPECT_EQ(missing.failure().message, folder.path() + "/log/a: open: No such file or directory");
  EXPECT_TRUE(files->remove("a"));
  EXPECT_TRUE(files->rename("a", "b"));
  EXPECT_TRUE(files->sync_folder("no"));
  EXPECT_FALSE(files->list("no"));
  const auto nowhere = files_of(folder.path() + "/no");
  const auto failed = nowhere->make_folder("log");
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->message, folder.path() + "/no: open: No such file or directory");
}

TEST(file_system, a_full_device_is_told_from_other_failures) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full";
  auto file = files_of("/dev")->open("full");
  ASSERT_TRUE(file) << file.failure().message;
  const auto failed = (*file)->append("x");
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->code, "no_space");
}

}  // namespace
}  // namespace tocsin
