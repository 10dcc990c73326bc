// SPDX-License-Identifier: Apache-2.0
// Rules from YAML: every field, and every way to get one wrong.
#include "tocsin/rule_file.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tocsin/rule_set.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

std::string texts(const diagnostics& found) {
  std::string all;
  for (const diagnostic& one : found) all += one.text() + "\n";
  return all;
}

std::vector<rule_spec> parse(std::string_view yaml) {
  diagnostics found;
  auto specs = parse_rules(yaml, "rules/r.yaml", found);
  EXPECT_TRUE(found.empty()) << texts(found);
  return specs;
}

std::string errors_of(std::string_view yaml) {
  diagnostics found;
  (void)parse_rules(yaml, "rules/r.yaml", found);
  return texts(found);
}

/// A rule that is right but for `line`, which stands in line 5.
std::string rule_with(const std::string& line) {
  return "rules:\n- name: r\n  where: true\n  window: {sliding: 5m}\n" + line + "\n";
}

TEST(rule_file, every_field_of_a_rule_is_read) {
  const auto specs = parse(R"(rules:
- name: http-500-burst
  where: item == "http_status" && value >= 500
  group_by: [resource_id, labels.env]
  window: {sliding: 5m, every: 1m}
  select:
    failures: count()
    worst: max(value)
  having: failures >= 3
  severity: critical
  title: "${resource_name}: ${failures} errors"
  description: 'it''s bad'
  for: 10s
  keep_firing_for: 2m
  lateness: 0s
  clock: arrival
  fire: close
  labels: {team: web, page: no}
  annotations: {runbook: "look"}
)");
  ASSERT_EQ(specs.size(), 1U);
  const rule_spec& one = specs[0];
  EXPECT_EQ(one.file, "rules/r.yaml");
  EXPECT_EQ(one.line, 2);
  EXPECT_EQ(one.name.text, "http-500-burst");
  EXPECT_EQ(one.where.text, "item == \"http_status\" && value >= 500");
  EXPECT_EQ(one.where.line, 3);
  EXPECT_EQ(one.where.column, 10);
  ASSERT_EQ(one.group_by.size(), 2U);
  EXPECT_EQ(one.group_by[1].text, "labels.env");
  EXPECT_EQ(one.window, (window_spec{window_kind::sliding, 5min, 1min, 0s}));
  ASSERT_EQ(one.select.size(), 2U);
  EXPECT_EQ(one.select[1].first, "worst");
  EXPECT_EQ(one.select[1].second.text, "max(value)");
  EXPECT_EQ(one.having.text, "failures >= 3");
  EXPECT_EQ(one.severity.text, "critical");
  EXPECT_EQ(one.title.text, "${resource_name}: ${failures} errors");
  EXPECT_EQ(one.title.column, 11);
  EXPECT_EQ(one.description.text, "it's bad");
  EXPECT_EQ(one.pending_for, 10s);
  EXPECT_EQ(one.keep_firing_for, 2min);
  EXPECT_EQ(one.lateness, duration{0});
  EXPECT_EQ(one.clock, rule_clock::arrival);
  EXPECT_EQ(one.fire, fire_mode::close);
  ASSERT_EQ(one.labels.size(), 2U);
  EXPECT_EQ(one.labels[1].second.text, "no");
  EXPECT_EQ(one.annotations[0].first, "runbook");
}

TEST(rule_file, what_is_left_out_stays_empty) {
  const auto specs = parse("rules: [{name: r, where: true, window: {session: 10m}}]");
  ASSERT_EQ(specs.size(), 1U);
  EXPECT_EQ(specs[0].where.text, "true");
  EXPECT_EQ(specs[0].having.line, 0);
  EXPECT_TRUE(specs[0].group_by.empty());
  EXPECT_FALSE(specs[0].lateness);
  EXPECT_EQ(specs[0].window, (window_spec{window_kind::session, 10min, 0s, 0s}));
}

TEST(rule_file, a_fixed_window_has_an_offset) {
  const auto specs = parse("rules: [{name: r, where: true, window: {fixed: 15m, offset: 5m}}]");
  ASSERT_EQ(specs.size(), 1U);
  EXPECT_EQ(specs[0].window, (window_spec{window_kind::fixed, 15min, 15min, 5min}));
}

TEST(rule_file, an_unknown_field_is_an_error_with_a_suggestion) {
  EXPECT_EQ(errors_of("rules:\n- name: r\n  where: true\n  window: {sliding: 5m}\n  havin: x\n"),
            "rules/r.yaml:5:3: error: unknown field 'havin' (did you mean 'having'?)\n");
}

