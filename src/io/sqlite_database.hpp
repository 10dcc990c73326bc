// SPDX-License-Identifier: Apache-2.0
// One SQLite connection with its prepared statements; the first failure sticks until it is taken.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tocsin/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace tocsin {

class sqlite_database;

/// A prepared statement. Places of parameters count from 1, columns from 0. What is bound stays
/// bound. After a failure of its connection nothing runs: step() is false and columns are empty.
class sqlite_statement {
 public:
  sqlite_statement(sqlite_database& in, std::string_view sql);
  ~sqlite_statement();
  sqlite_statement(const sqlite_statement&) = delete;
  sqlite_statement& operator=(const sqlite_statement&) = delete;

  sqlite_statement& bind(int place, std::int64_t number);
  /// Nothing is NULL.
  sqlite_statement& bind(int place, const std::optional<std::int64_t>& number);
  /// The characters must live until the statement has run.
  sqlite_statement& bind_text(int place, std::string_view text);
  /// The bytes must live until the statement has run. Data nullptr is NULL.
  sqlite_statement& bind_blob(int place, std::string_view bytes);

  /// True when there is a row. After the last one, and after a failure, it can be run again.
  bool step();
  /// Runs it to its end; rows are not looked at.
  void run();
  /// Leaves rows that were not looked at.
  void reset();

  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::optional<std::int64_t> optional_integer(int column) const;
  /// Text or blob; valid until the next step.
  [[nodiscard]] std::string_view bytes(int column) const;

 private:
  sqlite_database& in_;
  sqlite3_stmt* handle_ = nullptr;
  bool has_row_ = false;
};

/// Used by one thread at a time. Failures are kept, not returned: the first one makes all that
/// follows a no-op until take_failure(), so that a piece of work checks once, at its end.
class sqlite_database {
 public:
  enum class access : std::uint8_t {
    create,     ///< read and write; made when there is none
    read,       ///< read only
    temporary,  ///< a file of nobody else's, gone with the connection; the path is ignored
  };
  /// Errors: store_failed.
  [[nodiscard]] static result<std::unique_ptr<sqlite_database>> open(const std::string& path,
                                                                     access how);
  ~sqlite_database();
  sqlite_database(const sqlite_database&) = delete;
  sqlite_database& operator=(const sqlite_database&) = delete;

  /// Runs statements whose rows nobody wants.
  void execute(const std::string& sql);
  /// The statement of this text, made at its first use and kept. One that was left within its rows
  /// begins anew.
  [[nodiscard]] sqlite_statement& prepared(std::string_view sql);
  /// The first column of the first row; nothing when there is no row or it is NULL.
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view sql);

  [[nodiscard]] bool failed() const noexcept { return failure_.has_value(); }
  /// Something other than SQLite found what it read to be wrong.
  void fail(std::string_view reason);
  /// The first failure since the last call, with code store_failed; nothing while all is well.
  [[nodiscard]] std::optional<error> take_failure();

  [[nodiscard]] sqlite3* handle() const noexcept { return handle_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  friend class sqlite_statement;
  explicit sqlite_database(std::string path) : path_(std::move(path)) {}
  void check(int outcome);

  std::string path_;
  sqlite3* handle_ = nullptr;
  std::map<std::string, std::unique_ptr<sqlite_statement>, std::less<>> statements_;
  std::optional<error> failure_;
};

/// From its making to commit(), or, without one, to its end, where all is undone.
class sqlite_transaction {
 public:
  enum class kind : std::uint8_t { read, write };
  sqlite_transaction(sqlite_database& in, kind what);
  ~sqlite_transaction();
  sqlite_transaction(const sqlite_transaction&) = delete;
  sqlite_transaction& operator=(const sqlite_transaction&) = delete;

  /// Ends it, and undoes it when anything failed in it or its commit does. That failure, if any.
  [[nodiscard]] std::optional<error> commit();

 private:
  void undo();
  sqlite_database& in_;
  bool open_ = true;
};

}  // namespace tocsin
