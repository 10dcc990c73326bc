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

#include "support/diagnostics_text.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

using testing::texts;

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
  close_after: 1h
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
  EXPECT_EQ(one.close_after, 1h);
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
                .find("exactly one of sliding, fixed, session, absent; this has 2"),
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

TEST(rule_file, a_session_may_end_by_more_than_its_gap) {
  const auto specs = parse(R"(rules:
- name: r
  where: true
  window: {session: 10m, max: 2h, max_events: 1000, close: 'value == 1'}
  fire_on: [close, limit, early]
)");
  ASSERT_EQ(specs.size(), 1U);
  const rule_spec& one = specs[0];
  EXPECT_EQ(one.window.session_max, 2h);
  EXPECT_EQ(one.window.session_events_max, 1000U);
  EXPECT_EQ(one.close.text, "value == 1");
  EXPECT_EQ(one.close.column, 61);
  EXPECT_EQ(one.fire_on, (session_ends{false, true, true}));
  EXPECT_EQ(one.fire, fire_mode::early);
}

TEST(rule_file, windows_may_trail_events_follow_a_zone_or_wait_for_silence) {
  const auto specs = parse(R"(rules:
- {name: a, where: true, window: {sliding: 5m, every: event}, limits: {events: 500}}
- {name: b, where: true, window: {fixed: 1d, timezone: Europe/Berlin}}
- name: c
  where: true
  group_by: [resource_id, item]
  window: {absent: 5m}
  expect: [{resource_id: web-1, item: ping}, {resource_id: web-2, item: ping}]
)");
  ASSERT_EQ(specs.size(), 3U);
  EXPECT_TRUE(specs[0].window.trailing);
  EXPECT_EQ(specs[0].limits.events, 500U);
  EXPECT_EQ(specs[1].window.time_zone, "Europe/Berlin");
  EXPECT_EQ(specs[2].window.kind, window_kind::absence);
  EXPECT_EQ(specs[2].window.size, 5min);
  ASSERT_EQ(specs[2].expect.size(), 2U);
  EXPECT_EQ(specs[2].expect[1][0].first, "resource_id");
  EXPECT_EQ(specs[2].expect[1][0].second.text, "web-2");
}

TEST(rule_file, a_sequence_stands_for_where_and_window) {
  const auto specs = parse(R"(rules:
- name: r
  then:
  - {where: value == 1}
  - {not: value == 2, within: 2m}
)");
  ASSERT_EQ(specs.size(), 1U);
  ASSERT_EQ(specs[0].then.size(), 2U);
  EXPECT_FALSE(specs[0].then[0].absent);
  EXPECT_TRUE(specs[0].then[1].absent);
  EXPECT_EQ(specs[0].then[1].where.text, "value == 2");
  EXPECT_EQ(specs[0].then[1].within, 2min);
  EXPECT_EQ(specs[0].then[1].line, 5);
  EXPECT_EQ(specs[0].window.kind, window_kind::sequence);
}

TEST(rule_file, a_baseline_and_limits_are_read) {
  const auto specs =
      parse(rule_with("  baseline: {length: 1h, min_samples: 30}\n"
                      "  limits: {keys: 100, bytes: 64 MiB}"));
  ASSERT_EQ(specs.size(), 1U);
  EXPECT_EQ(specs[0].baseline, (baseline_spec{1h, 30}));
  EXPECT_EQ(specs[0].limits, (rule_limits{100, 64ULL * 1024 * 1024, 0}));
}

TEST(rule_file, a_filter_is_a_list_of_lists_or_one_list) {
  const auto specs = parse(R"(rules:
- name: a
  match: [[{field: item, op: eq, value: [cpu, "12"]}, 'labels.env!="test"'], ['item=~"disk.*"']]
  window: {sliding: 5m}
- name: b
  match:
  - {field: value, op: gt, value: 5}
  - item=cpu
  window: {sliding: 5m}
)");
  ASSERT_EQ(specs.size(), 2U);
  ASSERT_EQ(specs[0].match.size(), 2U);
  ASSERT_EQ(specs[0].match[0].size(), 2U);
  const match_term& first = specs[0].match[0][0];
  EXPECT_EQ(first.field.text, "item");
  EXPECT_EQ(first.op.text, "eq");
  ASSERT_EQ(first.values.size(), 2U);
  EXPECT_EQ(first.values[1].text, "12");
  EXPECT_EQ(first.quoted, (std::vector<bool>{false, true}));
  EXPECT_EQ(specs[0].match[1][0].matcher.text, "item=~\"disk.*\"");
  ASSERT_EQ(specs[1].match.size(), 1U);
  EXPECT_EQ(specs[1].match[0].size(), 2U);
}

