// SPDX-License-Identifier: Apache-2.0
// Which rules share a unit, its panes and its aggregates; how aggregates are bound.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tocsin/rule_set.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

rule_spec sliding(duration size, duration every) {
  rule_spec spec;
  spec.where.text = "item == \"a\"";
  spec.window.size = size;
  spec.window.every = every;
  return spec;
}

rule_spec fixed(duration size, duration offset = {}) {
  rule_spec spec = sliding(size, size);
  spec.window.kind = window_kind::fixed;
  spec.window.offset = offset;
  return spec;
}

rule_spec having(std::string text) {
  rule_spec spec = sliding(5min, 1min);
  spec.having = {std::move(text), 8, 11};
  return spec;
}

std::string all(const diagnostics& found) {
  std::string text;
  for (const diagnostic& one : found) text += one.text() + "\n";
  return text;
}

std::shared_ptr<const rule_set> compile(std::vector<rule_spec> specs) {
  for (std::size_t i = 0; i < specs.size(); ++i) specs[i].name.text = fmt::format("r{}", i);
  diagnostics found;
  auto rules = rule_set::compile(std::move(specs), found);
  EXPECT_TRUE(rules && found.empty()) << all(found);
  return rules;
}

std::string error_of(const std::string& text) {
  rule_spec spec = having(text);
  spec.name.text = "r";
  diagnostics found;
  EXPECT_FALSE(rule_set::compile({spec}, found)) << text;
  return found.empty() ? "" : found[0].text();
}

TEST(rule_sharing, windows_whose_panes_fit_are_views_of_one_unit) {
  const auto rules =
      compile({sliding(5min, 1min), fixed(15min), sliding(1h, 5min), sliding(5min, 1min)});
  ASSERT_EQ(rules->units().size(), 1U);
  const unit& in = rules->units()[0];
  EXPECT_EQ(in.pane, 1min);
  ASSERT_EQ(in.views.size(), 3U);
  EXPECT_EQ(in.views[1].kind, window_kind::fixed);
  EXPECT_EQ(rules->rules()[1].view, 1U);
  EXPECT_EQ(rules->rules()[2].view, 2U);
  EXPECT_EQ(rules->rules()[3].view, 0U);
  EXPECT_EQ(rules->rules()[3].bit, 3U);
}

TEST(rule_sharing, panes_are_never_cut_finer_than_the_smallest_step) {
  EXPECT_EQ(compile({sliding(6min, 2min), sliding(9min, 3min)})->units().size(), 2U);
  EXPECT_EQ(compile({fixed(10min), fixed(10min, 5min)})->units().size(), 2U);
  EXPECT_EQ(compile({fixed(10min, 5min), sliding(20min, 5min)})->units().size(), 1U);
  EXPECT_EQ(compile({fixed(10min, 5min)})->units()[0].pane, 10min) << "panes begin as windows do";
}

TEST(rule_sharing, views_have_at_most_512_panes_and_a_unit_8_views) {
  EXPECT_EQ(compile({sliding(1min, 1s), sliding(512s, 1s)})->units().size(), 1U);
  EXPECT_EQ(compile({sliding(1min, 1s), sliding(513s, 1s)})->units().size(), 2U);
  std::vector<rule_spec> specs;
  for (int i = 1; i <= 9; ++i) specs.push_back(sliding(i * 1min, 1min));
  const auto rules = compile(specs);
  ASSERT_EQ(rules->units().size(), 2U);
  EXPECT_EQ(rules->units()[0].views.size(), 8U);
  EXPECT_EQ(rules->rules()[8].view, 0U);
}

TEST(rule_sharing, baseline_limits_zone_and_trailing_windows_keep_apart) {
  std::vector<rule_spec> specs(5, sliding(5min, 1min));
  specs[1].baseline = {1h, 10};
  specs[2].limits.keys = 5;
  specs[3].window.trailing = true;
  specs[4] = fixed(24h);
  specs[4].window.time_zone = "Europe/Berlin";
  specs.push_back(specs[1]);
  specs.push_back(specs[3]);
  const auto rules = compile(specs);
  EXPECT_EQ(rules->units().size(), 5U);
  EXPECT_EQ(rules->rules()[5].unit, rules->rules()[1].unit);
  EXPECT_EQ(rules->rules()[6].unit, rules->rules()[3].unit);
}

TEST(rule_sharing, sessions_share_when_they_end_alike_whatever_they_fire_on) {
  rule_spec session = sliding(5min, {});
  session.window.kind = window_kind::session;
  std::vector<rule_spec> specs(5, session);
  specs[1].fire = fire_mode::early;
  specs[2].window.session_max = 1h;
  specs[3].close.text = "value == 1";
  specs[4].close.text = "(value==1)";
  specs[4].fire_on.close = true;
  const auto rules = compile(specs);
  EXPECT_EQ(rules->units().size(), 3U);
  EXPECT_EQ(rules->rules()[1].unit, 0U);
  EXPECT_EQ(rules->rules()[4].unit, rules->rules()[3].unit);
  EXPECT_EQ(rules->units()[0].views.size(), 1U);
}

