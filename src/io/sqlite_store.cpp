// SPDX-License-Identifier: Apache-2.0
// The alert store over its connections: one that writes, a few that read.
#include "io/sqlite_store.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "io/sqlite_database.hpp"
#include "io/sqlite_store_backlog.hpp"
#include "io/sqlite_store_claim.hpp"
#include "io/sqlite_store_queries.hpp"
#include "io/sqlite_store_schema.hpp"
#include "io/sqlite_store_text.hpp"
#include "io/sqlite_store_writer.hpp"

namespace tocsin {
namespace {

/// Queries that run side by side; more wait.
constexpr std::size_t readers_max = 4;
/// Transitions that one call of maintain() indexes at most: below 100 ms.
constexpr std::int64_t indexed_max = 5000;

/// Durable at each commit. The file beside the database is cut back when it has grown in a burst.
constexpr const char* durable_settings =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768; "
    "PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 16000";
/// Nobody reads it after a crash; what a commit changes is kept in memory so that it can be undone.
constexpr const char* temporary_settings =
    "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -8192";
constexpr const char* reader_settings = "PRAGMA cache_size = -4096";

class sqlite_store final : public alert_store {
 public:
  sqlite_store(std::optional<file_claim> claim, std::unique_ptr<sqlite_database> database,
               std::string name)
      : claim_(std::move(claim)),
        database_(std::move(database)),
        writer_(*database_),
        backlog_(writer_),
        name_(std::move(name)) {}

  result<book_state> load() override { return read(read_book_state); }

  std::optional<error> commit(
      std::span<const std::shared_ptr<const book_changes>> changes) override {
    const std::lock_guard alone{writing_};
    return claim_ ? writer_.commit(changes) : backlog_.commit(changes);
  }

  result<std::vector<stored_notice>> pending_notices(const std::string& receiver, std::size_t limit,
                                                     std::int64_t after) const override {
    return read(
        [&](sqlite_database& db) { return read_pending_notices(db, receiver, limit, after); },
        &sqlite_store_backlog::write_notices);
  }

  std::optional<error> settle(std::span<const notice_outcome> outcomes) override {
    const std::lock_guard alone{writing_};
    if (auto failure = backlog_.write_notices()) return failure;
    return writer_.settle(outcomes);
  }

  result<history_page> history(const history_query& query) const override {
    return read([&](sqlite_database& db) { return read_history(db, query); });
  }

  result<alert_history> explain(const fingerprint& alert_id) const override {
    return read([&](sqlite_database& db) { return read_alert(db, alert_id); });
  }

  result<std::vector<transition>> recent_transitions(std::size_t limit) const override {
    return read([&](sqlite_database& db) { return read_recent_transitions(db, limit); });
  }

  result<alert_statistics> statistics(instant from, instant until) const override {
    return read([&](sqlite_database& db) { return read_statistics(db, from, until); });
  }

  result<bool> maintain(instant before) override {
    const std::lock_guard alone{writing_};
    if (!backlog_.empty()) {
      if (auto failure = backlog_.write_some()) return *failure;
      return true;
    }
    auto old = writer_.forget(before);
    if (!old) return old;
    auto texts = index_texts(*database_, indexed_max);
    if (!texts) return texts;
    return *old || *texts;
  }

  std::string name() const override { return name_; }

  bool durable() const override { return claim_.has_value(); }

  std::uint64_t bytes() const override {
    if (!claim_) {
      const std::lock_guard alone{writing_};
      const auto pages = database_->integer("PRAGMA page_count").value_or(0);
      const auto each = database_->integer("PRAGMA page_size").value_or(0);
      static_cast<void>(database_->take_failure());  // then it is as if it were empty
      return static_cast<std::uint64_t>(pages * each);
    }
    std::uint64_t sum = 0;
    for (const char* const beside : {"", "-wal", "-shm"}) {
      std::error_code refused;
      const auto size = std::filesystem::file_size(database_->path() + beside, refused);
      if (!refused) sum += size;
    }
    return sum;
  }

