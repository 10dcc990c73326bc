// SPDX-License-Identifier: Apache-2.0
// Writes the tables alerts and transitions.
#include "io/sqlite_store_alerts.hpp"

#include <fmt/format.h>

#include "io/sqlite_store_columns.hpp"
#include "tocsin/alert_lifecycle.hpp"

namespace tocsin {

std::int64_t row_ids::rule(const std::string& name) {
  if (const auto known = rules_.find(name); known != rules_.end()) return known->second;
  db_.prepared("INSERT OR IGNORE INTO rules (name) VALUES (?)").bind_text(1, name).run();
  sqlite_statement& asked = db_.prepared("SELECT id FROM rules WHERE name = ?");
  const std::int64_t id = asked.bind_text(1, name).step() ? asked.integer(0) : 0;
  asked.reset();
  rules_.emplace(name, id);
  return id;
}

void row_ids::read_alerts() {
  if (last_alert_ >= 0) return;
  const std::int64_t stored = db_.integer("SELECT max(id) FROM alerts").value_or(0);
  if (!db_.failed()) last_alert_ = stored;
}

std::int64_t row_ids::next_alert() {
  read_alerts();
  return db_.failed() ? 0 : ++last_alert_;
}

alert_rows::alert_rows(sqlite_database& db, row_ids& ids)
    : db_(db),
      ids_(ids),
      find_(db.prepared("SELECT id, rule, started_at, fired_at, ended_at, first_acknowledged_at, "
                        "ended_by_operator, last_seq, state FROM alerts WHERE alert_id = ? "
                        "ORDER BY id DESC LIMIT 1")),
      add_transition_(
          db.prepared("INSERT INTO transitions (seq, alert, number, at, state, cause, actor, body) "
                      "VALUES (?, ?, ?, ?, ?, ?, ?, ?)")),
      seq_(static_cast<std::uint64_t>(db.integer("SELECT seq FROM store").value_or(0))) {}

void alert_rows::add(const transition& after) {
  if (after->seq != seq_ + 1) {
    db_.fail(fmt::format("transition {} came after {}: a number is missing or came twice",
                         after->seq, seq_));
    return;
  }
  seq_ = after->seq;
  row& of = row_of(*after);
  see(of, after);
  of.last = after;
  of.last_seq = static_cast<std::int64_t>(after->seq);
  const std::string body = alert_bytes(*after);
  add_transition_.bind(1, of.last_seq)
      .bind(2, of.id)
      .bind(3, static_cast<std::int64_t>(after->number))
      .bind(4, to_unix_ms(after->at))
      .bind(5, static_cast<std::int64_t>(after->state))
      .bind_text(6, after->cause)
      .bind_text(7, after->actor)
      .bind_blob(8, body)
      .run();
}

void alert_rows::add(const alert_record& record) {
  row& of = row_of(*record.now);
  see(of, record.now);
  of.record = std::string_view{record.bytes.data(), record.bytes.size()};
}

void alert_rows::finish() {
  for (const row& each : rows_) {
    if (each.stored) {
      update(each);
    } else {
      insert(each);
    }
    note_text_change(each);
  }
}

/// The row of the alert; a new one when there is none, or when the last one has ended and the alert
/// is active: a posted alert can come again under its id.
alert_rows::row& alert_rows::row_of(const alert& of) {
  const auto [place, fresh] = newest_.try_emplace(of.alert_id, rows_.size());
  if (fresh) {
    rows_.push_back(read(of));
  } else if (is_active(of.state) && !is_active(rows_[place->second].now->state)) {
    place->second = rows_.size();
    rows_.push_back(made());
  }
  return rows_[place->second];
}

alert_rows::row alert_rows::made() {
  row made;
  made.id = ids_.next_alert();
  return made;
}

alert_rows::row alert_rows::read(const alert& of) {
  const std::string id = fingerprint_bytes(of.alert_id);
  row found;
  if (find_.bind_blob(1, id).step()) {
    const bool ended = !is_active(static_cast<alert_state>(find_.integer(8)));
    if (!ended || !is_active(of.state)) {
      found.id = find_.integer(0);
      found.stored = true;
      found.was = {find_.integer(1), find_.integer(2), find_.optional_integer(3),
                   find_.optional_integer(4)};
      found.fired_at = found.was.fired_at;
      found.first_acknowledged_at = find_.optional_integer(5);
      found.ended_by_operator = find_.integer(6) != 0;
      found.last_seq = find_.integer(7);
    }
  }
  find_.reset();
  return found.stored ? found : made();
}

/// Takes from one more state of the alert what the columns say of all of its life.
void alert_rows::see(row& in, const transition& state) {
  const alert& now = *state;
  if (now.state == alert_state::firing && !in.fired_at) in.fired_at = to_unix_ms(now.at);
  if (now.state == alert_state::acknowledged && !in.first_acknowledged_at)
    in.first_acknowledged_at = to_unix_ms(now.acknowledged ? now.acknowledged->at : now.at);
  if (!is_active(now.state) && is_operator(now.actor)) in.ended_by_operator = true;
  in.now = state;
}

alert_rows::indexed_columns alert_rows::columns_of(const row& of) {
  indexed_columns columns{ids_.rule(of.now->rule), to_unix_ms(of.now->started_at), of.fired_at,
                          std::nullopt};
  if (!is_active(of.now->state)) columns.ended_at = to_unix_ms(end_of(*of.now));
  return columns;
}

/// Places 1 to 8. The body stays NULL where it is that of the last transition.
void alert_rows::bind_state(sqlite_statement& into, const row& of, const std::string& body) {
  const bool same = of.now == of.last;
  const bool ended = !is_active(of.now->state);
  into.bind(1, of.id)
      .bind(2, static_cast<std::int64_t>(of.now->severity))
      .bind(3, static_cast<std::int64_t>(of.now->state))
      .bind(4, of.first_acknowledged_at)
      .bind(5, std::int64_t{of.ended_by_operator ? 1 : 0})
      .bind(6, of.last_seq)
      .bind_blob(7, same ? std::string_view{} : std::string_view{body})
      .bind_blob(8, ended ? std::string_view{} : of.record);
}

void alert_rows::insert(const row& of) {
  const std::string body = of.now == of.last ? std::string{} : alert_bytes(*of.now);
  const std::string id = fingerprint_bytes(of.now->alert_id);
  const std::string print = fingerprint_bytes(of.now->print);
  const indexed_columns columns = columns_of(of);
  sqlite_statement& into = db_.prepared(
      "INSERT INTO alerts (id, severity, state, first_acknowledged_at, ended_by_operator, "
      "last_seq, body, record, alert_id, fingerprint, origin, rule, started_at, fired_at, "
      "ended_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, nullif(?7, (SELECT body FROM transitions WHERE "
      "?7 IS NOT NULL AND seq = ?6)), ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)");
  bind_state(into, of, body);
  into.bind_blob(9, id)
      .bind_blob(10, print)
      .bind(11, static_cast<std::int64_t>(of.now->origin))
      .bind(12, columns.rule)
      .bind(13, columns.started_at)
      .bind(14, columns.fired_at)
      .bind(15, columns.ended_at)
      .run();
}

void alert_rows::update(const row& of) {
  const std::string body = of.now == of.last ? std::string{} : alert_bytes(*of.now);
  const indexed_columns columns = columns_of(of);
  const bool began = columns.rule != of.was.rule || columns.started_at != of.was.started_at;
  const bool fired = columns.fired_at != of.was.fired_at;
  const bool ended = columns.ended_at != of.was.ended_at;
  sqlite_statement& into = db_.prepared(fmt::format(
      "UPDATE alerts SET severity = ?2, state = ?3, first_acknowledged_at = ?4, "
      "ended_by_operator = ?5, last_seq = ?6, body = nullif(?7, (SELECT body FROM transitions "
      "WHERE ?7 IS NOT NULL AND seq = ?6)), record = {}{}{}{} WHERE id = ?1",
      is_active(of.now->state) ? "coalesce(?8, record)" : "?8",
      began ? ", rule = ?9, started_at = ?10" : "", fired ? ", fired_at = ?11" : "",
      ended ? ", ended_at = ?12" : ""));
  bind_state(into, of, body);
  if (began) into.bind(9, columns.rule).bind(10, columns.started_at);
  if (fired) into.bind(11, columns.fired_at);
  if (ended) into.bind(12, columns.ended_at);
  into.run();
}

/// The full-text index follows the transitions. What may change its words without one (a posted
/// alert is posted anew) it must be told.
void alert_rows::note_text_change(const row& of) {
  if (of.now == of.last || of.now->origin == alert_origin::rule) return;
  db_.prepared("INSERT OR IGNORE INTO text_changes VALUES (?)").bind(1, of.id).run();
}

}  // namespace tocsin
