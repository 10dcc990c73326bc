// SPDX-License-Identifier: Apache-2.0
// Escalation, incidents, assignment and flapping as settings.
#include "io/alert_policy_file.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "io/policy_fields.hpp"
#include "io/settings_file.hpp"
#include "support/diagnostics_text.hpp"
#include "tocsin/rule_file.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

using testing::texts;

std::shared_ptr<const alert_policy> parse(const std::string& yaml) {
  diagnostics found;
  const settings read = parse_settings(yaml, "/etc/tocsin/tocsin.yaml", found);
  EXPECT_TRUE(found.empty()) << texts(found);
  return read.policy;
}

std::string errors_of(const std::string& yaml) {
  diagnostics found;
  (void)parse_settings(yaml, "t.yaml", found);
  return texts(found);
}

TEST(alert_policy_file, without_sections_everything_is_its_default) {
  for (const auto& policy : {default_alert_policy(), parse(""), parse("shards: 1")}) {
    EXPECT_TRUE(policy->incidents.empty());
    EXPECT_TRUE(policy->assignment.rules.empty());
    EXPECT_EQ(policy->assignment.fallback, "");
    EXPECT_TRUE(policy->notify->escalations.empty());
    EXPECT_FALSE(policy->notify->routed);
    EXPECT_NE(policy->notify->original, "");
    EXPECT_TRUE(policy->detect_flapping);
    EXPECT_EQ(policy->flap_memory, 1h);
  }
}

