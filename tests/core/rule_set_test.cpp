// SPDX-License-Identifier: Apache-2.0
// What rules compile to, what they share, and what is wrong with bad ones.
#include "tocsin/rule_set.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

rule_spec make_rule(std::string name) {
  rule_spec spec;
  spec.file = "rules.yaml";
  spec.line = 3;
  spec.name = {std::move(name), 3, 9};
  spec.where = {"item == \"http\"", 4, 10};
  spec.window.size = 5min;
  return spec;
}

rule_spec make_rule(std::string name, std::string having) {
  rule_spec spec = make_rule(std::move(name));
  spec.having = {std::move(having), 8, 11};
  return spec;
}

std::string texts(const diagnostics& found) {
  std::string all;
  for (const diagnostic& one : found) all += one.text() + "\n";
  return all;
}

std::shared_ptr<const rule_set> compile(std::vector<rule_spec> specs) {
  diagnostics found;
  auto rules = rule_set::compile(std::move(specs), found);
  EXPECT_TRUE(found.empty()) << texts(found);
  return rules;
}

std::string errors_of(std::vector<rule_spec> specs) {
  diagnostics found;
  const auto rules = rule_set::compile(std::move(specs), found);
  EXPECT_EQ(rules == nullptr, has_errors(found));
  return texts(found);
}

std::string revision_of(const rule_spec& spec) {
  const auto rules = compile({spec});
  return rules ? rules->rules()[0].revision : "";
}

TEST(rule_set, a_short_rule_gets_the_documented_defaults) {
  const auto rules = compile({make_rule("r")});
  ASSERT_TRUE(rules);
  const rule& of = rules->rules()[0];
  const unit& in = rules->units()[0];
  EXPECT_EQ(of.condition, "event_count >= 1");
  EXPECT_TRUE(of.early);
  EXPECT_TRUE(of.worst_level);
  EXPECT_FALSE(of.fixed_severity);
  EXPECT_EQ(of.spec.title.text, "${rule}: ${source_id} ${resource_id} ${item}");
  EXPECT_EQ(in.lateness, 5s);
  EXPECT_EQ(in.views[0].every, 30s);
  ASSERT_EQ(rules->groups()[0].fields.size(), 3U);
  EXPECT_EQ(rules->groups()[0].fields[0].name, "source_id");
  EXPECT_EQ(rules->groups()[0].fields[2].field, event_field::item);
}

TEST(rule_set, no_rules_are_a_rule_set_too) {
  const auto rules = compile({});
  ASSERT_TRUE(rules);
  EXPECT_TRUE(rules->units().empty());
}

TEST(rule_set, lateness_is_zero_by_the_clock_of_arrival) {
  rule_spec spec = make_rule("r");
  spec.clock = rule_clock::arrival;
  EXPECT_EQ(compile({spec})->units()[0].lateness, 0s);
  spec.lateness = 2s;
  EXPECT_EQ(compile({spec})->units()[0].lateness, 2s);
}

TEST(rule_set, a_sliding_window_moves_by_a_tenth_but_at_least_a_second) {
  rule_spec spec = make_rule("r");
  spec.window.size = 4s;
  EXPECT_EQ(compile({spec})->units()[0].views[0].every, 1s);
  spec.window.size = 1h;
  EXPECT_EQ(compile({spec})->units()[0].views[0].every, 6min);
}

TEST(rule_set, a_step_that_does_not_divide_is_refused_with_one_that_does) {
  rule_spec spec = make_rule("r");
  spec.window.size = 1500ms;
  EXPECT_EQ(errors_of({spec}),
            "rules.yaml:3: error: rule 'r': window: window.sliding 1s500ms needs window.every: a "
            "tenth of it, at least 1s, does not divide it (try every: 750ms)\n");
  spec.window.size = 5min;
  spec.window.every = 45s;
  EXPECT_EQ(errors_of({spec}),
            "rules.yaml:3: error: rule 'r': window: window.every 45s does not divide "
            "window.sliding 5m (try every: 37s500ms)\n");
}

TEST(rule_set, windows_below_a_second_need_their_step) {
  rule_spec spec = make_rule("r");
  spec.window.size = 500ms;
  EXPECT_NE(errors_of({spec}), "");
  spec.window.every = 100ms;
  EXPECT_EQ(compile({spec})->units()[0].views[0].every, 100ms);
}

TEST(rule_set, a_window_of_more_than_10000_slices_is_refused) {
  rule_spec spec = make_rule("r");
  spec.window.size = 24h;
  spec.window.every = 1s;
  EXPECT_NE(errors_of({spec}).find("86400 slices, at most 10000 (try every: "), std::string::npos);
}

