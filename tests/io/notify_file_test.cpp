// SPDX-License-Identifier: Apache-2.0
// Alertmanager's configuration as settings: what is taken, what is refused, and what is shown.
#include "io/notify_file.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/settings_file.hpp"
#include "support/diagnostics_text.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

using testing::texts;

notify_policy parse(const std::string& yaml, const std::string& file = "/etc/tocsin/tocsin.yaml") {
  diagnostics found;
  const settings read = parse_settings(yaml, file, found);
  EXPECT_TRUE(found.empty()) << texts(found);
  return *read.policy->notify;
}

std::string errors_of(const std::string& yaml) {
  diagnostics found;
  (void)parse_settings(yaml, "t.yaml", found);
  return texts(found);
}

/// The errors of a `notify` section with a receiver `none` and these fields below `route`.
std::string errors_of_route(const std::string& fields) {
  return errors_of("notify:\n  receivers: [{name: none}]\n  time_intervals: [{name: nights}]\n" +
                   std::string("  route:\n") + fields);
}

const std::string whole = R"(
notify:
  global: {resolve_timeout: 10m}
  route:
    receiver: team
    group_by: [rack, alertname]
    group_wait: 10s
    group_interval: 1m30s
    repeat_interval: 1y
    routes:
      - receiver: oncall
        matchers: ['severity="critical"', 'a!="1",c=~"x|y"']
        match: {c: 'q"r'}
        match_re: {a: z}
        continue: true
        group_by: ['...']
        mute_time_intervals: [maintenance]
        routes:
          - {group_wait: 0s, active_time_intervals: [hours, maintenance]}
          - {group_by: [rack], matchers: [b="2"]}
          - {group_by: []}
      - {matchers: [], repeat_interval: 1w}
  receivers:
    - name: team
      webhook_configs:
        - {url: 'http://u:pw@127.0.0.1:8080/hook/T0KEN?x=1#y', send_resolved: false, max_alerts: 5}
        - url: https://hooks.example.com
          timeout: 2s
          http_config: {authorization: {type: Bearer, credentials: 'hunter2'}}
    - {name: oncall}
  inhibit_rules:
    - source_matchers: [severity="critical"]
      target_match: {severity: warning}
      target_match_re: {item: 'cpu.*'}
      equal: [rack, alertname]
    - {source_match: {a: b}, source_match_re: {c: d}, target_matchers: ['{e="f",g="h"}']}
  time_intervals:
    - name: maintenance
      time_intervals:
        - times: [{start_time: 02:00, end_time: 04:00}]
          weekdays: ['monday:friday', sunday]
          days_of_month: ['1:5', '-3:-1']
          months: ['january:march', 12]
          years: ['2026:2028']
          location: Europe/Berlin
        - {}
  mute_time_intervals:
    - {name: hours, time_intervals: [{times: [{start_time: "09:00", end_time: "24:00"}]}]}
)";

TEST(notify_file, without_a_section_nobody_is_told) {
  const notify_policy none = parse("");
  EXPECT_FALSE(none.routed);
  EXPECT_TRUE(none.receivers.empty());
  EXPECT_EQ(none.resolve_timeout, 5min);
  EXPECT_EQ(none.original, "route:\n  receiver: none\nreceivers:\n  - name: none\n");
}

TEST(notify_file, a_section_without_a_route_tells_nobody_and_keeps_the_rest) {
  const notify_policy read =
      parse("notify: {receivers: [{name: team}], global: {resolve_timeout: 1m}}");
  EXPECT_FALSE(read.routed);
  EXPECT_EQ(read.receivers.size(), 1U);
  EXPECT_EQ(read.original,
            "receivers:\n  - name: team\n  - name: none\nglobal:\n  resolve_timeout: 1m\n"
            "route:\n  receiver: none\n");
  EXPECT_EQ(parse("notify: {receivers: [{name: none}]}").original,
            "receivers:\n  - name: none\nroute:\n  receiver: none\n");
}

