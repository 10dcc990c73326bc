// SPDX-License-Identifier: Apache-2.0
// Token files: what is read, what is refused where, and that no token is ever repeated.
#include "io/token_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <set>

#include "io/token_book.hpp"
#include "io/yaml_reader.hpp"
#include "support/diagnostics_text.hpp"
#include "support/scratch_folder.hpp"

namespace tocsin {
namespace {

using testing::scratch_folder;
using testing::texts;

const std::string ann_token = "ann-0123456789abcdef0123456789abcdef";
const std::string bob_token = "bob-0123456789abcdef0123456789abcdef";

std::string line(http_role role, const std::string& name, const std::string& token) {
  return token_line({role, name, hash_of_token(token)}) + "\n";
}

std::string errors_of(std::string_view text) {
  diagnostics found;
  (void)parse_tokens(text, "tokens", found);
  return texts(found);
}

TEST(token_file, a_hash_is_the_tokens_sha256) {
  EXPECT_EQ(to_text(hash_of_token("abc")),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(token_file, lines_are_read_with_comments_and_blanks) {
  diagnostics found;
  const auto read =
      parse_tokens("# who may\n\n  operator\tann.b@x " + to_text(hash_of_token(ann_token)) +
                       "   # laptop\r\n" + line(http_role::send, "prometheus", bob_token),
                   "tokens", found);
  EXPECT_EQ(texts(found), "");
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].role, http_role::operate);
  EXPECT_EQ(read[0].name, "ann.b@x");
  EXPECT_EQ(read[0].hash, hash_of_token(ann_token));
  EXPECT_EQ(token_line(read[1]), "sender prometheus " + to_text(hash_of_token(bob_token)));
}

TEST(token_file, what_is_wrong_is_told_with_its_line_all_at_once) {
  const std::string hash = to_text(hash_of_token(ann_token));
  EXPECT_EQ(errors_of("admin ann " + hash + "\nviewer " + hash + "\nviewer a/b " + hash +
                      "\nviewer ann sha256:12\nviewer ann md5:1 2\nviewer api " + hash + "\n"),
            "tokens:1: error: the first word is not a role (wanted viewer, operator or sender)\n"
            "tokens:2: error: 2 words, wanted three: ROLE NAME sha256:HEX\n"
            "tokens:3: error: a name has 1 to 64 letters, digits, '.', '_', '-', '@', this is "
            "another\n"
            "tokens:4: error: the third word is not sha256: and 64 hexadecimal digits (`tocsin "
            "token hash` gives them for a token)\n"
            "tokens:5: error: 4 words, wanted three: ROLE NAME sha256:HEX\n"
            "tokens:6: error: 'api' stands for a part of tocsin, wanted who\n");
  EXPECT_EQ(errors_of("viewer ann " + hash + "\nsender bob " + hash + "\n"),
            "tokens:2: error: this token stands in line 1 already\n");
}

TEST(token_file, a_token_in_the_place_of_anything_is_not_repeated) {
  const auto token = new_token();
  ASSERT_TRUE(token);
  for (const std::string& text :
       {*token, "viewer " + *token, "viewer ann " + *token, "viewer ann sha256:" + *token,
        *token + " ann x", "viewer " + *token + " ann", "viewer " + *token + "/+ ann"}) {
    const std::string told = errors_of(text);
    EXPECT_NE(told, "") << text;
    EXPECT_EQ(told.find(token->substr(7, 8)), std::string::npos) << told;
  }
}

TEST(token_file, a_name_may_have_two_tokens_while_one_replaces_the_other) {
  EXPECT_EQ(
      errors_of(line(http_role::view, "ann", ann_token) + line(http_role::view, "ann", bob_token)),
      "");
}

TEST(token_file, new_tokens_are_tokens_and_differ) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto token = new_token();
    ASSERT_TRUE(token);
    EXPECT_EQ(token->size(), 50U) << *token;
    EXPECT_EQ(refuse_token(*token), "") << *token;
    EXPECT_TRUE(seen.insert(*token).second);
  }
}

TEST(token_file, what_cannot_be_guessed_is_no_less_than_32_characters_of_a_header) {
  EXPECT_EQ(refuse_token(std::string(32, 'a')), "");
  EXPECT_EQ(refuse_token(std::string(256, 'a')), "");
  for (const std::string& wrong :
       {std::string{}, std::string(31, 'a'), std::string(257, 'a'), std::string(32, ' '),
        std::string(32, '\n'), std::string(31, 'a') + "\x80"}) {
    EXPECT_NE(refuse_token(wrong), "") << wrong;
  }
}

