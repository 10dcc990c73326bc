// SPDX-License-Identifier: Apache-2.0
// The transactions of the alert store.
#include "io/sqlite_store_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/sqlite_store_columns.hpp"

namespace tocsin {

namespace {

struct fingerprint_hash {
  std::size_t operator()(const fingerprint& print) const noexcept {
    return static_cast<std::size_t>(print.low);
  }
};

/// What the indexes say of an alert: changed only where it differs from what is stored, for each
/// costs a place in a tree.
struct indexed_columns {
  std::int64_t rule = 0;
  std::int64_t started_at = 0;
  std::optional<std::int64_t> fired_at;
  std::optional<std::int64_t> ended_at;
  friend bool operator==(const indexed_columns&, const indexed_columns&) = default;
};

/// A row of `alerts` while a commit works on it.
struct alert_row {
  std::int64_t id = 0;
  bool stored = false;
  indexed_columns was;
  std::optional<std::int64_t> fired_at;
  std::optional<std::int64_t> first_acknowledged_at;
  bool ended_by_operator = false;
  std::int64_t last_seq = 0;
  transition last;  ///< of this commit; null: none
  transition now;
  std::string_view record;  ///< data nullptr: none came
};

}  // namespace

/// One call of commit(): its alerts are read at their first mention and written once, at the end.
class commit_in_progress {
 public:
  explicit commit_in_progress(sqlite_store_writer& of)
      : of_(of),
        db_(of.db_),
        find_(db_.prepared("SELECT id, rule, started_at, fired_at, ended_at, "
                           "first_acknowledged_at, ended_by_operator, last_seq, state FROM alerts "
                           "WHERE alert_id = ? ORDER BY id DESC LIMIT 1")),
        add_transition_(db_.prepared("INSERT INTO transitions (seq, alert, number, at, state, "
                                     "cause, actor, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")) {}

  void add(const book_changes& changes) {
    for (const transition& each : changes.transitions) add_transition(*each, each);
    for (const alert_record& each : changes.alerts) {
      alert_row& row = row_of(*each.now);
      see(row, each.now);
      row.record = std::string_view{each.bytes.data(), each.bytes.size()};
    }
    add_silences(changes);
    add_groups(changes);
    add_notices(changes);
    clock_ = to_unix_ms(changes.clock);
  }

  void finish() {
    for (const alert_row& each : rows_) {
      if (each.stored) {
        update(each);
      } else {
        insert(each);
      }
      note_text_change(each);
    }
    if (clock_) {
      db_.prepared("UPDATE store SET clock = ?, seq = ?")
          .bind(1, *clock_)
          .bind(2, static_cast<std::int64_t>(seq()))
          .run();
    }
  }

 private:
  std::uint64_t& seq() {
    if (!seq_) seq_ = static_cast<std::uint64_t>(db_.integer("SELECT seq FROM store").value_or(0));
    return *seq_;
  }

  void add_transition(const alert& after, const transition& held) {
    if (after.seq != seq() + 1) {
      db_.fail(fmt::format("transition {} came after {}: a number is missing or came twice",
                           after.seq, seq()));
      return;
    }
    seq() = after.seq;
    alert_row& row = row_of(after);
    see(row, held);
    row.last = held;
    row.last_seq = static_cast<std::int64_t>(after.seq);
    const std::string body = alert_bytes(after);
    add_transition_.bind(1, row.last_seq)
        .bind(2, row.id)
        .bind(3, static_cast<std::int64_t>(after.number))
        .bind(4, to_unix_ms(after.at))
        .bind(5, static_cast<std::int64_t>(after.state))
        .bind_text(6, after.cause)
        .bind_text(7, after.actor)
        .bind_blob(8, body)
        .run();
  }

  /// The row of the alert; a new one when there is none, or when the last one has ended and the
  /// alert is active: a posted alert can come again under its id.
  alert_row& row_of(const alert& of) {
    const auto [place, fresh] = newest_.try_emplace(of.alert_id, rows_.size());
    if (fresh) {
      rows_.push_back(read(of));
    } else if (is_active(of.state) && !is_active(rows_[place->second].now->state)) {
      place->second = rows_.size();
      rows_.push_back(made());
    }
    return rows_[place->second];
  }

  alert_row made() {
    alert_row row;
    row.id = of_.last_alert() + 1;
    of_.last_alert_ = row.id;
    return row;
  }

