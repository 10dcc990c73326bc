// SPDX-License-Identifier: Apache-2.0
// Keys, their files, and lists of allowed keys: what is taken, what is refused, and where.
#include "io/curve_access.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "support/diagnostics_text.hpp"
#include "support/scratch_folder.hpp"

namespace tocsin {
namespace {

using testing::texts;

// Any text of 40 Z85 digits below 2^32 a group is a public key.
const std::string key_a(40, 'a');
const std::string key_b(40, 'b');

std::string errors_of(std::string_view text) {
  diagnostics found;
  (void)parse_allow_list(text, "agents.allow", found);
  return texts(found);
}

TEST(curve_access, a_list_has_keys_with_names_and_comments) {
  diagnostics found;
  const allow_list read = parse_allow_list(
      "# who may send\n\n" + key_a + " web-1\r\n\t" + key_b + "  db/a.b:1@x_  # the old one", "f",
      found);
  EXPECT_TRUE(found.empty()) << texts(found);
  EXPECT_EQ(read, (allow_list{{key_a, "web-1"}, {key_b, "db/a.b:1@x_"}}));
}

TEST(curve_access, everything_wrong_with_a_list_is_told_at_once_with_its_line) {
  const std::string all =
      errors_of("short name\n" + key_a + "\n" + key_a + " x y\n" + key_b + " ok\n" + key_b +
                " again\n" + key_a + " na=me\n" + std::string(40, ' ') + "\n");
  EXPECT_NE(all.find("agents.allow:1: error: the line does not begin with a public key"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("agents.allow:2: error: the key has no name"), std::string::npos) << all;
  EXPECT_NE(all.find("agents.allow:3: error: something follows the name"), std::string::npos)
      << all;
  EXPECT_NE(all.find("agents.allow:5: error: the key stands in line 4 already"), std::string::npos)
      << all;
  EXPECT_NE(all.find("agents.allow:6: error: the key has no name"), std::string::npos) << all;
  EXPECT_EQ(all.find("agents.allow:7"), std::string::npos) << all;
}

TEST(curve_access, keys_are_forty_digits_that_stand_for_bytes) {
  EXPECT_TRUE(is_curve_key(key_a));
  EXPECT_FALSE(is_curve_key(std::string(39, 'a')));
  EXPECT_FALSE(is_curve_key(std::string(41, 'a')));
  EXPECT_FALSE(is_curve_key(std::string(39, 'a') + '"')) << "not a digit of Z85";
  EXPECT_FALSE(is_curve_key("#" + std::string(39, '0'))) << "beyond four bytes";
  EXPECT_FALSE(is_curve_key(std::string(35, 'a') + std::string(5, '\0')));
}

TEST(curve_access, each_role_opens_its_own_surfaces) {
  std::string table;
  for (const curve_role role : all_roles) {
    table += std::string{to_text(role)} + ":";
    for (const surface each : all_surfaces) {
      if (may_use(role, each)) table += " " + std::string{to_text(each)};
    }
    table += "\n";
  }
  EXPECT_EQ(table,
            "agents: push acked\nsubscribers: stream replay\noperators: stream replay\nnodes:\n");
}

TEST(curve_access, a_secret_file_is_for_its_owner_and_reads_back) {
  const testing::scratch_folder folder;
  const std::string path = folder.file("own.key");
  const curve_pair made = make_curve_pair();
  ASSERT_FALSE(write_secret_file(path, made));
  struct stat seen {};
  ASSERT_EQ(::stat(path.c_str(), &seen), 0);
  EXPECT_EQ(seen.st_mode & 0777U, 0600U);
  const auto read = read_secret_file(path);
  ASSERT_TRUE(read) << read.failure().message;
  EXPECT_EQ(read->secret_key, made.secret_key);
  EXPECT_EQ(read->public_key, made.public_key);
}

TEST(curve_access, a_secret_file_is_never_overwritten) {
  const testing::scratch_folder folder;
  const std::string path = folder.write("own.key", "precious");
  const auto failure = write_secret_file(path, make_curve_pair());
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code, "exists");
  std::ifstream in(path);
  std::string text;
  in >> text;
  EXPECT_EQ(text, "precious");
}

TEST(curve_access, a_secret_that_others_may_read_is_refused) {
  const testing::scratch_folder folder;
  const std::string path = folder.write("own.key", make_curve_pair().secret_key);
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  const auto read = read_secret_file(path);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.failure().code, "insecure");
  EXPECT_NE(read.failure().message.find("0644"), std::string::npos) << read.failure().message;
}

TEST(curve_access, what_is_no_secret_file_is_named_without_its_content) {
  const testing::scratch_folder folder;
  const std::string secret = make_curve_pair().secret_key;
  for (const std::string& text :
       {std::string{"# nothing\n"}, secret + "\n" + secret + "\n", secret + "x\n"}) {
    const std::string path = folder.write("own.key", text);
    ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
    const auto read = read_secret_file(path);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.failure().code, "bad_key");
    EXPECT_NE(read.failure().message.find(path), std::string::npos);
    EXPECT_EQ(read.failure().message.find(secret), std::string::npos) << "a secret was told";
  }
}

TEST(curve_access, a_public_file_may_be_a_line_of_a_list) {
  const testing::scratch_folder folder;
  const auto read = read_public_file(folder.write("server.pub", "# daemon\n" + key_a + " main\n"));
  ASSERT_TRUE(read) << read.failure().message;
  EXPECT_EQ(*read, key_a);
}

TEST(curve_access, all_files_of_the_settings_are_judged_at_once) {
  const testing::scratch_folder folder;
  security_settings from;
  from.server_key_file = folder.file("missing.key");
  from.allow[static_cast<std::size_t>(curve_role::agents)] = folder.write("a.allow", "no key\n");
  from.allow[static_cast<std::size_t>(curve_role::nodes)] = folder.file("missing.allow");
  diagnostics found;
  (void)load_curve_access(from, found);
  EXPECT_EQ(found.size(), 3U) << texts(found);
}

TEST(curve_access, curve_without_any_list_is_worth_a_warning) {
  const testing::scratch_folder folder;
  security_settings from;
  from.server_key_file = folder.file("server.key");
  ASSERT_FALSE(write_secret_file(from.server_key_file, make_curve_pair()));
  diagnostics found;
  EXPECT_TRUE(load_curve_access(from, found));
  EXPECT_FALSE(has_errors(found));
  EXPECT_EQ(found.size(), 1U) << texts(found);
}

TEST(curve_access, without_curve_no_file_is_read) {
  diagnostics found;
  EXPECT_FALSE(load_curve_access({}, found));
  EXPECT_TRUE(found.empty());
}

}  // namespace
}  // namespace tocsin