TEST(rule_set, the_offset_of_a_fixed_window_is_shorter_than_the_window) {
  rule_spec spec = make_rule("r");
  spec.window = {window_kind::fixed, 15min, {}, 15min};
  EXPECT_NE(errors_of({spec}).find("window.offset 15m must be shorter than window.fixed 15m"),
            std::string::npos);
  spec.window.offset = 14min;
  EXPECT_EQ(compile({spec})->units()[0].views[0].every, 15min);
}

TEST(rule_set, conditions_that_can_only_become_truer_fire_early) {
  const std::pair<const char*, bool> conditions[] = {
      {"count() >= 3", true},
      {"event_count > 2", true},
      {"max(value) > 90", true},
      {"min(value) < 10", true},
      {"count_if(value > 5) >= 2 && max(value) > 9", true},
      {"sum(2) > 5", true},
      {"duration > 1m", true},
      {"count() == 3", false},
      {"avg(value) > 5", false},
      {"sum(value) > 5", false},
      {"sum(-1) > 5", false},
      {"max(value) < 90", false},
      {"min(value) > 10", false},
      {"!(count() >= 3)", false},
  };
  for (const auto& [having, early] : conditions) {
    const auto rules = compile({make_rule("r", having)});
    ASSERT_TRUE(rules) << having;
    EXPECT_EQ(rules->rules()[0].early, early) << having;
    EXPECT_FALSE(rules->rules()[0].early_reason.empty()) << having;
  }
}

TEST(rule_set, selected_values_carry_how_they_move_into_having) {
  rule_spec spec = make_rule("r", "failures >= 3 && worst > 10");
  spec.select = {{"failures", {"count()", 6, 15}}, {"worst", {"max(value)", 7, 12}}};
  EXPECT_TRUE(compile({spec})->rules()[0].early);
  spec.select[1].second.text = "avg(value)";
  EXPECT_FALSE(compile({spec})->rules()[0].early);
}

TEST(rule_set, fire_overrides_what_the_compiler_would_choose) {
  rule_spec spec = make_rule("r", "count() >= 3");
  spec.fire = fire_mode::close;
  EXPECT_FALSE(compile({spec})->rules()[0].early);

  spec = make_rule("r", "avg(value) > 3");
  spec.fire = fire_mode::early;
  diagnostics found;
  const auto rules = rule_set::compile({spec}, found);
  ASSERT_TRUE(rules);
  EXPECT_TRUE(rules->rules()[0].early);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, diagnostic::grade::warning);
  EXPECT_EQ(found[0].line, 8);
}

TEST(rule_set, sessions_fire_early_only_when_told_to) {
  rule_spec spec = make_rule("r", "count() >= 3");
  spec.window = {window_kind::session, 10min, {}, {}};
  EXPECT_FALSE(compile({spec})->rules()[0].early);
  spec.fire = fire_mode::early;
  EXPECT_TRUE(compile({spec})->rules()[0].early);
}

TEST(rule_set, severity_is_a_level_the_worst_one_or_an_expression) {
  rule_spec spec = make_rule("r");
  spec.severity = {"Major", 5, 13};
  EXPECT_EQ(compile({spec})->rules()[0].fixed_severity, severity::error);
  spec.severity.text = "worst_level";
  EXPECT_TRUE(compile({spec})->rules()[0].worst_level);
  spec.severity.text = "event_count > 10 ? \"critical\" : \"warning\"";
  EXPECT_TRUE(compile({spec})->rules()[0].severity_expression);
  spec.severity.text = "criticl";
  EXPECT_NE(errors_of({spec}).find("did you mean 'critical'?"), std::string::npos);
  spec.severity.text = "event_count";
  EXPECT_NE(errors_of({spec}).find("must be critical, error"), std::string::npos);
  spec.severity.text = "\"terrible\"";
  EXPECT_NE(errors_of({spec}).find("'terrible' is not a level"), std::string::npos);
}