  alert_row read(const alert& of) {
    const std::string id = fingerprint_bytes(of.alert_id);
    alert_row row;
    if (find_.bind_blob(1, id).step()) {
      const bool ended = !is_active(static_cast<alert_state>(find_.integer(8)));
      if (!ended || !is_active(of.state)) {
        row.id = find_.integer(0);
        row.stored = true;
        row.was = {find_.integer(1), find_.integer(2), find_.optional_integer(3),
                   find_.optional_integer(4)};
        row.fired_at = row.was.fired_at;
        row.first_acknowledged_at = find_.optional_integer(5);
        row.ended_by_operator = find_.integer(6) != 0;
        row.last_seq = find_.integer(7);
      }
    }
    find_.reset();
    return row.stored ? row : made();
  }

  /// Takes from one more state of the alert what the columns say of all of its life.
  static void see(alert_row& row, const transition& state) {
    const alert& now = *state;
    if (now.state == alert_state::firing && !row.fired_at) row.fired_at = to_unix_ms(now.at);
    if (now.state == alert_state::acknowledged && !row.first_acknowledged_at)
      row.first_acknowledged_at = to_unix_ms(now.acknowledged ? now.acknowledged->at : now.at);
    if (!is_active(now.state) && is_operator(now.actor)) row.ended_by_operator = true;
    row.now = state;
  }

  indexed_columns columns_of(const alert_row& row) {
    indexed_columns columns{of_.rule_id(row.now->rule), to_unix_ms(row.now->started_at),
                            row.fired_at, std::nullopt};
    if (!is_active(row.now->state)) columns.ended_at = to_unix_ms(end_of(*row.now));
    return columns;
  }

  /// Places 1 to 8. The body stays NULL where it is that of the last transition.
  void bind_state(sqlite_statement& into, const alert_row& row, const std::string& body) {
    const bool same = row.now == row.last;
    const bool ended = !is_active(row.now->state);
    into.bind(1, row.id)
        .bind(2, static_cast<std::int64_t>(row.now->severity))
        .bind(3, static_cast<std::int64_t>(row.now->state))
        .bind(4, row.first_acknowledged_at)
        .bind(5, std::int64_t{row.ended_by_operator ? 1 : 0})
        .bind(6, row.last_seq)
        .bind_blob(7, same ? std::string_view{} : std::string_view{body})
        .bind_blob(8, ended ? std::string_view{} : row.record);
  }

  void insert(const alert_row& row) {
    const std::string body = row.now == row.last ? std::string{} : alert_bytes(*row.now);
    const std::string id = fingerprint_bytes(row.now->alert_id);
    const std::string print = fingerprint_bytes(row.now->print);
    const indexed_columns columns = columns_of(row);
    sqlite_statement& into = db_.prepared(
        "INSERT INTO alerts (id, severity, state, first_acknowledged_at, ended_by_operator, "
        "last_seq, body, record, alert_id, fingerprint, origin, rule, started_at, fired_at, "
        "ended_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, nullif(?7, (SELECT body FROM transitions WHERE "
        "?7 IS NOT NULL AND seq = ?6)), ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)");
    bind_state(into, row, body);
    into.bind_blob(9, id)
        .bind_blob(10, print)
        .bind(11, static_cast<std::int64_t>(row.now->origin))
        .bind(12, columns.rule)
        .bind(13, columns.started_at)
        .bind(14, columns.fired_at)
        .bind(15, columns.ended_at)
        .run();
  }

  void update(const alert_row& row) {
    const std::string body = row.now == row.last ? std::string{} : alert_bytes(*row.now);
    const indexed_columns columns = columns_of(row);
    const bool began = columns.rule != row.was.rule || columns.started_at != row.was.started_at;
    const bool fired = columns.fired_at != row.was.fired_at;
    const bool ended = columns.ended_at != row.was.ended_at;
    sqlite_statement& into = db_.prepared(fmt::format(
        "UPDATE alerts SET severity = ?2, state = ?3, first_acknowledged_at = ?4, "
        "ended_by_operator = ?5, last_seq = ?6, body = nullif(?7, (SELECT body FROM transitions "
        "WHERE ?7 IS NOT NULL AND seq = ?6)), record = {}{}{}{} WHERE id = ?1",
        is_active(row.now->state) ? "coalesce(?8, record)" : "?8",
        began ? ", rule = ?9, started_at = ?10" : "", fired ? ", fired_at = ?11" : "",
        ended ? ", ended_at = ?12" : ""));
    bind_state(into, row, body);
    if (began) into.bind(9, columns.rule).bind(10, columns.started_at);
    if (fired) into.bind(11, columns.fired_at);
    if (ended) into.bind(12, columns.ended_at);
    into.run();
  }

