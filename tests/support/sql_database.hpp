// SPDX-License-Identifier: Apache-2.0
// SQLite in memory, for tests that work out in SQL what the engine has to say.
#pragma once

#include <fmt/format.h>
#include <sqlite3.h>

#include <optional>
#include <stdexcept>
#include <string>

namespace tocsin::testing {

/// An in-memory database. What goes wrong throws, which fails the test.
class sql_database {
 public:
  sql_database() { check(sqlite3_open(":memory:", &handle_)); }
  ~sql_database() { sqlite3_close(handle_); }
  sql_database(const sql_database&) = delete;
  sql_database& operator=(const sql_database&) = delete;

  /// Runs statements whose rows nobody wants.
  void run(const std::string& sql) {
    check(sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr));
  }

  /// One statement, bound and stepped by hand.
  class statement {
   public:
    statement(sql_database& in, const std::string& sql) : in_(in) {
      in_.check(sqlite3_prepare_v2(in_.handle_, sql.c_str(), -1, &handle_, nullptr));
    }
    ~statement() { sqlite3_finalize(handle_); }
    statement(const statement&) = delete;
    statement& operator=(const statement&) = delete;

    void bind(int place, long long number) {
      in_.check(sqlite3_bind_int64(handle_, place, number));
    }
    void bind(int place, const std::optional<double>& number) {
      in_.check(number ? sqlite3_bind_double(handle_, place, *number)
                       : sqlite3_bind_null(handle_, place));
    }
    void bind(int place, const std::optional<std::string>& text) {
      in_.check(text ? sqlite3_bind_text(handle_, place, text->c_str(), -1, SQLITE_TRANSIENT)
                     : sqlite3_bind_null(handle_, place));
    }
    /// True while there is a row; after the last one the statement can be bound anew.
    bool step() {
      const int outcome = sqlite3_step(handle_);
      if (outcome == SQLITE_ROW) return true;
      if (outcome != SQLITE_DONE) in_.check(outcome);
      in_.check(sqlite3_reset(handle_));
      return false;
    }
    [[nodiscard]] long long integer(int column) const {
      return sqlite3_column_int64(handle_, column);
    }
    [[nodiscard]] std::optional<double> number(int column) const {
      if (sqlite3_column_type(handle_, column) == SQLITE_NULL) return std::nullopt;
      return sqlite3_column_double(handle_, column);
    }
    [[nodiscard]] std::optional<std::string> text(int column) const {
      if (sqlite3_column_type(handle_, column) == SQLITE_NULL) return std::nullopt;
      return std::string{reinterpret_cast<const char*>(sqlite3_column_text(handle_, column))};
    }

   private:
    sql_database& in_;
    sqlite3_stmt* handle_ = nullptr;
  };

 private:
  void check(int outcome) {
    if (outcome != SQLITE_OK)
      throw std::runtime_error{fmt::format("SQLite: {}", sqlite3_errmsg(handle_))};
  }

  sqlite3* handle_ = nullptr;
};

}  // namespace tocsin::testing
