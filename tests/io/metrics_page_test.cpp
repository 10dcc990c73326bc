// SPDX-License-Identifier: Apache-2.0
// The page Prometheus reads: exact values, stable series, sane facts of the process.
#include "io/metrics_page.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace tocsin {
namespace {

/// The lines of a page that are not comments.
std::vector<std::string> samples(const std::string& page) {
  std::vector<std::string> found;
  std::istringstream lines{page};
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('#')) found.push_back(line);
  }
  return found;
}

bool has_line(const std::string& page, const std::string& wanted) {
  return ("\n" + page).find("\n" + wanted + "\n") != std::string::npos;
}

TEST(metrics_page, every_count_stands_under_its_name) {
  pipeline_counts counts;
  counts.events = {.received = 20, .accepted = 11, .duplicate = 2, .rejected = 4, .shed = 3};
  counts.rejected_by_code = {{"bad_value", 3}, {"malformed", 1}};
  counts.by_source = {{"agent", {20, 11, 2, 4, 3}}};
  counts.unmatched = 5;
  counts.steps = 6;
  counts.updates = 7;
  counts.judgements = 8;
  counts.keys = 9;
  counts.by_rule["never"] = {};
  counts.by_rule["often"] = {.late = 10,
                             .keys = 21,
                             .bytes = 22,
                             .overflowed = 23,
                             .judgements = 24,
                             .met = 25,
                             .failures = 26,
                             .exhausted = 27};
  counts.late_by_source = {{"agent", 14}};
  counts.bytes = 15;
  counts.transitions = 12;
  counts.active_alerts = 13;
  counts.alerts_by_state = {{alert_state::firing, 31}, {alert_state::acknowledged, 32}};
  counts.suppressed_alerts = 33;
  counts.silences_by_state = {{silence_state::active, 34}, {silence_state::expired, 35}};
  counts.shielded = 36;
  counts.quarantined = 66;
  counts.failed_checks = {{"recover", 37}};
  counts.notification_groups = 38;
  counts.notices_by_receiver = {{"boss", 39}, {"ops", 40}};
  counts.store = {.commits = 41,
                  .failures = 42,
                  .last_failure = "the disk is full",
                  .commit_seconds = 1.5,
                  .waiting = 43,
                  .bytes = 44,
                  .notices_delivered = 45,
                  .notices_failed = 46,
                  .notices_retried = 47};
  counts.log = {.records = 51,
                .appended_bytes = 52,
                .syncs = 53,
                .sync_seconds = 1.5,
                .failures = 54,
                .last_failure = "the disk is full",
                .full = true,
                .waiting = 55,
                .bytes = 56};
  counts.snapshots = {
      .kept = 57, .failures = 58, .last_failure = "the disk is full", .seconds = 2.5, .bytes = 59};
  counts.recovery_steps = 60;
  const auto page = metrics_page{"1.2.3", 2}.render(
      counts, {.resident_bytes = 4096, .started_at_seconds = 1772359200.25});
  const std::set<std::string> wanted{
      R"(tocsin_build_info{version="1.2.3"} 1)",
      "tocsin_events_received_total 20",
      "tocsin_events_accepted_total 11",
      "tocsin_events_duplicate_total 2",
      R"(tocsin_events_rejected_total{code="bad_value"} 3)",
      R"(tocsin_events_rejected_total{code="malformed"} 1)",
      "tocsin_events_shed_total 3",
      R"(tocsin_source_events_total{source="agent",outcome="accepted"} 11)",
      R"(tocsin_source_events_total{source="agent",outcome="duplicate"} 2)",
      R"(tocsin_source_events_total{source="agent",outcome="rejected"} 4)",
      R"(tocsin_source_events_total{source="agent",outcome="shed"} 3)",
      "tocsin_events_unmatched_total 5",
      "tocsin_log_steps_total 6",
      "tocsin_window_updates_total 7",
      "tocsin_window_judgements_total 8",
      R"(tocsin_late_events_total{rule="never"} 0)",
      R"(tocsin_late_events_total{rule="often"} 10)",
      R"(tocsin_rule_keys{rule="never"} 0)",
      R"(tocsin_rule_keys{rule="often"} 21)",
      R"(tocsin_rule_state_bytes{rule="never"} 0)",
      R"(tocsin_rule_state_bytes{rule="often"} 22)",
      R"(tocsin_rule_overflow_events_total{rule="never"} 0)",
      R"(tocsin_rule_overflow_events_total{rule="often"} 23)",
      R"(tocsin_rule_judgements_total{rule="never"} 0)",
      R"(tocsin_rule_judgements_total{rule="often"} 24)",
      R"(tocsin_rule_met_total{rule="never"} 0)",
      R"(tocsin_rule_met_total{rule="often"} 25)",
      R"(tocsin_rule_failures_total{rule="never"} 0)",
      R"(tocsin_rule_failures_total{rule="often"} 26)",
      R"(tocsin_rule_budget_exhausted_total{rule="never"} 0)",
      R"(tocsin_rule_budget_exhausted_total{rule="often"} 27)",
      R"(tocsin_source_late_events_total{source="agent"} 14)",
      "tocsin_window_state_bytes 15",
      "tocsin_keys 9",
      "tocsin_alert_transitions_total 12",
      "tocsin_alerts_active 13",
      R"(tocsin_alerts{state="pending"} 0)",
      R"(tocsin_alerts{state="firing"} 31)",
      R"(tocsin_alerts{state="acknowledged"} 32)",
      "tocsin_alerts_suppressed 33",
      R"(tocsin_silences{state="pending"} 0)",
      R"(tocsin_silences{state="active"} 34)",
      R"(tocsin_silences{state="expired"} 35)",
      "tocsin_events_shielded_total 36",
      "tocsin_quarantined_events_total 66",
      R"(tocsin_alert_check_failures_total{check="recover"} 37)",
      "tocsin_notification_groups 38",
      R"(tocsin_notices_total{receiver="boss"} 39)",
      R"(tocsin_notices_total{receiver="ops"} 40)",
      R"(tocsin_store_commits_total{outcome="stored"} 41)",
      R"(tocsin_store_commits_total{outcome="failed"} 42)",
      "tocsin_store_commit_seconds_total 1.5",
      "tocsin_store_waiting_transitions 43",
      "tocsin_store_bytes 44",
      "tocsin_event_log_records_total 51",
      "tocsin_event_log_appended_bytes_total 52",
      "tocsin_event_log_syncs_total 53",
      "tocsin_event_log_sync_seconds_total 1.5",
      "tocsin_event_log_failures_total 54",
      "tocsin_event_log_waiting 55",
      "tocsin_event_log_bytes 56",
      "tocsin_snapshots_total 57",
      "tocsin_snapshot_failures_total 58",
      "tocsin_snapshot_seconds_total 2.5",
      "tocsin_snapshot_bytes 59",
      "tocsin_recovery_steps 60",
      R"(tocsin_notice_tries_total{outcome="delivered"} 45)",
      R"(tocsin_notice_tries_total{outcome="failed"} 46)",
      R"(tocsin_notice_tries_total{outcome="retried"} 47)",
      "tocsin_rules 2",
      "process_resident_memory_bytes 4096",
      "process_start_time_seconds 1772359200.25"};
  const auto lines = samples(page);
  EXPECT_EQ((std::set<std::string>{lines.begin(), lines.end()}), wanted) << page;
  EXPECT_EQ(lines.size(), wanted.size()) << "a series stands there twice";
}