TEST(notify_file, routes_have_from_their_parent_what_they_do_not_say) {
  const notify_policy read = parse(whole);
  EXPECT_TRUE(read.routed);
  EXPECT_EQ(read.resolve_timeout, 10min);
  const notify_route& root = read.root;
  EXPECT_EQ(root.receiver, "team");
  EXPECT_EQ(root.key, "{}");
  EXPECT_EQ(root.group_by, (std::vector<std::string>{"alertname", "rack"}));
  EXPECT_FALSE(root.group_by_all);
  EXPECT_EQ(root.group_wait, 10s);
  EXPECT_EQ(root.group_interval, 90s);
  EXPECT_EQ(root.repeat_interval, std::chrono::days{365});
  ASSERT_EQ(root.routes.size(), 2U);
  const notify_route& oncall = root.routes[0];
  EXPECT_EQ(oncall.receiver, "oncall");
  EXPECT_TRUE(oncall.continue_matching);
  EXPECT_TRUE(oncall.group_by_all);
  EXPECT_TRUE(oncall.group_by.empty());
  EXPECT_EQ(oncall.group_wait, 10s);
  EXPECT_EQ(oncall.mute_time_intervals, std::vector<std::string>{"maintenance"});
  ASSERT_EQ(oncall.routes.size(), 3U);
  EXPECT_EQ(oncall.routes[0].receiver, "oncall");
  EXPECT_EQ(oncall.routes[0].group_wait, 0s);
  EXPECT_TRUE(oncall.routes[0].group_by_all);
  EXPECT_FALSE(oncall.routes[0].continue_matching);
  EXPECT_TRUE(oncall.routes[0].mute_time_intervals.empty());
  EXPECT_EQ(oncall.routes[0].active_time_intervals,
            (std::vector<std::string>{"hours", "maintenance"}));
  EXPECT_EQ(oncall.routes[1].group_by, std::vector<std::string>{"rack"});
  EXPECT_FALSE(oncall.routes[1].group_by_all);
  EXPECT_TRUE(oncall.routes[2].group_by_all);
  EXPECT_EQ(root.routes[1].receiver, "team");
  EXPECT_EQ(root.routes[1].repeat_interval, std::chrono::days{7});
  EXPECT_EQ(root.routes[1].group_by, root.group_by);
}

// As amtool 0.25 prints the same routes.
TEST(notify_file, keys_of_routes_are_alertmanagers) {
  const notify_policy read = parse(whole);
  const std::string oncall = R"({}/{a!="1",a=~"^(?:z)$",c="q\"r",c=~"x|y",severity="critical"})";
  EXPECT_EQ(read.root.routes[0].key, oncall);
  EXPECT_EQ(read.root.routes[0].routes[0].key, oncall + "/{}");
  EXPECT_EQ(read.root.routes[0].routes[1].key, oncall + R"(/{b="2"})");
  EXPECT_EQ(read.root.routes[1].key, "{}/{}");
}

TEST(notify_file, receivers_have_their_webhooks) {
  const notify_policy read = parse(whole);
  ASSERT_EQ(read.receivers.size(), 2U);
  EXPECT_EQ(read.receivers[0].name, "team");
  ASSERT_EQ(read.receivers[0].webhooks.size(), 2U);
  const webhook_target& first = read.receivers[0].webhooks[0];
  EXPECT_EQ(first.url, "http://u:pw@127.0.0.1:8080/hook/T0KEN?x=1#y");
  EXPECT_FALSE(first.send_resolved);
  EXPECT_EQ(first.max_alerts, 5U);
  EXPECT_EQ(first.timeout, 10s);
  EXPECT_EQ(first.bearer_token, "");
  const webhook_target& second = read.receivers[0].webhooks[1];
  EXPECT_EQ(second.url, "https://hooks.example.com");
  EXPECT_TRUE(second.send_resolved);
  EXPECT_EQ(second.max_alerts, 0U);
  EXPECT_EQ(second.timeout, 2s);
  EXPECT_EQ(second.bearer_token, "hunter2");
  EXPECT_TRUE(read.receivers[1].webhooks.empty());
}

