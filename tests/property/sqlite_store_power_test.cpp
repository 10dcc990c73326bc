// SPDX-License-Identifier: Apache-2.0
// Power cuts and failing calls at every place of the alert store's writing: what a commit that
// returned has stored is there, whole, and nothing of one that failed.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <memory>
#include <optional>
#include <random>

#include "io/sqlite_store.hpp"
#include "support/simulated_sqlite_disk.hpp"
#include "support/stored_alerts.hpp"

namespace tocsin::testing {
namespace {

/// Commits of random size over a simulated disk, with tidying up between.
class storing {
 public:
  storing(const std::string& folder, std::uint64_t seed) : folder_(folder), random_(seed) {}

  /// Nothing when it opened.
  std::optional<error> open() {
    auto opened = open_sqlite_store(folder_);
    if (!opened) return opened.failure();
    store_ = std::move(*opened);
    return std::nullopt;
  }
  void close() { store_.reset(); }

  /// One commit of new alerts and moves of old ones.
  std::optional<error> commit() {
    if (!waiting_) {
      for (std::uint64_t i = 1 + random_() % 20; i > 0; --i) act();
      waiting_ = maker_.take();
    }
    auto failure = store_->commit({&*waiting_, 1});
    if (failure) return failure;
    waiting_.reset();
    committed_ = maker_.seq();
    if (random_() % 4 == 0) (void)store_->maintain(sample_noon - std::chrono::hours{1});
    return std::nullopt;
  }

  /// What of the store is not as it must be; "" when all is. `in_flight`: a commit was under way.
  std::string check(bool in_flight) const {
    const auto state = store_->load();
    if (!state) return state.failure().message;
    if (state->seq < committed_) {
      return fmt::format("{} of {} transitions are there", state->seq, committed_);
    }
    if (state->seq != committed_ && (!in_flight || state->seq != maker_.seq())) {
      return fmt::format("{} transitions are there, {} or {} were stored", state->seq, committed_,
                         maker_.seq());
    }
    const auto last = store_->recent_transitions(100'000);
    if (!last) return last.failure().message;
    if (last->size() != state->seq) {
      return fmt::format("{} transitions can be read of {}", last->size(), state->seq);
    }
    return {};
  }

  [[nodiscard]] std::uint64_t committed() const { return committed_; }

 private:
  void act() {
    if (begun_.empty() || random_() % 2 == 0) {
      begun_.push_back(maker_.begin(sample_alert(++made_)));
      return;
    }
    transition& one = begun_[random_() % begun_.size()];
    const auto to =
        one->state == alert_state::firing ? alert_state::acknowledged : alert_state::firing;
    one = maker_.move(one, to, one->at + std::chrono::seconds{1}, "ann", "by hand");
  }

  std::string folder_;
  std::mt19937_64 random_;
  std::unique_ptr<alert_store> store_;
  change_maker maker_;
  std::optional<book_changes> waiting_;  ///< tried and not stored yet
  std::vector<transition> begun_;
  std::uint64_t made_ = 0;
  std::uint64_t committed_ = 0;
};

/// Runs `commits` and cuts the power before call `at`. What the image then lacks, or "".
std::string cut_power(std::uint64_t seed, std::uint64_t at, int commits) {
  const scratch_folder folder;
  storing run{folder.path(), seed};
  disk_image left;
  bool cut = false;
  {
    simulated_sqlite_disk disk;
    disk.before_call([&](std::uint64_t number) {
      if (number < at) return SQLITE_OK;
      if (!cut) left = disk.after_power_cut(seed * 1'000'003 + at);
      cut = true;
      return SQLITE_IOERR;
    });
    if (!run.open()) {
      for (int i = 0; i < commits && !cut; ++i) (void)run.commit();
    }
    if (!cut) left = disk.after_power_cut(seed);
    disk.before_call({});
    run.close();
  }
  simulated_sqlite_disk disk{left};
  if (const auto failure = run.open()) return failure->message;
  std::string wrong = run.check(cut);
  run.close();
  return wrong;
}

TEST(sqlite_store_power, a_power_cut_at_any_call_leaves_every_commit_that_returned) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    std::uint64_t calls = 0;
    {
      const scratch_folder folder;
      storing run{folder.path(), seed};
      simulated_sqlite_disk disk;
      ASSERT_FALSE(run.open());
      for (int i = 0; i < 12; ++i) ASSERT_FALSE(run.commit());
      calls = disk.calls();
      run.close();
    }
    ASSERT_GT(calls, 100U);
    for (std::uint64_t at = 1; at <= calls; ++at) {
      ASSERT_EQ(cut_power(seed, at, 12), "") << "seed " << seed << ", call " << at;
    }
  }
}

/// Fails call `at` with `outcome`, once or from then on for `lasting` calls; then all is well
/// again. What is wrong, or "".
std::string fail_call(std::uint64_t seed, std::uint64_t at, std::uint64_t lasting, int outcome) {
  const scratch_folder folder;
  simulated_sqlite_disk disk;
  storing run{folder.path(), seed};
  if (const auto failure = run.open()) return failure->message;
  const std::uint64_t from = disk.calls() + at;
  disk.before_call([&](std::uint64_t number) {
    return number >= from && number < from + lasting ? outcome : SQLITE_OK;
  });
  int failed = 0;
  for (int i = 0; i < 12; ++i) {
    while (const auto failure = run.commit()) {
      if (failure->code != "store_failed") return fmt::format("code {}", failure->code);
      if (++failed > 1'000) return "it fails for ever: " + failure->message;
    }
  }
  std::string wrong = run.check(false);
  run.close();
  if (!wrong.empty()) return wrong;
  if (const auto failure = run.open()) return failure->message;
  wrong = run.check(false);
  run.close();
  return wrong;
}

TEST(sqlite_store_power, a_call_that_fails_at_any_place_loses_nothing_and_the_next_commit_works) {
  for (const int outcome :
       {SQLITE_IOERR, SQLITE_FULL, simulated_sqlite_disk::short_write, SQLITE_IOERR_FSYNC}) {
    for (const std::uint64_t lasting : {1, 40}) {
      for (std::uint64_t at = 1; at <= 150; at += 1 + lasting / 8) {
        ASSERT_EQ(fail_call(7, at, lasting, outcome), "")
            << "outcome " << outcome << ", call " << at << ", for " << lasting;
      }
    }
  }
}

}  // namespace
}  // namespace tocsin::testing