TEST(metrics_page, each_family_has_its_help_and_its_kind) {
  const auto page = metrics_page{"1", 0}.render({}, {});
  EXPECT_TRUE(has_line(page, "# TYPE tocsin_events_received_total counter")) << page;
  EXPECT_TRUE(has_line(page, "# TYPE tocsin_late_events_total counter")) << page;
  EXPECT_TRUE(has_line(page, "# TYPE tocsin_keys gauge")) << page;
  EXPECT_TRUE(has_line(page, "# TYPE tocsin_alerts gauge")) << page;
  EXPECT_TRUE(has_line(page, "# TYPE tocsin_silences gauge")) << page;
  EXPECT_TRUE(has_line(page, "# TYPE tocsin_notices_total counter")) << page;
  EXPECT_TRUE(has_line(page, "# TYPE tocsin_store_commits_total counter")) << page;
  EXPECT_TRUE(has_line(page, "# TYPE tocsin_store_bytes gauge")) << page;
  EXPECT_NE(page.find("# HELP tocsin_keys "), std::string::npos) << page;
}

TEST(metrics_page, large_counts_are_written_to_the_last_digit) {
  pipeline_counts counts;
  counts.events.received = 123'456'789'012'345;
  EXPECT_TRUE(has_line(metrics_page("1", 0).render(counts, {}),
                       "tocsin_events_received_total 123456789012345"));
}

TEST(metrics_page, what_a_source_calls_itself_cannot_end_its_label) {
  pipeline_counts counts;
  counts.by_source["a\"} 1\nfake \\"] = {.received = 1, .accepted = 1};
  const auto page = metrics_page{"1", 0}.render(counts, {});
  EXPECT_TRUE(has_line(
      page, R"(tocsin_source_events_total{source="a\"} 1\nfake \\",outcome="accepted"} 1)"))
      << page;
}

TEST(metrics_page, series_of_alerts_silences_and_the_store_are_there_before_there_are_any) {
  const auto page = metrics_page{"1", 0}.render({}, {});
  for (const char* line :
       {R"(tocsin_alerts{state="pending"} 0)", R"(tocsin_alerts{state="firing"} 0)",
        R"(tocsin_alerts{state="acknowledged"} 0)", R"(tocsin_silences{state="active"} 0)",
        R"(tocsin_notice_tries_total{outcome="failed"} 0)",
        R"(tocsin_store_commits_total{outcome="failed"} 0)", "tocsin_events_shielded_total 0"}) {
    EXPECT_TRUE(has_line(page, line)) << line;
  }
}

TEST(metrics_page, what_could_not_be_read_of_the_process_is_left_out) {
  const auto page = metrics_page{"1", 0}.render({}, {});
  EXPECT_EQ(page.find("process_"), std::string::npos) << page;
}

