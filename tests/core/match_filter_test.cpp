// SPDX-License-Identifier: Apache-2.0
// Structured filters mean what the expressions mean that they are written as.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "core/match_filter.hpp"
#include "core/prometheus_matcher.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {
namespace {

match_term term(std::string field, std::string op, std::vector<std::string> values,
                bool quoted = false) {
  match_term made;
  made.field.text = std::move(field);
  made.op.text = std::move(op);
  for (std::string& value : values) {
    made.values.push_back({std::move(value), 0, 0});
    made.quoted.push_back(quoted);
  }
  return made;
}

match_term matcher(std::string text) {
  match_term made;
  made.matcher = {std::move(text), 5, 10};
  return made;
}

std::string all(const diagnostics& found) {
  std::string text;
  for (const diagnostic& one : found) text += one.text() + "\n";
  return text;
}

/// The expression of a term, or what is wrong with it.
std::string written(const match_term& of) {
  rule_spec spec;
  spec.name.text = "r";
  diagnostics found;
  rule_findings findings(spec, found);
  const auto text = match_expression(of, findings);
  EXPECT_EQ(text.has_value(), found.empty());
  return text ? *text : all(found);
}

std::string filter_of(std::vector<std::vector<match_term>> match, std::string where = {}) {
  rule_spec spec;
  spec.name.text = "r";
  spec.match = std::move(match);
  spec.where.text = std::move(where);
  spec.window.size = std::chrono::minutes{5};
  diagnostics found;
  const auto rules = rule_set::compile({spec}, found);
  EXPECT_TRUE(found.empty()) << all(found);
  return rules ? rules->units()[0].where_canonical : "";
}

std::string canonical(std::string_view text) {
  return expression::compile(text, schema::of_event()).value().canonical();
}

TEST(match_filter, each_operator_is_an_expression) {
  EXPECT_EQ(written(term("item", "eq", {"cpu"})), "item == \"cpu\"");
  EXPECT_EQ(written(term("item", "eq", {"a", "b"})), "item in [\"a\", \"b\"]");
  EXPECT_EQ(written(term("item", "ne", {"a"})), "item != \"a\"");
  EXPECT_EQ(written(term("item", "ne", {"a", "b"})), "item != \"a\" && item != \"b\"");
  EXPECT_EQ(written(term("item", "in", {"a"})), "item in [\"a\"]");
  EXPECT_EQ(written(term("title", "contains", {"down"})), "title.contains(\"down\")");
  EXPECT_EQ(written(term("title", "not_contains", {"x"})), "has(title) && !title.contains(\"x\")");
  EXPECT_EQ(written(term("title", "re", {"^a\\d"})), "title.matches(\"^a\\\\d\")");
  EXPECT_EQ(written(term("value", "gt", {"2.5"})), "value > 2.5");
  EXPECT_EQ(written(term("value", "ge", {"-1"})), "value >= -1");
  EXPECT_EQ(written(term("level", "le", {"error"})), "level <= \"error\"");
  EXPECT_EQ(written(term("level", "lt", {"2"})), "level < 2");
}

TEST(match_filter, a_labels_value_is_what_it_looks_like_unless_it_is_quoted) {
  EXPECT_EQ(written(term("labels.port", "eq", {"8080"})), "labels.port == 8080");
  EXPECT_EQ(written(term("labels.port", "eq", {"8080"}, true)), "labels.port == \"8080\"");
  EXPECT_EQ(written(term("labels.up", "eq", {"true"})), "labels.up == true");
  EXPECT_EQ(written(term("labels.k8s.io/app", "eq", {"a"})), "labels[\"k8s.io/app\"] == \"a\"");
  EXPECT_EQ(written(term("labels.port", "contains", {"80"})), "labels.port.contains(\"80\")");
}

TEST(match_filter, operator_and_type_must_go_together) {
  EXPECT_NE(written(term("value", "re", {"5"})).find("'re' does not go with 'value'"),
            std::string::npos);
  EXPECT_NE(written(term("value", "eq", {"5"}, true)).find("'value' is a number, \"5\" is not"),
            std::string::npos);
  EXPECT_NE(written(term("level", "eq", {"bad"})).find("'level' is a level"), std::string::npos);
  EXPECT_NE(written(term("value", "gt", {"1", "2"})).find("'gt' takes one value, this has 2"),
            std::string::npos);
  EXPECT_NE(written(term("evn", "eq", {"x"})).find("labels.evn"), std::string::npos);
  EXPECT_NE(written(term("labels", "eq", {"x"})).find("labels.NAME"), std::string::npos);
}

TEST(match_filter, matchers_name_fields_or_labels) {
  EXPECT_EQ(written(matcher("item=\"cpu\"")), "item == \"cpu\"");
  EXPECT_EQ(written(matcher(" env != prod ")), "labels.env != \"prod\"");
  EXPECT_EQ(written(matcher("labels.env=\"\"")), "labels.env == \"\"");
  EXPECT_EQ(written(matcher("\"k8s.io/app\"=\"a\"")), "labels[\"k8s.io/app\"] == \"a\"");
  EXPECT_EQ(written(matcher("item=~\"cpu|disk\"")), "item.matches(\"^(?:cpu|disk)$\")");
  EXPECT_EQ(written(matcher("item!~\"cpu.*\"")), "has(item) && !item.matches(\"^(?:cpu.*)$\")");
  EXPECT_NE(written(matcher("level=\"error\"")).find("'level' of an event is a level"),
            std::string::npos);
}

TEST(match_filter, matchers_are_anchored_at_both_ends) {
  const auto holds = [](const char* text, const char* item) {
    const auto made = expression::compile(written(matcher(text)), schema::of_event());
    event_batch batch;
    event& one = batch.events.emplace_back();
    one.set_text(event_field::item, item);
    return made.value().holds(event_scope(batch, one));
  };
  EXPECT_TRUE(holds("item=~\"cpu|disk\"", "disk"));
  EXPECT_FALSE(holds("item=~\"cpu|disk\"", "disk1"));
  EXPECT_FALSE(holds("item=~\"cpu|disk\"", "a cpu"));
  EXPECT_FALSE(holds("item=~\"cpu\"", "cpu\n"));
  EXPECT_TRUE(holds("item!~\"cpu\"", "cpu1"));
  EXPECT_FALSE(holds("item!~\"cpu.\"", "cpu1"));
}

TEST(match_filter, nothing_is_true_of_a_field_that_is_not_there) {
  event_batch batch;
  const event& bare = batch.events.emplace_back();
  for (const char* text : {"item!=\"a\"", "item=\"\"", "item!~\"a\"", "env!=\"a\"", "env!~\"a\""}) {
    const auto made = expression::compile(written(matcher(text)), schema::of_event());
    EXPECT_FALSE(made.value().holds(event_scope(batch, bare))) << text;
  }
}

TEST(match_filter, matchers_read_values_as_alertmanager_does) {
  const auto value = [](std::string_view text) {
    const auto read = parse_matcher(text);
    return read ? read->value : read.failure().message;
  };
  EXPECT_EQ(value(R"(a="b\"c\\d\ne")"), "b\"c\\d\ne");
  EXPECT_EQ(value(R"(a=~"\d+")"), "\\d+");
  EXPECT_EQ(value("a = b c "), "b c");
  EXPECT_EQ(value("a="), "");
  EXPECT_EQ(value("a=\"b"), "column 3: this text is not closed");
  EXPECT_EQ(value("a=\"b\" c"), "column 7: unexpected text after the value");
  EXPECT_EQ(value("a=b\"c"), "column 4: a quote inside a value needs a \\ before it");
  EXPECT_EQ(value("=b"), "column 1: the name of a field or label wanted (try item=\"cpu\")");
  EXPECT_EQ(value("a"), "column 2: one of = != =~ !~ wanted, not the end");
  EXPECT_EQ(value("{a=b}"),
            "column 1: one matcher wanted, without braces (write several as a list)");
}

TEST(match_filter, a_filter_and_the_condition_it_means_share_one_normal_form) {
  EXPECT_EQ(filter_of({{term("item", "eq", {"cpu"}), term("value", "gt", {"5"})},
                       {term("item", "ne", {"a", "b"})}}),
            canonical("item == 'cpu' && value > 5 || item != 'a' && item != 'b'"));
  EXPECT_EQ(filter_of({{term("item", "eq", {"cpu"})}}), canonical("item == 'cpu'"));
  EXPECT_EQ(filter_of({{term("item", "eq", {"cpu"})}}, "value > 5 && level == 0"),
            canonical("value > 5 && level == 0 && item == 'cpu'"));
  EXPECT_EQ(filter_of({{term("item", "eq", {"cpu"})}}, "true"), canonical("item == 'cpu'"));
}

}  // namespace
}  // namespace tocsin