TEST(notify_file, inhibit_rules_take_both_forms_of_matchers) {
  const notify_policy read = parse(whole);
  ASSERT_EQ(read.inhibit_rules.size(), 2U);
  EXPECT_EQ(read.inhibit_rules[0].source, *parse_label_matchers(R"(severity="critical")"));
  EXPECT_EQ(read.inhibit_rules[0].target,
            *parse_label_matchers(R"(severity="warning",item=~"^(?:cpu.*)$")"));
  EXPECT_EQ(read.inhibit_rules[0].equal, (std::vector<std::string>{"rack", "alertname"}));
  EXPECT_EQ(read.inhibit_rules[1].source, *parse_label_matchers(R"(a="b",c=~"^(?:d)$")"));
  EXPECT_EQ(read.inhibit_rules[1].target, *parse_label_matchers(R"(e="f",g="h")"));
}

TEST(notify_file, time_intervals_come_from_both_lists) {
  const notify_policy read = parse(whole);
  ASSERT_EQ(read.time_intervals.size(), 2U);
  EXPECT_EQ(read.time_intervals[0].name, "maintenance");
  time_interval wanted;
  wanted.times = {{120, 240}};
  wanted.weekdays = {{1, 5}, {0, 0}};
  wanted.days_of_month = {{1, 5}, {-3, -1}};
  wanted.months = {{1, 3}, {12, 12}};
  wanted.years = {{2026, 2028}};
  wanted.location = "Europe/Berlin";
  EXPECT_EQ(read.time_intervals[0].intervals, (std::vector<time_interval>{wanted, {}}));
  EXPECT_EQ(read.time_intervals[1].name, "hours");
  EXPECT_EQ(read.time_intervals[1].intervals[0].times, (std::vector<minute_range>{{540, 1440}}));
}

TEST(notify_file, the_original_keeps_everything_but_secrets) {
  const std::string original = parse(whole).original;
  for (const char* secret : {"hunter2", "T0KEN", "pw@", "x=1"}) {
    EXPECT_EQ(original.find(secret), std::string::npos) << secret << "\n" << original;
  }
  EXPECT_NE(original.find("    webhook_configs:\n"
                          "      - url: http://127.0.0.1:8080/<secret>\n"
                          "        send_resolved: false\n"
                          "        max_alerts: 5\n"
                          "      - url: https://hooks.example.com\n"
                          "        http_config:\n"
                          "          authorization:\n"
                          "            type: Bearer\n"
                          "            credentials: <secret>\n"),
            std::string::npos)
      << original;
  EXPECT_EQ(original.find("timeout: 2s"), std::string::npos) << original;
}

TEST(notify_file, the_original_reads_back_as_the_same_policy) {
  const notify_policy first = parse(whole);
  std::string again = "notify:\n";
  for (std::size_t at = 0; at < first.original.size();) {
    const auto end = first.original.find('\n', at);
    again += "  " + first.original.substr(at, end - at) + "\n";
    at = end + 1;
  }
  const notify_policy second = parse(again);
  EXPECT_EQ(second.original, first.original);
  ASSERT_EQ(second.root.routes.size(), 2U);
  EXPECT_EQ(second.root.routes[0].key, first.root.routes[0].key);
  EXPECT_EQ(second.root.routes[0].routes[2].key, first.root.routes[0].routes[2].key);
  EXPECT_EQ(second.time_intervals[0].intervals, first.time_intervals[0].intervals);
  EXPECT_EQ(second.inhibit_rules[1].target, first.inhibit_rules[1].target);
}

/// A folder of its own that is gone afterwards.
class notify_secrets : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "tocsin-notify-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name) << bytes;
  }
  std::string file() const { return (folder_ / "tocsin.yaml").string(); }
  std::string errors(const std::string& webhook) const {
    diagnostics found;
    (void)parse_settings("notify: {receivers: [{name: x, webhook_configs: [" + webhook + "]}]}",
                         file(), found);
    return texts(found);
  }

  std::filesystem::path folder_;
};

TEST_F(notify_secrets, are_read_from_files_beside_the_settings) {
  write("url", "  http://127.0.0.1/x\n");
  write("token", "hunter2\r\n");
  const notify_policy read = parse(
      "notify: {receivers: [{name: x, webhook_configs: [{url_file: url, http_config: "
      "{authorization: {credentials_file: token}}}]}]}",
      file());
  EXPECT_EQ(read.receivers[0].webhooks[0].url, "http://127.0.0.1/x");
  EXPECT_EQ(read.receivers[0].webhooks[0].bearer_token, "hunter2");
  EXPECT_NE(read.original.find("url: http://url_file/<secret>\n"), std::string::npos);
  EXPECT_NE(read.original.find("credentials_file: token\n"), std::string::npos);
  EXPECT_EQ(read.original.find("hunter2"), std::string::npos);
}

