// SPDX-License-Identifier: Apache-2.0
// Matchers: what is read, what is refused, what they accept.
#include "tocsin/label_matcher.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

namespace tocsin {
namespace {

/// The matchers as they read back, or what is wrong.
std::string read(std::string_view text) {
  const auto made = parse_label_matchers(text);
  if (!made) return fmt::format("{}: {}", made.failure().code, made.failure().message);
  std::string out;
  for (const label_matcher& each : *made) out += (out.empty() ? "" : ", ") + each.text();
  return out;
}

label_matcher only(std::string_view text) {
  auto made = parse_label_matcher(text);
  EXPECT_TRUE(made) << text;
  return *std::move(made);
}

TEST(label_matcher, braces_are_optional_each_by_itself) {
  EXPECT_EQ(read(R"({a="b"})"), R"(a="b")");
  EXPECT_EQ(read(R"(a="b")"), R"(a="b")");
  EXPECT_EQ(read("{a=b"), R"(a="b")");
  EXPECT_EQ(read("a=b}"), R"(a="b")");
  EXPECT_EQ(read(" {a=b} "), R"(a="b")");
  EXPECT_EQ(read(R"(a="}")"), R"(a="}")");
}

TEST(label_matcher, no_text_is_no_matchers) {
  for (const char* text : {"", "  ", "{}", "{ }", "{", "}"}) EXPECT_EQ(read(text), "") << text;
}

TEST(label_matcher, all_four_operators_are_read) {
  EXPECT_EQ(read(R"({foo="bar", baz!="quux", a=~"b.*", c!~"d|e"})"),
            R"(foo="bar", baz!="quux", a=~"b.*", c!~"d|e")");
  EXPECT_EQ(read("foo=bar,dings!=bums,a=~b.*,c!~d"),
            R"(foo="bar", dings!="bums", a=~"b.*", c!~"d")");
}

TEST(label_matcher, white_space_stands_around_each_part) {
  EXPECT_EQ(read("{ foo = \"bar\" ,\tdings\n!=  bums one , }"), R"(foo="bar", dings!="bums one")");
}

TEST(label_matcher, one_comma_may_end_the_list) {
  EXPECT_EQ(read(R"({a="b",})"), R"(a="b")");
  EXPECT_EQ(read("a=b , "), R"(a="b")");
  EXPECT_EQ(read("a=b,,"),
            "bad_matcher: column 5: the name of a field or label wanted (try item=\"cpu\")");
  EXPECT_EQ(read(","),
            "bad_matcher: column 1: the name of a field or label wanted (try item=\"cpu\")");
}

TEST(label_matcher, commas_in_quotes_and_behind_escaped_quotes_belong_to_values) {
  EXPECT_EQ(read(R"({foo="bar,quux", job="job1"})"), R"(foo="bar,quux", job="job1")");
  EXPECT_EQ(read(R"({quote="She said: \"Hi, ladies! That's gender-neutral…\""})"),
            R"(quote="She said: \"Hi, ladies! That's gender-neutral…\"")");
  EXPECT_EQ(read(R"(a="\"" , b !~ "c,d" , )"), R"(a="\"", b!~"c,d")");
  EXPECT_EQ(read(R"(a=b\"c,d=e)"), R"(a="b\"c", d="e")");
}

TEST(label_matcher, only_three_escapes_are_resolved) {
  EXPECT_EQ(only(R"(a="x\\y\"z\nw")").value(), "x\\y\"z\nw");
  EXPECT_EQ(only(R"(a="x\ty\d")").value(), R"(x\ty\d)");
  EXPECT_EQ(only(R"(a=b\)").value(), R"(b\)");
  EXPECT_EQ(only("a=\"b\nc\"").value(), "b\nc");
}

TEST(label_matcher, values_without_quotes_may_begin_with_signs) {
  EXPECT_EQ(read("tricky=~~~"), R"(tricky=~"~~")");
  EXPECT_EQ(only(R"(trickier==\\=\=\")").value(), R"(=\=\=")");
  EXPECT_EQ(read("a="), R"(a="")");
}

