// SPDX-License-Identifier: Apache-2.0
// Calls of SQLite's C interface, and its failures as errors.
#include "io/sqlite_database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstring>
#include <utility>

namespace tocsin {
namespace {

/// SQLite's words, and the system's where it was the system that refused.
std::string reason_of(sqlite3* handle, int outcome) {
  if (handle == nullptr) return sqlite3_errstr(outcome);
  std::string reason = sqlite3_errmsg(handle);
  const int kind = outcome & 0xff;
  if (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN) {
    if (const int refused = sqlite3_system_errno(handle); refused != 0)
      reason += fmt::format(": {}", std::strerror(refused));
  }
  return fmt::format("{} (SQLite {})", reason, outcome);
}

}  // namespace

sqlite_statement::sqlite_statement(sqlite_database& in, std::string_view sql) : in_(in) {
  if (in_.failed()) return;
  in_.check(sqlite3_prepare_v3(in_.handle_, sql.data(), static_cast<int>(sql.size()),
                               SQLITE_PREPARE_PERSISTENT, &handle_, nullptr));
}

sqlite_statement::~sqlite_statement() {
  sqlite3_finalize(handle_);
}

sqlite_statement& sqlite_statement::bind(int place, std::int64_t number) {
  if (!in_.failed()) in_.check(sqlite3_bind_int64(handle_, place, number));
  return *this;
}

sqlite_statement& sqlite_statement::bind(int place, const std::optional<std::int64_t>& number) {
  if (number) return bind(place, *number);
  if (!in_.failed()) in_.check(sqlite3_bind_null(handle_, place));
  return *this;
}

sqlite_statement& sqlite_statement::bind_text(int place, std::string_view text) {
  if (!in_.failed()) {
    in_.check(sqlite3_bind_text64(handle_, place, text.data() == nullptr ? "" : text.data(),
                                  text.size(), SQLITE_STATIC, SQLITE_UTF8));
  }
  return *this;
}

sqlite_statement& sqlite_statement::bind_blob(int place, std::string_view bytes) {
  if (!in_.failed())
    in_.check(sqlite3_bind_blob64(handle_, place, bytes.data(), bytes.size(), SQLITE_STATIC));
  return *this;
}

bool sqlite_statement::step() {
  has_row_ = false;
  if (in_.failed() || handle_ == nullptr) {
    reset();
    return false;
  }
  const int outcome = sqlite3_step(handle_);
  if (outcome == SQLITE_ROW) return has_row_ = true;
  if (outcome != SQLITE_DONE) in_.check(outcome);
  sqlite3_reset(handle_);
  return false;
}

void sqlite_statement::run() {
  while (step()) {
  }
}

void sqlite_statement::reset() {
  has_row_ = false;
  sqlite3_reset(handle_);
}

bool sqlite_statement::is_null(int column) const {
  return !has_row_ || sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

std::int64_t sqlite_statement::integer(int column) const {
  return has_row_ ? sqlite3_column_int64(handle_, column) : 0;
}

std::optional<std::int64_t> sqlite_statement::optional_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

std::string_view sqlite_statement::bytes(int column) const {
  if (!has_row_) return {};
  const auto* const begin = static_cast<const char*>(sqlite3_column_blob(handle_, column));
  if (begin == nullptr) return {};
  return {begin, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

result<std::unique_ptr<sqlite_database>> sqlite_database::open(const std::string& path,
                                                               access how) {
  const bool temporary = how == access::temporary;
  std::unique_ptr<sqlite_database> made{
      new sqlite_database{temporary ? std::string{"temporary alert store"} : path}};
  const int flags =
      (how == access::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  made->check(sqlite3_open_v2(temporary ? "" : path.c_str(), &made->handle_, flags, nullptr));
  if (!made->failed()) made->check(sqlite3_busy_timeout(made->handle_, 5000));
  if (auto failure = made->take_failure()) return *failure;
  return made;
}

sqlite_database::~sqlite_database() {
  statements_.clear();
  sqlite3_close(handle_);
}

void sqlite_database::execute(const std::string& sql) {
  if (!failed()) check(sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr));
}

sqlite_statement& sqlite_database::prepared(std::string_view sql) {
  if (const auto known = statements_.find(sql); known != statements_.end()) {
    known->second->reset();
    return *known->second;
  }
  auto made = std::make_unique<sqlite_statement>(*this, sql);
  // One that could not be prepared must not be found again when the failure has been taken; all of
  // them are the one that runs nothing.
  const std::string key = failed() ? std::string{} : std::string{sql};
  return *statements_.try_emplace(key, std::move(made)).first->second;
}

std::optional<std::int64_t> sqlite_database::integer(std::string_view sql) {
  sqlite_statement& asked = prepared(sql);
  if (!asked.step()) return std::nullopt;
  const auto found = asked.optional_integer(0);
  asked.reset();
  return found;
}

void sqlite_database::fail(std::string_view reason) {
  if (!failure_) failure_ = error{"store_failed", fmt::format("{}: {}", path_, reason)};
}

std::optional<error> sqlite_database::take_failure() {
  return std::exchange(failure_, std::nullopt);
}

void sqlite_database::check(int outcome) {
  if (outcome != SQLITE_OK) fail(reason_of(handle_, outcome));
}

sqlite_transaction::sqlite_transaction(sqlite_database& in, kind what) : in_(in) {
  in_.execute(what == kind::write ? "BEGIN IMMEDIATE" : "BEGIN");
}

sqlite_transaction::~sqlite_transaction() {
  if (open_) undo();
}

std::optional<error> sqlite_transaction::commit() {
  in_.execute("COMMIT");
  if (in_.failed()) {
    undo();
  }
  open_ = false;
  return in_.take_failure();
}

void sqlite_transaction::undo() {
  sqlite3* const handle = in_.handle();
  for (sqlite3_stmt* each = sqlite3_next_stmt(handle, nullptr); each != nullptr;
       each = sqlite3_next_stmt(handle, each)) {
    if (sqlite3_stmt_busy(each) != 0) sqlite3_reset(each);
  }
  // After some failures SQLite has undone it by itself.
  if (sqlite3_get_autocommit(handle) == 0)
    sqlite3_exec(handle, "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace tocsin
