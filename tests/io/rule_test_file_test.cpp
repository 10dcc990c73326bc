// SPDX-License-Identifier: Apache-2.0
// Rule tests from YAML: events and what they stand for, expectations, and every way to get one
// wrong.
#include "io/rule_test_file.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "io/event_decoder.hpp"
#include "io/rule_test_events.hpp"
#include "support/diagnostics_text.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

constexpr instant start = from_unix_ms(1'767'225'600'000);

using testing::texts;

/// A file with one test of these lines, which begin in line 4 at column 3.
std::string file_with(const std::string& lines) {
  return "rules: [r.yaml]\ntests:\n- name: t\n" + lines;
}

rule_test parsed(const std::string& lines) {
  diagnostics found;
  auto file = parse_rule_tests(file_with(lines), "dir/t.yaml", found);
  EXPECT_TRUE(found.empty()) << texts(found);
  EXPECT_EQ(file.tests.size(), 1U);
  return file.tests.empty() ? rule_test{} : std::move(file.tests[0]);
}

std::string errors_of(const std::string& lines) {
  diagnostics found;
  const auto file = parse_rule_tests(file_with(lines), "dir/t.yaml", found);
  EXPECT_TRUE(file.tests.empty());
  return texts(found);
}

std::string event_errors(const std::string& entry) {
  return errors_of("  transitions: []\n  events:\n  - " + entry + "\n");
}

rule_test with_events(const std::string& entries) {
  return parsed("  transitions: []\n  events:\n" + entries);
}

std::string series(std::string_view notation) {
  const auto values = expand_series(notation);
  if (!values) return std::string(values.failure().code);
  std::string all;
  for (const auto& each : *values) {
    all += (all.empty() ? "" : " ") + (each ? std::to_string(std::lround(*each * 10)) : "_");
  }
  return all;
}

TEST(rule_test_series, promtools_notation_expands) {
  EXPECT_EQ(series("5"), "50");
  EXPECT_EQ(series("-2+4x3"), "-20 20 60 100");
  EXPECT_EQ(series(" 1-2x4 "), "10 -10 -30 -50 -70");
  EXPECT_EQ(series("1x2"), "10 10 10");
  EXPECT_EQ(series("1 _ 2 _x3 0.5"), "10 _ 20 _ _ _ 5");
  EXPECT_EQ(series("1+0.5x2 1e1"), "10 15 20 100");
}

TEST(rule_test_series, what_is_none_is_refused) {
  for (const char* wrong :
       {"", " ", "x3", "1x", "1+x3", "1+2", "1+2y3", "_3", "_x", "nan", "1x9999999999", "stale"}) {
    EXPECT_EQ(series(wrong), "bad_series") << wrong;
  }
}

TEST(rule_test_file, rules_are_named_from_the_files_folder) {
  diagnostics found;
  const auto file = parse_rule_tests("rules: [../*.yaml, /etc/r.yaml]\ntests: []\n",
                                     "config/tests/t.yaml", found);
  EXPECT_TRUE(found.empty()) << texts(found);
  EXPECT_EQ(file.rules, (std::vector<std::string>{"config/tests/../*.yaml", "/etc/r.yaml"}));
}

TEST(rule_test_file, an_event_is_what_an_agent_would_send) {
  const auto test = with_events(
      "  - {at: 5m, arrives: 5m10s, event_id: e1, source_id: s, resource_id: 7, item: cpu, "
      "level: err, value: 1.5, title: x, action: resolved,\n"
      "     labels: {env: prod, n: 3, quoted: '3', yes: true, gone: null}}\n");
  ASSERT_EQ(test.events.size(), 1U);
  EXPECT_EQ(test.events[0].arrival, start + 5min + 10s);
  event_batch batch;
  std::vector<rejection> refused;
  event_decoder(event_limits{})
      .decode(test.events[0].message, test.events[0].arrival, batch, refused);
  ASSERT_EQ(batch.events.size(), 1U);
  const event& one = batch.events[0];
  EXPECT_EQ(one.time, start + 5min);
  EXPECT_EQ(one.text(event_field::event_id), "e1");
  EXPECT_EQ(one.text(event_field::resource_id), "7") << "fields of text are text";
  EXPECT_FALSE(one.has(event_field::description));
  EXPECT_EQ(one.level, severity::error);
  EXPECT_EQ(one.value, 1.5);
  EXPECT_EQ(one.action, event_action::resolved);
  using kind = label::kind;
  std::vector<std::pair<std::string, kind>> labels;
  for (const label& each : batch.labels_of(one)) labels.emplace_back(each.name, each.type);
  EXPECT_EQ(labels, (std::vector<std::pair<std::string, kind>>{{"env", kind::text},
                                                               {"n", kind::number},
                                                               {"quoted", kind::text},
                                                               {"yes", kind::boolean},
                                                               {"gone", kind::null}}));
}

