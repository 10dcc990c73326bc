// SPDX-License-Identifier: Apache-2.0
// What is tried with a noisy rule, how tries are compared, and which one is proposed.
#include "tocsin/rule_advice.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tocsin/rule_set.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using kind = rule_change::kind;

constexpr instant start = from_unix_ms(1'700'000'000'000);

rule_spec sliding_rule(const std::string& having) {
  rule_spec rule;
  rule.file = "rules.yaml";
  rule.name = {"cpu", 1, 1};
  rule.where = {"item == \"cpu\"", 1, 1};
  rule.group_by = {{"resource_id", 1, 1}};
  rule.window.kind = window_kind::sliding;
  rule.window.size = 4min;
  rule.window.every = 1min;
  rule.select = {{"busy", {"max(value)", 1, 1}}};
  rule.having = {having, 1, 1};
  rule.severity = {"warning", 1, 1};
  return rule;
}

trial_alert fired(const std::string& group, duration from, duration length, double busy = 0) {
  trial_alert made;
  made.group = group;
  made.fired_at = start + from;
  made.ended_at = made.fired_at + length;
  made.reached["busy"] = {busy, busy};
  return made;
}

/// Four short ones that reached 81 to 84, three long ones that reached 95 to 97.
std::vector<trial_alert> noisy() {
  return {fired("a", 0min, 1min, 81),  fired("b", 1min, 1min, 82),   fired("a", 10min, 1min, 83),
          fired("b", 20min, 1min, 84), fired("a", 30min, 30min, 95), fired("c", 40min, 40min, 96),
          fired("d", 50min, 50min, 97)};
}

std::vector<std::string> tried(const rule_advisor& advisor, kind what) {
  std::vector<std::string> all;
  for (const rule_change& each : advisor.candidates()) {
    if (each.what == what) all.push_back(each.after);
  }
  return all;
}