TEST(alert_policy_file, escalations_have_levels_in_order) {
  const auto policy = parse(R"(
notify: {receivers: [{name: a}, {name: b}]}
escalation:
  - name: oncall
    matchers: ['severity="critical"', 'team=~"x|y"']
    levels:
      - {after: 0s, receivers: [a]}
      - {after: 1h30m, receivers: [a, b], repeat: 3, every: 30m}
  - {name: rest, levels: [{after: 1d, receivers: [b], every: 1m}]}
)");
  const auto& escalations = policy->notify->escalations;
  ASSERT_EQ(escalations.size(), 2U);
  EXPECT_EQ(escalations[0].name, "oncall");
  EXPECT_EQ(escalations[0].matchers,
            *parse_label_matchers(R"({severity="critical", team=~"x|y"})"));
  ASSERT_EQ(escalations[0].levels.size(), 2U);
  EXPECT_EQ(escalations[0].levels[0].after, 0s);
  EXPECT_EQ(escalations[0].levels[0].repeat, 1U);
  EXPECT_EQ(escalations[0].levels[1].after, 90min);
  EXPECT_EQ(escalations[0].levels[1].receivers, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(escalations[0].levels[1].repeat, 3U);
  EXPECT_EQ(escalations[0].levels[1].every, 30min);
  EXPECT_TRUE(escalations[1].matchers.empty());
  // It is no part of what Alertmanager's tools read.
  EXPECT_EQ(policy->notify->original.find("escalation"), std::string::npos);
}

TEST(alert_policy_file, what_is_wrong_in_an_escalation_is_pointed_at) {
  EXPECT_EQ(errors_of(R"(notify: {receivers: [{name: team}]}
escalation:
  - name: one
    levels:
      - {after: 1h, receivers: [tem]}
      - {after: 30m, receivers: [team], repeat: 2}
      - {receivers: []}
  - {name: one}
  - {name: two, levels: []}
)"),
            "t.yaml:5:33: error: 'receivers': there is no receiver 'tem' (did you mean 'team'?)\n"
            "t.yaml:6:9: error: a level: 'every' is missing (how long between the repeats)\n"
            "t.yaml:6:17: error: 'after': 30m is before the level above, 1h (write levels in "
            "order)\n"
            "t.yaml:7:9: error: a level: 'after' is missing (how long after the alert began to "
            "fire)\n"
            "t.yaml:7:21: error: 'receivers' is empty (who is told)\n"
            "t.yaml:8:5: error: an escalation: 'levels' is missing (who is told, and after how "
            "long)\n"
            "t.yaml:8:5: error: a second escalation 'one' (first at line 3)\n"
            "t.yaml:9:25: error: 'levels' is empty (who is told, and after how long)\n");
  for (const char* level : {"{after: 1m}", "{after: 1m, receivers: [team], repeat: 0}",
                            "{after: 1m, receivers: [team], every: 0s}", "{after: soon}", "text"}) {
    EXPECT_NE(errors_of("notify: {receivers: [{name: team}]}\nescalation: [{name: x, levels: [" +
                        std::string(level) + "]}]"),
              "")
        << level;
  }
}

TEST(alert_policy_file, incidents_are_read) {
  const auto policy = parse(R"(
incidents:
  - name: rack-down
    matchers: [alertname="host-down"]
    group_by: [rack, labels.room]
    within: 5m
    min_alerts: 7
    value: load
    title: "a rack is down"
  - {name: many}
)");
  ASSERT_EQ(policy->incidents.size(), 2U);
  const incident_rule& rack = policy->incidents[0];
  EXPECT_EQ(rack.name, "rack-down");
  EXPECT_EQ(rack.matchers, *parse_label_matchers(R"(alertname="host-down")"));
  EXPECT_EQ(rack.group_by, (std::vector<std::string>{"rack", "labels.room"}));
  EXPECT_EQ(rack.within, 5min);
  EXPECT_EQ(rack.min_alerts, 7U);
  EXPECT_EQ(rack.value, "load");
  EXPECT_EQ(rack.title, "a rack is down");
  EXPECT_EQ(policy->incidents[1].within, 10min);
  EXPECT_EQ(policy->incidents[1].min_alerts, 2U);
}

TEST(alert_policy_file, what_is_wrong_in_an_incident_is_pointed_at) {
  EXPECT_EQ(errors_of(R"(incidents:
  - {name: a b, min_alerts: 1, within: 0s}
  - {name: c, group_by: [x, x, '']}
  - {name: c, min_alert: 3}
)"),
            "t.yaml:2:12: error: 'name': 'a b' is not a rule name (1 to 100 of A-Z a-z 0-9 _ . "
            "-)\n"
            "t.yaml:2:40: error: 'within': 0s is too short (at least 1ms)\n"
            "t.yaml:2:29: error: 'min_alerts': 1 is too small (at least 2)\n"
            "t.yaml:3:29: error: 'group_by': 'x' is there twice\n"
            "t.yaml:3:32: error: 'group_by': a label's name is empty\n"
            "t.yaml:4:15: error: unknown field 'min_alert' (did you mean 'min_alerts'?)\n"
            "t.yaml:4:5: error: a second incident 'c' (first at line 3)\n");
}

TEST(alert_policy_file, each_way_of_assignment_is_read) {
  const auto policy = parse(R"(
assignment:
  fallback: desk
  rules:
    - {name: a, to: ann, matchers: [severity="critical"]}
    - {name: b, label: owner}
    - {name: c, by_type: {host: hal, "": nobody}}
    - {name: d, last_handler: true}
    - {name: e, round_robin: [ann, bob]}
)");
  EXPECT_EQ(policy->assignment.fallback, "desk");
  const auto& rules = policy->assignment.rules;
  ASSERT_EQ(rules.size(), 5U);
  EXPECT_EQ(rules[0].by, assign_by::person);
  EXPECT_EQ(rules[0].to, "ann");
  EXPECT_EQ(rules[0].matchers.size(), 1U);
  EXPECT_EQ(rules[1].by, assign_by::label);
  EXPECT_EQ(rules[1].label, "owner");
  EXPECT_EQ(rules[2].by, assign_by::resource_type);
  EXPECT_EQ(rules[2].by_type,
            (std::vector<std::pair<std::string, std::string>>{{"host", "hal"}, {"", "nobody"}}));
  EXPECT_EQ(rules[3].by, assign_by::last_handler);
  EXPECT_EQ(rules[4].by, assign_by::round_robin);
  EXPECT_EQ(rules[4].people, (std::vector<std::string>{"ann", "bob"}));
}

std::vector<time_interval> times_of(const std::string& times) {
  const auto policy = parse("assignment: {rules: [{name: a, to: ann, times: [" + times + "]}]}");
  return policy->assignment.rules.empty() ? std::vector<time_interval>{}
                                          : policy->assignment.rules[0].times;
}

TEST(alert_policy_file, a_night_belongs_to_the_day_it_begins_on) {
  const auto nights = times_of(
      "{times: [{start_time: '22:00', end_time: '06:00'}, {start_time: '12:00', end_time: "
      "'13:00'}], weekdays: ['monday:tuesday', 'friday:saturday'], location: Europe/Berlin}");
  ASSERT_EQ(nights.size(), 2U);
  EXPECT_EQ(nights[0].times, (std::vector<minute_range>{{1320, 1440}, {720, 780}}));
  EXPECT_EQ(nights[0].weekdays, (std::vector<calendar_range>{{1, 2}, {5, 6}}));
  EXPECT_EQ(nights[1].times, (std::vector<minute_range>{{0, 360}}));
  EXPECT_EQ(nights[1].weekdays, (std::vector<calendar_range>{{2, 3}, {6, 6}, {0, 0}}));
  EXPECT_EQ(nights[1].location, "Europe/Berlin");
  // 2026-03-06 is a Friday, 2026-03-08 a Sunday.
  const auto in = [&](const char* at) { return contains(nights, *parse_rfc3339(at)); };
  EXPECT_TRUE(in("2026-03-06T22:00:00+01:00"));
  EXPECT_TRUE(in("2026-03-07T05:59:00+01:00"));
  EXPECT_FALSE(in("2026-03-07T06:00:00+01:00"));
  EXPECT_TRUE(in("2026-03-08T05:00:00+01:00"));
  EXPECT_FALSE(in("2026-03-08T22:00:00+01:00"));
  EXPECT_FALSE(in("2026-03-09T05:00:00+01:00"));
  EXPECT_TRUE(in("2026-03-06T12:30:00+01:00"));
  EXPECT_FALSE(in("2026-03-08T12:30:00+01:00"));
}

TEST(alert_policy_file, a_night_of_any_day_has_no_weekdays) {
  const auto nights = times_of("{times: [{start_time: '22:00', end_time: '06:00'}]}");
  ASSERT_EQ(nights.size(), 2U);
  EXPECT_TRUE(nights[0].weekdays.empty());
  EXPECT_TRUE(nights[1].weekdays.empty());
}

TEST(alert_policy_file, an_evening_may_end_at_midnight_in_either_notation) {
  for (const char* end : {"00:00", "24:00"}) {
    const auto evenings = times_of("{times: [{start_time: '22:00', end_time: '" + std::string(end) +
                                   "'}], weekdays: [sunday]}");
    ASSERT_EQ(evenings.size(), 1U) << end;
    EXPECT_EQ(evenings[0].times, (std::vector<minute_range>{{1320, 1440}})) << end;
  }
}

TEST(alert_policy_file, a_night_of_certain_days_of_a_month_is_refused) {
  for (const char* days : {"days_of_month: ['1']", "months: [may]", "years: [2026]"}) {
    const std::string all = errors_of(
        "assignment: {rules: [{name: a, to: b, times: [{times: [{start_time: '22:00', end_time: "
        "'06:00'}], " +
        std::string(days) + "}]}]}");
    EXPECT_NE(all.find("a range that crosses midnight goes with weekdays only"), std::string::npos)
        << days << all;
  }
}

TEST(alert_policy_file, what_is_wrong_in_an_assignment_is_pointed_at) {
  EXPECT_EQ(errors_of(R"(assignment:
  rules:
    - {name: a}
    - {name: b, to: ann, label: owner}
    - {name: c, last_handler: false}
    - {name: d, round_robin: []}
    - {name: e, round_robin: [ann, '']}
    - {name: f, by_type: {}}
    - {name: f, to: ''}
)"),
            "t.yaml:3:7: error: a rule of assignment without anybody (wanted to, label, by_type, "
            "last_handler or round_robin)\n"
            "t.yaml:4:26: error: a rule says in one way who it is, and this one has 'to' already: "
            "make 'label' a rule of its own\n"
            "t.yaml:5:31: error: 'last_handler': false is nobody (leave the rule out)\n"
            "t.yaml:6:30: error: 'round_robin' is empty (the people who take turns)\n"
            "t.yaml:7:36: error: 'round_robin': a name is empty\n"
            "t.yaml:8:26: error: 'by_type' is empty (wanted resource types with people)\n"
            "t.yaml:9:21: error: 'to': a name is empty\n"
            "t.yaml:9:7: error: a second rule of assignment 'f' (first at line 8)\n");
  for (const char* times : {"[]", "[{times: [{start_time: '06:00', end_time: '06:00'}]}]",
                            "[{times: [{start_time: '6', end_time: '22:00'}]}]", "always"}) {
    EXPECT_NE(
        errors_of("assignment: {rules: [{name: a, to: b, times: " + std::string(times) + "}]}"), "")
        << times;
  }
}

TEST(alert_policy_file, flapping_is_read) {
  const auto policy = parse("flapping: {detect: false, memory: 1d}");
  EXPECT_FALSE(policy->detect_flapping);
  EXPECT_EQ(policy->flap_memory, 24h);
  for (const char* flapping : {"{detect: 'no'}", "{memory: 31d}", "{enter: 0.5}", "true"}) {
    EXPECT_NE(errors_of("flapping: " + std::string(flapping)), "") << flapping;
  }
}

TEST(policy_fields, durations_are_prometheuss) {
  EXPECT_EQ(parse_prometheus_duration("1y"), std::chrono::days{365});
  EXPECT_EQ(parse_prometheus_duration("2y1w2d3h4m5s6ms"),
            std::chrono::days{730 + 9} + 3h + 4min + 5s + 6ms);
  EXPECT_EQ(parse_prometheus_duration("0"), 0s);
  EXPECT_EQ(parse_prometheus_duration("0y"), 0s);
  EXPECT_EQ(parse_prometheus_duration("1h30m"), 90min);
  for (const char* text : {"", "y", "1y0", "1y1y", "1h1y", "28y", "99999999999999999999y", "1.5h",
                           "-1y", " 1y", "1Y"}) {
    EXPECT_EQ(parse_prometheus_duration(text), std::nullopt) << text;
  }
}

TEST(alert_policy_file, an_incident_cannot_have_a_rules_name) {
  diagnostics found;
  const auto rules = rule_set::compile(
      parse_rules("rules: [{name: disk, where: 'true', window: {fixed: 1m}}]", "r.yaml", found),
      found);
  ASSERT_TRUE(rules) << texts(found);
  const auto policy = parse("incidents: [{name: disk, min_alerts: 2}, {name: other}]");
  found.clear();
  check_incident_names(*policy, *rules, "t.yaml", found);
  EXPECT_EQ(texts(found),
            "t.yaml: error: 'incidents': the name 'disk' is a rule's; alerts are known by it, so "
            "wanted another one\n");
}

}  // namespace
}  // namespace tocsin
