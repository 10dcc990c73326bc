// SPDX-License-Identifier: Apache-2.0
// Reads back what was stored: the book's state, notices, one alert's life.
#include "io/sqlite_store_queries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "io/sqlite_store_columns.hpp"

namespace tocsin {
namespace {

void read_active(sqlite_database& db, std::vector<alert_record>& into) {
  sqlite_statement& active = db.prepared(
      "SELECT coalesce(a.body, t.body), a.record, a.id FROM alerts a LEFT JOIN transitions t ON "
      "t.seq = a.last_seq WHERE a.ended_at IS NULL ORDER BY a.id");
  while (active.step()) {
    auto body = alert_from_bytes(active.bytes(0));
    if (!body) {
      db.fail(fmt::format("alert in row {}: {}", active.integer(2), body.failure().message));
      return;
    }
    into.push_back({std::make_shared<const alert>(std::move(*body)), std::string{active.bytes(1)}});
  }
}

result<silence> silence_of(const sqlite_statement& row) {
  silence made;
  made.id = std::string{row.bytes(0)};
  auto matchers = parse_label_matchers(row.bytes(1));
  if (!matchers) return matchers.failure();
  made.matchers = std::move(*matchers);
  made.starts_at = from_unix_ms(row.integer(2));
  made.ends_at = from_unix_ms(row.integer(3));
  made.updated_at = from_unix_ms(row.integer(4));
  made.created_by = std::string{row.bytes(5)};
  made.comment = std::string{row.bytes(6)};
  made.scope = row.bytes(7) == scope_text(silence_scope::events) ? silence_scope::events
                                                                 : silence_scope::alerts;
  auto recurs = parse_recurs(row.bytes(8));
  if (!recurs) return recurs.failure();
  made.recurs = std::move(*recurs);
  return made;
}

void read_silences(sqlite_database& db, std::vector<silence>& into) {
  sqlite_statement& rows = db.prepared(
      "SELECT id, matchers, starts_at, ends_at, updated_at, created_by, comment, scope, recurs "
      "FROM silences ORDER BY id");
  while (rows.step()) {
    auto made = silence_of(rows);
    if (!made) {
      db.fail(fmt::format("silence {}: {}", rows.bytes(0), made.failure().message));
      return;
    }
    into.push_back(std::move(*made));
  }
}

}  // namespace

result<book_state> read_book_state(sqlite_database& db) {
  sqlite_transaction one{db, sqlite_transaction::kind::read};
  book_state state;
  sqlite_statement& store = db.prepared("SELECT clock, seq, step FROM store");
  if (store.step()) {
    state.clock = from_unix_ms(store.integer(0));
    state.seq = static_cast<std::uint64_t>(store.integer(1));
    state.step = static_cast<std::uint64_t>(store.integer(2));
  }
  store.reset();
  read_active(db, state.alerts);
  read_silences(db, state.silences);
  sqlite_statement& groups = db.prepared("SELECT key, bytes FROM groups ORDER BY key");
  while (groups.step())
    state.groups.push_back({std::string{groups.bytes(0)}, std::string{groups.bytes(1)}});
  sqlite_statement& facts = db.prepared("SELECT name, value FROM facts ORDER BY name");
  while (facts.step())
    state.facts.emplace_back(std::string{facts.bytes(0)}, std::string{facts.bytes(1)});
  if (auto failure = one.commit()) return *failure;
  return state;
}

result<std::vector<stored_notice>> read_pending_notices(sqlite_database& db,
                                                        const std::string& receiver,
                                                        std::size_t limit) {
  sqlite_transaction one{db, sqlite_transaction::kind::read};
  std::vector<stored_notice> pending;
  sqlite_statement& rows = db.prepared(
      "SELECT id, tries, failure, body FROM notices WHERE standing = 0 AND receiver = ? "
      "ORDER BY place LIMIT ?");
  rows.bind_text(1, receiver);
  rows.bind(2, static_cast<std::int64_t>(
                   std::min<std::size_t>(limit, std::numeric_limits<std::int32_t>::max())));
  while (rows.step()) {
    auto body = notice_from_bytes(rows.bytes(3));
    if (!body) {
      db.fail(fmt::format("notice {}: {}", rows.bytes(0), body.failure().message));
      break;
    }
    pending.push_back({std::make_shared<const notice>(std::move(*body)),
                       stored_notice::state::pending, static_cast<std::uint32_t>(rows.integer(1)),
                       std::string{rows.bytes(2)}});
  }
  if (auto failure = one.commit()) return *failure;
  return pending;
}

result<alert_history> read_alert(sqlite_database& db, const fingerprint& alert_id) {
  sqlite_transaction one{db, sqlite_transaction::kind::read};
  const std::string id = fingerprint_bytes(alert_id);
  alert_history found;
  const auto decoded = [&](std::string_view bytes) -> transition {
    auto body = alert_from_bytes(bytes);
    if (!body) {
      db.fail(fmt::format("alert {}: {}", to_text(alert_id), body.failure().message));
      return nullptr;
    }
    return std::make_shared<const alert>(std::move(*body));
  };
  sqlite_statement& now = db.prepared(
      "SELECT coalesce(a.body, t.body) FROM alerts a LEFT JOIN transitions t ON "
      "t.seq = a.last_seq WHERE a.alert_id = ? ORDER BY a.id DESC LIMIT 1");
  if (now.bind_blob(1, id).step()) found.now = decoded(now.bytes(0));
  now.reset();
  sqlite_statement& rows = db.prepared(
      "SELECT t.body FROM alerts a JOIN transitions t ON t.alert = a.id WHERE a.alert_id = ? "
      "ORDER BY t.seq");
  rows.bind_blob(1, id);
  while (rows.step()) {
    if (auto each = decoded(rows.bytes(0))) found.transitions.push_back(std::move(each));
  }
  if (auto failure = one.commit()) return *failure;
  if (found.now == nullptr)
    return error{"not_found", fmt::format("no alert has the id {}", to_text(alert_id))};
  return found;
}

}  // namespace tocsin