TEST(label_matcher, names_that_are_no_words_stand_in_quotes) {
  EXPECT_EQ(only(R"("k8s.io/app, \"x\""=y)").name(), R"(k8s.io/app, "x")");
  EXPECT_EQ(read(R"("k8s.io/app"=y)"), R"("k8s.io/app"="y")");
  EXPECT_EQ(read(R"("instance"=y)"), R"(instance="y")");
}

TEST(label_matcher, what_is_wrong_says_where) {
  EXPECT_EQ(read("a=b, c"), "bad_matcher: column 7: one of = != =~ !~ wanted, not the end");
  EXPECT_EQ(read("a=b, c-d=e"), "bad_matcher: column 7: one of = != =~ !~ wanted, not '-d=e'");
  EXPECT_EQ(read("a!b"), "bad_matcher: column 2: one of = != =~ !~ wanted, not '!b'");
  EXPECT_EQ(read("a=\"b"), "bad_matcher: column 3: this text is not closed");
  EXPECT_EQ(read("a=b\"c"), "bad_matcher: column 4: a quote inside a value needs a \\ before it");
  EXPECT_EQ(read("a=\"b\"c"), "bad_matcher: column 6: unexpected text after the value");
  EXPECT_EQ(read("a == \"b\""),
            "bad_matcher: column 3: '==' is no operator of matchers (did you mean '='?)");
  EXPECT_EQ(read("a=b, c=~\"x(\""),
            "bad_matcher: column 10: \"x(\" is not a regular expression: missing ): x(");
  EXPECT_EQ(read("a=~\"b)|(c\"").substr(0, 22), "bad_matcher: column 5:");
}

TEST(label_matcher, one_alone_takes_commas_but_no_braces) {
  EXPECT_EQ(only("a=b,c").value(), "b,c");
  EXPECT_EQ(parse_label_matcher("{a=b}").failure().code, "bad_matcher");
  EXPECT_EQ(parse_label_matcher("").failure().code, "bad_matcher");
  EXPECT_EQ(parse_label_matcher(R"(a="b",c="d")").failure().message,
            "column 6: unexpected text after the value");
}

TEST(label_matcher, a_name_is_needed) {
  const auto made = label_matcher::make("", matcher_operator::equal, "b");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.failure().code, "bad_matcher");
}

TEST(label_matcher, expressions_are_anchored_at_both_ends) {
  EXPECT_TRUE(only("a=~\"b|cd\"").accepts("cd"));
  EXPECT_FALSE(only("a=~\"b|cd\"").accepts("bd"));
  EXPECT_FALSE(only("a=~\"b|cd\"").accepts("cd1"));
  EXPECT_FALSE(only("a=~\"b\"").accepts("b\n"));
  EXPECT_FALSE(only("a=~\"b.c\"").accepts("b\nc"));
  EXPECT_TRUE(only("a!~\"b|cd\"").accepts("cd1"));
  EXPECT_FALSE(only("a!~\"b|cd\"").accepts("b"));
}

TEST(label_matcher, a_missing_label_is_the_empty_text) {
  EXPECT_TRUE(only("a=\"\"").accepts(""));
  EXPECT_FALSE(only("a!=\"\"").accepts(""));
  EXPECT_TRUE(only("a!=b").accepts(""));
  EXPECT_TRUE(only("a=~\"b*\"").accepts(""));
  EXPECT_FALSE(only("a=~\"b+\"").accepts(""));
  EXPECT_TRUE(only("a!~\"b+\"").accepts(""));
}

TEST(label_matcher, all_must_accept) {
  const std::map<std::string, std::string, std::less<>> labels{{"a", "1"}, {"b", "2"}};
  const auto lookup = [&](std::string_view name) -> std::string_view {
    const auto found = labels.find(name);
    return found == labels.end() ? std::string_view{} : found->second;
  };
  EXPECT_TRUE(all_accept(*parse_label_matchers("a=1,b!=1,c=\"\""), lookup));
  EXPECT_FALSE(all_accept(*parse_label_matchers("a=1,b=1"), lookup));
  EXPECT_FALSE(all_accept(*parse_label_matchers("c!=\"\""), lookup));
  EXPECT_TRUE(all_accept({}, lookup));
}

TEST(label_matcher, texts_read_back_as_the_same_matcher) {
  for (const char* value : {"", "a", "a\"b", "a\\", "a\\nb", "a\nb", "{a,b}", " a ", "\\\"", "ä"}) {
    for (const char* name : {"a", "a.b", "a:b", "a b", "a\"b", "ä"}) {
      const auto made = label_matcher::make(name, matcher_operator::unequal, value);
      ASSERT_TRUE(made);
      const auto again = parse_label_matchers("{" + made->text() + "}");
      ASSERT_TRUE(again) << made->text();
      EXPECT_EQ(*again, label_matchers{*made});
    }
  }
}

TEST(label_matcher, copies_match_what_the_original_matches) {
  auto original = std::make_unique<label_matcher>(only("a=~\"b+\""));
  const label_matcher copy = *original;
  EXPECT_EQ(copy, *original);
  original.reset();
  EXPECT_TRUE(copy.accepts("bb"));
  EXPECT_NE(copy, only("a!~\"b+\""));
  EXPECT_NE(copy, only("a=~\"b\""));
  EXPECT_NE(copy, only("b=~\"b+\""));
}

}  // namespace
}  // namespace tocsin