TEST(rule_set, rules_that_differ_in_having_only_share_unit_and_aggregates) {
  rule_spec first = make_rule("a", "count() >= 3 && max(value) > 5");
  rule_spec second = make_rule("b", "max( value ) > 9");
  second.where.text = "(item == 'http')";
  const auto rules = compile({first, second});
  ASSERT_EQ(rules->units().size(), 1U);
  const unit& in = rules->units()[0];
  EXPECT_EQ(in.rules, (std::vector<std::uint32_t>{0, 1}));
  ASSERT_EQ(in.aggregates.size(), 2U);
  EXPECT_EQ(in.aggregates[1].function, aggregate_function::max);
  EXPECT_EQ(rules->rules()[0].aggregate_slots, (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(rules->rules()[1].aggregate_slots, (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(rules->rules()[1].bit, 1U);
}

TEST(rule_set, rules_that_differ_in_panes_lateness_clock_or_filter_have_units_of_their_own) {
  std::vector<rule_spec> specs(5, make_rule("base"));
  specs[1].window = {window_kind::session, 10min, {}, {}};
  specs[2].lateness = 1s;
  specs[3].clock = rule_clock::arrival;
  specs[3].lateness = 5s;
  specs[4].where.text = "item == 'other'";
  for (std::size_t i = 1; i < specs.size(); ++i) specs[i].name.text += std::to_string(i);
  const auto rules = compile(specs);
  EXPECT_EQ(rules->units().size(), 5U);
  ASSERT_EQ(rules->groups().size(), 1U);
  EXPECT_EQ(rules->groups()[0].units.size(), 5U);
}

TEST(rule_set, the_65th_rule_of_a_unit_begins_another) {
  std::vector<rule_spec> specs;
  for (int i = 0; i < 65; ++i) specs.push_back(make_rule(fmt::format("r{}", i), "max(value) > 1"));
  const auto rules = compile(specs);
  ASSERT_EQ(rules->units().size(), 2U);
  EXPECT_EQ(rules->units()[0].rules.size(), 64U);
  EXPECT_EQ(rules->rules()[64].unit, 1U);
  EXPECT_EQ(rules->rules()[64].bit, 0U);
  EXPECT_EQ(rules->units()[1].aggregates.size(), 1U);
}

TEST(rule_set, the_order_of_group_by_makes_another_group) {
  rule_spec first = make_rule("a");
  first.group_by = {{"item", 5, 3}, {"labels.env", 5, 9}};
  rule_spec second = make_rule("b");
  second.group_by = {{"labels.env", 5, 3}, {"item", 5, 9}};
  const auto rules = compile({first, second});
  ASSERT_EQ(rules->groups().size(), 2U);
  EXPECT_FALSE(rules->groups()[0].fields[1].field);
  EXPECT_EQ(rules->groups()[0].fields[1].label, "env");
}

TEST(rule_set, the_default_title_takes_labels_of_any_name) {
  rule_spec spec = make_rule("a");
  spec.group_by = {{"labels.k8s.io/app", 0, 0}};
  EXPECT_EQ(compile({spec})->rules()[0].spec.title.text, "${rule}: ${labels[\"k8s.io/app\"]}");
}

TEST(rule_set, group_by_takes_text_fields_and_labels_once) {
  rule_spec spec = make_rule("r");
  spec.group_by = {{"value", 5, 14}, {"itm", 5, 21}, {"item", 5, 26}, {"item", 5, 32}};
  EXPECT_EQ(errors_of({spec}),
            "rules.yaml:5:14: error: rule 'r': group_by: 'value' holds no text; group by text "
            "fields or labels.NAME\n"
            "rules.yaml:5:21: error: rule 'r': group_by: unknown field 'itm' (did you mean "
            "'item'?)\n"
            "rules.yaml:5:32: error: rule 'r': group_by: 'item' is named twice\n");
}

TEST(rule_set, errors_inside_an_expression_point_at_their_column_in_the_file) {
  rule_spec spec = make_rule("r", "event_count >= 1 && failurs >= 3");
  spec.select = {{"failures", {"count()", 6, 15}}};
  const std::string all = errors_of({spec});
  EXPECT_TRUE(all.starts_with("rules.yaml:8:31: error: rule 'r': having: ")) << all;
  EXPECT_NE(all.find("(did you mean 'failures'?)"), std::string::npos) << all;
}

TEST(rule_set, errors_inside_an_aggregate_point_at_their_column_in_the_file) {
  rule_spec spec = make_rule("r", "max(valeu) > 3");
  const std::string all = errors_of({spec});
  EXPECT_TRUE(all.starts_with("rules.yaml:8:15: error: rule 'r': having: ")) << all;
}

TEST(rule_set, where_the_texts_column_is_unknown_the_message_keeps_its_own) {
  rule_spec spec = make_rule("r", "failurs >= 3");
  spec.having.column = 0;
  const std::string all = errors_of({spec});
  EXPECT_TRUE(all.starts_with("rules.yaml:8: error: rule 'r': having: column 1: ")) << all;
}

TEST(rule_set, all_errors_of_all_rules_are_reported_at_once) {
  rule_spec first = make_rule("bad name", "count(");
  first.where.text = "item =";
  first.title = {"${nothing}", 9, 10};
  rule_spec second = make_rule("r", "count()");
  second.where.text = "value";
  diagnostics found;
  EXPECT_FALSE(rule_set::compile({first, second}, found));
  EXPECT_EQ(found.size(), 6U) << texts(found);
}

TEST(rule_set, a_wrong_selected_value_is_one_error_however_often_it_is_used) {
  rule_spec spec = make_rule("r", "failures >= 3");
  spec.select = {{"failures", {"cout()", 6, 15}}};
  spec.title = {"${failures}", 9, 10};
  diagnostics found;
  EXPECT_FALSE(rule_set::compile({spec}, found));
  EXPECT_EQ(found.size(), 1U) << texts(found);
}

TEST(rule_set, aggregates_refuse_arguments_they_cannot_compute) {
  for (const char* having : {"max(item) > 3", "count(value) > 3", "count_if(value) > 3",
                             "sum() > 3", "avg(value, 2) > 3"}) {
    EXPECT_NE(errors_of({make_rule("r", having)}), "") << having;
  }
}

TEST(rule_set, aggregates_take_labels) {
  EXPECT_TRUE(compile({make_rule("r", "max(labels.latency) > 3")}));
}

TEST(rule_set, selected_names_do_not_hide_other_names) {
  rule_spec spec = make_rule("r");
  for (const char* name : {"value", "event_count", "duration", "3d", "a-b", "in", "labels", ""}) {
    spec.select = {{name, {"count()", 6, 15}}};
    EXPECT_NE(errors_of({spec}), "") << name;
  }
}

TEST(rule_set, templates_use_values_window_names_fields_and_labels_but_no_aggregates) {
  rule_spec spec = make_rule("r");
  spec.select = {{"failures", {"count()", 6, 15}}};
  spec.title = {"${resource_name}: ${failures} in ${window.size}", 9, 10};
  spec.description = {"${labels.env} ${max_severity} ${first_event_time}", 10, 10};
  spec.labels = {{"team", {"web", 11, 10}}};
  spec.annotations = {{"from", {"${window.start} ${rule}", 12, 10}}};
  EXPECT_TRUE(compile({spec}));
  spec.title.text = "${count()}";
  EXPECT_NE(errors_of({spec}), "");
}

TEST(rule_set, a_name_used_twice_names_both_places) {
  rule_spec second = make_rule("r");
  second.file = "other.yaml";
  second.name.line = 12;
  EXPECT_EQ(errors_of({make_rule("r"), second}),
            "other.yaml:12:9: error: rule 'r' is already defined at rules.yaml:3\n");
}

TEST(rule_set, bounds_on_rules_fields_and_values_are_errors) {
  rule_spec spec = make_rule("r");
  for (int i = 0; i < 33; ++i) spec.group_by.push_back({"labels.l" + std::to_string(i), 5, 1});
  for (int i = 0; i < 65; ++i) spec.select.push_back({fmt::format("v{}", i), {"count()", 6, 1}});
  const std::string all = errors_of({spec});
  EXPECT_NE(all.find("33 fields are too many (at most 32)"), std::string::npos) << all;
  EXPECT_NE(all.find("65 values are too many (at most 64)"), std::string::npos) << all;

  std::vector<rule_spec> many;
  for (int i = 0; i < 10'001; ++i) many.push_back(make_rule(fmt::format("r{}", i)));
  EXPECT_NE(errors_of(many).find("10001 rules are too many (at most 10000)"), std::string::npos);
}

TEST(rule_set, a_revision_is_blind_to_spelling_and_place) {
  rule_spec spec = make_rule("r", "count() >= 3");
  const std::string revision = revision_of(spec);
  EXPECT_EQ(revision.size(), 16U);
  rule_spec same = make_rule("r", "( count()>=3 )");
  same.where.text = "item=='http'";
  same.file = "other.yaml";
  same.line = 99;
  same.window.every = 30s;  // what the default gives
  same.lateness = 5s;
  EXPECT_EQ(revision_of(same), revision);
}

TEST(rule_set, a_revision_changes_with_everything_that_gives_a_rule_its_meaning) {
  const rule_spec base = make_rule("r", "max(value) >= 3");
  std::vector<rule_spec> changed(16, base);
  changed[0].name.text = "s";
  changed[1].where.text = "true";
  changed[2].group_by = {{"item", 0, 0}};
  changed[3].window.size = 10min;
  changed[4].window.every = 1min;
  changed[5].having.text = "max(value) >= 4";
  changed[6].having.text = "max(level) >= 3";
  changed[7].severity.text = "error";
  changed[8].title.text = "t";
  changed[9].description.text = "d";
  changed[10].pending_for = 1s;
  changed[11].keep_firing_for = 1s;
  changed[12].fire = fire_mode::close;
  changed[13].labels = {{"a", {"b", 0, 0}}};
  changed[14].annotations = {{"a", {"b", 0, 0}}};
  changed[15].close_after = 1s;
  std::vector<std::string> revisions{revision_of(base)};
  for (const rule_spec& one : changed) revisions.push_back(revision_of(one));
  std::sort(revisions.begin(), revisions.end());
  EXPECT_EQ(std::adjacent_find(revisions.begin(), revisions.end()), revisions.end());
}

}  // namespace
}  // namespace tocsin
