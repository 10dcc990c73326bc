// SPDX-License-Identifier: Apache-2.0
// The store's file: one owner, versions, damage, full disks, crashes.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "io/sqlite_database.hpp"
#include "io/sqlite_store.hpp"
#include "io/sqlite_store_backlog.hpp"
#include "io/sqlite_store_queries.hpp"
#include "io/sqlite_store_schema.hpp"
#include "io/sqlite_store_writer.hpp"
#include "support/stored_alerts.hpp"

namespace tocsin {
namespace {

using testing::change_maker;
using testing::sample_alert;
using testing::scratch_folder;

/// Why the folder's store does not open; "" when it does.
std::string refusal(const std::string& folder) {
  const auto store = open_sqlite_store(folder);
  if (store) return {};
  EXPECT_EQ(store.failure().code, "store_failed");
  return store.failure().message;
}

std::unique_ptr<sqlite_database> database(const std::string& path) {
  auto made = sqlite_database::open(path, sqlite_database::access::create);
  EXPECT_TRUE(made) << (made ? "" : made.failure().message);
  return made ? std::move(*made) : nullptr;
}

void fill(alert_store& store, std::uint64_t alerts) {
  change_maker maker;
  for (std::uint64_t i = 0; i < alerts; ++i) maker.begin(sample_alert(i));
  const book_changes changes = maker.take();
  const auto failure = store.commit({&changes, 1});
  EXPECT_FALSE(failure) << failure->message;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(sqlite_store_file, a_folder_has_one_store_at_a_time) {
  const scratch_folder folder;
  auto first = open_sqlite_store(folder.path());
  ASSERT_TRUE(first);
  EXPECT_EQ(refusal(folder.path()), fmt::format("{}/alerts.lock: in use by another process ({})",
                                                folder.path(), ::getpid()));
  first->reset();
  EXPECT_EQ(refusal(folder.path()), "");
}

TEST(sqlite_store_file, a_folder_is_made_when_there_is_none) {
  const scratch_folder folder;
  EXPECT_EQ(refusal(folder.file("deep/down")), "");
  EXPECT_TRUE(std::filesystem::exists(folder.file("deep/down/alerts.db")));
}

TEST(sqlite_store_file, a_folder_that_cannot_be_made_is_refused_with_the_reason) {
  const scratch_folder folder;
  std::ofstream{folder.file("file")} << "text";
  const std::string seen = refusal(folder.file("file/data"));
  EXPECT_TRUE(contains(seen, "Not a directory")) << seen;
}

TEST(sqlite_store_file, a_temporary_store_leaves_nothing_and_shares_nothing) {
  const auto one = open_sqlite_store("");
  const auto other = open_sqlite_store("");
  ASSERT_TRUE(one);
  ASSERT_TRUE(other);
  fill(**one, 3);
  EXPECT_EQ((*one)->load()->alerts.size(), 3U);
  EXPECT_TRUE((*other)->load()->alerts.empty());
  EXPECT_GT((*one)->bytes(), 0U);
}

TEST(sqlite_store_file, a_temporary_store_takes_more_than_it_keeps_unwritten_and_forgets_none) {
  const auto store = open_sqlite_store("");
  ASSERT_TRUE(store);
  change_maker maker;
  const transition begun = maker.begin(sample_alert(1));
  transition now = begun;
  std::size_t states = 1;
  for (; states < 2 * sqlite_store_backlog::later_states_max; ++states) {
    now = maker.move(now, now->state, now->at, "ann", "note", std::to_string(states));
    if (states % 100 != 0) continue;
    const book_changes changes = maker.take();
    ASSERT_FALSE((*store)->commit({&changes, 1}));
  }
  const book_changes last = maker.take();
  ASSERT_FALSE((*store)->commit({&last, 1}));
  const auto found = (*store)->explain(begun->alert_id);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->transitions.size(), states);
  EXPECT_EQ(found->transitions.back()->note, std::to_string(states - 1));
  EXPECT_EQ(found->now->note, std::to_string(states - 1));
}

TEST(sqlite_store_file, a_temporary_store_is_written_by_maintenance_piece_by_piece) {
  const auto store = open_sqlite_store("");
  ASSERT_TRUE(store);
  change_maker maker;
  for (std::uint64_t i = 1; i <= 12'000; ++i) {
    maker.begin(sample_alert(i));
    if (i % 1'000 != 0) continue;
    const book_changes changes = maker.take();
    ASSERT_FALSE((*store)->commit({&changes, 1}));
  }
  const std::uint64_t before = (*store)->bytes();
  int pieces = 0;
  for (auto more = (*store)->maintain(instant{}); more && *more;
       more = (*store)->maintain(instant{})) {
    ++pieces;
  }
  EXPECT_GE(pieces, 3);
  EXPECT_GT((*store)->bytes(), before);
  EXPECT_EQ((*store)->load()->alerts.size(), 12'000U);
}

TEST(sqlite_store_file, a_temporary_store_refuses_a_gap_in_the_numbers_before_it_is_written) {
  const auto store = open_sqlite_store("");
  ASSERT_TRUE(store);
  fill(**store, 3);
  change_maker maker{4};
  maker.begin(sample_alert(9));
  const book_changes gap = maker.take();
  const auto failure = (*store)->commit({&gap, 1});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code, "store_failed");
  EXPECT_TRUE(contains(failure->message, "transition 5 came after 3")) << failure->message;
  change_maker goes_on{3};
  goes_on.begin(sample_alert(9));
  const book_changes next = goes_on.take();
  EXPECT_FALSE((*store)->commit({&next, 1}));
  EXPECT_EQ((*store)->load()->seq, 4U);
}

TEST(sqlite_store_file, a_file_of_a_newer_version_is_refused_and_left_alone) {
  const scratch_folder folder;
  ASSERT_EQ(refusal(folder.path()), "");
  database(folder.file("alerts.db"))->execute("PRAGMA user_version = 77");
  const std::string seen = refusal(folder.path());
  EXPECT_TRUE(contains(seen, folder.file("alerts.db") + ": it has version 77, this program knows "
                                                        "versions up to 2"))
      << seen;
  EXPECT_EQ(database(folder.file("alerts.db"))->integer("PRAGMA user_version"), 77);
}

TEST(sqlite_store_file, a_file_of_another_program_is_refused_and_left_alone) {
  const scratch_folder folder;
  database(folder.file("alerts.db"))->execute("CREATE TABLE songs (name)");
  const std::string seen = refusal(folder.path());
  EXPECT_TRUE(contains(seen, "another program made it")) << seen;
  EXPECT_EQ(database(folder.file("alerts.db"))->integer("SELECT count(*) FROM sqlite_master"), 1);
}

TEST(sqlite_store_file, a_file_that_is_no_database_is_refused_with_the_reason) {
  const scratch_folder folder;
  std::ofstream{folder.file("alerts.db")} << std::string(5000, 'x');
  const std::string seen = refusal(folder.path());
  EXPECT_TRUE(contains(seen, folder.file("alerts.db") + ": file is not a database")) << seen;
}

TEST(sqlite_store_file, a_file_that_was_cut_short_is_refused_with_the_reason) {
  const scratch_folder folder;
  {
    const auto store = open_sqlite_store(folder.path());
    ASSERT_TRUE(store);
    fill(**store, 100);
  }
  std::filesystem::resize_file(folder.file("alerts.db"),
                               std::filesystem::file_size(folder.file("alerts.db")) / 2);
  const std::string seen = refusal(folder.path());
  EXPECT_TRUE(contains(seen, "database disk image is malformed")) << seen;
}

TEST(sqlite_store_file, damage_within_the_file_is_an_error_with_the_reason_where_it_is_met) {
  const scratch_folder folder;
  {
    const auto store = open_sqlite_store(folder.path());
    ASSERT_TRUE(store);
    fill(**store, 500);
  }
  const auto size = std::filesystem::file_size(folder.file("alerts.db"));
  {
    std::fstream file{folder.file("alerts.db"), std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(static_cast<std::streamoff>(size / 2));
    const std::string noise(size / 2, '\x5a');
    file.write(noise.data(), static_cast<std::streamsize>(noise.size()));
  }
  const auto store = open_sqlite_store(folder.path());
  const auto state = store ? (*store)->load() : result<book_state>{store.failure()};
  ASSERT_FALSE(state);
  EXPECT_EQ(state.failure().code, "store_failed");
  EXPECT_TRUE(contains(state.failure().message, "alerts.db: ")) << state.failure().message;
}

TEST(sqlite_store_file, names_that_no_alert_has_any_more_go_when_it_is_opened) {
  const scratch_folder folder;
  {
    const auto store = open_sqlite_store(folder.path());
    ASSERT_TRUE(store);
    change_maker maker;
    const auto ended = maker.begin(sample_alert(1, 1));
    maker.move(ended, alert_state::resolved, ended->at, "rule", "over");
    maker.begin(sample_alert(2, 2));
    const book_changes changes = maker.take();
    ASSERT_FALSE((*store)->commit({&changes, 1}));
    ASSERT_TRUE((*store)->maintain(ended->at + std::chrono::seconds{1}));
  }
  EXPECT_EQ(refusal(folder.path()), "");
  EXPECT_EQ(database(folder.file("alerts.db"))
                ->integer("SELECT count(*) FROM rules WHERE name = 'rule-1'"),
            0);
  EXPECT_EQ(database(folder.file("alerts.db"))->integer("SELECT count(*) FROM rules"), 1);
}

TEST(sqlite_store_file, an_older_version_is_migrated_and_keeps_its_rows) {
  const scratch_folder folder;
  const std::array old{store_migration{1, "CREATE TABLE t (a); INSERT INTO t VALUES (5)"}};
  const std::array now{old[0], store_migration{2, "ALTER TABLE t ADD COLUMN b DEFAULT 7"},
                       store_migration{3, "UPDATE t SET b = b + a"}};
  {
    const auto file = database(folder.file("a.db"));
    EXPECT_FALSE(migrate(*file, old));
    EXPECT_EQ(file->integer("PRAGMA user_version"), 1);
  }
  const auto file = database(folder.file("a.db"));
  EXPECT_FALSE(migrate(*file, now));
  EXPECT_EQ(file->integer("PRAGMA user_version"), 3);
  EXPECT_EQ(file->integer("SELECT b FROM t"), 12);
  EXPECT_FALSE(migrate(*file, now));
  EXPECT_EQ(file->integer("SELECT b FROM t"), 12);
}

TEST(sqlite_store_file, a_store_of_version_1_goes_on_and_remembers_steps) {
  const scratch_folder folder;
  change_maker maker;
  maker.begin(sample_alert(1));
  {
    // As version 1 wrote it: its tables, and a store's clock and number.
    const auto file = database(folder.file("alerts.db"));
    ASSERT_FALSE(migrate(*file, store_migrations().first(1)));
    EXPECT_EQ(file->integer("PRAGMA user_version"), 1);
    file->execute("UPDATE store SET clock = 5");
    ASSERT_FALSE(file->take_failure());
  }
  const auto store = open_sqlite_store(folder.path());
  ASSERT_TRUE(store) << store.failure().message;
  EXPECT_EQ((*store)->load()->step, 0U);
  EXPECT_EQ((*store)->load()->clock, from_unix_ms(5));
  book_changes changes = maker.take();
  changes.step = 7;
  ASSERT_FALSE((*store)->commit({&changes, 1}));
  EXPECT_EQ((*store)->load()->step, 7U);
}

TEST(sqlite_store_file, the_last_step_of_several_changes_is_kept_and_changes_without_one_leave_it) {
  const scratch_folder folder;
  const auto store = open_sqlite_store(folder.path());
  ASSERT_TRUE(store) << store.failure().message;
  std::vector<book_changes> changes(2);
  changes[0].step = 3;
  changes[1].step = 9;
  ASSERT_FALSE((*store)->commit(changes));
  EXPECT_EQ((*store)->load()->step, 9U);
  changes.resize(1);
  changes[0].step = 0;
  ASSERT_FALSE((*store)->commit(changes));
  EXPECT_EQ((*store)->load()->step, 9U);
}

TEST(sqlite_store_file, a_migration_that_fails_leaves_the_file_as_it_was) {
  const scratch_folder folder;
  const auto file = database(folder.file("a.db"));
  const std::array steps{store_migration{1, "CREATE TABLE t (a)"},
                         store_migration{2, "INSERT INTO nowhere VALUES (1)"}};
  const auto failure = migrate(*file, steps);
  ASSERT_TRUE(failure);
  EXPECT_TRUE(contains(failure->message, "no such table: nowhere")) << failure->message;
  EXPECT_EQ(file->integer("PRAGMA user_version"), 0);
  EXPECT_EQ(file->integer("SELECT count(*) FROM sqlite_master"), 0);
}

TEST(sqlite_store_file, a_full_disk_undoes_the_commit_and_the_store_goes_on_when_there_is_room) {
  const scratch_folder folder;
  const auto file = database(folder.file("a.db"));
  ASSERT_FALSE(migrate(*file, store_migrations()));
  sqlite_store_writer writer{*file};
  change_maker maker;
  maker.begin(sample_alert(1));
  const auto first = std::make_shared<const book_changes>(maker.take());
  ASSERT_FALSE(writer.commit({&first, 1}));

  const auto pages = file->integer("PRAGMA page_count").value_or(0);
  file->execute(fmt::format("PRAGMA max_page_count = {}", pages + 2));
  for (std::uint64_t i = 2; i < 200; ++i) maker.begin(sample_alert(i, i));
  const auto many = std::make_shared<const book_changes>(maker.take());
  const auto failure = writer.commit({&many, 1});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code, "store_failed");
  EXPECT_TRUE(contains(failure->message, "a.db: database or disk is full")) << failure->message;
  const auto state = read_book_state(*file);
  ASSERT_TRUE(state) << state.failure().message;
  EXPECT_EQ(state->seq, 1U);
  EXPECT_EQ(state->alerts.size(), 1U);

  file->execute("PRAGMA max_page_count = 1000000");
  const auto again = writer.commit({&many, 1});
  EXPECT_FALSE(again) << again->message;
  EXPECT_EQ(read_book_state(*file)->seq, 199U);
  EXPECT_EQ(read_book_state(*file)->alerts.size(), 199U);
  EXPECT_EQ(file->integer("SELECT count(*) FROM rules"), 199);
}

/// No file of this process grows beyond `bytes` while it lives.
class file_size_limit {
 public:
  explicit file_size_limit(std::uint64_t bytes) {
    old_signal_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit wanted{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &wanted);
  }
  ~file_size_limit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_signal_);
  }
  file_size_limit(const file_size_limit&) = delete;
  file_size_limit& operator=(const file_size_limit&) = delete;