 private:
  /// A connection to read with, given back when `look` is done. A temporary database has only the
  /// one that it is written with, and is brought up to date first.
  template <class Look>
  auto read(Look&& look, std::optional<error> (sqlite_store_backlog::*write)() =
                             &sqlite_store_backlog::write_all) const
      -> decltype(look(std::declval<sqlite_database&>())) {
    if (!claim_) {
      const std::lock_guard alone{writing_};
      if (auto failure = (backlog_.*write)()) return *failure;
      return look(*database_);
    }
    auto reader = take_reader();
    if (!reader) return reader.failure();
    auto answer = look(**reader);
    give_back(std::move(*reader));
    return answer;
  }

  result<std::unique_ptr<sqlite_database>> take_reader() const {
    std::unique_lock held{pool_};
    room_.wait(held, [&] { return !idle_.empty() || readers_ < readers_max; });
    if (!idle_.empty()) {
      auto reader = std::move(idle_.back());
      idle_.pop_back();
      return reader;
    }
    ++readers_;
    held.unlock();
    auto made = sqlite_database::open(database_->path(), sqlite_database::access::read);
    std::optional<error> refused;
    if (made) {
      (*made)->execute(reader_settings);
      refused = (*made)->take_failure();
    } else {
      refused = made.failure();
    }
    if (!refused) return made;
    give_back(nullptr);
    return *refused;
  }

  /// Null: there is one less.
  void give_back(std::unique_ptr<sqlite_database> reader) const {
    {
      const std::lock_guard held{pool_};
      if (reader == nullptr) {
        --readers_;
      } else {
        idle_.push_back(std::move(reader));
      }
    }
    room_.notify_one();
  }

  std::optional<file_claim> claim_;  ///< nothing: the database is temporary
  std::unique_ptr<sqlite_database> database_;
  sqlite_store_writer writer_;
  mutable sqlite_store_backlog backlog_;  ///< of a temporary database; else nothing
  std::string name_;
  mutable std::mutex writing_;
  mutable std::mutex pool_;
  mutable std::condition_variable room_;
  mutable std::vector<std::unique_ptr<sqlite_database>> idle_;
  mutable std::size_t readers_ = 0;
};

/// The database with its newest tables, and its name.
result<std::string> prepare(sqlite_database& database, const char* settings,
                            std::string_view journal) {
  // Before all settings: what is not ours stays as it is.
  if (auto failure = migrate(database, store_migrations())) return *failure;
  database.execute(settings);
  sqlite_statement& mode = database.prepared("PRAGMA journal_mode");
  const bool as_wanted = mode.step() && mode.bytes(0) == journal;
  mode.reset();
  if (!as_wanted)
    database.fail(fmt::format("its file system cannot do SQLite's journal mode {}", journal));
  // Names that no alert has any more: here, for it looks at the rules of all alerts.
  database.execute("DELETE FROM rules WHERE id NOT IN (SELECT rule FROM alerts)");
  sqlite_statement& asked = database.prepared("SELECT name FROM store");
  std::string name;
  if (asked.step()) name = std::string{asked.bytes(0)};
  asked.reset();
  if (name.empty()) database.fail("damaged: it has no name");
  if (auto failure = database.take_failure()) return *failure;
  return name;
}

}  // namespace

result<std::unique_ptr<alert_store>> open_sqlite_store(const std::string& folder) {
  std::optional<file_claim> claim;
  if (!folder.empty()) {
    std::error_code refused;
    std::filesystem::create_directories(folder, refused);
    if (refused) return error{"store_failed", fmt::format("{}: {}", folder, refused.message())};
    auto taken = file_claim::take(folder + "/alerts.lock");
    if (!taken) return taken.failure();
    claim = std::move(*taken);
  }
  auto database =
      sqlite_database::open(folder + "/alerts.db", claim ? sqlite_database::access::create
                                                         : sqlite_database::access::temporary);
  if (!database) return database.failure();
  const auto name =
      prepare(**database, claim ? durable_settings : temporary_settings, claim ? "wal" : "memory");
  if (!name) return name.failure();
  return std::unique_ptr<alert_store>{
      std::make_unique<sqlite_store>(std::move(claim), std::move(*database), *name)};
}

}  // namespace tocsin
