// SPDX-License-Identifier: Apache-2.0
// Settings from YAML: defaults, bounds, and the doors that stay shut.
#include "io/settings_file.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include "support/diagnostics_text.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

using testing::texts;

settings parse(std::string_view yaml) {
  diagnostics found;
  settings read = parse_settings(yaml, "/etc/tocsin/tocsin.yaml", found);
  EXPECT_TRUE(found.empty()) << texts(found);
  return read;
}

std::string errors_of(std::string_view yaml) {
  diagnostics found;
  (void)parse_settings(yaml, "t.yaml", found);
  return texts(found);
}

/// What the settings of two files say of alerts, in as far as the tests here change it.
void expect_equal_policies(const alert_policy& left, const alert_policy& right) {
  EXPECT_EQ(left.notify->routed, right.notify->routed);
  EXPECT_EQ(left.notify->resolve_timeout, right.notify->resolve_timeout);
  EXPECT_EQ(left.notify->receivers.size(), right.notify->receivers.size());
  EXPECT_EQ(left.notify->inhibit_rules.size(), right.notify->inhibit_rules.size());
  EXPECT_EQ(left.notify->time_intervals.size(), right.notify->time_intervals.size());
  EXPECT_EQ(left.notify->escalations.size(), right.notify->escalations.size());
  EXPECT_EQ(left.incidents.size(), right.incidents.size());
  EXPECT_EQ(left.assignment.rules.size(), right.assignment.rules.size());
  EXPECT_EQ(left.assignment.fallback, right.assignment.fallback);
  EXPECT_EQ(left.detect_flapping, right.detect_flapping);
  EXPECT_EQ(left.flap_memory, right.flap_memory);
  EXPECT_EQ(left.keep_expired_silences, right.keep_expired_silences);
}

void expect_equal(const settings& left, const settings& right) {
  EXPECT_EQ(left.ingest_push, right.ingest_push);
  EXPECT_EQ(left.ingest_acked, right.ingest_acked);
  EXPECT_EQ(left.alerts_stream, right.alerts_stream);
  EXPECT_EQ(left.alerts_replay, right.alerts_replay);
  EXPECT_EQ(left.http, right.http);
  EXPECT_EQ(left.data, right.data);
  EXPECT_EQ(left.quotas, right.quotas);
  EXPECT_EQ(left.shards, right.shards);
  EXPECT_EQ(left.tick, right.tick);
  EXPECT_EQ(left.log_level, right.log_level);
  EXPECT_EQ(left.limits.message_bytes, right.limits.message_bytes);
  EXPECT_EQ(left.limits.events_per_message, right.limits.events_per_message);
  EXPECT_EQ(left.limits.event_bytes, right.limits.event_bytes);
  EXPECT_EQ(left.limits.nesting, right.limits.nesting);
  EXPECT_EQ(left.limits.event_id_bytes, right.limits.event_id_bytes);
  EXPECT_EQ(left.limits.labels, right.limits.labels);
  EXPECT_EQ(left.limits.label_name_bytes, right.limits.label_name_bytes);
  EXPECT_EQ(left.limits.value_bytes, right.limits.value_bytes);
  EXPECT_EQ(left.limits.time_ahead_max, right.limits.time_ahead_max);
  EXPECT_EQ(left.enrich.size(), right.enrich.size());
  EXPECT_EQ(left.retention, right.retention);
  EXPECT_EQ(left.durability.log_horizon, right.durability.log_horizon);
  EXPECT_EQ(left.durability.log_bytes, right.durability.log_bytes);
  EXPECT_EQ(left.durability.snapshot_every, right.durability.snapshot_every);
  EXPECT_EQ(left.durability.dedup.horizon, right.durability.dedup.horizon);
  EXPECT_EQ(left.durability.dedup.entries, right.durability.dedup.entries);
  EXPECT_EQ(left.security.server_key_file, right.security.server_key_file);
  EXPECT_EQ(left.security.allow, right.security.allow);
  EXPECT_EQ(left.security.limits.connections, right.security.limits.connections);
  EXPECT_EQ(left.security.limits.subscriptions, right.security.limits.subscriptions);
  ASSERT_TRUE(left.policy && right.policy);
  expect_equal_policies(*left.policy, *right.policy);
}