TEST(rule_sharing, aggregates_are_shared_by_function_argument_and_parameter) {
  const auto rules = compile({having("quantile(value, 0.95) > 1 && quantile(value, 0.9) > 1"),
                              having("quantile( value, .950 ) > 2 && predict(value, 60m) > 1"),
                              having("predict(value, 1h) > 2")});
  ASSERT_EQ(rules->units().size(), 1U);
  ASSERT_EQ(rules->units()[0].aggregates.size(), 3U);
  EXPECT_DOUBLE_EQ(rules->units()[0].aggregates[0].parameter, 0.95);
  EXPECT_DOUBLE_EQ(rules->units()[0].aggregates[2].parameter, 3600);
  EXPECT_EQ(rules->rules()[2].aggregate_slots, std::vector<std::uint32_t>{2});
}

TEST(rule_aggregates, every_function_takes_what_it_computes) {
  for (const char* text : {"stddev(value) > 1",
                           "stddev_pop(value) > 1",
                           "variance(value) > 1",
                           "variance_pop(value) > 1",
                           "distinct(item) > 1",
                           "distinct(value > 3) == 2",
                           "quantile(value, 0) > 1",
                           "first(value) > 1",
                           "first(item) == 'a'",
                           "last(labels.x) == 'a'",
                           "last(level) < 2",
                           "delta(value) > 1",
                           "rate(value) > 1",
                           "slope(value) > 1",
                           "predict(value, 30m) > 1",
                           "time_to(value, 100) < 1h",
                           "time_to(value, -2.5) < 1h",
                           "ewma(value, 5m) > 1",
                           "top(item, 3).contains('a')",
                           "collect(labels.x, 100) != ''",
                           "merge_labels().contains('env=prod')",
                           "any(value > 1)",
                           "all(value > 1 && has(item))",
                           "idle > 5m",
                           "size(event_ids) > 1"}) {
    EXPECT_TRUE(compile({having(text)})) << text;
  }
}

TEST(rule_aggregates, errors_name_what_is_wanted_at_the_argument) {
  EXPECT_EQ(error_of("1 < quantile(value, 1.5)"),
            "8:31: error: rule 'r': having: quantile() wants a number from 0 to 1 here, not '1.5'");
  EXPECT_EQ(error_of("1 < quantile(value, value)"),
            "8:31: error: rule 'r': having: quantile() wants a number from 0 to 1 here, not "
            "'value'");
  EXPECT_EQ(error_of("predict(value, 60) > 1"),
            "8:26: error: rule 'r': having: predict() wants a duration longer than 0s here, not "
            "'60'");
  EXPECT_EQ(error_of("top(item, 101) == ''"),
            "8:21: error: rule 'r': having: top() wants a whole number from 1 to 100 here, not "
            "'101'");
  EXPECT_EQ(error_of("stddev(item) > 1"),
            "8:18: error: rule 'r': having: stddev() wants a number, not 'item'");
  EXPECT_EQ(error_of("any(value)"),
            "8:15: error: rule 'r': having: any() wants a condition that is true or false, not "
            "'value'");
  EXPECT_EQ(
      error_of("ewma(value, 5mm) > 1").find("8:23: error: rule 'r': having: '5mm' is neither"), 0U);
  EXPECT_EQ(error_of("1 < quantile(value)"),
            "8:15: error: rule 'r': having: quantile() takes two arguments (a number, a number "
            "from 0 to 1), this has 1");
  EXPECT_NE(error_of("quantil(value, 0.5) > 1").find("did you mean 'quantile'?"),
            std::string::npos);
}

TEST(rule_aggregates, only_what_can_only_become_truer_fires_early) {
  const std::pair<const char*, bool> conditions[] = {
      {"distinct(item) >= 3", true}, {"any(value > 5)", true},
      {"!all(value > 5)", true},     {"any(value > 5) && count() > 2 || distinct(item) > 9", true},
      {"all(value > 5)", false},     {"!any(value > 5)", false},
      {"distinct(item) < 3", false}, {"quantile(value, 0.5) > 5", false},
      {"last(value) > 5", false},    {"stddev(value) > 5", false},
      {"delta(value) > 5", false},   {"time_to(value, 100) < 1h", false},
      {"idle > 1m", false},          {"top(item, 3).contains('a')", false},
  };
  for (const auto& [text, early] : conditions) {
    const auto rules = compile({having(text)});
    ASSERT_TRUE(rules) << text;
    EXPECT_EQ(rules->rules()[0].early, early) << rules->rules()[0].early_reason;
    EXPECT_FALSE(rules->rules()[0].early_reason.empty()) << text;
  }
}

}  // namespace
}  // namespace tocsin
