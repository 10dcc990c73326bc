// SPDX-License-Identifier: Apache-2.0
// Keys that fall silent or never come, case by case.
#include <gtest/gtest.h>

#include "support/restarted_engine.hpp"

namespace tocsin::testing {
namespace {

using kind = finding::kind;

constexpr duration minute = std::chrono::minutes{1};
constexpr duration second = std::chrono::seconds{1};

/// A time of 1 March 2026, 10:00 UTC and later, in Unix milliseconds.
constexpr long long at(long long minutes, long long seconds = 0) {
  return 1'772'323'200'000 + ((600 + minutes) * 60 + seconds) * 1'000;
}

placed_text text(std::string words) {
  return {std::move(words), 1, 1};
}

/// Fires for a source that is silent for 5 minutes.
rule_spec silence_rule(const std::string& having = "") {
  rule_spec rule;
  rule.file = "test.yaml";
  rule.line = 1;
  rule.name = text("rule");
  rule.where = text("true");
  rule.group_by = {text("source_id")};
  rule.window.kind = window_kind::absence;
  rule.window.size = 5 * minute;
  rule.having = text(having);
  rule.title = text("${source_id} is silent; last: ${resource_id}");
  rule.lateness = duration{0};
  return rule;
}

rule_spec expecting(std::vector<std::string> sources) {
  rule_spec rule = silence_rule();
  for (std::string& source : sources)
    rule.expect.push_back({{"source_id", text(std::move(source))}});
  return rule;
}

window_event heard_at(long long time_ms) {
  window_event event;
  event.arrived_ms = event.time_ms = time_ms;
  event.source = "a";
  event.resource = "r";
  return event;
}
window_event arriving(long long arrived_ms, window_event event) {
  event.arrived_ms = arrived_ms;
  return event;
}
window_event named(window_event event, const std::string& id) {
  event.id = id;
  return event;
}

std::vector<kind> kinds(const std::vector<finding>& found) {
  std::vector<kind> all;
  for (const finding& each : found) all.push_back(each.what);
  return all;
}

TEST(absence, fires_when_the_watermark_is_beyond_the_silence_and_not_at_it) {
  rule_spec rule = silence_rule();
  rule.lateness = 10 * second;
  restarted_engine engine{rule};
  EXPECT_TRUE(engine.take(named(heard_at(at(0)), "only")).empty());
  EXPECT_TRUE(engine.tick(at(5, 10)).empty());
  const auto found = engine.tick(at(5, 10) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].cause, "silent");
  EXPECT_EQ(to_unix_ms(found[0].at), at(5, 10)) << "deadline and lateness";
  EXPECT_EQ(found[0].position, no_position);
  EXPECT_EQ(found[0].proof.event_count, 1u);
  EXPECT_EQ(found[0].proof.event_ids, std::vector<std::string>{"only"});
  EXPECT_EQ(found[0].proof.window.kind, window_kind::absence);
  EXPECT_EQ(to_unix_ms(found[0].proof.window.start), at(0));
  EXPECT_EQ(to_unix_ms(found[0].proof.window.end), at(5));
  ASSERT_TRUE(found[0].texts);
  EXPECT_EQ(found[0].texts->title, "a is silent; last: r");
}

TEST(absence, each_newer_event_puts_the_deadline_off) {
  restarted_engine engine{silence_rule()};
  for (int i = 0; i <= 12; i += 4) EXPECT_TRUE(engine.take(heard_at(at(i))).empty());
  EXPECT_TRUE(engine.tick(at(17)).empty());
  const auto found = engine.tick(at(17) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(to_unix_ms(found[0].proof.window.start), at(12));
  EXPECT_EQ(found[0].proof.event_count, 1u) << "the newest event alone";
}

TEST(absence, an_event_at_the_very_deadline_is_in_time) {
  restarted_engine engine{silence_rule()};
  engine.take(heard_at(at(0)));
  EXPECT_TRUE(engine.take(heard_at(at(5))).empty());
  EXPECT_TRUE(engine.tick(at(10)).empty());
  EXPECT_EQ(engine.tick(at(10) + 1).size(), 1u);
}

TEST(absence, a_silence_is_judged_once) {
  restarted_engine engine{silence_rule()};
  engine.take(heard_at(at(0)));
  EXPECT_EQ(engine.tick(at(6)).size(), 1u);
  EXPECT_TRUE(engine.tick(at(60)).empty());
  EXPECT_EQ(engine.totals().keys, 1u) << "it waits for the key to be heard again";
}

TEST(absence, a_key_that_is_heard_again_is_cleared_and_waited_for_anew) {
  restarted_engine engine{silence_rule()};
  engine.take(heard_at(at(0)));
  EXPECT_EQ(kinds(engine.tick(at(6))), std::vector{kind::met});
  auto found = engine.take(heard_at(at(7)));
  ASSERT_EQ(kinds(found), std::vector{kind::cleared});
  EXPECT_EQ(found[0].cause, "heard again");
  EXPECT_EQ(to_unix_ms(found[0].at), at(7));
  EXPECT_EQ(found[0].position, 2u);
  found = engine.tick(at(13));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(to_unix_ms(found[0].at), at(12));
}

TEST(absence, an_older_event_out_of_order_changes_nothing_but_is_taken) {
  restarted_engine engine{silence_rule()};
  engine.take(named(heard_at(at(2)), "newer"));
  engine.take(named(arriving(at(3), heard_at(at(1))), "older"));
  EXPECT_EQ(engine.totals().updates, 2u);
  EXPECT_EQ(engine.totals().late, 0u);
  auto found = engine.tick(at(7) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(to_unix_ms(found[0].proof.window.start), at(2));
  EXPECT_EQ(found[0].proof.event_ids, std::vector<std::string>{"newer"});
  EXPECT_TRUE(engine.take(arriving(at(8), heard_at(at(1)))).empty()) << "not heard again";
}

TEST(absence, an_event_as_new_as_the_last_takes_its_place_and_does_not_clear) {
  restarted_engine engine{silence_rule()};
  engine.take(named(heard_at(at(0)), "first"));
  engine.take(named(arriving(at(1), heard_at(at(0))), "second"));
  const auto found = engine.tick(at(6));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(found[0].proof.event_ids, std::vector<std::string>{"second"});
  EXPECT_TRUE(engine.take(arriving(at(7), heard_at(at(0)))).empty());
  EXPECT_TRUE(engine.tick(at(20)).empty()) << "that silence has been judged";
}

TEST(absence, an_event_whose_silence_is_too_long_already_clears_and_fires_again) {
  restarted_engine engine{silence_rule()};
  engine.take(heard_at(at(0)));
  EXPECT_EQ(engine.tick(at(6)).size(), 1u);
  const auto found = engine.take(arriving(at(30), heard_at(at(10))));
  ASSERT_EQ(kinds(found), (std::vector{kind::cleared, kind::met}));
  EXPECT_EQ(to_unix_ms(found[0].at), at(30));
  EXPECT_EQ(to_unix_ms(found[1].at), at(30)) << "known from the arrival on, not before";
  EXPECT_EQ(to_unix_ms(found[1].proof.window.end), at(15));
}

TEST(absence, a_first_event_that_old_fires_at_its_arrival) {
  restarted_engine engine{silence_rule()};
  EXPECT_TRUE(engine.tick(at(29)).empty());
  const auto found = engine.take(arriving(at(30), heard_at(at(10))));
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(to_unix_ms(found[0].at), at(30));
}

TEST(absence, having_decides_by_the_newest_event) {
  restarted_engine engine{silence_rule("max(value) > 0")};
  window_event busy = heard_at(at(0));
  busy.value = 1;
  window_event idle = heard_at(at(1));
  idle.value = 0;
  engine.take(busy);
  engine.take(idle);
  EXPECT_TRUE(engine.tick(at(10)).empty());
  busy.arrived_ms = busy.time_ms = at(11);
  engine.take(busy);
  EXPECT_EQ(kinds(engine.tick(at(20))), std::vector{kind::met});
}

TEST(absence, a_key_that_did_not_meet_the_condition_is_forgotten_after_a_day) {
  restarted_engine engine{silence_rule("max(value) > 0")};
  window_event older = heard_at(at(0));
  older.value = 1;
  window_event newer = heard_at(at(1));
  newer.value = 0;
  engine.take(newer);
  EXPECT_TRUE(engine.tick(at(6) + 1).empty());
  const long long day = 24 * 60;
  older.arrived_ms = at(day + 6);
  EXPECT_TRUE(engine.take(older).empty()) << "the key has been heard since";
  EXPECT_EQ(engine.totals().keys, 1u);
  EXPECT_TRUE(engine.tick(at(day + 6) + 1).empty());
  EXPECT_EQ(engine.totals().keys, 0u);
}

TEST(absence, an_expected_key_that_is_never_seen_fires) {
  restarted_engine engine{expecting({"a", "b"})};
  EXPECT_TRUE(engine.tick(at(0)).empty());
  EXPECT_EQ(engine.totals().keys, 2u);
  engine.take(heard_at(at(3)));
  EXPECT_TRUE(engine.tick(at(5)).empty());
  const auto found = engine.tick(at(5) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  EXPECT_EQ(to_unix_ms(found[0].at), at(5));
  EXPECT_EQ(to_unix_ms(found[0].proof.window.start), at(0));
  EXPECT_EQ(found[0].proof.event_count, 0u);
  EXPECT_EQ(to_unix_ms(found[0].proof.first_event_time), at(0)) << "since when it is waited for";
  ASSERT_TRUE(found[0].texts);
  EXPECT_EQ(found[0].texts->title, "b is silent; last: ");
  EXPECT_EQ(found[0].texts->source_id, "b");
}

TEST(absence, an_expected_key_that_comes_after_all_clears_and_is_like_any_other_from_then_on) {
  restarted_engine engine{expecting({"a"})};
  engine.tick(at(0));
  EXPECT_EQ(engine.tick(at(6)).size(), 1u);
  const auto found = engine.take(heard_at(at(7)));
  ASSERT_EQ(kinds(found), std::vector{kind::cleared});
  EXPECT_EQ(found[0].cause, "heard again");
  const auto again = engine.tick(at(12) + 1);
  ASSERT_EQ(kinds(again), std::vector{kind::met});
  EXPECT_EQ(again[0].proof.event_count, 1u);
  EXPECT_EQ(to_unix_ms(again[0].at), at(12));
}

TEST(absence, an_expected_key_that_is_seen_in_time_does_not_fire) {
  restarted_engine engine{expecting({"a"})};
  engine.tick(at(0));
  EXPECT_TRUE(engine.take(heard_at(at(4))).empty());
  EXPECT_TRUE(engine.tick(at(9)).empty());
  EXPECT_EQ(engine.tick(at(9) + 1).size(), 1u);
}

TEST(absence, an_expected_key_is_waited_for_on_the_shard_that_owns_it) {
  std::vector<std::string> sources;
  for (char name = 'a'; name <= 'z'; ++name) sources.emplace_back(1, name);
  engine_driver engine{compile_rules({expecting(sources)}), 3};
  engine.tick(at(0));
  EXPECT_EQ(engine.totals().keys, 26u);
  for (const std::string& source : sources) {
    window_event event = heard_at(at(1));
    event.source = source;
    engine.take(event);
  }
  EXPECT_EQ(engine.totals().keys, 26u) << "events find the states that wait for them";
  EXPECT_EQ(engine.tick(at(6) + 1).size(), 26u);
}

TEST(absence, a_label_may_be_part_of_an_expected_key) {
  rule_spec rule = silence_rule();
  rule.group_by = {text("source_id"), text("labels.env")};
  rule.title = text("${source_id} ${labels.env}");
  rule.expect = {{{"source_id", text("a")}, {"labels.env", text("prod")}},
                 {{"source_id", text("a")}, {"labels.env", text("test")}}};
  restarted_engine engine{rule};
  engine.tick(at(0));
  EXPECT_EQ(engine.totals().keys, 2u);
  window_event event = heard_at(at(1));
  event.text_labels = {{"env", "prod"}};
  engine.take(event);
  const auto found = engine.tick(at(5) + 1);
  ASSERT_EQ(kinds(found), std::vector{kind::met});
  ASSERT_EQ(found[0].texts->group.size(), 2u);
  EXPECT_EQ(found[0].texts->group[0].second, "a");
  EXPECT_EQ(found[0].texts->group[1].second, "test") << "production was heard of";
}

TEST(absence, a_dismissed_key_is_forgotten_until_it_is_seen_again) {
  for (const event_action action : {event_action::resolved, event_action::closed}) {
    restarted_engine engine{silence_rule()};
    engine.take(heard_at(at(0)));
    window_event gone = heard_at(at(1));
    gone.action = action;
    EXPECT_TRUE(engine.take(gone).empty());
    EXPECT_EQ(engine.totals().keys, 0u);
    EXPECT_TRUE(engine.tick(at(30)).empty());
    engine.take(heard_at(at(40)));
    EXPECT_EQ(engine.tick(at(46)).size(), 1u);
  }
}

TEST(absence, a_silent_key_that_is_dismissed_is_reported_and_forgotten) {
  restarted_engine engine{expecting({"a"})};
  engine.tick(at(0));
  EXPECT_EQ(engine.tick(at(6)).size(), 1u);
  window_event gone = heard_at(at(7));
  gone.action = event_action::closed;
  EXPECT_EQ(kinds(engine.take(gone)), std::vector{kind::dismissed});
  EXPECT_EQ(engine.totals().keys, 0u);
  EXPECT_TRUE(engine.tick(at(60)).empty());
}

TEST(absence, idle_is_the_silence_at_the_judgement) {
  rule_spec rule = silence_rule("idle >= 5m");
  restarted_engine engine{rule};
  engine.take(heard_at(at(0)));
  EXPECT_EQ(kinds(engine.tick(at(8))), std::vector{kind::met});
}

}  // namespace
}  // namespace tocsin::testing