 private:
  rlimit old_{};
  void (*old_signal_)(int) = nullptr;
};

TEST(sqlite_store_file, a_write_that_the_system_refuses_is_an_error_and_the_store_goes_on) {
  const scratch_folder folder;
  const auto store = open_sqlite_store(folder.path());
  ASSERT_TRUE(store);
  fill(**store, 10);
  change_maker maker{10};
  for (std::uint64_t i = 100; i < 1'100; ++i) maker.begin(sample_alert(i));
  const book_changes many = maker.take();
  std::optional<error> failure;
  {
    const file_size_limit limit{std::filesystem::file_size(folder.file("alerts.db-wal")) + 40'000};
    failure = (*store)->commit({&many, 1});
  }
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code, "store_failed");
  EXPECT_TRUE(contains(failure->message, "alerts.db: ")) << failure->message;
  EXPECT_EQ((*store)->load()->seq, 10U);
  const auto again = (*store)->commit({&many, 1});
  EXPECT_FALSE(again) << again->message;
  EXPECT_EQ((*store)->load()->seq, 1'010U);
}

TEST(sqlite_store_file, what_was_committed_is_there_after_the_process_was_killed) {
  const scratch_folder folder;
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto store = open_sqlite_store(folder.path());
    if (!store) ::_exit(1);
    change_maker maker;
    maker.begin(sample_alert(1));
    const book_changes changes = maker.take();
    if ((*store)->commit({&changes, 1})) ::_exit(2);
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto store = open_sqlite_store(folder.path());
  ASSERT_TRUE(store) << store.failure().message;
  const auto state = (*store)->load();
  ASSERT_TRUE(state);
  EXPECT_EQ(state->seq, 1U);
  EXPECT_EQ(state->alerts.size(), 1U);
}

}  // namespace
}  // namespace tocsin
