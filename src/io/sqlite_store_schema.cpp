// SPDX-License-Identifier: Apache-2.0
// The versions of the alert store's tables.
#include "io/sqlite_store_schema.hpp"

#include <fmt/format.h>

#include <array>

namespace tocsin {
namespace {

// Few indexes: each one costs every new alert a place in another tree, and one whose places are not
// at its end costs a page of 4 KiB. So alerts of a rule are looked for in the order of their
// starts, within the index; and orders that an index does not give to the end (alert ids of one
// start) are sorted within their equal part. Records whose keys come in no order have them in an
// index, not WITHOUT ROWID: so the records, which are larger, are written at the end.
constexpr const char* version_1 = R"sql(
CREATE TABLE store (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  name TEXT NOT NULL,
  clock INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  indexed_seq INTEGER NOT NULL
);
INSERT INTO store VALUES (1, lower(hex(randomblob(8))), 0, 0, 0);

CREATE TABLE rules (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

CREATE TABLE alerts (
  id INTEGER PRIMARY KEY,
  alert_id BLOB NOT NULL,
  fingerprint BLOB NOT NULL,
  origin INTEGER NOT NULL,
  rule INTEGER NOT NULL REFERENCES rules (id),
  severity INTEGER NOT NULL,
  state INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  fired_at INTEGER,
  first_acknowledged_at INTEGER,
  ended_at INTEGER,
  ended_by_operator INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  body BLOB,
  record BLOB
);
CREATE INDEX alerts_by_alert_id ON alerts (alert_id);
CREATE INDEX alerts_by_start ON alerts (started_at, rule);
CREATE INDEX alerts_by_firing ON alerts (fired_at) WHERE fired_at IS NOT NULL;
CREATE INDEX alerts_by_end ON alerts (ended_at);

CREATE TABLE transitions (
  seq INTEGER PRIMARY KEY,
  alert INTEGER NOT NULL REFERENCES alerts (id),
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  state INTEGER NOT NULL,
  cause TEXT NOT NULL,
  actor TEXT NOT NULL,
  body BLOB NOT NULL
);
CREATE INDEX transitions_by_alert ON transitions (alert);

CREATE TABLE silences (
  id TEXT PRIMARY KEY,
  matchers TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  comment TEXT NOT NULL,
  scope TEXT NOT NULL,
  recurs TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE groups (key TEXT NOT NULL UNIQUE, bytes BLOB NOT NULL);
CREATE TABLE facts (name TEXT NOT NULL UNIQUE, value BLOB NOT NULL);

CREATE TABLE notices (
  place INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  receiver TEXT NOT NULL,
  at INTEGER NOT NULL,
  standing INTEGER NOT NULL DEFAULT 0,
  tries INTEGER NOT NULL DEFAULT 0,
  failure TEXT NOT NULL DEFAULT '',
  body BLOB NOT NULL
);
CREATE INDEX notices_pending ON notices (receiver, place) WHERE standing = 0;
CREATE INDEX notices_settled ON notices (at) WHERE standing <> 0;

CREATE VIRTUAL TABLE full_text USING fts5 (
  texts, notes, tokenize = 'unicode61 remove_diacritics 2', detail = none, columnsize = 0
);
CREATE TABLE text_changes (alert INTEGER PRIMARY KEY);

CREATE VIEW readable_alerts AS
SELECT a.id, lower(hex(a.alert_id)) AS alert_id, lower(hex(a.fingerprint)) AS fingerprint,
  CASE a.origin WHEN 0 THEN 'rule' WHEN 1 THEN 'posted' ELSE 'incident' END AS origin,
  r.name AS rule,
  CASE a.severity WHEN 0 THEN 'critical' WHEN 1 THEN 'error' WHEN 2 THEN 'warning' ELSE 'info' END
    AS severity,
  CASE a.state WHEN 1 THEN 'pending' WHEN 2 THEN 'firing' WHEN 3 THEN 'acknowledged'
    WHEN 4 THEN 'resolved' WHEN 5 THEN 'closed' ELSE 'none' END AS state,
  strftime('%Y-%m-%dT%H:%M:%fZ', a.started_at / 1000.0, 'unixepoch') AS started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', a.fired_at / 1000.0, 'unixepoch') AS fired_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', a.first_acknowledged_at / 1000.0, 'unixepoch')
    AS first_acknowledged_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', a.ended_at / 1000.0, 'unixepoch') AS ended_at,
  a.last_seq
FROM alerts a LEFT JOIN rules r ON r.id = a.rule;

CREATE VIEW readable_transitions AS
SELECT t.seq, lower(hex(a.alert_id)) AS alert_id, t.number,
  strftime('%Y-%m-%dT%H:%M:%fZ', t.at / 1000.0, 'unixepoch') AS at,
  CASE t.state WHEN 1 THEN 'pending' WHEN 2 THEN 'firing' WHEN 3 THEN 'acknowledged'
    WHEN 4 THEN 'resolved' WHEN 5 THEN 'closed' ELSE 'none' END AS state,
  t.cause, t.actor
FROM transitions t LEFT JOIN alerts a ON a.id = t.alert;
)sql";

/// The event log's step that led to the last changes; 0: none that is known.
constexpr const char* version_2 = "ALTER TABLE store ADD COLUMN step INTEGER NOT NULL DEFAULT 0";

constexpr std::array migrations{store_migration{1, version_1}, store_migration{2, version_2}};

}  // namespace

std::span<const store_migration> store_migrations() noexcept {
  return migrations;
}

std::optional<error> migrate(sqlite_database& file, std::span<const store_migration> steps) {
  const auto version = file.integer("PRAGMA user_version").value_or(0);
  const auto application = file.integer("PRAGMA application_id").value_or(0);
  const auto tables = file.integer("SELECT count(*) FROM sqlite_master").value_or(0);
  if (file.failed()) return file.take_failure();
  if (application != store_application_id && (tables > 0 || application != 0)) {
    file.fail("it is no alert store: another program made it");
    return file.take_failure();
  }
  const int newest = steps.empty() ? 0 : steps.back().version;
  if (version > newest) {
    file.fail(
        fmt::format("it has version {}, this program knows versions up to {}: a newer tocsin "
                    "wrote it",
                    version, newest));
    return file.take_failure();
  }
  if (version == newest) return std::nullopt;
  sqlite_transaction all{file, sqlite_transaction::kind::write};
  file.execute(fmt::format("PRAGMA application_id = {}", store_application_id));
  for (const store_migration& step : steps) {
    if (step.version <= version) continue;
    file.execute(step.sql);
    file.execute(fmt::format("PRAGMA user_version = {}", step.version));
  }
  return all.commit();
}

}  // namespace tocsin
