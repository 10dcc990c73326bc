// SPDX-License-Identifier: Apache-2.0
// What windows of each kind compile to, what they refuse, and what gives a rule its revision.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tocsin/rule_file.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

std::string all(const diagnostics& found) {
  std::string text;
  for (const diagnostic& one : found) text += one.text() + "\n";
  return text;
}

/// Rules from the lines of one, which begin behind its name.
std::shared_ptr<const rule_set> compile(const std::string& lines) {
  diagnostics found;
  auto specs = parse_rules("rules:\n- name: r\n" + lines, "f.yaml", found);
  auto rules = rule_set::compile(std::move(specs), found);
  EXPECT_TRUE(found.empty()) << all(found);
  return rules;
}

std::string errors_of(const std::string& lines) {
  diagnostics found;
  auto specs = parse_rules("rules:\n- name: r\n" + lines, "f.yaml", found);
  EXPECT_TRUE(found.empty()) << all(found);
  (void)rule_set::compile(std::move(specs), found);
  return all(found);
}

std::string canonical(std::string_view text) {
  return expression::compile(text, schema::of_event()).value().canonical();
}

TEST(rule_kinds, a_session_with_close_takes_what_counts_or_closes) {
  const auto rules = compile(
      "  where: item == 'a' && value == 0\n  window: {session: 10m, close: item == 'a' && value > "
      "0}\n");
  ASSERT_TRUE(rules);
  const unit& in = rules->units()[0];
  EXPECT_EQ(in.kind, window_kind::session);
  EXPECT_EQ(in.where_canonical, canonical("item == 'a' && value == 0 || item == 'a' && value > 0"));
  ASSERT_TRUE(in.counts && in.close);
  EXPECT_EQ(in.counts->canonical(), canonical("item == 'a' && value == 0"));
  EXPECT_EQ(in.close->canonical(), canonical("item == 'a' && value > 0"));
  ASSERT_EQ(in.where.required().size(), 1U);
  EXPECT_EQ(in.where.required()[0].texts, std::vector<std::string>{"a"});
}

TEST(rule_kinds, a_session_of_every_event_asks_nothing_of_the_router) {
  const auto rules = compile("  where: true\n  window: {session: 10m, close: value > 0}\n");
  ASSERT_TRUE(rules);
  ASSERT_TRUE(rules->units()[0].where.constant());
  EXPECT_TRUE(rules->units()[0].where.constant()->is_true());
}

TEST(rule_kinds, sessions_are_judged_by_the_ends_they_can_have) {
  EXPECT_EQ(errors_of("  where: true\n  window: {session: 10m}\n  fire_on: [close, limit]\n"),
            "f.yaml:5:12: error: rule 'r': fire_on: has 'close', but the window has no 'close' "
            "condition\n"
            "f.yaml:5:12: error: rule 'r': fire_on: has 'limit', but the window has neither 'max' "
            "nor 'max_events'\n");
  EXPECT_EQ(errors_of("  where: true\n  window: {sliding: 10m}\n  fire_on: [close]\n"),
            "f.yaml:5:12: error: rule 'r': fire_on: goes with session windows\n");
  const auto rules = compile("  where: true\n  window: {session: 10m}\n  fire_on: [early]\n");
  ASSERT_TRUE(rules);
  EXPECT_TRUE(rules->rules()[0].early);
  EXPECT_FALSE(rules->rules()[0].spec.fire_on.timeout);
}

TEST(rule_kinds, an_error_in_close_points_at_its_column) {
  EXPECT_TRUE(errors_of("  where: true\n  window: {session: 10m, close: valeu > 0}\n")
                  .starts_with("f.yaml:4:33: error: rule 'r': window.close: unknown name 'valeu'"));
}

TEST(rule_kinds, an_absence_is_judged_without_any_event) {
  const auto rules = compile(
      "  where: item == 'ping'\n  group_by: [resource_id]\n  window: {absent: 5m}\n  expect: "
      "[{resource_id: b}, {resource_id: a}]\n");
  ASSERT_TRUE(rules);
  const rule& of = rules->rules()[0];
  const unit& in = rules->units()[0];
  EXPECT_EQ(of.condition, "true");
  EXPECT_FALSE(of.early);
  EXPECT_EQ(of.count_floor, 0U);
  EXPECT_EQ(in.kind, window_kind::absence);
  EXPECT_EQ(in.views[0].size, 5min);
  ASSERT_EQ(in.expected.size(), 2U);
  for (const expected_key& key : in.expected) {
    ASSERT_EQ(key.values.size(), 1U);
    const key_part part{"resource_id", *key.values[0]};
    EXPECT_EQ(key.key, fingerprint_of("", {&part, 1}));
  }
}

