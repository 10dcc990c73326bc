// SPDX-License-Identifier: Apache-2.0
// What an engine does when keys, bytes, events or work reach their bounds, and when a rule fails.
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <string>

#include "support/engine_driver.hpp"
#include "support/rules.hpp"

namespace tocsin::testing {
namespace {

using kind = finding::kind;

constexpr long long start_ms = 1'772'323'200'000;

window_event event_of(const std::string& source, long long time_ms) {
  window_event event;
  event.source = source;
  event.arrived_ms = event.time_ms = start_ms + time_ms;
  return event;
}

const std::string counting =
    "rules: [{name: n, where: true, group_by: [source_id], window: {fixed: 1m}, lateness: 0s, "
    "having: 'count() >= 3'";

/// The findings that are about `rule`.
std::vector<finding> of_rule(const std::vector<finding>& all, const rule_set& rules,
                             const std::string& rule) {
  std::vector<finding> some;
  for (const finding& each : all)
    if (rules.rule_at(each.rule).name == rule) some.push_back(each);
  return some;
}

std::string group_text(const finding& of) {
  std::string text;
  for (const auto& [name, value] : of.texts->group) text += name + "=" + value.value_or("-") + ";";
  return text;
}

TEST(engine_bounds, keys_beyond_a_rules_limit_count_together_under_the_overflow_key) {
  engine_driver engine{rules_from_yaml(counting + ", limits: {keys: 2}}]"), 1};
  engine.take(event_of("a", 1));
  engine.take(event_of("b", 2));
  std::vector<finding> found;
  for (int i = 0; i < 3; ++i) {
    const auto some = engine.take(event_of("new" + std::to_string(i), 3 + i));
    found.insert(found.end(), some.begin(), some.end());
  }
  const auto met = of_rule(found, engine.rules(), "n");
  ASSERT_EQ(met.size(), 1u) << "three events of three keys without room are one key's";
  EXPECT_EQ(group_text(met[0]), "source_id=__overflow__;");
  EXPECT_EQ(engine.totals().overflowed, 3u);
  EXPECT_EQ(engine.totals_by_rule().at(0).keys, 3u);
}

TEST(engine_bounds, known_keys_go_on_unharmed_when_there_is_no_room) {
  engine_driver engine{rules_from_yaml(counting + ", limits: {keys: 2}}]"), 1};
  engine.take(event_of("a", 1));
  engine.take(event_of("b", 2));
  for (int i = 0; i < 100; ++i) engine.take(event_of("new" + std::to_string(i), 3));
  engine.take(event_of("a", 4));
  const auto found = of_rule(engine.take(event_of("a", 5)), engine.rules(), "n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(group_text(found[0]), "source_id=a;");
  EXPECT_EQ(found[0].proof.event_count, 3u);
}

TEST(engine_bounds, an_alert_says_that_there_is_no_room_until_there_is) {
  engine_driver engine{rules_from_yaml(counting + ", limits: {keys: 1}}]"), 1};
  engine.take(event_of("a", 1));
  const auto told = of_rule(engine.take(event_of("b", 2)), engine.rules(), "tocsin-overflow");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].what, kind::met);
  EXPECT_EQ(told[0].severity, severity::warning);
  EXPECT_EQ(group_text(told[0]), "rule=n;shard=0;");
  EXPECT_TRUE(of_rule(engine.take(event_of("c", 3)), engine.rules(), "tocsin-overflow").empty())
      << "said once";
  const auto over = of_rule(engine.tick(start_ms + 10 * 60'000), engine.rules(), "tocsin-overflow");
  ASSERT_EQ(over.size(), 1u);
  EXPECT_EQ(over[0].what, kind::cleared);
  EXPECT_EQ(over[0].print, told[0].print);
}

TEST(engine_bounds, keys_that_are_over_make_room) {
  engine_driver engine{rules_from_yaml(counting + ", limits: {keys: 1}}]"), 1};
  engine.take(event_of("a", 1));
  engine.take(event_of("b", 10 * 60'000));
  EXPECT_EQ(engine.totals().overflowed, 0u);
}

TEST(engine_bounds, each_of_several_shards_has_an_overflow_key_of_its_own) {
  engine_driver engine{rules_from_yaml(counting + ", limits: {keys: 2}}]"), 2};
  std::vector<finding> found;
  for (int i = 0; i < 100; ++i) {
    const auto some = engine.take(event_of("s" + std::to_string(i), i));
    found.insert(found.end(), some.begin(), some.end());
  }
  const auto met = of_rule(found, engine.rules(), "n");
  ASSERT_EQ(met.size(), 2u);
  EXPECT_NE(met[0].print, met[1].print) << "one must not resolve the other's alert";
  std::set<std::string> groups{group_text(met[0]), group_text(met[1])};
  EXPECT_EQ(groups, (std::set<std::string>{"source_id=__overflow__;shard=0;",
                                           "source_id=__overflow__;shard=1;"}));
}

TEST(engine_bounds, all_rules_together_have_a_bound_on_keys) {
  engine_limits limits;
  limits.keys = 10;
  engine_driver engine{rules_from_yaml(counting + "}]"), 1, limits};
  for (int i = 0; i < 1'000; ++i) engine.take(event_of("s" + std::to_string(i), 1));
  EXPECT_EQ(engine.totals_by_rule().at(0).keys, 11u) << "ten and the overflow key";
  EXPECT_EQ(engine.totals().overflowed, 990u);
}

TEST(engine_bounds, bytes_stay_below_their_bound_however_many_keys_come) {
  engine_limits limits;
  limits.bytes = 1024 * 1024;
  engine_driver engine{
      rules_from_yaml("rules: [{name: n, where: true, group_by: [source_id], window: {sliding: 1h, "
                      "every: 1m}, select: {d: distinct(item), t: 'top(item, 5)'}, having: 'd > "
                      "100'}]"),
      1, limits};
  for (int i = 0; i < 100'000; ++i) {
    window_event event = event_of("s" + std::to_string(i), i);
    event.item = "item " + std::to_string(i);
    event.id = "id" + std::to_string(i);
    engine.take(event);
  }
  EXPECT_GT(engine.totals().overflowed, 0u);
  EXPECT_LT(engine.totals().bytes, limits.bytes + 512 * 1024)
      << "the overflow key's own panes come on top";
}

/// Counts by source in minutes; `bytes` is the rule's own bound.
std::shared_ptr<const rule_set> counting_within(std::uint64_t bytes) {
  rule_spec rule;
  rule.name = {"n", 1, 1};
  rule.where = {"true", 1, 1};
  rule.group_by = {{"source_id", 1, 1}};
  rule.window.size = rule.window.every = std::chrono::minutes{1};
  rule.lateness = duration{0};
  rule.having = {"count() >= 3", 1, 1};
  rule.limits.bytes = bytes;
  return compile_rules({rule});
}

/// Bytes are counted anew when something ends.
void one_key_left(engine_driver& engine) {
  engine.take(event_of("a", 1));
  engine.take(event_of("c", 60'000));
  engine.tick(start_ms + 120'001);
}

TEST(engine_bounds, bytes_at_their_bound_leave_no_room) {
  const auto overflowed = [](std::uint64_t of_rule, std::uint64_t of_all) {
    engine_limits limits;
    limits.bytes = of_all;
    engine_driver engine{counting_within(of_rule), 1, limits};
    one_key_left(engine);
    engine.take(event_of("b", 120'002));
    return engine.totals().overflowed;
  };
  constexpr std::uint64_t many = 1 << 30;
  engine_driver engine{counting_within(many), 1};
  one_key_left(engine);
  const std::uint64_t of_all = engine.totals().bytes;
  const std::uint64_t of_rule = engine.totals_by_rule().at(0).bytes;
  EXPECT_EQ(overflowed(many, of_all), 1u);
  EXPECT_EQ(overflowed(many, of_all + 1), 0u);
  EXPECT_EQ(overflowed(of_rule, many), 1u);
  EXPECT_EQ(overflowed(of_rule + 1, many), 0u);
}

TEST(engine_bounds, every_event_is_known_or_overflowed) {
  engine_limits limits;
  limits.keys = 50;
  engine_driver engine{rules_from_yaml(counting + "}]"), 1, limits};
  for (int i = 0; i < 3'000; ++i) engine.take(event_of("s" + std::to_string(i % 300), i));
  EXPECT_EQ(engine.totals().updates, 3'000u);
  EXPECT_EQ(engine.totals().overflowed, 2'500u);
}

TEST(engine_bounds, a_trailing_window_holds_at_most_the_events_its_limit_allows) {
  engine_driver engine{
      rules_from_yaml("rules: [{name: n, where: true, group_by: [source_id], window: {sliding: 1h, "
                      "every: event}, limits: {events: 10}, lateness: 0s, select: {c: count()}, "
                      "having: 'c >= 11'}]"),
      1};
  std::vector<finding> found;
  for (int i = 0; i < 100; ++i) {
    const auto some = engine.take(event_of("a", i));
    found.insert(found.end(), some.begin(), some.end());
  }
  EXPECT_TRUE(found.empty()) << "eleven instants are never held";
}

TEST(engine_bounds, late_events_are_counted_by_source_once_each) {
  const auto rules = rules_from_yaml(
      "rules: [{name: a, where: true, group_by: [source_id], window: {fixed: 1m}, lateness: 0s}, "
      "{name: b, where: true, group_by: [item], window: {fixed: 1h}, lateness: 0s}, "
      "{name: c, where: true, group_by: [item], window: {sliding: 2m, every: 1m}, lateness: 0s}]");
  window_engine engine{rules};
  event_router router{rules, 1};
  std::vector<finding> found;
  window_event late = event_of("slow", 0);
  late.arrived_ms += 3 * 3'600'000;
  const auto batch = make_batch({late, late, event_of("quick", 3 * 3'600'000)}, 1);
  engine.step(batch->clock, batch.get(), router.route(*batch).front(), found);
  EXPECT_EQ(engine.late_by_source(), (std::map<std::string, std::uint64_t>{{"slow", 2}}))
      << "late for three rules, and counted once";
}

TEST(engine_gaps, a_year_without_events_costs_no_more_than_the_windows_that_hold_some) {
  const long long year_ms = 365LL * 24 * 3'600'000;
  for (const std::string window :
       {"{fixed: 1m}", "{sliding: 1h, every: 1s}", "{sliding: 5m, every: event}",
        "{fixed: 1d, timezone: Europe/Berlin}", "{session: 10s}", "{session: 10s, max: 1m}",
        "{absent: 1m}"}) {
    engine_driver engine{
        rules_from_yaml("rules: [{name: n, where: true, group_by: [source_id], lateness: 0s, "
                        "window: " +
                        window + ", having: 'count() == 1'}]"),
        1};
    engine.take(event_of("a", 0));
    engine.take(event_of("a", year_ms));
    engine.tick(start_ms + 2 * year_ms);
    EXPECT_LE(engine.totals().judgements, 8u) << window;
  }
}

/// A trailing window of ten seconds and three instants; `having` stands over the values' sum.
engine_driver three_instants(const std::string& having) {
  return {rules_from_yaml(
              "rules: [{name: n, where: true, group_by: [source_id], window: {sliding: "
              "10s, every: event}, limits: {events: 3}, lateness: 5s, fire: early, having: '" +
              having + "'}]"),
          1};
}

window_event valued(const std::string& source, long long time_ms, double value) {
  window_event event = event_of(source, time_ms);
  event.value = value;
  return event;
}

TEST(engine_bounds, an_instant_between_others_of_a_trailing_window_pushes_the_oldest_out) {
  engine_driver engine = three_instants("sum(value) == 1111 || sum(value) == 1101");
  EXPECT_TRUE(engine.take(valued("a", 1'000, 1)).empty());
  EXPECT_TRUE(engine.take(valued("a", 2'000, 10)).empty());
  EXPECT_TRUE(engine.take(valued("a", 3'000, 100)).empty());
  window_event between = valued("a", 2'500, 1'000);
  between.arrived_ms = start_ms + 3'001;
  EXPECT_TRUE(engine.take(between).empty()) << "10 + 1000 + 100 are left";
}

TEST(engine_bounds, instants_that_have_left_a_trailing_window_push_nothing_out) {
  engine_driver engine = three_instants("sum(value) == 111");
  for (const long long time_ms : {0, 1}) engine.take(valued("b", time_ms, 5'000));
  engine.take(valued("b", 9'000, 1));
  // The first one leaves. There is room for another, and the next pushes out the second one.
  EXPECT_TRUE(engine.tick(start_ms + 15'002).empty());
  std::vector<finding> found;
  for (const auto& [time_ms, value] : {std::pair{10'500, 10.0}, {10'600, 100.0}}) {
    window_event event = valued("b", time_ms, value);
    event.arrived_ms = start_ms + 15'003;
    found = engine.take(event);
  }
  EXPECT_EQ(found.size(), 1u) << "three instants are not too many";
}

TEST(engine_bounds, a_key_begins_with_no_instants_though_another_one_has_ended) {
  engine_driver engine = three_instants("sum(value) == 111");
  for (const long long time_ms : {3'000, 3'001, 3'002, 3'003})
    engine.take(valued("a", time_ms, 5'000));
  window_event over = valued("a", 3'004, 0);
  over.action = event_action::resolved;
  engine.take(over);
  EXPECT_EQ(engine.totals().keys, 0u);
  // Deadlines of the key that has ended pass: its place is free for another.
  engine.tick(start_ms + 30'000);
  std::vector<finding> found;
  const std::vector<double> values{1, 10, 100};
  for (std::size_t i = 0; i < values.size(); ++i)
    found = engine.take(valued("b", 30'000 + static_cast<long long>(i), values[i]));
  EXPECT_EQ(found.size(), 1u);
}

const std::string two_rules =
    "rules: [{name: bad, where: true, group_by: [source_id], window: {fixed: 1m}, lateness: 0s, "
    "having: 'count() >= 2'}, {name: good, where: true, group_by: [source_id], window: {fixed: "
    "1m}, lateness: 0s, having: 'count() >= 2'}]";

TEST(rule_isolation, a_rule_that_throws_is_off_and_said_to_be_while_the_others_go_on) {
  engine_limits limits;
  limits.before_judgement = [](const rule& of) {
    if (of.name == "bad") throw std::runtime_error("out of everything");
  };
  engine_driver engine{rules_from_yaml(two_rules), 1, limits};
  engine.take(event_of("a", 1));
  const auto found = engine.take(event_of("a", 2));
  EXPECT_TRUE(of_rule(found, engine.rules(), "bad").empty());
  EXPECT_EQ(of_rule(found, engine.rules(), "good").size(), 1u);
  const auto told = of_rule(found, engine.rules(), "tocsin-failure");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].severity, severity::error);
  EXPECT_EQ(group_text(told[0]), "rule=bad;shard=0;");
  EXPECT_EQ(told[0].texts->description, "out of everything");
  engine.take(event_of("b", 3));
  const auto later = engine.take(event_of("b", 4));
  EXPECT_EQ(of_rule(later, engine.rules(), "good").size(), 1u);
  EXPECT_TRUE(of_rule(later, engine.rules(), "tocsin-failure").empty()) << "said once";
  EXPECT_EQ(engine.totals_by_rule().at(0).failures, 1u) << "it is not tried again";
}

TEST(rule_isolation, a_rule_that_has_used_up_its_budget_waits_for_the_next_second) {
  engine_limits limits;
  limits.work_per_second = 5;
  engine_driver engine{rules_from_yaml(two_rules), 1, limits};
  std::vector<finding> found;
  const auto add = [&](const std::vector<finding>& some) {
    found.insert(found.end(), some.begin(), some.end());
  };
  for (int i = 0; i < 20; ++i) {
    add(engine.take(event_of("s" + std::to_string(i), 100)));
    add(engine.take(event_of("s" + std::to_string(i), 101)));
  }
  const auto in_first_second = of_rule(found, engine.rules(), "good").size();
  EXPECT_GE(in_first_second, 5u);
  EXPECT_LT(in_first_second, 20u);
  ASSERT_EQ(of_rule(found, engine.rules(), "tocsin-failure").size(), 2u) << "one for each rule";
  EXPECT_GT(engine.totals_by_rule().at(1).exhausted, 0u);
  found.clear();
  add(engine.take(event_of("t", 1'500)));
  add(engine.take(event_of("t", 1'501)));
  EXPECT_EQ(of_rule(found, engine.rules(), "good").size(), 1u);
  EXPECT_EQ(of_rule(found, engine.rules(), "tocsin-failure").size(), 2u) << "judged again";
}

TEST(rule_isolation, panes_that_are_merged_count_as_work) {
  engine_limits limits;
  limits.work_per_second = 72;
  engine_driver engine{
      rules_from_yaml("rules: [{name: n, where: true, group_by: [source_id], window: {sliding: 8s, "
                      "every: 1s}, lateness: 0s, fire: close, having: 'count() >= 8'}]"),
      1, limits};
  std::vector<finding> found;
  for (int second = 0; second < 8; ++second)
    for (int key = 0; key < 10; ++key) {
      const auto some = engine.take(event_of("s" + std::to_string(key), second * 1'000));
      found.insert(found.end(), some.begin(), some.end());
    }
  EXPECT_EQ(engine.totals_by_rule().at(0).exhausted, 0u) << "seven panes of ten keys have closed";
  const auto at_close = engine.tick(start_ms + 8'001);
  EXPECT_EQ(of_rule(at_close, engine.rules(), "n").size(), 9u) << "eight panes and a look each";
  EXPECT_EQ(engine.totals_by_rule().at(0).exhausted, 1u);
}

TEST(engine_snapshot, a_restart_forgets_nothing_of_bounds_and_failures) {
  engine_driver engine{rules_from_yaml(counting + ", limits: {keys: 1}}]"), 1};
  engine.take(event_of("a", 1));
  engine.take(event_of("b", 2));
  EXPECT_EQ(engine.restart(), "");
  EXPECT_TRUE(of_rule(engine.take(event_of("c", 3)), engine.rules(), "tocsin-overflow").empty())
      << "it was said before the restart";
  const auto met = of_rule(engine.take(event_of("d", 4)), engine.rules(), "n");
  ASSERT_EQ(met.size(), 1u) << "b, c and d are the overflow key's three";
  const auto over = of_rule(engine.tick(start_ms + 300'000), engine.rules(), "tocsin-overflow");
  ASSERT_EQ(over.size(), 1u) << "there is room again";
  EXPECT_EQ(over[0].what, kind::cleared);
}

TEST(engine_snapshot, a_rule_that_has_failed_is_not_tried_again_behind_a_restart) {
  int tried = 0;
  engine_limits limits;
  limits.before_judgement = [&](const rule& of) {
    if (of.name == "bad" && ++tried > 0) throw std::runtime_error("out of everything");
  };
  engine_driver engine{rules_from_yaml(two_rules), 1, limits};
  engine.take(event_of("a", 1));
  engine.take(event_of("a", 2));
  EXPECT_EQ(tried, 1);
  EXPECT_EQ(engine.restart(), "");
  engine.take(event_of("b", 3));
  engine.take(event_of("b", 4));
  EXPECT_EQ(tried, 1);
}

TEST(engine_snapshot, a_budget_that_was_used_up_is_so_behind_a_restart) {
  engine_limits limits;
  limits.work_per_second = 5;
  engine_driver engine{rules_from_yaml(two_rules), 1, limits};
  const auto two_events = [&](const std::string& source) {
    engine.take(event_of(source, 100));
    return engine.take(event_of(source, 101));
  };
  for (int i = 0; i < 20; ++i) two_events("s" + std::to_string(i));
  EXPECT_EQ(engine.restart(), "");
  EXPECT_TRUE(two_events("t").empty()) << "neither judged nor said again";
}

TEST(engine_snapshot, what_was_told_of_a_rule_is_not_told_again_after_a_restart) {
  engine_limits limits;
  limits.before_judgement = [](const rule& of) {
    if (of.name == "bad") throw std::runtime_error("out of everything");
  };
  engine_driver engine{
      rules_from_yaml(
          "rules: [{name: bad, where: true, group_by: [source_id], window: {fixed: 1m}, "
          "lateness: 0s, having: 'count() >= 2', limits: {keys: 1}}, {name: good, where: "
          "true, group_by: [source_id], window: {fixed: 1m}, lateness: 0s, having: "
          "'count() >= 2', limits: {keys: 1}}]"),
      1, limits};
  engine.take(event_of("a", 1));
  EXPECT_EQ(of_rule(engine.take(event_of("a", 2)), engine.rules(), "tocsin-failure").size(), 1u);
  EXPECT_EQ(engine.restart(), "");
  const auto later = engine.take(event_of("b", 3));
  EXPECT_EQ(of_rule(later, engine.rules(), "tocsin-overflow").size(), 2u) << "other news";
  EXPECT_TRUE(of_rule(later, engine.rules(), "tocsin-failure").empty());
}

TEST(engine_snapshot, bytes_that_are_damaged_of_other_rules_or_shards_are_refused) {
  const auto rules = rules_from_yaml(counting + "}]");
  engine_driver engine{rules, 1};
  for (int i = 0; i < 20; ++i) engine.take(event_of("s" + std::to_string(i), i));
  const std::string saved = engine.save().front();
  window_engine other_rules{rules_from_yaml(two_rules)};
  EXPECT_EQ(other_rules.restore(saved).value_or(error{}).code, "other_rules");
  window_engine other_shards{rules, {}, 1, 2};
  EXPECT_EQ(other_shards.restore(saved).value_or(error{}).code, "other_rules");
  window_engine nothing{rules};
  EXPECT_EQ(nothing.restore("").value_or(error{}).code, "bad_snapshot");
  for (std::size_t bytes = 0; bytes < saved.size(); ++bytes) {
    window_engine cut{rules};
    EXPECT_TRUE(cut.restore(std::string_view{saved}.substr(0, bytes)).has_value())
        << "cut at " << bytes;
  }
  for (std::size_t at = 0; at < saved.size(); ++at) {
    std::string changed = saved;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    window_engine other{rules};
    EXPECT_EQ(other.restore(changed).value_or(error{}).code, "bad_snapshot") << "changed at " << at;
  }
  window_engine whole{rules};
  EXPECT_FALSE(whole.restore(saved).has_value());
  EXPECT_EQ(whole.totals().keys, 20u);
}

TEST(engine_snapshot, panes_that_do_not_follow_each_other_are_refused) {
  const auto rules = rules_from_yaml(counting + "}]");
  engine_driver engine{rules, 1};
  engine.take(event_of("a", 0));
  window_event second = event_of("a", 60'001);
  second.arrived_ms = start_ms;
  engine.take(second);
  const auto bytes_of = [](long long ms) {
    const auto plain = static_cast<std::int64_t>(ms);
    return std::string{reinterpret_cast<const char*>(&plain), sizeof plain};
  };
  std::string saved = engine.save().front();
  for (std::size_t at = 0; at < saved.size(); ++at) {
    std::string changed = saved;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    window_engine other{rules};
    EXPECT_EQ(other.restore(changed).value_or(error{}).code, "bad_snapshot") << "changed at " << at;
  }
  window_engine whole{rules};
  EXPECT_FALSE(whole.restore(saved).has_value());
  const std::string end = bytes_of(start_ms + 120'000);
  const std::size_t place = saved.rfind(end);
  ASSERT_NE(place, std::string::npos) << "the second pane's end";
  saved.replace(place, end.size(), bytes_of(start_ms + 60'000));
  window_engine damaged{rules};
  EXPECT_EQ(damaged.restore(saved).value_or(error{}).code, "bad_snapshot");
}

}  // namespace
}  // namespace tocsin::testing