TEST(settings_file, the_documented_file_is_exactly_the_defaults) {
  diagnostics found;
  const settings read = load_settings(TOCSIN_SOURCE_DIR "/config/tocsin.yaml", found);
  EXPECT_TRUE(found.empty()) << texts(found);
  expect_equal(read, settings{});
  EXPECT_EQ(read.rules, std::vector<std::string>{TOCSIN_SOURCE_DIR "/config/rules/*.yaml"});
}

/// The documented file with its examples in the places of the defaults.
std::string documented_examples() {
  std::ifstream in(TOCSIN_SOURCE_DIR "/config/tocsin.yaml");
  std::string all;
  for (std::string line; std::getline(in, line);) {
    const bool replaced = line == "enrich: []" || line == "escalation: []" ||
                          line == "incidents: []" || line == "  rules: []";
    const bool example = line.starts_with("#   ") || line == "# enrich:" ||
                         line == "# escalation:" || line == "# incidents:";
    if (!replaced) all += (example ? line.substr(2) : line) + "\n";
  }
  return all;
}

TEST(settings_file, the_examples_in_the_documented_file_are_settings) {
  const settings read = parse(documented_examples());
  EXPECT_EQ(read.enrich.size(), 5U);
  EXPECT_TRUE(read.policy->notify->routed);
  EXPECT_EQ(read.policy->notify->root.routes.size(), 1U);
  EXPECT_EQ(read.policy->notify->receivers.size(), 2U);
  EXPECT_EQ(read.policy->notify->inhibit_rules.size(), 1U);
  EXPECT_EQ(read.policy->notify->time_intervals.size(), 1U);
  ASSERT_EQ(read.policy->notify->escalations.size(), 1U);
  EXPECT_EQ(read.policy->notify->escalations[0].levels.size(), 2U);
  EXPECT_EQ(read.policy->incidents.size(), 1U);
  EXPECT_EQ(read.policy->assignment.rules.size(), 5U);
}

TEST(settings_file, an_empty_file_gives_the_defaults_and_no_rules) {
  expect_equal(parse(""), settings{});
  EXPECT_TRUE(parse("# nothing\n").rules.empty());
}