TEST(rule_file, a_field_of_later_versions_is_an_error_that_names_what_is_known) {
  for (const char* field : {"match: [[]]", "then: []", "close: 'value == 1'", "fire_on: [early]"}) {
    const std::string all = errors_of(rule_with(std::string("  ") + field));
    EXPECT_TRUE(all.starts_with("rules/r.yaml:5:3: error: unknown field '")) << all;
  }
  const std::string all =
      errors_of("rules: [{name: r, where: true, window: {session: 5m, max_events: 3}}]");
  EXPECT_NE(all.find("unknown field 'max_events' (known in a session window: session)"),
            std::string::npos)
      << all;
}

TEST(rule_file, name_where_and_window_must_be_given) {
  EXPECT_EQ(errors_of("rules:\n- title: x\n"),
            "rules/r.yaml:2:3: error: 'name' is missing (every rule has one)\n"
            "rules/r.yaml:2:3: error: 'where' is missing (write 'where: true' to take every "
            "event)\n"
            "rules/r.yaml:2:3: error: 'window' is missing (try window: {sliding: 5m})\n");
}

TEST(rule_file, duplicate_fields_are_errors) {
  EXPECT_EQ(errors_of(rule_with("  where: false")),
            "rules/r.yaml:5:3: error: duplicate field 'where' (first at line 3)\n");
}

TEST(rule_file, nodes_of_another_kind_are_errors) {
  EXPECT_EQ(errors_of(rule_with("  having: [a]")),
            "rules/r.yaml:5:11: error: 'having' must be a text, this is a list\n");
  EXPECT_EQ(errors_of(rule_with("  having:")),
            "rules/r.yaml:5:3: error: 'having' must be a text, this is an empty value\n");
  EXPECT_EQ(errors_of(rule_with("  group_by: item")),
            "rules/r.yaml:5:13: error: 'group_by' must be a list, this is a text\n");
  EXPECT_EQ(errors_of(rule_with("  select: [count()]")),
            "rules/r.yaml:5:11: error: 'select' must be a map, this is a list\n");
  EXPECT_EQ(
      errors_of("rules:\n- just text\n").find("rules/r.yaml:2:3: error: a rule must be a map"), 0U);
  EXPECT_EQ(errors_of("rules: 3\n"),
            "rules/r.yaml:1:8: error: 'rules' must be a list, this is a text\n");
}

TEST(rule_file, anchors_aliases_merge_keys_and_tags_are_errors) {
  EXPECT_NE(errors_of(rule_with("  having: &a x")).find("anchors"), std::string::npos);
  EXPECT_NE(errors_of("x: &a 1\nrules: *a\n").find("aliases"), std::string::npos);
  EXPECT_NE(errors_of(rule_with("  <<: {title: t}")).find("merge keys"), std::string::npos);
  EXPECT_NE(errors_of(rule_with("  having: !!str x")).find("tags"), std::string::npos);
  EXPECT_NE(errors_of(rule_with("  [a]: x")).find("a key must be a text, this is a list"),
            std::string::npos);
}

TEST(rule_file, durations_and_choices_say_what_was_wanted) {
  EXPECT_EQ(errors_of(rule_with("  for: 5x")),
            "rules/r.yaml:5:8: error: 'for': \"5x\" is not a duration (try 5m, 1h30m or 250ms)\n");
  EXPECT_EQ(errors_of(rule_with("  clock: wall")),
            "rules/r.yaml:5:10: error: 'clock': \"wall\" is not one of event, arrival\n");
  EXPECT_EQ(errors_of("rules: [{name: r, where: true, window: {sliding: 0s}}]"),
            "rules/r.yaml:1:50: error: 'sliding': 0s is too short (at least 1ms)\n");
}

TEST(rule_file, a_window_is_of_exactly_one_kind) {
  EXPECT_NE(errors_of("rules: [{name: r, where: true, window: {sliding: 5m, fixed: 5m}}]")
                .find("exactly one of sliding, fixed, session; this has 2"),
            std::string::npos);
  const std::string all = errors_of("rules: [{name: r, where: true, window: {slidng: 5m}}]");
  EXPECT_NE(all.find("did you mean 'sliding'?"), std::string::npos) << all;
}

TEST(rule_file, all_errors_are_reported_and_the_right_rules_kept) {
  diagnostics found;
  const auto specs = parse_rules(R"(rules:
- {name: a, where: true, window: {sliding: 5m}, whre: x, for: 5x}
- {name: b, where: true, window: {sliding: 5m}}
- {name: c, window: {sliding: 5m}}
)",
                                 "f.yaml", found);
  EXPECT_EQ(found.size(), 3U) << texts(found);
  ASSERT_EQ(specs.size(), 1U);
  EXPECT_EQ(specs[0].name.text, "b");
}