TEST_F(notify_secrets, that_cannot_be_used_are_errors_that_do_not_show_them) {
  write("empty", "\n");
  write("broken", "ftp-hunter2");
  write("lines", "hunter2\nhunter3");
  EXPECT_NE(errors("{url_file: gone}").find("'url_file': cannot read '"), std::string::npos);
  EXPECT_NE(errors("{url_file: empty}").find("'empty' is empty"), std::string::npos);
  EXPECT_NE(errors("{url_file: broken}").find("'url_file' is no web address"), std::string::npos);
  EXPECT_EQ(errors("{url_file: broken}").find("hunter2"), std::string::npos);
  const std::string lines =
      errors("{url: 'http://a/', http_config: {authorization: {credentials_file: lines}}}");
  EXPECT_NE(lines.find("more than one line"), std::string::npos) << lines;
  EXPECT_EQ(lines.find("hunter2"), std::string::npos);
}

TEST_F(notify_secrets, and_addresses_are_checked) {
  for (const char* webhook :
       {"{}", "{url: ''}", "{url: ftp://a}", "{url: 'http://'}", "{url: 'http:///x'}",
        "{url: 'http://a b/'}", "{url: 'http://a', url_file: b}", "{url: 'http://a', max_alert: 1}",
        "{url: 'http://a', max_alerts: -1}", "{url: 'http://a', send_resolved: maybe}",
        "{url: 'http://a', send_resolved: no}", "{url: 'http://a', timeout: 0s}",
        "{url: 'http://a', http_config: {tls_config: {}}}",
        "{url: 'http://a', http_config: {bearer_token: x}}",
        "{url: 'http://a', http_config: {authorization: {}}}",
        "{url: 'http://a', http_config: {authorization: {type: Basic, credentials: x}}}",
        "{url: 'http://a', http_config: {authorization: {credentials: x, credentials_file: y}}}",
        "text"}) {
    EXPECT_NE(errors(webhook), "") << webhook;
  }
  EXPECT_EQ(errors("{url: 'http://u:hunter2@/'}").find("hunter2"), std::string::npos);
}

TEST(notify_file, what_tocsin_does_not_deliver_is_refused_by_name) {
  EXPECT_EQ(errors_of(R"(notify:
  global: {smtp_from: a@b, resolve_timout: 5m}
  templates: ['*.tmpl']
  receivers:
    - name: x
      email_configs: [{to: a@b}]
      webhok_configs: []
)"),
            "t.yaml:3:3: error: 'templates' is not used by tocsin: webhooks are sent "
            "Alertmanager's JSON, which has no templates\n"
            "t.yaml:2:12: error: 'smtp_from' is not used by tocsin, which delivers webhook_configs "
            "only\n"
            "t.yaml:2:28: error: unknown field 'resolve_timout' (did you mean 'resolve_timeout'?)\n"
            "t.yaml:6:7: error: 'email_configs' cannot be delivered: tocsin delivers "
            "webhook_configs only\n"
            "t.yaml:7:7: error: unknown field 'webhok_configs' (did you mean "
            "'webhook_configs'?)\n");
}

TEST(notify_file, names_that_nothing_has_are_errors_with_a_suggestion) {
  EXPECT_EQ(errors_of_route("    receiver: nome\n    routes:\n"
                            "      - mute_time_intervals: [night]\n"
                            "        active_time_intervals: [always]\n"),
            "t.yaml:5:15: error: 'receiver': there is no receiver 'nome' (did you mean 'none'?)\n"
            "t.yaml:7:31: error: 'mute_time_intervals': there is no time interval 'night' (did you "
            "mean 'nights'?)\n"
            "t.yaml:8:33: error: 'active_time_intervals': there is no time interval 'always'\n");
}

TEST(notify_file, names_that_two_have_are_errors) {
  EXPECT_EQ(errors_of(R"(notify:
  receivers: [{name: a}, {name: b}, {name: a}]
  time_intervals: [{name: n}]
  mute_time_intervals:
    - {name: n}
    - {}
)"),
            "t.yaml:2:37: error: a second receiver 'a' (first at line 2)\n"
            "t.yaml:5:7: error: a second time interval 'n' (first at line 3)\n"
            "t.yaml:6:7: error: 'name' is missing (what routes call it)\n");
}