TEST(metrics_page, sources_beyond_the_bound_are_counted_together_and_no_source_loses_its_place) {
  metrics_page page{"1", 0};
  pipeline_counts counts;
  for (std::size_t number = 0; number < metrics_page::sources_max; ++number) {
    counts.by_source["m" + std::to_string(number)] = {.received = 1, .accepted = 1};
  }
  counts.by_source["__other__"] = {.received = 5, .accepted = 5};
  const auto before = page.render(counts, {});
  EXPECT_TRUE(has_line(before, R"(tocsin_source_events_total{source="m0",outcome="accepted"} 1)"));
  EXPECT_TRUE(
      has_line(before, R"(tocsin_source_events_total{source="__other__",outcome="accepted"} 5)"));
  // In the order of names they come before and behind all others.
  counts.by_source["a"] = {.received = 2, .accepted = 2};
  counts.by_source["z"] = {.received = 3, .accepted = 3};
  const auto after = page.render(counts, {});
  for (std::size_t number = 0; number < metrics_page::sources_max; ++number) {
    EXPECT_TRUE(has_line(after, "tocsin_source_events_total{source=\"m" + std::to_string(number) +
                                    "\",outcome=\"accepted\"} 1"));
  }
  EXPECT_TRUE(
      has_line(after, R"(tocsin_source_events_total{source="__other__",outcome="accepted"} 10)"));
  EXPECT_EQ(after.find("source=\"a\""), std::string::npos);
  EXPECT_EQ(after.find("source=\"z\""), std::string::npos);
}

TEST(metrics_page, this_process_has_memory_and_started_before_now) {
  const auto now = read_process_usage();
  ASSERT_TRUE(now.resident_bytes);
  EXPECT_GT(*now.resident_bytes, 100'000U);
  ASSERT_TRUE(now.started_at_seconds);
  const std::chrono::duration<double> wall = std::chrono::system_clock::now().time_since_epoch();
  // The kernel counts starts in hundredths of a second.
  EXPECT_LE(*now.started_at_seconds, wall.count() + 0.01);
  EXPECT_GT(*now.started_at_seconds, wall.count() - 24 * 3600);
  EXPECT_EQ(read_process_usage().started_at_seconds, now.started_at_seconds);
}

TEST(metrics_page, enrichment_is_shown_by_step_and_table) {
  pipeline_counts counts;
  counts.enrichment = {{"1-lookup", 5, 4, 3, 2, 6}};
  const std::vector<lookup_status> lookups{{"1-lookup", "hosts.csv", 120, 7, 8, true}};
  const auto page = metrics_page("1", 0).render(counts, {}, lookups);
  for (const char* line :
       {R"(tocsin_enrich_events_total{step="1-lookup",outcome="matched"} 5)",
        R"(tocsin_enrich_events_total{step="1-lookup",outcome="unmatched"} 4)",
        R"(tocsin_enrich_events_total{step="1-lookup",outcome="skipped"} 3)",
        R"(tocsin_enrich_events_total{step="1-lookup",outcome="overflow"} 2)",
        R"(tocsin_enrich_labels_left_out_total{step="1-lookup"} 6)",
        R"(tocsin_lookup_rows{step="1-lookup",file="hosts.csv"} 120)",
        R"(tocsin_lookup_loads_total{step="1-lookup",file="hosts.csv",outcome="loaded"} 7)",
        R"(tocsin_lookup_loads_total{step="1-lookup",file="hosts.csv",outcome="failed"} 8)",
        R"(tocsin_lookup_stale{step="1-lookup",file="hosts.csv"} 1)"}) {
    EXPECT_TRUE(has_line(page, line)) << line;
  }
  const auto bare = metrics_page("1", 0).render({}, {});
  EXPECT_EQ(bare.find("tocsin_enrich"), std::string::npos) << "no steps, no series";
  EXPECT_EQ(bare.find("tocsin_lookup"), std::string::npos);
}

TEST(metrics_page, connections_and_refusals_are_shown_by_surface) {
  surface_counts push{.of = surface::push, .connections = 7, .subscriptions = 0, .refused = {}};
  push.refused = {{"unknown_key", 3}};
  const surface_counts stream{
      .of = surface::stream, .connections = 2, .subscriptions = 5, .refused = {}};
  const auto page = metrics_page("1", 0).render(
      {}, {}, {}, {.surfaces = {push, stream}, .acked = {}, .http = nullptr});
  for (const char* line :
       {R"(tocsin_connections{surface="push"} 7)", R"(tocsin_connections{surface="stream"} 2)",
        R"(tocsin_refused_connections_total{surface="push",reason="unknown_key"} 3)",
        R"(tocsin_refused_connections_total{surface="push",reason="connections"} 0)",
        R"(tocsin_refused_connections_total{surface="stream",reason="subscriptions"} 0)",
        "tocsin_subscriptions 5"}) {
    EXPECT_TRUE(has_line(page, line)) << line << "\n" << page;
  }
}

}  // namespace
}  // namespace tocsin
