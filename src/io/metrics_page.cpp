// SPDX-License-Identifier: Apache-2.0
// The metric families and where their values come from.
#include "io/metrics_page.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

namespace tocsin {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using labels = std::vector<ClientMetric::Label>;

/// One name with its help, and a series for each set of labels.
class family {
 public:
  family(MetricType type, std::string name, std::string help)
      : built_{std::move(name), std::move(help), type, {}} {}

  family& add(double value, labels of = {}) {
    ClientMetric series;
    series.label = std::move(of);
    if (built_.type == MetricType::Counter) {
      series.counter.value = value;
    } else {
      series.gauge.value = value;
    }
    built_.metric.push_back(std::move(series));
    return *this;
  }
  family& add(std::uint64_t value, labels of = {}) {
    return add(static_cast<double>(value), std::move(of));
  }
  [[nodiscard]] MetricFamily take() { return std::move(built_); }

 private:
  MetricFamily built_;
};

family counter(std::string name, std::string help) {
  return {MetricType::Counter, std::move(name), std::move(help)};
}
family gauge(std::string name, std::string help) {
  return {MetricType::Gauge, std::move(name), std::move(help)};
}

void add_events(const pipeline_counts& from, std::vector<MetricFamily>& to) {
  to.push_back(counter("tocsin_events_received_total",
                       "Events received: accepted, duplicate, rejected or shed.")
                   .add(from.events.received)
                   .take());
  to.push_back(
      counter("tocsin_events_accepted_total", "Events taken in.").add(from.events.accepted).take());
  to.push_back(counter("tocsin_events_duplicate_total", "Events that had come before.")
                   .add(from.events.duplicate)
                   .take());
  auto rejected = counter("tocsin_events_rejected_total", "Events refused, by the reason's code.");
  for (const auto& [code, count] : from.rejected_by_code) rejected.add(count, {{"code", code}});
  to.push_back(rejected.take());
  to.push_back(counter("tocsin_events_shed_total", "Events dropped for lack of room.")
                   .add(from.events.shed)
                   .take());
  to.push_back(counter("tocsin_events_unmatched_total", "Accepted events that no rule wanted.")
                   .add(from.unmatched)
                   .take());
}

void add_sources(const std::map<std::string, ingest_counts>& by_source,
                 std::vector<MetricFamily>& to) {
  auto events = counter("tocsin_source_events_total",
                        "Events by source_id (empty: none given) and what became of them.");
  for (const auto& [source, counts] : by_source) {
    events.add(counts.accepted, {{"source", source}, {"outcome", "accepted"}})
        .add(counts.duplicate, {{"source", source}, {"outcome", "duplicate"}})
        .add(counts.rejected, {{"source", source}, {"outcome", "rejected"}})
        .add(counts.shed, {{"source", source}, {"outcome", "shed"}});
  }
  to.push_back(events.take());
}

void add_windows(const pipeline_counts& from, std::size_t rules, std::vector<MetricFamily>& to) {
  to.push_back(gauge("tocsin_rules", "Rules loaded.").add(std::uint64_t{rules}).take());
  to.push_back(counter("tocsin_log_steps_total", "Batches of events and ticks of the clock.")
                   .add(from.steps)
                   .take());
  to.push_back(counter("tocsin_window_updates_total",
                       "Events taken into windows, once for each set of windows that rules share.")
                   .add(from.updates)
                   .take());
  to.push_back(
      counter("tocsin_window_judgements_total", "Times that a rule's condition was judged.")
          .add(from.judgements)
          .take());
  to.push_back(gauge("tocsin_window_state_bytes", "State that windows hold, estimated.")
                   .add(from.bytes)
                   .take());
  to.push_back(gauge("tocsin_keys", "Keys that windows hold state for.").add(from.keys).take());
}

void add_rules(const std::map<std::string, rule_totals>& by_rule, std::vector<MetricFamily>& to) {
  const auto each = [&](family named, std::uint64_t rule_totals::*count) {
    for (const auto& [rule, totals] : by_rule) named.add(totals.*count, {{"rule", rule}});
    to.push_back(named.take());
  };
  each(counter("tocsin_late_events_total",
               "Events that came after a window they belong to had closed, by rule."),
       &rule_totals::late);
  each(gauge("tocsin_rule_keys", "Keys that a rule holds state for."), &rule_totals::keys);
  each(gauge("tocsin_rule_state_bytes",
             "State of a rule's windows, estimated; shared state counts for each rule."),
       &rule_totals::bytes);
  each(counter("tocsin_rule_overflow_events_total",
               "Events of new keys that a rule had no room for: they count under __overflow__."),
       &rule_totals::overflowed);
  each(counter("tocsin_rule_judgements_total", "Times that a rule's condition was judged."),
       &rule_totals::judgements);
  each(counter("tocsin_rule_met_total", "Times that a rule's condition became true."),
       &rule_totals::met);
  each(counter("tocsin_rule_failures_total",
               "Judgements that failed: the rule is off since the first."),
       &rule_totals::failures);
  each(counter("tocsin_rule_budget_exhausted_total",
               "Judgements left out because the rule had used up its budget."),
       &rule_totals::exhausted);
}

void add_alerts(const pipeline_counts& from, std::vector<MetricFamily>& to) {
  to.push_back(counter("tocsin_alert_transitions_total", "Alert transitions made.")
                   .add(from.transitions)
                   .take());
  to.push_back(gauge("tocsin_alerts_active", "Alerts that are pending, firing or acknowledged.")
                   .add(from.active_alerts)
                   .take());
  auto by_state = gauge("tocsin_alerts", "Active alerts by state.");
  for (const alert_state state :
       {alert_state::pending, alert_state::firing, alert_state::acknowledged}) {
    const auto found = from.alerts_by_state.find(state);
    by_state.add(found == from.alerts_by_state.end() ? 0 : found->second,
                 {{"state", std::string{to_text(state)}}});
  }
  to.push_back(by_state.take());
  to.push_back(
      gauge("tocsin_alerts_suppressed", "Active alerts that are silenced, inhibited or muted.")
          .add(from.suppressed_alerts)
          .take());
  auto silences = gauge("tocsin_silences", "Silences by state.");
  for (const silence_state state :
       {silence_state::pending, silence_state::active, silence_state::expired}) {
    const auto found = from.silences_by_state.find(state);
    silences.add(found == from.silences_by_state.end() ? 0 : found->second,
                 {{"state", std::string{to_text(state)}}});
  }
  to.push_back(silences.take());
  to.push_back(counter("tocsin_events_shielded_total",
                       "Accepted events that a silence kept out of the rules.")
                   .add(from.shielded)
                   .take());
  to.push_back(counter("tocsin_quarantined_events_total",
                       "Events of the event log kept out of the rules because the daemon crashed "
                       "at them twice.")
                   .add(from.quarantined)
                   .take());
  auto failed = counter("tocsin_alert_check_failures_total", "Checks of alerts that failed.");
  for (const auto& [check, count] : from.failed_checks) failed.add(count, {{"check", check}});
  to.push_back(failed.take());
}

void add_notices(const pipeline_counts& from, std::vector<MetricFamily>& to) {
  to.push_back(gauge("tocsin_notification_groups", "Groups of alerts that are told together.")
                   .add(from.notification_groups)
                   .take());
  auto made = counter("tocsin_notices_total", "Notices made, by receiver.");
  for (const auto& [receiver, count] : from.notices_by_receiver) {
    made.add(count, {{"receiver", receiver}});
  }
  to.push_back(made.take());
  to.push_back(counter("tocsin_notice_tries_total", "Tries to deliver a notice, by outcome.")
                   .add(from.store.notices_delivered, {{"outcome", "delivered"}})
                   .add(from.store.notices_retried, {{"outcome", "retried"}})
                   .add(from.store.notices_failed, {{"outcome", "failed"}})
                   .take());
}

void add_store(const store_counts& from, std::vector<MetricFamily>& to) {
  to.push_back(counter("tocsin_store_commits_total", "Transactions of the alert store.")
                   .add(from.commits, {{"outcome", "stored"}})
                   .add(from.failures, {{"outcome", "failed"}})
                   .take());
  to.push_back(counter("tocsin_store_commit_seconds_total", "Time spent on these transactions.")
                   .add(from.commit_seconds)
                   .take());
  to.push_back(gauge("tocsin_store_waiting_transitions", "Alert transitions not stored yet.")
                   .add(from.waiting)
                   .take());
  to.push_back(gauge("tocsin_store_bytes", "Size of the alert store.").add(from.bytes).take());
}

void add_event_log(const pipeline_counts& from, std::vector<MetricFamily>& to) {
  const event_log_counts& log = from.log;
  const snapshot_counts& snapshots = from.snapshots;
  to.push_back(gauge("tocsin_event_log_bytes", "Size of the event log.").add(log.bytes).take());
  to.push_back(counter("tocsin_event_log_records_total", "Steps written to the event log.")
                   .add(log.records)
                   .take());
  to.push_back(counter("tocsin_event_log_appended_bytes_total", "Bytes in these steps.")
                   .add(log.appended_bytes)
                   .take());
  to.push_back(counter("tocsin_event_log_syncs_total", "Times that the event log was synced.")
                   .add(log.syncs)
                   .take());
  to.push_back(counter("tocsin_event_log_sync_seconds_total", "Time spent on syncing it.")
                   .add(log.sync_seconds)
                   .take());
  to.push_back(counter("tocsin_event_log_failures_total",
                       "Writes that the event log refused, which were tried again.")
                   .add(log.failures)
                   .take());
  to.push_back(gauge("tocsin_event_log_waiting", "Steps that are not in the event log yet.")
                   .add(log.waiting)
                   .take());
  to.push_back(
      counter("tocsin_snapshots_total", "Snapshots of windows kept.").add(snapshots.kept).take());
  to.push_back(counter("tocsin_snapshot_failures_total", "Snapshots that could not be kept.")
                   .add(snapshots.failures)
                   .take());
  to.push_back(counter("tocsin_snapshot_seconds_total", "Time spent on writing snapshots.")
                   .add(snapshots.seconds)
                   .take());
  to.push_back(
      gauge("tocsin_snapshot_bytes", "Size of the newest snapshot.").add(snapshots.bytes).take());
  to.push_back(gauge("tocsin_recovery_steps",
                     "Steps of the event log that the last start went through again.")
                   .add(from.recovery_steps)
                   .take());
}

void add_enrichment(const std::vector<enrichment_counts>& steps,
                    const std::vector<lookup_status>& lookups, std::vector<MetricFamily>& to) {
  if (!steps.empty()) {
    auto events = counter("tocsin_enrich_events_total",
                          "Accepted events by enrichment step and what it did to them.");
    auto left_out = counter("tocsin_enrich_labels_left_out_total",
                            "Labels that an enrichment step made and that did not fit the limits.");
    for (const enrichment_counts& each : steps) {
      events.add(each.matched, {{"step", each.step}, {"outcome", "matched"}})
          .add(each.unmatched, {{"step", each.step}, {"outcome", "unmatched"}})
          .add(each.skipped, {{"step", each.step}, {"outcome", "skipped"}})
          .add(each.overflow, {{"step", each.step}, {"outcome", "overflow"}});
      left_out.add(each.labels_left_out, {{"step", each.step}});
    }
    to.push_back(events.take());
    to.push_back(left_out.take());
  }
  if (lookups.empty()) return;
  auto rows = gauge("tocsin_lookup_rows", "Rows of the lookup table in use.");
  auto loads = counter("tocsin_lookup_loads_total",
                       "Contents of a lookup table's file that were loaded or refused.");
  auto stale = gauge("tocsin_lookup_stale",
                     "1 while the file is not what the lookup table in use was read from.");
  for (const lookup_status& each : lookups) {
    const labels of{{"step", each.step}, {"file", each.file}};
    rows.add(each.rows, of);
    stale.add(std::uint64_t{each.stale}, of);
    loads.add(each.loaded, {{"step", each.step}, {"file", each.file}, {"outcome", "loaded"}})
        .add(each.failed, {{"step", each.step}, {"file", each.file}, {"outcome", "failed"}});
  }
  to.push_back(rows.take());
  to.push_back(loads.take());
  to.push_back(stale.take());
}

void add_surfaces(const std::vector<surface_counts>& surfaces, std::vector<MetricFamily>& to) {
  if (surfaces.empty()) return;
  auto open = gauge("tocsin_connections", "Open connections of a ZeroMQ socket.");
  auto refused = counter("tocsin_refused_connections_total",
                         "Connections that a ZeroMQ socket refused or cut off, by reason.");
  auto subscriptions =
      gauge("tocsin_subscriptions", "Prefixes that connections to the stream subscribe to.");
  for (const surface_counts& each : surfaces) {
    const std::string name{to_text(each.of)};
    open.add(each.connections, {{"surface", name}});
    for (const char* const reason : surface_counts::reasons) {
      const auto found = each.refused.find(reason);
      refused.add(found == each.refused.end() ? std::uint64_t{0} : found->second,
                  {{"surface", name}, {"reason", reason}});
    }
    if (each.of == surface::stream) subscriptions.add(each.subscriptions);
  }
  to.push_back(open.take());
  to.push_back(refused.take());
  to.push_back(subscriptions.take());
}

void add_acked(const acked_counts& from, std::vector<MetricFamily>& to) {
  to.push_back(counter("tocsin_acked_replies_total", "Replies to acknowledged requests.")
                   .add(from.ok, {{"status", "ok"}})
                   .add(from.retry, {{"status", "retry"}})
                   .add(from.rejected, {{"status", "reject"}})
                   .take());
  to.push_back(counter("tocsin_acked_replies_undelivered_total",
                       "Those whose sender had gone or did not read.")
                   .add(from.undelivered)
                   .take());
}

void add_http(const http_refusals& from, std::vector<MetricFamily>& to) {
  auto refused =
      counter("tocsin_http_refused_total", "HTTP connections and requests refused, by reason.");
  for (const http_refusal why : all_http_refusals) {
    refused.add(from.of(why), {{"reason", std::string{to_text(why)}}});
  }
  to.push_back(refused.take());
}

void add_process(const process_usage& from, std::vector<MetricFamily>& to) {
  if (from.resident_bytes) {
    to.push_back(gauge("process_resident_memory_bytes", "Memory of this process that is in RAM.")
                     .add(*from.resident_bytes)
                     .take());
  }
  if (from.started_at_seconds) {
    to.push_back(
        gauge("process_start_time_seconds", "When this process started, since the Unix epoch.")
            .add(*from.started_at_seconds)
            .take());
  }
}

/// Seconds from boot to this process's start: field 22 of /proc/self/stat (proc(5)).
std::optional<double> start_after_boot_seconds() {
  std::ifstream file{"/proc/self/stat"};
  // The program's name, field 2, may hold spaces and parentheses: count from its end.
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields{line.substr(name_end + 1)};
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  double ticks = 0;
  if (!(fields >> ticks)) return std::nullopt;
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::optional<double> start_time_seconds() {
  const auto started = start_after_boot_seconds();
  // The boot's own time stands in /proc/stat, which a hardened unit does not see.
  timespec since_boot{};
  if (!started || ::clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0) return std::nullopt;
  const std::chrono::duration<double> wall = std::chrono::system_clock::now().time_since_epoch();
  const double up =
      static_cast<double>(since_boot.tv_sec) + 1e-9 * static_cast<double>(since_boot.tv_nsec);
  return wall.count() - up + *started;
}

}  // namespace

process_usage read_process_usage() {
  process_usage now;
  std::ifstream memory{"/proc/self/statm"};
  std::uint64_t all_pages = 0;
  std::uint64_t resident_pages = 0;
  if (memory >> all_pages >> resident_pages) {
    now.resident_bytes = resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  // Once, for wall and boot clock drift apart and a start does not move.
  static const auto started = start_time_seconds();
  now.started_at_seconds = started;
  return now;
}

const std::string& metrics_page::shown_as(const std::string& source) {
  static const std::string others{ingest_ledger::other_sources};
  if (shown_sources_.contains(source)) return source;
  if (source == others || shown_sources_.size() >= sources_max) return others;
  shown_sources_.insert(source);
  return source;
}

std::map<std::string, ingest_counts> metrics_page::counts_by_shown_source(
    const std::map<std::string, ingest_counts>& by_source) {
  std::map<std::string, ingest_counts> shown;
  for (const auto& [source, counts] : by_source) {
    ingest_counts& into = shown[shown_as(source)];
    into.received += counts.received;
    into.accepted += counts.accepted;
    into.duplicate += counts.duplicate;
    into.rejected += counts.rejected;
    into.shed += counts.shed;
  }
  return shown;
}

std::map<std::string, std::uint64_t> metrics_page::late_by_shown_source(
    const std::map<std::string, std::uint64_t>& by_source) {
  std::map<std::string, std::uint64_t> shown;
  for (const auto& [source, count] : by_source) shown[shown_as(source)] += count;
  return shown;
}

std::string metrics_page::render(const pipeline_counts& counts, const process_usage& process,
                                 const std::vector<lookup_status>& lookups,
                                 const door_counts& doors) {
  std::vector<MetricFamily> families;
  families.push_back(gauge("tocsin_build_info", "The version that runs; the value is always 1.")
                         .add(1.0, {{"version", version_}})
                         .take());
  add_events(counts, families);
  add_sources(counts_by_shown_source(counts.by_source), families);
  auto late = counter("tocsin_source_late_events_total",
                      "Events by source_id that came too late for a window of some rule.");
  for (const auto& [source, count] : late_by_shown_source(counts.late_by_source))
    late.add(count, {{"source", source}});
  families.push_back(late.take());
  add_enrichment(counts.enrichment, lookups, families);
  add_windows(counts, rules_, families);
  add_rules(counts.by_rule, families);
  add_alerts(counts, families);
  add_notices(counts, families);
  add_event_log(counts, families);
  add_store(counts.store, families);
  add_surfaces(doors.surfaces, families);
  if (doors.acked) add_acked(*doors.acked, families);
  if (doors.http != nullptr) add_http(*doors.http, families);
  add_process(process, families);
  return prometheus::TextSerializer{}.Serialize(families);
}

}  // namespace tocsin
