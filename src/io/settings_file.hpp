// SPDX-License-Identifier: Apache-2.0
// The daemon's settings and how they are read from YAML. config/tocsin.yaml documents each one.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/alert_policy_file.hpp"
#include "io/durability_file.hpp"
#include "io/security_file.hpp"
#include "tocsin/alert_policy.hpp"
#include "tocsin/engine_limits.hpp"
#include "tocsin/enrichment.hpp"
#include "tocsin/event.hpp"
#include "tocsin/ingest_quotas.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

struct settings {
  std::string ingest_push =
      "tcp://127.0.0.1:5555";  ///< ingest.push: PULL endpoint for events; "" = off
  std::string ingest_acked = "tcp://127.0.0.1:5556";   ///< ingest.acked: ROUTER endpoint; "" = off
  std::string alerts_stream = "tcp://127.0.0.1:5557";  ///< alerts.stream: XPUB endpoint; "" = off
  std::string alerts_replay = "tcp://127.0.0.1:5558";  ///< alerts.replay: ROUTER endpoint; "" = off
  std::string http_listen = "127.0.0.1:9093";          ///< http.listen: HOST:PORT; "" = off
  std::vector<std::string> rules;  ///< rules: globs, relative to the settings file's folder
  /// data: folder for what must last; "" and "memory": nothing is durable
  std::string data;
  std::size_t shards = 0;  ///< shards: window aggregators; 0 = one a core
  duration tick =
      std::chrono::milliseconds{200};   ///< tick: how often time passes when no event comes
  std::string log_level = "info";       ///< log.level: debug, info, warning, error
  event_limits limits;                  ///< limits.*: bounds on events
  engine_limits state;                  ///< state.*: bounds on what windows hold and rules do
  std::vector<enrichment_step> enrich;  ///< enrich: what is done to labels before the rules
  /// notify, escalation, incidents, assignment, flapping: what becomes of alerts. Never null.
  std::shared_ptr<const alert_policy> policy = default_alert_policy();
  /// store.retention: how long what has ended is kept
  duration retention = std::chrono::days{90};
  security_settings security;      ///< security.*: who may connect to the ZeroMQ sockets
  durability_settings durability;  ///< event_log.*, snapshots.*, ingest.dedup.*
  ingest_quotas quotas;            ///< ingest.quotas, ingest.sources, ingest.shed
};

/// The folder for what must last; "" where nothing is durable.
[[nodiscard]] inline std::string data_folder(const settings& of) {
  return of.data == "memory" ? std::string{} : of.data;
}

/// Reads settings; `file` is named in the findings, and rule globs are made relative to its folder.
/// Unknown keys are errors with a suggestion; all errors are reported at once. Endpoints
/// beyond loopback are errors without security.curve: strangers get nothing.
[[nodiscard]] settings parse_settings(std::string_view yaml, const std::string& file,
                                      diagnostics& found);

/// Reads a settings file; a file that cannot be read is an error.
[[nodiscard]] settings load_settings(const std::string& file, diagnostics& found);

}  // namespace tocsin