TEST(rule_test_file, an_event_with_an_arrival_only_has_no_time) {
  const auto test = with_events("  - {arrives: 5m, item: x}\n");
  event_batch batch;
  std::vector<rejection> refused;
  event_decoder(event_limits{}).decode(test.events.at(0).message, start, batch, refused);
  EXPECT_FALSE(batch.events.at(0).has_time);
}

TEST(rule_test_file, a_repeated_event_comes_so_often_and_knows_its_number) {
  const auto test = with_events(
      "  - {at: 10s, arrives: 12s, event_id: 'e${n}', repeat: {every: 5s, count: 3}}\n"
      "  - {at: 13s, repeat: {every: 1s}, values: '1 _ 2'}\n");
  std::vector<std::string> seen;
  for (const test_event& each : test.events) {
    event_batch batch;
    std::vector<rejection> refused;
    event_decoder(event_limits{}).decode(each.message, each.arrival, batch, refused);
    const event& one = batch.events.at(0);
    seen.push_back(format_duration(each.arrival - start) + " " + format_duration(one.time - start) +
                   " " +
                   (one.has_value() ? std::to_string(std::lround(one.value))
                                    : std::string(one.text(event_field::event_id))));
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"12s 10s e1", "13s 13s 1", "15s 15s 2", "17s 15s e2",
                                            "22s 20s e3"}))
      << "in order of arrival";
}

TEST(rule_test_file, a_tick_is_time_that_passes) {
  const auto test = with_events("  - {tick: 20m}\n");
  ASSERT_EQ(test.events.size(), 1U);
  EXPECT_EQ(test.events[0].arrival, start + 20min);
  EXPECT_TRUE(test.events[0].message.empty());
  EXPECT_EQ(test.until, start + 20min);
}

TEST(rule_test_file, times_are_offsets_or_rfc_3339) {
  const auto test = parsed(
      "  start: 2026-03-01T10:00:00Z\n"
      "  events: [{at: 2026-03-01T10:05:00Z}]\n"
      "  expect: [{at: 1h, alerts: []}, {at: 5m, alerts: []}]\n"
      "  until: 2h\n");
  const auto begin = *parse_rfc3339("2026-03-01T10:00:00Z");
  EXPECT_EQ(test.start, begin);
  EXPECT_EQ(test.events.at(0).arrival, begin + 5min);
  ASSERT_EQ(test.expect.size(), 2U);
  EXPECT_EQ(test.expect[0].at, begin + 5min) << "in order of time";
  EXPECT_EQ(test.until, begin + 2h);
}

TEST(rule_test_file, wanted_fields_are_flat_and_say_how_they_compare) {
  const auto test = parsed(
      "  expect:\n"
      "  - at: 1m\n"
      "    alerts:\n"
      "    - {rule: r, severity: p1, group: {resource_id: a, item: null}, values: {x: 0.5}, "
      "event_count: 3, started_at: 30s, event_ids: [a, b]}\n");
  std::vector<std::string> seen;
  for (const wanted_field& each : test.expect.at(0).alerts.at(0).fields) {
    seen.push_back(each.name + "=" + each.text.value_or("<none>") + "/" +
                   std::to_string(static_cast<int>(each.compared)));
  }
  EXPECT_EQ(seen,
            (std::vector<std::string>{"rule=r/0", "severity=critical/0", "group.resource_id=a/0",
                                      "group.item=<none>/0", "values.x=0.5/1", "event_count=3/1",
                                      "started_at=30s/2", "event_ids=a, b/0"}));
}

TEST(rule_test_file, rules_of_a_test_hold_for_its_expectations_unless_they_have_their_own) {
  const auto test = parsed(
      "  rules: [a]\n"
      "  expect: [{at: 1s, alerts: []}, {at: 2s, rules: [b], alerts: []}]\n");
  EXPECT_EQ(test.rules, (std::vector<std::string>{"a"}));
  EXPECT_EQ(test.expect.at(0).rules, (std::vector<std::string>{"a"}));
  EXPECT_EQ(test.expect.at(1).rules, (std::vector<std::string>{"b"}));
}

