// SPDX-License-Identifier: Apache-2.0
// Transitions and alerts of one commit, on their way into the store's rows.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/sqlite_database.hpp"
#include "tocsin/alert_book.hpp"

namespace tocsin {

/// Row ids that are given or looked up in every commit. Used by the one who writes.
class row_ids {
 public:
  explicit row_ids(sqlite_database& db) : db_(db) {}

  /// Of a rule's name, which is stored when it is new.
  std::int64_t rule(const std::string& name);
  /// Some of what rule() gave may not be stored any more.
  void forget_rules() { rules_.clear(); }
  /// One that no alert has or has had while this lives.
  std::int64_t next_alert();
  /// To be called before rows of alerts are deleted: the highest may be among them.
  void read_alerts();

 private:
  sqlite_database& db_;
  std::map<std::string, std::int64_t, std::less<>> rules_;
  std::int64_t last_alert_ = -1;  ///< -1: not read yet
};

/// An alert's row is read at its first mention and written once, by finish(). Within one
/// transaction; what fails sticks to the connection.
class alert_rows {
 public:
  alert_rows(sqlite_database& db, row_ids& ids);

  /// Must have the number after the last one that is stored.
  void add(const transition& after);
  /// How an alert stands now.
  void add(const alert_record& record);
  void finish();
  /// Of the last transition.
  [[nodiscard]] std::uint64_t seq() const noexcept { return seq_; }

 private:
  /// The columns with an index: changed only where they differ from what is stored, for each costs
  /// a place in a tree.
  struct indexed_columns {
    std::int64_t rule = 0;
    std::int64_t started_at = 0;
    std::optional<std::int64_t> fired_at;
    std::optional<std::int64_t> ended_at;
  };
  struct row {
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

  row& row_of(const alert& of);
  row read(const alert& of);
  row made();
  static void see(row& in, const transition& state);
  indexed_columns columns_of(const row& of);
  static void bind_state(sqlite_statement& into, const row& of, const std::string& body);
  void insert(const row& of);
  void update(const row& of);
  void note_text_change(const row& of);

  sqlite_database& db_;
  row_ids& ids_;
  sqlite_statement& find_;
  sqlite_statement& add_transition_;
  std::uint64_t seq_ = 0;
  std::vector<row> rows_;
  std::unordered_map<fingerprint, std::size_t, fingerprint_hash> newest_;  ///< in rows_
};

}  // namespace tocsin
