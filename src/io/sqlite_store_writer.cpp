// SPDX-License-Identifier: Apache-2.0
// The transactions of the alert store.
#include "io/sqlite_store_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "io/sqlite_store_columns.hpp"

namespace tocsin {
namespace {

void add_silences(sqlite_database& db, const book_changes& changes) {
  for (const silence_ptr& each : changes.silences) {
    const std::string matchers = matchers_text(each->matchers);
    const std::string recurs = recurs_text(each->recurs);
    db.prepared("INSERT OR REPLACE INTO silences VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind_text(1, each->id)
        .bind_text(2, matchers)
        .bind(3, to_unix_ms(each->starts_at))
        .bind(4, to_unix_ms(each->ends_at))
        .bind(5, to_unix_ms(each->updated_at))
        .bind_text(6, each->created_by)
        .bind_text(7, each->comment)
        .bind_text(8, scope_text(each->scope))
        .bind_text(9, recurs)
        .run();
  }
  for (const std::string& each : changes.silences_gone)
    db.prepared("DELETE FROM silences WHERE id = ?").bind_text(1, each).run();
}

void put(sqlite_database& db, const char* set, const char* remove, const std::string& key,
         const std::string& bytes) {
  if (bytes.empty()) {
    db.prepared(remove).bind_text(1, key).run();
  } else {
    db.prepared(set).bind_text(1, key).bind_blob(2, bytes).run();
  }
}

void add_records(sqlite_database& db, const book_changes& changes) {
  for (const group_record& each : changes.groups) {
    put(db, "INSERT OR REPLACE INTO groups VALUES (?, ?)", "DELETE FROM groups WHERE key = ?",
        each.key, each.bytes);
  }
  for (const auto& [name, value] : changes.facts) {
    put(db, "INSERT OR REPLACE INTO facts VALUES (?, ?)", "DELETE FROM facts WHERE name = ?", name,
        value);
  }
}

void add_notices(sqlite_database& db, const book_changes& changes) {
  for (const notice_ptr& each : changes.notices) {
    const std::string body = notice_bytes(*each);
    db.prepared("INSERT INTO notices (id, receiver, at, body) VALUES (?, ?, ?, ?)")
        .bind_text(1, each->id)
        .bind_text(2, each->receiver)
        .bind(3, to_unix_ms(each->at))
        .bind_blob(4, body)
        .run();
  }
}

}  // namespace

std::optional<error> sqlite_store_writer::commit(
    std::span<const std::shared_ptr<const book_changes>> changes) {
  if (changes.empty()) return std::nullopt;
  sqlite_transaction all{db_, sqlite_transaction::kind::write};
  alert_rows rows{db_, ids_};
  for (const auto& each : changes) {
    for (const transition& after : each->transitions) rows.add(after);
    for (const alert_record& record : each->alerts) rows.add(record);
    add_silences(db_, *each);
    add_records(db_, *each);
    add_notices(db_, *each);
  }
  rows.finish();
  // Changes without a step, made without an event log, leave it: they come behind it.
  std::uint64_t step = 0;
  for (const auto& each : changes) step = std::max(step, each->step);
  db_.prepared("UPDATE store SET clock = ?, seq = ?, step = max(step, ?)")
      .bind(1, to_unix_ms(changes.back()->clock))
      .bind(2, static_cast<std::int64_t>(rows.seq()))
      .bind(3, static_cast<std::int64_t>(step))
      .run();
  auto failure = all.commit();
  if (failure) ids_.forget_rules();  // some may have been made in what is undone
  return failure;
}

std::optional<error> sqlite_store_writer::settle(const notice_outcome& outcome) {
  sqlite_transaction all{db_, sqlite_transaction::kind::write};
  sqlite_statement& known = db_.prepared("SELECT 1 FROM notices WHERE id = ?");
  if (!known.bind_text(1, outcome.id).step())
    db_.fail(fmt::format("no notice has the id \"{}\"", outcome.id));
  known.reset();
  const std::int64_t standing = outcome.delivered ? 1 : outcome.final ? 2 : 0;
  db_.prepared(
         "UPDATE notices SET standing = ?, tries = tries + 1, failure = ? "
         "WHERE id = ? AND standing = 0")
      .bind(1, standing)
      .bind_text(2, outcome.delivered ? std::string_view{} : std::string_view{outcome.failure})
      .bind_text(3, outcome.id)
      .run();
  return all.commit();
}

bool sqlite_store_writer::forget_alerts(instant before) {
  std::vector<std::int64_t> gone;
  sqlite_statement& ended =
      db_.prepared("SELECT id FROM alerts WHERE ended_at < ? ORDER BY ended_at LIMIT ?");
  ended.bind(1, to_unix_ms(before)).bind(2, forget_max);
  while (ended.step()) gone.push_back(ended.integer(0));
  for (const std::int64_t each : gone) {
    for (const char* const from :
         {"DELETE FROM transitions WHERE alert = ?", "DELETE FROM full_text WHERE rowid = ?",
          "DELETE FROM text_changes WHERE alert = ?", "DELETE FROM alerts WHERE id = ?"})
      db_.prepared(from).bind(1, each).run();
  }
  return static_cast<std::int64_t>(gone.size()) == forget_max;
}

bool sqlite_store_writer::forget_notices(instant before) {
  sqlite_statement& gone = db_.prepared(
      "DELETE FROM notices WHERE place IN (SELECT place FROM notices WHERE "
      "standing <> 0 AND at < ? ORDER BY at LIMIT ?) RETURNING 1");
  gone.bind(1, to_unix_ms(before)).bind(2, forget_max);
  std::int64_t count = 0;
  while (gone.step()) ++count;
  return count == forget_max;
}

result<bool> sqlite_store_writer::forget(instant before) {
  ids_.read_alerts();  // the highest must be known before its row may go
  sqlite_transaction all{db_, sqlite_transaction::kind::write};
  const bool alerts = forget_alerts(before);
  const bool notices = forget_notices(before);
  if (auto failure = all.commit()) return *failure;
  return alerts || notices;
}

}  // namespace tocsin