  /// The full-text index follows the transitions. What may change its words without one (a posted
  /// alert is posted anew) it must be told.
  void note_text_change(const alert_row& row) {
    if (row.now == row.last || row.now->origin == alert_origin::rule) return;
    db_.prepared("INSERT OR IGNORE INTO text_changes VALUES (?)").bind(1, row.id).run();
  }

  void add_silences(const book_changes& changes) {
    for (const silence_ptr& each : changes.silences) {
      const std::string matchers = matchers_text(each->matchers);
      const std::string recurs = recurs_text(each->recurs);
      db_.prepared("INSERT OR REPLACE INTO silences VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
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
      db_.prepared("DELETE FROM silences WHERE id = ?").bind_text(1, each).run();
  }

  void put(const char* set, const char* remove, const std::string& key, const std::string& bytes) {
    if (bytes.empty()) {
      db_.prepared(remove).bind_text(1, key).run();
    } else {
      db_.prepared(set).bind_text(1, key).bind_blob(2, bytes).run();
    }
  }

  void add_groups(const book_changes& changes) {
    for (const group_record& each : changes.groups) {
      put("INSERT OR REPLACE INTO groups VALUES (?, ?)", "DELETE FROM groups WHERE key = ?",
          each.key, each.bytes);
    }
    for (const auto& [name, value] : changes.facts) {
      put("INSERT OR REPLACE INTO facts VALUES (?, ?)", "DELETE FROM facts WHERE name = ?", name,
          value);
    }
  }

  void add_notices(const book_changes& changes) {
    for (const notice_ptr& each : changes.notices) {
      const std::string body = notice_bytes(*each);
      db_.prepared("INSERT INTO notices (id, receiver, at, body) VALUES (?, ?, ?, ?)")
          .bind_text(1, each->id)
          .bind_text(2, each->receiver)
          .bind(3, to_unix_ms(each->at))
          .bind_blob(4, body)
          .run();
    }
  }

  sqlite_store_writer& of_;
  sqlite_database& db_;
  sqlite_statement& find_;
  sqlite_statement& add_transition_;
  std::vector<alert_row> rows_;
  std::unordered_map<fingerprint, std::size_t, fingerprint_hash> newest_;
  std::optional<std::uint64_t> seq_;
  std::optional<std::int64_t> clock_;
};

std::optional<error> sqlite_store_writer::commit(std::span<const book_changes> changes) {
  if (changes.empty()) return std::nullopt;
  sqlite_transaction all{db_, sqlite_transaction::kind::write};
  commit_in_progress work{*this};
  for (const book_changes& each : changes) work.add(each);
  work.finish();
  auto failure = all.commit();
  if (failure) rules_.clear();  // some may have been made in what is undone
  return failure;
}

std::int64_t sqlite_store_writer::last_alert() {
  if (last_alert_ < 0) {
    const std::int64_t stored = db_.integer("SELECT max(id) FROM alerts").value_or(0);
    if (!db_.failed()) last_alert_ = stored;
  }
  return last_alert_;
}

std::int64_t sqlite_store_writer::rule_id(const std::string& name) {
  if (const auto known = rules_.find(name); known != rules_.end()) return known->second;
  db_.prepared("INSERT OR IGNORE INTO rules (name) VALUES (?)").bind_text(1, name).run();
  sqlite_statement& asked = db_.prepared("SELECT id FROM rules WHERE name = ?");
  const std::int64_t id = asked.bind_text(1, name).step() ? asked.integer(0) : 0;
  asked.reset();
  rules_.emplace(name, id);
  return id;
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
  const bool more = static_cast<std::int64_t>(gone.size()) == forget_max;
  if (!gone.empty() && !more) {
    db_.execute(
        "DELETE FROM rules WHERE NOT EXISTS (SELECT 1 FROM alerts WHERE alerts.rule = rules.id)");
    rules_.clear();
  }
  return more;
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
  // Row ids are given once in a process; the highest must be known before its row may go.
  last_alert();
  sqlite_transaction all{db_, sqlite_transaction::kind::write};
  const bool alerts = forget_alerts(before);
  const bool notices = forget_notices(before);
  if (auto failure = all.commit()) {
    rules_.clear();
    return *failure;
  }
  return alerts || notices;
}

}  // namespace tocsin