TEST(rule_file, an_empty_or_mixed_filter_is_an_error) {
  for (const char* match : {"  match: []", "  match: [[]]"}) {
    EXPECT_NE(errors_of(rule_with(match)).find("write 'where: true' to take every event"),
              std::string::npos);
  }
  EXPECT_EQ(errors_of(rule_with("  match: [item=a, [item=b]]")),
            "rules/r.yaml:5:11: error: 'match' is a list of terms or a list of lists of terms, not "
            "both (put this term into a list of its own)\n");
  EXPECT_EQ(errors_of(rule_with("  match: [{field: item, op: eq, value: []}]")),
            "rules/r.yaml:5:40: error: 'value' is empty (a list needs at least one value)\n");
  EXPECT_EQ(
      errors_of(rule_with("  match: [{feld: item}]")),
      "rules/r.yaml:5:12: error: unknown field 'feld' (did you mean 'field'?)\n"
      "rules/r.yaml:5:11: error: 'field' is missing (a field of the event, or labels.NAME)\n"
      "rules/r.yaml:5:11: error: 'op' is missing (eq, ne, in, contains, not_contains, re, gt, "
      "ge, lt or le)\n"
      "rules/r.yaml:5:11: error: 'value' is missing (what the field is compared with)\n");
}

TEST(rule_file, what_goes_with_windows_says_what_was_wanted) {
  EXPECT_EQ(errors_of(rule_with("  fire_on: [timout]")),
            "rules/r.yaml:5:13: error: 'fire_on': \"timout\" is not one of timeout, close, limit, "
            "early (did you mean 'timeout'?)\n");
  EXPECT_EQ(errors_of(rule_with("  fire_on: []")),
            "rules/r.yaml:5:12: error: 'fire_on' is empty (name at least one of timeout, close, "
            "limit, early)\n");
  EXPECT_EQ(errors_of(rule_with("  limits: {bytes: 64MB, keys: 0}")),
            "rules/r.yaml:5:31: error: 'keys': 0 is too small (at least 1)\n"
            "rules/r.yaml:5:19: error: 'bytes': \"64MB\" is no number of bytes (try 67108864 or "
            "64MiB; units KiB, MiB, GiB)\n");
  EXPECT_EQ(errors_of(rule_with("  baseline: {min_samples: many}")),
            "rules/r.yaml:5:13: error: 'length' is missing (how far back, such as length: 1h)\n"
            "rules/r.yaml:5:27: error: 'min_samples': \"many\" is not a whole number\n");
  EXPECT_EQ(errors_of(rule_with("  then: [{where: true}, {not: true, within: 1m}]")),
            "rules/r.yaml:5:3: error: 'then' stands for 'window': leave one of them out\n");
  EXPECT_EQ(errors_of("rules: [{name: r, then: [{within: 1m}, {where: true, not: true}]}]"),
            "rules/r.yaml:1:26: error: a step of 'then' must have one of where and not; this has "
            "none\n"
            "rules/r.yaml:1:40: error: a step of 'then' must have one of where and not; this has "
            "both\n");
  EXPECT_EQ(errors_of(rule_with("  expect: [web]")),
            "rules/r.yaml:5:12: error: a key of 'expect' must be a map of group_by fields to "
            "texts, this is a text\n");
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

TEST(rule_file, errors_about_whole_fields_point_at_their_value) {
  EXPECT_EQ(compile_error(rule_with("  limits: {events: 5}")),
            "f.yaml:5:11: error: rule 'r': limits: events goes with 'every: event' only\n");
  EXPECT_EQ(
      compile_error("rules:\n- name: r\n  where: true\n  window: {sliding: 5m, every: 7m}\n"),
      "f.yaml:4:11: error: rule 'r': window: window.every 7m is longer than window.sliding 5m "
      "(try every: 5m)\n");
}

TEST(rule_file, errors_of_a_filter_point_at_the_part_that_is_wrong) {
  EXPECT_EQ(
      compile_error(rule_with("  match: [{field: itm, op: equals, value: a}]")),
      "f.yaml:5:19: error: rule 'r': match: unknown field 'itm' (did you mean 'item'? a label "
      "is written labels.itm)\n"
      "f.yaml:5:28: error: rule 'r': match: unknown operator 'equals' (known: eq, ne, in, "
      "contains, not_contains, re, gt, ge, lt, le)\n");
  EXPECT_EQ(
      compile_error(rule_with("  match: [{field: item, op: gt, value: a}]")),
      "f.yaml:5:29: error: rule 'r': match: 'gt' does not go with 'item', which is a text (it "
      "takes eq, ne, in, contains, not_contains, re)\n");
  EXPECT_EQ(compile_error(rule_with("  match: [{field: item, op: eq, value: [a, 404]}]")),
            "f.yaml:5:44: error: rule 'r': match: 'item' is a text, 404 is a number (write "
            "\"404\")\n");
  EXPECT_EQ(compile_error(rule_with("  match: [{field: item, op: re, value: 'a(b'}]")),
            "f.yaml:5:41: error: rule 'r': match: \"a(b\" is not a regular expression: missing ): "
            "a(b\n");
  EXPECT_EQ(compile_error(rule_with("  match: ['item=~\"a)(b\"']")),
            "f.yaml:5:19: error: rule 'r': match: \"a)(b\" is not a regular expression: unexpected "
            "): a)(b\n");
  EXPECT_EQ(compile_error(rule_with("  match: ['item==\"a\"']")),
            "f.yaml:5:16: error: rule 'r': match: '==' is no operator of matchers (did you mean "
            "'='?)\n");
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