TEST(notify_file, the_root_takes_every_alert_always) {
  EXPECT_EQ(errors_of_route("    routes: []\n"),
            "t.yaml:5:5: error: 'receiver' is missing (who is told of what no other route "
            "takes)\n");
  for (const char* field :
       {"matchers: [a=\"b\"]", "match: {a: b}", "match_re: {a: b}", "continue: true",
        "mute_time_intervals: [nights]", "active_time_intervals: [nights]"}) {
    const std::string all = errors_of_route("    receiver: none\n    " + std::string(field) + "\n");
    EXPECT_NE(all.find("has no place in the root route"), std::string::npos) << field << all;
  }
  EXPECT_EQ(errors_of_route("    receiver: none\n    continue: false\n    matchers: []\n"), "");
}

TEST(notify_file, what_is_wrong_in_a_route_is_pointed_at) {
  const auto child = [](const std::string& field) {
    return errors_of_route("    receiver: none\n    routes:\n      - {" + field + "}\n");
  };
  EXPECT_EQ(child("group_by: ['...', a]"),
            "t.yaml:7:20: error: 'group_by': '...' is every label, so it stands alone\n");
  EXPECT_EQ(child("group_by: [a, a]"), "t.yaml:7:24: error: 'group_by': 'a' is there twice\n");
  EXPECT_NE(child("group_by: [a.b]").find("'a.b' is not a label name"), std::string::npos);
  EXPECT_EQ(child("group_interval: 0s"),
            "t.yaml:7:26: error: 'group_interval': 0s is too short (at least 1ms)\n");
  EXPECT_EQ(child("group_wait: 5"),
            "t.yaml:7:22: error: 'group_wait': \"5\" is not a duration (try 5m, 1h30m or 7d)\n");
  EXPECT_NE(child("repeat_interval: 28y").find("is not a duration"), std::string::npos);
  EXPECT_NE(child("matchers: a=b").find("'matchers' must be a list"), std::string::npos);
  EXPECT_NE(child("matchers: ['a=~\"(\"']").find("t.yaml:7:26"), std::string::npos)
      << child("matchers: ['a=~\"(\"']");
  EXPECT_NE(child("match: {a.b: c}").find("'a.b' is not a label name"), std::string::npos);
  EXPECT_NE(child("match_re: {a: '('}").find("'match_re'"), std::string::npos);
  EXPECT_NE(child("recevier: none").find("did you mean 'receiver'?"), std::string::npos);
}

TEST(notify_file, what_is_wrong_in_an_interval_is_pointed_at) {
  const auto part = [](const std::string& field) {
    return errors_of("notify: {time_intervals: [{name: n, time_intervals: [{" + field + "}]}]}");
  };
  for (const char* field :
       {"times: [{start_time: '22:00', end_time: '06:00'}]", "times: [{start_time: '22:00'}]",
        "times: [{start_time: '9', end_time: '10:00'}]", "weekdays: [mondy]",
        "weekdays: ['friday:monday']", "days_of_month: ['32']", "months: [13]", "years: [x]",
        "location: Europe/Berln", "weekday: [monday]", "times: {}"}) {
    EXPECT_NE(part(field), "") << field;
  }
  EXPECT_NE(part("weekdays: [mondy]").find("did you mean 'monday'?"), std::string::npos);
}

TEST(notify_file, all_errors_are_reported_at_once) {
  diagnostics found;
  (void)parse_settings(R"(notify:
  global: {resolve_timeout: x}
  route: {receiver: nobody, group_wait: x}
  receivers: [{name: a, webhook_configs: [{url: x, max_alerts: x}]}]
  inhibit_rules: [{equal: ['']}, text]
escalation: [{levels: []}]
incidents: [{min_alerts: 1}]
assignment: {rules: [{}]}
flapping: {detect: perhaps}
store: {retention: 5s}
)",
                       "t.yaml", found);
  EXPECT_EQ(found.size(), 15U) << texts(found);
}

}  // namespace
}  // namespace tocsin