bool has(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

using texts = std::vector<std::string>;

TEST(rule_advice, alerts_up_to_the_median_are_noise_unless_somebody_acknowledged_them) {
  rule_advisor advisor(sliding_rule("busy > 80"));
  auto alerts = noisy();
  alerts[1].acknowledged = true;
  advisor.observe(alerts);
  EXPECT_EQ(advisor.noise_max(), 1min);
  EXPECT_EQ(advisor.noise(), 3U);
  EXPECT_EQ(advisor.trouble(), 4U);
  advisor.observe(alerts, 45min);
  EXPECT_EQ(advisor.noise(), 5U) << "a, a, b, and the two that lasted 30 and 40 minutes";
}

TEST(rule_advice, an_alert_that_is_active_at_the_end_is_trouble) {
  rule_advisor advisor(sliding_rule("busy > 80"));
  auto alerts = noisy();
  for (trial_alert& each : alerts) each.ended_at = each.fired_at + 1min;
  alerts[2].ended_at.reset();
  advisor.observe(alerts);
  EXPECT_EQ(advisor.trouble(), 1U);
}

TEST(rule_advice, too_few_alerts_or_all_alike_are_obstacles) {
  rule_advisor advisor(sliding_rule("busy > 80"));
  advisor.observe({fired("a", 0min, 1min), fired("a", 5min, 9min)});
  EXPECT_NE(advisor.obstacle(), "");
  std::vector<trial_alert> alike;
  for (int i = 0; i < 9; ++i) alike.push_back(fired("a", i * 5min, 1min));
  advisor.observe(alike);
  EXPECT_NE(advisor.obstacle().find("nothing tells noise from trouble"), std::string::npos);
  advisor.observe(noisy());
  EXPECT_EQ(advisor.obstacle(), "");
}

TEST(rule_advice, thresholds_are_tried_on_the_strict_side_by_multiples_and_by_what_was_reached) {
  rule_advisor advisor(sliding_rule("busy > 80"));
  advisor.observe(noisy());
  const auto all = tried(advisor, kind::threshold);
  EXPECT_TRUE(has(all, "busy > 100")) << "a quarter more";
  EXPECT_TRUE(has(all, "busy > 84")) << "the median of what was reached";
  EXPECT_TRUE(has(all, "busy > 94")) << "the last whole number that all trouble exceeds";
  EXPECT_FALSE(has(all, "busy > 80"));
  EXPECT_FALSE(has(all, "busy > 40"));
}

TEST(rule_advice, the_last_threshold_that_trouble_reaches_may_equal_it_when_equal_fires) {
  rule_advisor advisor(sliding_rule("busy >= 80"));
  advisor.observe(noisy());
  EXPECT_TRUE(has(tried(advisor, kind::threshold), "busy >= 95"));
}

TEST(rule_advice, a_number_on_the_left_and_a_falling_comparison_turn_the_strict_side) {
  rule_advisor mirrored(sliding_rule("80.0 < busy"));
  mirrored.observe(noisy());
  EXPECT_TRUE(has(tried(mirrored, kind::threshold), "100 < busy"));
  rule_advisor falling(sliding_rule("busy < 10"));
  falling.observe(noisy());
  const auto all = tried(falling, kind::threshold);
  EXPECT_EQ(all, (texts{"busy < 8", "busy < 6", "busy < 5", "busy < 3", "busy < 2", "busy < 1"}));
  rule_advisor negative(sliding_rule("busy < -10"));
  negative.observe(noisy());
  EXPECT_TRUE(has(tried(negative, kind::threshold), "busy < (-20)"));
  rule_advisor rising(sliding_rule("busy > -10"));
  rising.observe({});
  EXPECT_TRUE(has(tried(rising, kind::threshold), "busy > (-5)"));
}

TEST(rule_advice, of_several_comparisons_one_moves_at_a_time) {
  rule_advisor advisor(sliding_rule("busy > 80 && count() >= 4"));
  advisor.observe(noisy());
  const auto all = tried(advisor, kind::threshold);
  EXPECT_TRUE(has(all, "busy > 100 && count() >= 4"));
  EXPECT_TRUE(has(all, "busy > 80 && count() >= 8"));
}

TEST(rule_advice, what_a_stricter_number_would_not_make_stricter_is_left_alone) {
  for (const char* having :
       {"!(busy > 80)", "busy == 80", "(busy > 80 ? 1 : 0) == 1", "busy > avg(value)"}) {
    rule_advisor advisor(sliding_rule(having));
    advisor.observe(noisy());
    EXPECT_EQ(tried(advisor, kind::threshold), texts{}) << having;
  }
}

TEST(rule_advice, an_aggregate_that_is_compared_is_selected_for_the_first_trial) {
  const rule_advisor advisor(sliding_rule("avg(value) > 80"));
  ASSERT_EQ(advisor.observed().select.size(), 2U);
  EXPECT_EQ(advisor.observed().select[1].second.text, "avg(value)");
  diagnostics found;
  EXPECT_NE(rule_set::compile({advisor.observed()}, found), nullptr);
}

TEST(rule_advice, sliding_windows_keep_their_step_where_it_divides_the_new_size) {
  rule_advisor advisor(sliding_rule("busy > 80"));
  EXPECT_EQ(tried(advisor, kind::window), (texts{"2m", "8m", "16m"}));
  rule_spec coarse = sliding_rule("busy > 80");
  coarse.window.every = 4min;
  EXPECT_EQ(tried(rule_advisor(coarse), kind::window), (texts{"2m every 2m", "8m", "16m"}));
}

TEST(rule_advice, fixed_windows_step_by_their_size_and_other_kinds_keep_theirs) {
  rule_spec fixed = sliding_rule("busy > 80");
  fixed.window = {};
  fixed.window.kind = window_kind::fixed;
  fixed.window.size = fixed.window.every = 4min;
  const auto all = rule_advisor(fixed).candidates();
  const auto twice = std::find_if(all.begin(), all.end(), [](const rule_change& each) {
    return each.what == kind::window && each.after == "8m";
  });
  ASSERT_NE(twice, all.end());
  EXPECT_EQ(twice->field, "window.fixed");
  EXPECT_EQ(twice->rule.window.every, 8min);
  rule_spec session = sliding_rule("busy > 80");
  session.window = {};
  session.window.kind = window_kind::session;
  session.window.size = 4min;
  EXPECT_EQ(tried(rule_advisor(session), kind::window), texts{});
}

TEST(rule_advice, for_is_tried_just_beyond_how_long_the_condition_usually_held) {
  rule_spec rule = sliding_rule("busy > 80");
  rule.keep_firing_for = 30s;
  rule_advisor advisor(rule);
  advisor.observe(noisy());
  EXPECT_EQ(tried(advisor, kind::pending), (texts{"31s", "1m", "5m", "10m"}));
  rule.pending_for = 2min;
  EXPECT_EQ(tried(rule_advisor(rule), kind::pending), (texts{"5m", "10m"}));
}

TEST(rule_advice, every_candidate_compiles_and_differs_from_the_rule) {
  rule_advisor advisor(sliding_rule("busy > 80 || event_count >= 100"));
  advisor.observe(noisy());
  const auto all = advisor.candidates();
  EXPECT_GT(all.size(), 10U);
  for (const rule_change& each : all) {
    diagnostics found;
    EXPECT_NE(rule_set::compile({each.rule}, found), nullptr) << each.after;
    EXPECT_NE(each.before, each.after);
  }
}

TEST(rule_advice, an_effect_tells_what_went_what_was_lost_what_is_new_and_how_much_later) {
  rule_advisor advisor(sliding_rule("busy > 80"));
  advisor.observe(noisy());
  // One short one stays, the long ones of a and c fire later, that of d is lost, one is new.
  const auto effect = advisor.effect_of({fired("a", 0min, 1min), fired("a", 32min, 20min),
                                         fired("c", 47min, 10min), fired("e", 0min, 1min)});
  EXPECT_EQ(effect.before, 7U);
  EXPECT_EQ(effect.after, 4U);
  EXPECT_EQ(effect.noise_gone, 3U);
  EXPECT_EQ(effect.trouble_lost, 1U);
  EXPECT_EQ(effect.appeared, 1U);
  EXPECT_EQ(effect.delay_median, 2min);
  EXPECT_EQ(effect.delay_max, 7min);
}

TEST(rule_advice, one_longer_alert_may_stand_for_several) {
  rule_advisor advisor(sliding_rule("busy > 80"));
  advisor.observe(noisy());
  const auto effect = advisor.effect_of({fired("a", 0min, 60min)});
  EXPECT_EQ(effect.noise_gone, 2U) << "those of b";
  EXPECT_EQ(effect.trouble_lost, 2U) << "those of c and d";
  EXPECT_EQ(effect.delay_max, 0min) << "earlier is no delay";
}

change_effect effect(std::uint64_t gone, std::uint64_t lost, std::uint64_t appeared,
                     duration delay) {
  change_effect made;
  made.before = 20;
  made.after = 20 - gone - lost + appeared;
  made.noise_gone = gone;
  made.trouble_lost = lost;
  made.appeared = appeared;
  made.delay_median = made.delay_max = delay;
  return made;
}

TEST(rule_advice, what_loses_trouble_is_never_chosen) {
  EXPECT_EQ(choose({effect(9, 1, 0, 0s)}), std::nullopt);
  EXPECT_EQ(choose({effect(9, 1, 0, 0s), effect(2, 0, 0, 0s)}), 1U);
}

TEST(rule_advice, most_noise_gone_is_chosen_then_the_least_delay_then_the_first) {
  EXPECT_EQ(choose({effect(2, 0, 0, 0s), effect(5, 0, 0, 60s), effect(5, 0, 0, 30s),
                    effect(5, 0, 0, 30s)}),
            2U);
  EXPECT_EQ(choose({effect(5, 0, 3, 0s), effect(3, 0, 0, 0s)}), 1U) << "new alerts count against";
}

TEST(rule_advice, what_is_no_better_is_not_proposed) {
  EXPECT_EQ(choose({}), std::nullopt);
  EXPECT_EQ(choose({effect(0, 0, 0, 0s), effect(2, 0, 2, 0s)}), std::nullopt);
}

alert transition_of(std::uint64_t key, alert_state state, duration at, double busy) {
  alert made;
  made.print = fingerprint{key, key};
  made.state = state;
  made.at = start + at;
  made.proof.values = {{"busy", busy}};
  made.proof.event_count = 3;
  auto words = std::make_shared<alert_texts>();
  words->group = {{"resource_id", key == 1 ? std::optional<std::string>("a") : std::nullopt}};
  made.texts = std::move(words);
  return made;
}

TEST(rule_advice, a_trial_keeps_what_fired_with_the_values_it_reached) {
  rule_trial trial;
  trial.add(transition_of(1, alert_state::pending, 0s, 50));
  trial.add(transition_of(1, alert_state::firing, 5s, 80));
  trial.add(transition_of(1, alert_state::firing, 6s, 99));
  trial.add(transition_of(2, alert_state::pending, 7s, 1));
  trial.add(transition_of(2, alert_state::resolved, 8s, 1));
  trial.add(transition_of(1, alert_state::resolved, 9s, 90));
  ASSERT_EQ(trial.alerts().size(), 1U) << "what was never more than pending is no alert";
  const trial_alert& seen = trial.alerts().front();
  EXPECT_EQ(seen.fired_at, start + 5s);
  EXPECT_EQ(seen.ended_at, start + 9s);
  EXPECT_EQ(seen.reached.at("busy"), (std::pair{80.0, 99.0}));
  EXPECT_EQ(seen.reached.at("event_count"), (std::pair{3.0, 3.0}));
}

TEST(rule_advice, null_and_empty_groups_differ) {
  rule_trial trial;
  trial.add(transition_of(1, alert_state::firing, 0s, 1));
  trial.add(transition_of(2, alert_state::firing, 0s, 1));
  EXPECT_NE(trial.alerts()[0].group, trial.alerts()[1].group);
}

}  // namespace
}  // namespace tocsin