TEST(rule_kinds, expected_keys_name_exactly_the_fields_of_group_by) {
  EXPECT_EQ(errors_of("  where: true\n  group_by: [resource_id, item]\n  window: {absent: 5m}\n"
                      "  expect:\n  - {resorce_id: a, item: b}\n  - {resource_id: a, item: b}\n"
                      "  - {item: b, resource_id: a}\n"),
            "f.yaml:7:18: error: rule 'r': expect: 'resorce_id' is not in group_by (did you mean "
            "'resource_id'?)\n"
            "f.yaml:7:18: error: rule 'r': expect: 'resource_id' is missing (every entry names the "
            "fields of group_by: resource_id, item)\n"
            "f.yaml:9:12: error: rule 'r': expect: this key is expected twice\n");
  EXPECT_EQ(errors_of("  where: true\n  window: {fixed: 5m}\n  expect: [{item: a}]\n")
                .find("f.yaml:5:11: error: rule 'r': expect: goes with absence"),
            0U);
}

TEST(rule_kinds, a_sequence_joins_each_step_to_where) {
  const auto rules = compile(
      "  where: resource_id == 'x'\n  then:\n  - {where: item == 'a'}\n  - {where: item == 'b', "
      "within: 1m}\n  - {not: item == 'c', within: 2m}\n");
  ASSERT_TRUE(rules);
  const unit& in = rules->units()[0];
  EXPECT_EQ(in.kind, window_kind::sequence);
  EXPECT_EQ(in.views[0].size, 3min);
  ASSERT_EQ(in.steps.size(), 3U);
  EXPECT_EQ(in.steps[1].where.canonical(), canonical("resource_id == 'x' && item == 'b'"));
  EXPECT_EQ(in.steps[1].within, 1min);
  EXPECT_TRUE(in.steps[2].absent);
  ASSERT_EQ(in.where.required().size(), 2U);
  EXPECT_EQ(in.where.required()[0].texts, std::vector<std::string>{"x"});
  EXPECT_EQ(in.where.required()[1].texts, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_FALSE(rules->rules()[0].early);
}

TEST(rule_kinds, the_steps_of_a_sequence_have_their_order) {
  EXPECT_EQ(
      errors_of("  then:\n  - {where: value == 1, within: 1m}\n  - {not: value == 2}\n"
                "  - {where: valeu == 3, within: 1m}\n"),
      "f.yaml:6:13: error: rule 'r': then.where: unknown name 'valeu' (did you mean 'value'?)\n"
      "f.yaml:4: error: rule 'r': then: the first step has no 'within': nothing comes before "
      "it\n"
      "f.yaml:5: error: rule 'r': then: step 2 has no 'within' (how long after the step "
      "before it may come, such as within: 2m)\n"
      "f.yaml:5: error: rule 'r': then: 'not' may only be the last step, behind another one\n");
  EXPECT_NE(errors_of("  then: [{where: true}]\n").find("a sequence has 2 to 16 steps, this has 1"),
            std::string::npos);
  EXPECT_NE(errors_of("  fire: early\n  then: [{where: true}, {where: true, within: 1m}]\n")
                .find("fire: does not go with then"),
            std::string::npos);
}

TEST(rule_kinds, a_trailing_window_moves_by_the_resolution_of_time) {
  const auto rules = compile("  where: true\n  window: {sliding: 1d, every: event}\n");
  ASSERT_TRUE(rules);
  EXPECT_EQ(rules->units()[0].views[0].every, 1ms);
  EXPECT_EQ(rules->units()[0].pane, 1ms);
  EXPECT_EQ(rules->units()[0].limits.events, 10'000U);
  EXPECT_NE(errors_of("  where: true\n  window: {sliding: 1d, every: event}\n  limits: {events: "
                      "100001}\n")
                .find("100001 is too many (at most 100000)"),
            std::string::npos);
}

TEST(rule_kinds, days_may_be_those_of_a_time_zone) {
  const auto zoned = [](const char* window) {
    return "  where: true\n  window: " + std::string(window) + "\n";
  };
  EXPECT_EQ(compile(zoned("{fixed: 7d, timezone: Europe/Berlin}"))->units()[0].views[0].time_zone,
            "Europe/Berlin");
  EXPECT_EQ(compile(zoned("{fixed: 15m, timezone: UTC}"))->units()[0].views[0].time_zone, "");
  EXPECT_EQ(errors_of(zoned("{fixed: 1d, timezone: Europe/Berln}")),
            "f.yaml:4:11: error: rule 'r': window: window.timezone: unknown time zone "
            "'Europe/Berln' (did you mean 'Europe/Berlin'?)\n");
  for (const char* name : {"localtime", "/etc/localtime", "file:x", "../x"}) {
    EXPECT_NE(errors_of(zoned(("{fixed: 1d, timezone: '" + std::string(name) + "'}").c_str()))
                  .find("unknown time zone"),
              std::string::npos);
  }
  EXPECT_NE(errors_of(zoned("{fixed: 12h, timezone: Europe/Berlin}"))
                .find("goes with fixed windows of whole days, this is fixed 12h"),
            std::string::npos);
}

TEST(rule_kinds, a_baseline_is_whole_steps_of_fixed_and_sliding_windows) {
  const std::string sliding = "  where: true\n  window: {sliding: 5m, every: 1m}\n";
  const auto rules = compile(sliding + "  baseline: {length: 1h}\n  having: zscore(value) > 3\n");
  ASSERT_TRUE(rules);
  EXPECT_EQ(rules->units()[0].baseline, (baseline_spec{1h, 10}));
  EXPECT_EQ(
      errors_of(sliding + "  having: 1 < mad_score(value)\n"),
      "f.yaml:5:15: error: rule 'r': having: mad_score() compares with the past: give the rule "
      "'baseline: {length: 1h, min_samples: 30}'\n");
  EXPECT_NE(errors_of(sliding + "  baseline: {length: 90s}\n").find("(try length: 2m)"),
            std::string::npos);
  EXPECT_NE(errors_of(sliding + "  baseline: {length: 7d}\n").find("10080 slices of 1m, at most"),
            std::string::npos);
  EXPECT_NE(errors_of("  where: true\n  window: {session: 5m}\n  baseline: {length: 1h}\n")
                .find("goes with fixed and sliding windows, this is session"),
            std::string::npos);
}

TEST(rule_kinds, names_of_the_engine_are_reserved) {
  rule_spec spec;
  spec.name.text = "tocsin-mine";
  spec.where.text = "true";
  spec.window.size = 5min;
  diagnostics found;
  EXPECT_FALSE(rule_set::compile({spec}, found));
  EXPECT_NE(all(found).find("names that begin with 'tocsin-' are the engine's own"),
            std::string::npos);
}

TEST(rule_kinds, the_engines_own_rules_stand_behind_the_others) {
  const auto rules = compile("  where: true\n  window: {sliding: 5m}\n");
  ASSERT_TRUE(rules);
  EXPECT_EQ(rules->index_of(rule_set::built_in::overflow), 1U);
  const rule& overflow = rules->rule_at(1);
  const rule& failure = rules->rule_at(rules->index_of(rule_set::built_in::failure));
  EXPECT_EQ(overflow.name, "tocsin-overflow");
  EXPECT_EQ(overflow.fixed_severity, severity::warning);
  EXPECT_EQ(overflow.unit, no_unit);
  EXPECT_EQ(overflow.index, 1U);
  EXPECT_EQ(overflow.revision.size(), 16U);
  EXPECT_EQ(failure.name, "tocsin-failure");
  EXPECT_NE(failure.revision, overflow.revision);
  EXPECT_EQ(rules->rule_at(0).name, "r");
}

TEST(rule_kinds, a_revision_changes_with_every_new_field_but_limits) {
  const std::string session = "  where: item == 'a'\n  window: {session: 1m";
  const std::string sliding = "  where: item == 'a'\n  window: {sliding: 5m, every: 1m}\n";
  const std::string sequence = "  where: item == 'a'\n  then: [{where: value == 1}, ";
  const std::string absent = "  where: item == 'a'\n  group_by: [item]\n  window: {absent: 1m}\n";
  const std::string fixed = "  where: item == 'a'\n  window: {fixed: 1d";
  const std::vector<std::string> rules{
      session + "}\n",
      session + ", max: 1h}\n",
      session + ", max_events: 5}\n",
      session + ", close: value == 1}\n",
      session + ", close: value == 1}\n  fire_on: [close]\n",
      sliding,
      sliding + "  baseline: {length: 1h}\n",
      sliding + "  baseline: {length: 1h, min_samples: 11}\n",
      sliding + "  having: quantile(value, 0.5) > 1\n",
      sliding + "  having: quantile(value, 0.9) > 1\n",
      sliding + "  match: [env=~x]\n",
      sequence + "{where: value == 2, within: 1m}]\n",
      sequence + "{where: value == 2, within: 2m}]\n",
      sequence + "{not: value == 2, within: 1m}]\n",
      absent,
      absent + "  expect: [{item: a}]\n",
      fixed + "}\n",
      fixed + ", timezone: Asia/Tokyo}\n",
      "  where: item == 'a'\n  window: {sliding: 5s, every: 1ms}\n",
      "  where: item == 'a'\n  window: {sliding: 5s, every: event}\n",
  };
  std::vector<std::string> revisions;
  for (const std::string& lines : rules) {
    const auto made = compile(lines);
    ASSERT_TRUE(made) << lines;
    revisions.push_back(made->rules()[0].revision);
  }
  EXPECT_EQ(compile(sliding + "  limits: {keys: 5}\n")->rules()[0].revision, revisions[5]);
  std::sort(revisions.begin(), revisions.end());
  EXPECT_EQ(std::adjacent_find(revisions.begin(), revisions.end()), revisions.end());
}

}  // namespace
}  // namespace tocsin