TEST(settings_file, every_setting_is_read) {
  const settings read = parse(R"(
ingest:
  {push: "tcp://127.0.0.1:1", acked: "tcp://localhost:2", dedup: {horizon: 2h, entries: 5000}}
alerts: {stream: "tcp://[::1]:3", replay: "ipc:///run/tocsin/replay"}
http: {listen: ""}
rules: /srv/*.yaml
data: /var/lib/tocsin
shards: 256
tick: 1s
log: {level: debug}
limits:
  message_bytes: 2MiB
  events_per_message: 500
  event_bytes: 32KiB
  nesting: 6
  event_id_bytes: 64
  labels: 10
  label_name_bytes: 16
  value_bytes: 1000
  time_ahead_max: 5s
enrich: [{drop: [tmp]}]
store: {retention: 365d}
event_log: {horizon: 7d, bytes: 1GiB}
snapshots: {every: 10s}
flapping: {detect: false}
)");
  settings wanted;
  wanted.ingest_push = "tcp://127.0.0.1:1";
  wanted.ingest_acked = "tcp://localhost:2";
  wanted.alerts_stream = "tcp://[::1]:3";
  wanted.alerts_replay = "ipc:///run/tocsin/replay";
  wanted.http.listen = "";
  wanted.data = "/var/lib/tocsin";
  wanted.shards = 256;
  wanted.tick = 1s;
  wanted.log_level = "debug";
  wanted.limits = {2 * 1024 * 1024, 500, 32 * 1024, 6, 64, 10, 16, 1000, 5s};
  wanted.enrich.resize(1);
  wanted.retention = 8760h;
  wanted.durability = {168h, 1024 * 1024 * 1024, 10s, {2h, 5000}};
  alert_policy policy;
  policy.detect_flapping = false;
  wanted.policy = std::make_shared<const alert_policy>(policy);
  expect_equal(read, wanted);
  EXPECT_EQ(read.rules, std::vector<std::string>{"/srv/*.yaml"});
}

TEST(settings_file, what_lasts_has_bounds) {
  EXPECT_NE(errors_of("event_log: {bytes: 1MiB}").find("at least 64MiB"), std::string::npos);
  EXPECT_NE(errors_of("event_log: {horizon: 10001d}"), "");
  EXPECT_NE(errors_of("snapshots: {every: 10ms}"), "");
  EXPECT_NE(errors_of("snapshots: {every: 2d}").find("too long"), std::string::npos);
  EXPECT_NE(errors_of("ingest: {dedup: {entries: 1}}"), "");
  EXPECT_NE(errors_of("ingest: {dedup: {horizon: 8d}}").find("too long"), std::string::npos);
  EXPECT_NE(errors_of("event_log: {size: 1GiB}").find("size"), std::string::npos);
}

TEST(settings_file, memory_is_the_same_as_no_folder) {
  EXPECT_EQ(data_folder(parse("data: memory")), "");
  EXPECT_EQ(data_folder(parse("")), "");
  EXPECT_EQ(data_folder(parse("data: /srv/tocsin")), "/srv/tocsin");
}

TEST(settings_file, rule_globs_are_relative_to_the_settings_files_folder) {
  const settings read = parse("rules: [rules/*.yaml, /abs/x.yaml]");
  EXPECT_EQ(read.rules, (std::vector<std::string>{"/etc/tocsin/rules/*.yaml", "/abs/x.yaml"}));
}

TEST(settings_file, endpoints_that_strangers_could_reach_are_errors_that_say_why) {
  for (const char* endpoint :
       {"tcp://0.0.0.0:5555", "tcp://*:5555", "tcp://192.168.1.2:5555", "tcp://eth0:5555",
        "tcp://127.example.com:5555", "tcp://127.0.0.1.example.com:5555", "tcp://[::]:5555"}) {
    const std::string all = errors_of("ingest: {push: '" + std::string(endpoint) + "'}");
    EXPECT_NE(all.find("is not a loopback address"), std::string::npos) << endpoint << all;
    EXPECT_NE(all.find("not authenticated"), std::string::npos) << endpoint;
  }
  EXPECT_NE(errors_of("http: {listen: '0.0.0.0:9093'}").find("is not a loopback address"),
            std::string::npos);
}

TEST(settings_file, endpoints_on_this_host_are_accepted) {
  for (const char* endpoint : {"tcp://127.0.0.1:5555", "tcp://127.1.2.3:0", "tcp://127.0.0.1:*",
                               "tcp://localhost:1", "tcp://[::1]:1", "ipc:///run/x", ""}) {
    EXPECT_EQ(errors_of("ingest: {acked: '" + std::string(endpoint) + "'}"), "") << endpoint;
  }
}

TEST(settings_file, security_names_files_beside_the_settings_and_limits) {
  const auto read = parse(R"(
security:
  curve: {server_key_file: server.key}
  allow: {agents: keys/agents.allow, subscribers: /srv/subscribers.allow, nodes: ""}
  connections: 20
  subscriptions: 30
)");
  EXPECT_TRUE(read.security.curve());
  EXPECT_EQ(read.security.server_key_file, "/etc/tocsin/server.key");
  EXPECT_EQ(read.security.allow[static_cast<std::size_t>(curve_role::agents)],
            "/etc/tocsin/keys/agents.allow");
  EXPECT_EQ(read.security.allow[static_cast<std::size_t>(curve_role::subscribers)],
            "/srv/subscribers.allow");
  EXPECT_EQ(read.security.allow[static_cast<std::size_t>(curve_role::operators)], "");
  EXPECT_EQ(read.security.allow[static_cast<std::size_t>(curve_role::nodes)], "");
  EXPECT_EQ(read.security.limits.connections, 20U);
  EXPECT_EQ(read.security.limits.subscriptions, 30U);
}

TEST(settings_file, with_curve_endpoints_may_be_reached_from_elsewhere_and_http_may_not) {
  const std::string curve = "security: {curve: {server_key_file: server.key}}\n";
  for (const char* endpoint : {"tcp://0.0.0.0:5555", "tcp://*:5555", "tcp://192.0.2.1:5555",
                               "tcp://[::]:5555", "tcp://eth0:5555"}) {
    EXPECT_EQ(errors_of(curve + "ingest: {push: '" + endpoint + "', acked: '" + endpoint +
                        "'}\nalerts: {stream: '" + endpoint + "', replay: '" + endpoint + "'}\n"),
              "")
        << endpoint;
  }
  EXPECT_NE(errors_of(curve + "http: {listen: '0.0.0.0:9093'}").find("is not a loopback address"),
            std::string::npos);
  EXPECT_NE(errors_of(curve + "ingest: {push: 'tcp://:5555'}").find("has no host"),
            std::string::npos);
  EXPECT_NE(errors_of("security: {curve: {server_key_file: \"\"}}\ningest: {push: 'tcp://*:1'}")
                .find("security.curve makes them so"),
            std::string::npos);
}

TEST(settings_file, allow_lists_without_curve_are_an_error) {
  EXPECT_NE(errors_of("security: {allow: {agents: a.allow}}").find("nobody is asked for a key"),
            std::string::npos);
}

TEST(settings_file, security_is_read_strictly) {
  for (const char* line :
       {"security: {curve: server.key}", "security: {curv: {}}", "security: {curve: {secret: x}}",
        "security: {allow: {agent: x}}", "security: {connections: 0}",
        "security: {connections: 100001}", "security: {subscriptions: many}",
        "security: {subscriptions: 1000001}", "security: yes"}) {
    EXPECT_NE(errors_of(line), "") << line;
  }
}

TEST(settings_file, endpoints_that_are_none_are_errors) {
  for (const char* endpoint : {"127.0.0.1:5555", "tcp://127.0.0.1", "tcp://127.0.0.1:99999",
                               "udp://127.0.0.1:1", "ipc://", "tcp://127.0.0.1:"}) {
    EXPECT_NE(errors_of("alerts: {stream: '" + std::string(endpoint) + "'}"), "") << endpoint;
  }
}

TEST(settings_file, unknown_settings_are_errors_with_a_suggestion) {
  EXPECT_EQ(errors_of("ingest:\n  psh: x\nshard: 2\n"),
            "t.yaml:3:1: error: unknown field 'shard' (did you mean 'shards'?)\n"
            "t.yaml:2:3: error: unknown field 'psh' (did you mean 'push'?)\n");
}

TEST(settings_file, numbers_are_what_they_look_like_and_within_bounds) {
  for (const char* line : {"shards: 257",
                           "shards: -1",
                           "shards: 08",
                           "shards: 0777",
                           "shards: 2.0",
                           "shards: many",
                           "limits: {nesting: 0}",
                           "limits: {events_per_message: 0}",
                           "limits: {message_bytes: 1MB}",
                           "limits: {message_bytes: 65MiB}",
                           "limits: {value_bytes: 99999999999999999999MiB}",
                           "limits: {value_bytes: KiB}",
                           "limits: {event_bytes: 2MiB}",
                           "limits: {time_ahead_max: 2d}",
                           "tick: 0s",
                           "tick: 2m",
                           "tick: 200",
                           "log: {level: trace}",
                           "store: {retention: 59m}",
                           "store: {retention: 10001d}",
                           "store: {retain: 1d}"}) {
    EXPECT_NE(errors_of(line), "") << line;
  }
}

TEST(settings_file, all_errors_are_reported_at_once) {
  diagnostics found;
  (void)parse_settings("shards: 999\ntick: never\nlog: {level: loud}\nhttp: text\n", "t.yaml",
                       found);
  EXPECT_EQ(found.size(), 4U) << texts(found);
}

TEST(settings_file, a_file_that_cannot_be_read_is_an_error) {
  diagnostics found;
  (void)load_settings("/nowhere/tocsin.yaml", found);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].text().find("No such file"), std::string::npos) << texts(found);
}

}  // namespace
}  // namespace tocsin