TEST(rule_file, broken_yaml_is_an_error_with_its_place) {
  const std::string all = errors_of("rules:\n- name: [a\n");
  EXPECT_TRUE(all.starts_with("rules/r.yaml:")) << all;
  EXPECT_NE(all.find("not YAML"), std::string::npos) << all;
  EXPECT_NE(errors_of("rules: []\n---\nrules: []\n").find("a second document"), std::string::npos);
  EXPECT_EQ(errors_of("rules: []\n# \xff\n"),
            "rules/r.yaml:2: error: this line is not UTF-8 text\n");
  EXPECT_NE(errors_of(""), "");
  EXPECT_NE(errors_of(std::string(10'000, '[')), "");
}

/// Where the compiler says that a rule's `having` is wrong.
std::string compile_error(const std::string& yaml) {
  diagnostics found;
  auto specs = parse_rules(yaml, "f.yaml", found);
  EXPECT_TRUE(found.empty()) << texts(found);
  EXPECT_FALSE(rule_set::compile(std::move(specs), found));
  return texts(found);
}

TEST(rule_file, errors_inside_a_text_point_at_their_column_where_it_stands_on_one_line) {
  EXPECT_TRUE(compile_error(rule_with("  having: 1 < valeu")).starts_with("f.yaml:5:15: error"));
  EXPECT_TRUE(compile_error(rule_with("  having: '1 < valeu'")).starts_with("f.yaml:5:16: error"));
  EXPECT_TRUE(
      compile_error(rule_with("  having: \"1 < valeu\"")).starts_with("f.yaml:5:16: error"));
}

TEST(rule_file, errors_inside_other_texts_point_at_their_line_and_keep_their_column) {
  const std::string folded = compile_error(rule_with("  having: >\n    1 <\n    valeu"));
  EXPECT_TRUE(folded.starts_with("f.yaml:5: error: ")) << folded;
  EXPECT_NE(folded.find("column 5"), std::string::npos) << folded;
  const std::string escaped = compile_error(rule_with("  having: \"\\x31 < valeu\""));
  EXPECT_TRUE(escaped.starts_with("f.yaml:5: error: ")) << escaped;
}

class rule_folder : public ::testing::Test {
 protected:
  rule_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tocsin-rules-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~rule_folder() override { std::filesystem::remove_all(path_); }

  void write(const std::string& name, const std::string& rule) {
    std::ofstream(path_ / name) << "rules: [{name: " << rule
                                << ", where: true, window: {sliding: 5m}}]\n";
  }
  [[nodiscard]] std::string at(const std::string& name) const { return (path_ / name).string(); }

  std::filesystem::path path_;
};

TEST_F(rule_folder, files_are_read_in_the_order_of_their_names_each_once) {
  write("b.yaml", "second");
  write("a.yaml", "first");
  write("c.txt", "not-asked-for");
  diagnostics found;
  const auto specs = load_rules({at("b.yaml"), at("*.yaml"), at("./a.yaml")}, found);
  EXPECT_TRUE(found.empty()) << texts(found);
  ASSERT_EQ(specs.size(), 2U);
  EXPECT_EQ(specs[0].name.text, "first");
  EXPECT_EQ(specs[1].name.text, "second");
}

TEST_F(rule_folder, a_glob_without_match_is_a_warning_and_a_missing_file_an_error) {
  diagnostics found;
  (void)load_rules({at("*.yaml")}, found);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, diagnostic::grade::warning);
  found.clear();
  (void)load_rules({at("missing.yaml")}, found);
  EXPECT_TRUE(has_errors(found));
}

TEST_F(rule_folder, what_cannot_be_read_is_an_error) {
  std::filesystem::create_directory(path_ / "folder.yaml");
  diagnostics found;
  (void)load_rules({at("*.yaml")}, found);
  EXPECT_TRUE(has_errors(found)) << texts(found);
}

TEST(rule_file, the_rules_that_come_with_tocsin_compile_without_a_warning) {
  diagnostics found;
  auto specs = load_rules({TOCSIN_SOURCE_DIR "/config/rules/*.yaml"}, found);
  EXPECT_GE(specs.size(), 10U);
  const auto rules = rule_set::compile(std::move(specs), found);
  EXPECT_TRUE(found.empty()) << texts(found);
  EXPECT_TRUE(rules);
}

}  // namespace
}  // namespace tocsin