TEST(rule_test_file, all_errors_are_told_with_their_places) {
  diagnostics found;
  (void)parse_rule_tests(R"(rules: [r.yaml]
tests:
- name: a
  evnts: []
  transitions: []
- name: a
  expect:
  - {at: soon, alerts: []}
  - {alerts: [{rle: x}]}
- start: yesterday
  until: 1s
)",
                         "t.yaml", found);
  const auto all = texts(found);
  for (const char* wanted :
       {"t.yaml:4:3: error: unknown field 'evnts' (did you mean 'events'?)",
        "t.yaml:6:9: error: a second test 'a'",
        "t.yaml:8:10: error: 'at': \"soon\" is neither a length",
        "t.yaml:9:5: error: 'at' is missing",
        "t.yaml:9:16: error: unknown field 'rle' (did you mean 'rule'?)",
        "t.yaml:10:3: error: 'name' is missing", "t.yaml:10:10: error: 'start': \"yesterday\""}) {
    EXPECT_NE(all.find(wanted), std::string::npos) << wanted << "\nin\n" << all;
  }
}

TEST(rule_test_file, wrong_events_are_told) {
  const auto wrong = [](const std::string& entry, const std::string& wanted) {
    EXPECT_NE(event_errors(entry).find(wanted), std::string::npos) << wanted << "\nin\n"
                                                                   << event_errors(entry);
  };
  wrong("{item: x}", "t.yaml:6:5: error: 'at' is missing");
  wrong("{at: 1s, itme: x}", "unknown field 'itme' (did you mean 'item'?)");
  wrong("{at: 1s, value: much}", "'value': seen \"much\", wanted a number");
  wrong("{at: 1s, level: 7}", "'level': seen \"7\"");
  wrong("{at: 1s, action: gone}", "'action': seen \"gone\"");
  wrong("{at: 1s, labels: {a: [1]}}", "label 'a' must be a text, a number, true, false or null");
  wrong("{at: 5m, arrives: 1m}", "the event would be rejected: time_in_future");
  wrong("{at: 1s, event_id: ''}", "the event would be rejected: bad_event_id");
  wrong("{at: 1s, values: '1'}", "'values' needs repeat");
  wrong("{at: 1s, repeat: {every: 1s}, values: '1 b'}", "'values': \"b\" is none of");
  wrong("{at: 1s, repeat: {every: 1s}, value: 1, values: '1'}", "cannot stand together");
  wrong("{at: 1s, repeat: {every: 1s, count: 2}, values: '1'}", "'count' cannot stand");
  wrong("{at: 1s, repeat: {every: 1s}}", "'repeat' needs 'count'");
  wrong("{at: 1s, repeat: {count: 2}}", "'repeat' needs 'every'");
  wrong("{at: 1s, repeat: {every: 1s, count: 0}}", "\"0\" is not a number from 1 to");
  wrong("{at: 1s, repeat: {every: 1s, count: 1000001}}", "is not a number from 1 to");
  wrong("{at: 2000-01-01T00:00:00Z}", "before the test's start");
  wrong("{tick: 1s, item: x}", "'tick' stands alone");
}

TEST(rule_test_file, wrong_expectations_are_told) {
  const auto wrong = [](const std::string& alert, const std::string& wanted) {
    const auto all = errors_of("  transitions: [" + alert + "]\n");
    EXPECT_NE(all.find(wanted), std::string::npos) << wanted << "\nin\n" << all;
  };
  wrong("{state: fring}", "'state': seen \"fring\"");
  wrong("{severity: huge}", "'severity': seen \"huge\"");
  wrong("{event_count: many}", "'event_count': \"many\" is not a number");
  wrong("{values: {x: many}}", "'x': \"many\" is not a number");
  wrong("{group: web}", "'group' must be a map, this is a text");
  EXPECT_NE(errors_of("  events: []\n").find("the test wants nothing"), std::string::npos);
  EXPECT_NE(errors_of("  expect: [{at: 5m, alerts: []}]\n  until: 1m\n").find("'until' is before"),
            std::string::npos);
  EXPECT_NE(errors_of("  expect: [{at: 5m}]\n").find("'alerts' is missing"), std::string::npos);
}

TEST(rule_test_file, a_missing_file_is_an_error) {
  diagnostics found;
  (void)load_rule_tests("/nowhere/t.yaml", found);
  EXPECT_NE(texts(found).find("/nowhere/t.yaml"), std::string::npos);
  EXPECT_TRUE(has_errors(found));
}

}  // namespace
}  // namespace tocsin