TEST(token_file, a_line_is_added_behind_what_is_there_and_a_new_file_is_its_owners) {
  const scratch_folder folder;
  const std::string file = folder.file("tokens");
  EXPECT_FALSE(append_token_line(file, "one"));
  struct stat seen {};
  ASSERT_EQ(::stat(file.c_str(), &seen), 0);
  EXPECT_EQ(seen.st_mode & 0777U, 0600U);
  EXPECT_FALSE(append_token_line(file, "two"));
  EXPECT_EQ(read_file(file).value(), "one\ntwo\n");
  folder.write("tokens", "# no end");
  EXPECT_FALSE(append_token_line(file, "three"));
  EXPECT_EQ(read_file(file).value(), "# no end\nthree\n");
  const auto failed = append_token_line(folder.file("no/such"), "x");
  ASSERT_TRUE(failed);
  EXPECT_NE(failed->message.find("No such file"), std::string::npos) << failed->message;
}

class token_book_test : public ::testing::Test {
 protected:
  void load(const std::string& text) {
    folder.write("tokens", text);
    diagnostics found;
    book = token_book::load(folder.file("tokens"), found);
    ASSERT_TRUE(book) << texts(found);
    book->on_news([this](const token_news& each) { news.push_back(each); });
  }
  std::string name_of(const std::string& token) {
    const auto bearer = book->bearer_of(token);
    return bearer ? std::string{to_text(bearer->role)} + " " + bearer->name : "nobody";
  }

  scratch_folder folder;
  std::unique_ptr<token_book> book;
  std::vector<token_news> news;
};

TEST_F(token_book_test, it_knows_whose_a_token_is) {
  load(line(http_role::operate, "ann", ann_token) + line(http_role::view, "bob", bob_token));
  EXPECT_EQ(name_of(ann_token), "operator ann");
  EXPECT_EQ(name_of(bob_token), "viewer bob");
  EXPECT_EQ(name_of(ann_token + "x"), "nobody");
  EXPECT_EQ(name_of(""), "nobody");
  EXPECT_TRUE(news.empty());
}

TEST_F(token_book_test, a_change_counts_from_the_next_question_on) {
  load(line(http_role::operate, "ann", ann_token));
  EXPECT_EQ(name_of(ann_token), "operator ann");
  folder.write("tokens", line(http_role::view, "bob", bob_token));
  EXPECT_EQ(name_of(ann_token), "nobody");
  EXPECT_EQ(name_of(bob_token), "viewer bob");
  folder.write("tokens", line(http_role::view, "ann", ann_token));
  EXPECT_EQ(name_of(ann_token), "viewer ann") << "as long as before, within the same moment";
  folder.write("tokens", "");
  EXPECT_EQ(name_of(ann_token), "nobody") << "nobody may do anything";
  ASSERT_EQ(news.size(), 3U);
  EXPECT_EQ(news[0].tokens, 1U);
  EXPECT_EQ(news[2].tokens, 0U);
}

TEST_F(token_book_test, a_bad_or_missing_file_leaves_the_tokens_of_before_and_is_told_once) {
  load(line(http_role::operate, "ann", ann_token));
  folder.write("tokens", "operator ann\n");
  EXPECT_EQ(name_of(ann_token), "operator ann");
  EXPECT_EQ(name_of(ann_token), "operator ann");
  ASSERT_EQ(news.size(), 1U);
  EXPECT_NE(texts(news[0].found).find("tokens:1: error: 2 words"), std::string::npos)
      << texts(news[0].found);
  std::filesystem::remove(folder.file("tokens"));
  EXPECT_EQ(name_of(ann_token), "operator ann");
  EXPECT_EQ(name_of(ann_token), "operator ann");
  ASSERT_EQ(news.size(), 2U);
  EXPECT_NE(texts(news[1].found).find("No such file"), std::string::npos);
  folder.write("tokens", line(http_role::view, "bob", bob_token));
  EXPECT_EQ(name_of(ann_token), "nobody");
  ASSERT_EQ(news.size(), 3U);
  EXPECT_TRUE(news[2].found.empty());
}

TEST_F(token_book_test, a_file_that_is_bad_at_the_start_is_an_error_with_its_place) {
  diagnostics found;
  EXPECT_FALSE(token_book::load(folder.write("tokens", "\nviewer x\n"), found));
  EXPECT_NE(texts(found).find("tokens:2: error:"), std::string::npos) << texts(found);
  found.clear();
  EXPECT_FALSE(token_book::load(folder.file("none"), found));
  EXPECT_NE(texts(found).find("No such file"), std::string::npos) << texts(found);
}

}  // namespace
}  // namespace tocsin
