// SPDX-License-Identifier: Apache-2.0
// The event log's segments: bytes, limits, failures, trims, verification and repair.
#include "io/segment_log.hpp"

#include <gtest/gtest.h>
#include <xxhash.h>

#include <cstring>
#include <thread>

#include "io/segment_log_chain.hpp"
#include "support/simulated_disk.hpp"
#include "support/stored_alerts.hpp"

namespace tocsin {
namespace {

using testing::simulated_disk;
using fault = simulated_disk::fault;

constexpr segment_log_limits small_segments{300};

class segment_log_test : public ::testing::Test {
 protected:
  std::unique_ptr<event_log> open() {
    auto opened = open_segment_log(disk, small_segments);
    EXPECT_TRUE(opened) << (opened ? "" : opened.failure().message);
    if (!opened) return nullptr;
    cut_bytes = opened->cut_bytes;
    return std::move(opened->log);
  }
  /// Why it does not open; "" when it does.
  std::string refusal() {
    auto opened = open_segment_log(disk, small_segments);
    return opened ? "" : std::string{opened.failure().code} + ": " + opened.failure().message;
  }
  static std::optional<error> append(event_log& log, std::uint64_t step,
                                     std::size_t payload_bytes = 100) {
    const std::string bytes(payload_bytes, static_cast<char>('a' + step % 26));
    const log_record record{step, from_unix_ms(static_cast<long long>(step * 1000)), bytes};
    return log.append({&record, 1});
  }
  static void append_synced(event_log& log, std::uint64_t from, std::uint64_t to) {
    for (auto step = from; step <= to; ++step) {
      ASSERT_FALSE(append(log, step));
      ASSERT_FALSE(log.sync());
    }
  }
  static std::vector<std::uint64_t> steps(log_reader& reader) {
    std::vector<std::uint64_t> seen;
    for (;;) {
      const auto read = reader.next();
      EXPECT_TRUE(read) << (read ? "" : read.failure().message);
      if (!read || !*read) return seen;
      EXPECT_EQ((*read)->bytes,
                std::string((*read)->bytes.size(), static_cast<char>('a' + (*read)->step % 26)));
      seen.push_back((*read)->step);
    }
  }
  static std::vector<std::uint64_t> steps(const event_log& log, std::uint64_t from = 0) {
    auto reader = log.read(from);
    EXPECT_TRUE(reader);
    return steps(**reader);
  }

  std::shared_ptr<simulated_disk> disk = std::make_shared<simulated_disk>();
  std::uint64_t cut_bytes = 0;
};

using step_list = std::vector<std::uint64_t>;

TEST_F(segment_log_test, a_new_log_is_empty_and_goes_on_from_the_first_step_it_gets) {
  auto log = open();
  EXPECT_EQ(log->first_step(), 0U);
  EXPECT_EQ(log->last_step(), 0U);
  EXPECT_EQ(log->bytes(), 80U);
  ASSERT_FALSE(log->append({}));
  ASSERT_FALSE(append(*log, 41));
  EXPECT_EQ(log->first_step(), 41U);
  EXPECT_EQ(log->last_step(), 41U);
  EXPECT_EQ(log->last_clock(), from_unix_ms(41'000));
  EXPECT_EQ(log->bytes(), 80U + 48U + 100U);
}

TEST_F(segment_log_test, reading_begins_at_the_first_step_that_is_not_before_the_one_wanted) {
  auto log = open();
  for (const std::uint64_t step : {2, 4, 6, 8, 10, 12}) ASSERT_FALSE(append(*log, step));
  EXPECT_EQ(steps(*log), (step_list{2, 4, 6, 8, 10, 12}));
  EXPECT_EQ(steps(*log, 7), (step_list{8, 10, 12}));
  EXPECT_EQ(steps(*log, 12), (step_list{12}));
  EXPECT_TRUE(steps(*log, 13).empty());
  EXPECT_GT(disk->paths().size(), 2U) << "this was to go over several segments";
}

TEST_F(segment_log_test, a_reader_ends_where_the_log_ended_when_it_was_made) {
  auto log = open();
  append_synced(*log, 1, 3);
  auto reader = log->read(2);
  append_synced(*log, 4, 8);
  EXPECT_EQ(steps(**reader), (step_list{2, 3}));
}

TEST_F(segment_log_test, a_reader_keeps_what_a_trim_has_removed) {
  auto log = open();
  append_synced(*log, 1, 9);
  auto reader = log->read(0);
  ASSERT_FALSE(log->trim({100, from_unix_ms(1'000'000), 0}));
  EXPECT_GT(log->first_step(), 1U);
  EXPECT_EQ(steps(**reader), (step_list{1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST_F(segment_log_test, a_trim_keeps_what_a_restart_needs_and_what_is_young_and_fits) {
  auto log = open();
  append_synced(*log, 1, 9);
  const auto all = log->bytes();
  ASSERT_FALSE(log->trim({1, from_unix_ms(1'000'000), 0}));
  EXPECT_EQ(log->first_step(), 1U) << "all is needed";
  ASSERT_FALSE(log->trim({9, from_unix_ms(0), UINT64_MAX}));
  EXPECT_EQ(log->first_step(), 1U) << "nothing is old, nothing is too much";
  ASSERT_FALSE(log->trim({9, from_unix_ms(2'500), UINT64_MAX}));
  EXPECT_EQ(log->first_step(), 3U) << "two records a segment, the first one is old";
  ASSERT_FALSE(log->trim({9, from_unix_ms(0), all - 500}));
  EXPECT_LE(log->bytes(), all - 500);
  ASSERT_FALSE(log->trim({100, from_unix_ms(1'000'000), 0}));
  EXPECT_EQ(log->last_step(), 9U);
  EXPECT_EQ(steps(*log), (step_list{9})) << "the newest records stay";
  log.reset();
  log = open();
  EXPECT_EQ(log->last_step(), 9U);
  EXPECT_EQ(log->last_clock(), from_unix_ms(9'000));
}

TEST_F(segment_log_test, the_newest_synced_records_stay_while_newer_ones_are_not) {
  auto log = open();
  append_synced(*log, 1, 2);
  // The third begins a segment, and is in no image for sure.
  ASSERT_FALSE(append(*log, 3));
  ASSERT_FALSE(log->trim({100, from_unix_ms(1'000'000), 0}));
  EXPECT_EQ(log->first_step(), 1U);
}

TEST_F(segment_log_test, a_write_that_fails_is_taken_back_and_may_be_tried_again) {
  for (const auto as : {fault::io, fault::no_space, fault::short_write}) {
    disk = std::make_shared<simulated_disk>();
    auto log = open();
    append_synced(*log, 1, 1);
    disk->fail(1, as);
    const auto failed = append(*log, 2);
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->code, "log_full");
    EXPECT_EQ(log->last_step(), 1U);
    EXPECT_EQ(steps(*log), (step_list{1}));
    EXPECT_EQ(disk->bytes_of(segment_path(1)).size(), log->bytes());
    append_synced(*log, 2, 3);
    EXPECT_EQ(steps(*log), (step_list{1, 2, 3}));
  }
}

TEST_F(segment_log_test, a_new_segment_that_cannot_be_made_is_tried_again) {
  auto log = open();
  append_synced(*log, 1, 2);
  // open, append, sync, rename
  for (const std::uint64_t call : {1, 2, 4}) {
    disk->fail(call, fault::no_space);
    const auto failed = append(*log, 3);
    ASSERT_TRUE(failed) << call;
    EXPECT_EQ(failed->code, "log_full") << call;
  }
  append_synced(*log, 3, 3);
  EXPECT_EQ(steps(*log), (step_list{1, 2, 3}));
}

TEST_F(segment_log_test, a_failed_sync_breaks_the_log_for_ever) {
  auto log = open();
  ASSERT_FALSE(append(*log, 1));
  disk->fail(1, fault::io);
  const auto failed = log->sync();
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->code, "log_broken");
  EXPECT_EQ(log->sync()->code, "log_broken");
  EXPECT_EQ(append(*log, 2)->code, "log_broken");
  EXPECT_EQ(log->trim({})->code, "log_broken");
}

TEST_F(segment_log_test, what_cannot_be_taken_back_breaks_the_log) {
  auto log = open();
  append_synced(*log, 1, 1);
  disk->fail(1, fault::power_loss);
  EXPECT_EQ(append(*log, 2)->code, "log_broken");
}

/// A sync that is tried again says nothing about bytes whose sync has failed: after the restart
/// they are written once more.
TEST_F(segment_log_test, what_a_failed_sync_has_left_in_memory_lasts_once_the_log_is_open_again) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    disk = std::make_shared<simulated_disk>();
    auto log = open();
    append_synced(*log, 1, 1);
    ASSERT_FALSE(append(*log, 2, 5000));
    disk->fail(1, fault::io, seed);
    ASSERT_TRUE(log->sync());
    log = open();
    ASSERT_EQ(log->last_step(), 2U);
    ASSERT_FALSE(append(*log, 3));
    ASSERT_FALSE(log->sync());
    log.reset();
    disk = disk->crash(seed);
    log = open();
    ASSERT_TRUE(log) << "seed " << seed;
    EXPECT_EQ(steps(*log), (step_list{1, 2, 3})) << "seed " << seed;
  }
}

TEST_F(segment_log_test, a_torn_tail_is_cut_and_told) {
  auto log = open();
  append_synced(*log, 1, 1);
  ASSERT_FALSE(append(*log, 2));
  log.reset();
  auto bytes = disk->bytes_of(segment_path(1));
  disk->overwrite(segment_path(1), bytes.substr(0, bytes.size() - 10));
  EXPECT_EQ(verify_segment_log(*disk)->torn_bytes, 138U);
  EXPECT_TRUE(verify_segment_log(*disk)->damage.empty());
  log = open();
  EXPECT_EQ(cut_bytes, 138U);
  EXPECT_EQ(steps(*log), (step_list{1}));
  append_synced(*log, 2, 2);
  EXPECT_EQ(steps(*log), (step_list{1, 2}));
}

TEST_F(segment_log_test, zeros_behind_the_last_record_are_room_and_not_torn) {
  auto log = open();
  append_synced(*log, 1, 1);
  append_synced(*log, 2, 2);
  log.reset();
  const std::string bytes = disk->bytes_of(segment_path(1));
  disk->overwrite(segment_path(1), bytes + std::string(5000, '\0'));
  EXPECT_EQ(verify_segment_log(*disk)->torn_bytes, 0U);
  EXPECT_TRUE(verify_segment_log(*disk)->damage.empty());
  log = open();
  EXPECT_EQ(cut_bytes, 0U);
  EXPECT_EQ(steps(*log), (step_list{1, 2}));
  append_synced(*log, 3, 3);
  EXPECT_EQ(steps(*log), (step_list{1, 2, 3}));
}

TEST_F(segment_log_test, zeros_where_a_synced_record_was_are_damage) {
  auto log = open();
  append_synced(*log, 1, 1);
  append_synced(*log, 2, 2);
  log.reset();
  disk = disk->crash(1);
  log = open();  // copies what it cannot know to be synced into a segment that says so
  log.reset();
  const std::string path = segment_path(2);
  std::string bytes = disk->bytes_of(path);
  ASSERT_GT(bytes.size(), 100U);
  std::fill(bytes.begin() + 90, bytes.end(), '\0');
  disk->overwrite(path, bytes);
  EXPECT_FALSE(open_segment_log(disk));
}

TEST_F(segment_log_test, good_records_behind_a_torn_one_are_cut_with_it) {
  auto log = open();
  append_synced(*log, 1, 1);
  ASSERT_FALSE(append(*log, 2, 10));
  ASSERT_FALSE(append(*log, 3, 10));
  log.reset();
  disk->flip(segment_path(1), 80 + 148 + 50, 1);
  log = open();
  EXPECT_EQ(cut_bytes, 2U * 58);
  EXPECT_EQ(steps(*log), (step_list{1}));
}

TEST_F(segment_log_test, a_bad_record_before_a_later_group_is_damage_and_not_torn) {
  auto log = open();
  append_synced(*log, 1, 1);
  ASSERT_FALSE(append(*log, 2, 10));
  log.reset();
  disk->flip(segment_path(1), 80 + 48 + 99, 1);
  const auto why = refusal();
  EXPECT_TRUE(
      why.starts_with("log_damaged: disk/log/00000000000000000001.log: byte 80: seen bytes "
                      "of step 1 with the checksum "))
      << why;
}

TEST_F(segment_log_test, segments_that_are_missing_short_foreign_or_newer_are_named) {
  auto log = open();
  append_synced(*log, 1, 7);
  log.reset();
  const auto whole = disk;
  ASSERT_EQ(disk->paths().size(), 4U);

  disk = whole->copy();
  ASSERT_FALSE(disk->remove(segment_path(2)));
  EXPECT_EQ(refusal(),
            "log_damaged: disk/log/00000000000000000002.log: byte 0: seen no such file, wanted "
            "segment 2 between 1 and 3");

  disk = whole->copy();
  disk->overwrite(segment_path(2), disk->bytes_of(segment_path(2)).substr(0, 200));
  EXPECT_NE(refusal().find("02.log: byte 200: seen the end of the file, wanted 376 bytes"),
            std::string::npos)
      << refusal();

  disk = whole->copy();
  disk->overwrite(segment_path(2), "hello");
  EXPECT_NE(refusal().find("02.log: byte 5: seen the end of the file, wanted a segment header"),
            std::string::npos)
      << refusal();

  disk = whole->copy();
  disk->overwrite(segment_path(2), whole->bytes_of(segment_path(3)));
  EXPECT_NE(refusal().find("seen segment 3, wanted segment 2"), std::string::npos) << refusal();

  disk = whole->copy();
  auto later = disk->bytes_of(segment_path(2));
  later[8] = 2;
  const auto checksum = XXH3_64bits(later.data(), 72);
  std::memcpy(later.data() + 72, &checksum, sizeof checksum);
  disk->overwrite(segment_path(2), later);
  EXPECT_TRUE(
      refusal().starts_with("log_newer: disk/log/00000000000000000002.log: byte 8: seen "
                            "format version 2, wanted at most 1"))
      << refusal();
}

TEST_F(segment_log_test, a_block_that_was_moved_is_no_record) {
  auto log = open();
  append_synced(*log, 1, 2);
  append_synced(*log, 3, 4);
  log.reset();
  auto bytes = disk->bytes_of(segment_path(2));
  const auto old = disk->bytes_of(segment_path(1));
  bytes.replace(80, 148, old, 80, 148);
  disk->overwrite(segment_path(2), bytes);
  EXPECT_NE(refusal().find("02.log: byte 80: seen bytes that are no record's header"),
            std::string::npos)
      << refusal();
}

TEST_F(segment_log_test, repair_fills_a_missing_segment_and_a_lost_end) {
  auto log = open();
  append_synced(*log, 1, 8);
  log.reset();
  ASSERT_FALSE(disk->remove(segment_path(2)));
  disk->overwrite(segment_path(3), disk->bytes_of(segment_path(3)).substr(0, 250));
  const auto done = repair_segment_log(*disk);
  ASSERT_TRUE(done) << done.failure().message;
  const auto found = verify_segment_log(*disk);
  EXPECT_TRUE(found->damage.empty()) << found->damage.front();
  EXPECT_EQ(found->gaps, 2U);
  EXPECT_TRUE(disk->exists("log/quarantine/00000000000000000003.log.228"));
  log = open();
  EXPECT_EQ(steps(*log), (step_list{1, 2, 5, 7, 8}));
  append_synced(*log, 9, 9);
}

TEST_F(segment_log_test, repair_fills_a_missing_segment_that_was_longer_than_the_one_before) {
  auto log = open();
  ASSERT_FALSE(append(*log, 1, 80));
  ASSERT_FALSE(append(*log, 2, 170));
  ASSERT_FALSE(append(*log, 3, 130));
  ASSERT_FALSE(append(*log, 4, 175));
  ASSERT_FALSE(append(*log, 5));
  ASSERT_FALSE(log->sync());
  log.reset();
  ASSERT_LT(disk->bytes_of(segment_path(1)).size(), disk->bytes_of(segment_path(2)).size());
  ASSERT_FALSE(disk->remove(segment_path(2)));
  const auto done = repair_segment_log(*disk);
  ASSERT_TRUE(done) << done.failure().message;
  EXPECT_EQ(done->size(), 1U) << "what is there is right";
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(steps(*open()), (step_list{1, 2, 5}));
}

TEST_F(segment_log_test, a_repaired_log_opens_also_where_a_segment_is_not_as_long_as_it_was) {
  auto log = open();
  append_synced(*log, 1, 8);
  log.reset();
  // A byte of the header is gone, and the salt in it is such that records are right one byte on.
  auto bytes = disk->bytes_of(segment_path(2));
  std::uint64_t salt = 0;
  std::memcpy(&salt, bytes.data() + 24, sizeof salt);
  ++salt;
  std::memcpy(bytes.data() + 24, &salt, sizeof salt);
  bytes.erase(40, 1);
  disk->overwrite(segment_path(2), bytes);
  const auto done = repair_segment_log(*disk);
  ASSERT_TRUE(done) << done.failure().message;
  EXPECT_EQ(done->back(),
            "disk/log/00000000000000000003.log: its header says now that the segment before ends "
            "at byte 375");
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(steps(*open()), (step_list{1, 2, 4, 5, 6, 7, 8}));
}

TEST_F(segment_log_test, reading_without_opening_changes_nothing_and_ends_before_what_is_torn) {
  auto log = open();
  append_synced(*log, 1, 3);
  ASSERT_FALSE(append(*log, 4));
  log.reset();
  auto path = disk->paths().back();
  disk->overwrite(path, disk->bytes_of(path).substr(0, disk->bytes_of(path).size() - 1));
  const auto calls = disk->calls();
  auto reader = read_segment_log(*disk);
  ASSERT_TRUE(reader);
  EXPECT_EQ(steps(**reader), (step_list{1, 2, 3}));
  EXPECT_EQ(disk->calls(), calls);
}

TEST_F(segment_log_test, left_overs_of_an_unfinished_segment_are_removed) {
  auto log = open();
  append_synced(*log, 1, 1);
  log.reset();
  ASSERT_TRUE(disk->open(unfinished_path(segment_path(2))));
  log = open();
  EXPECT_FALSE(disk->exists(unfinished_path(segment_path(2))));
}

TEST_F(segment_log_test, the_machines_own_files_hold_a_log_that_is_read_while_it_grows) {
  const testing::scratch_folder folder;
  auto opened = open_segment_log(files_of(folder.path()), {4096});
  ASSERT_TRUE(opened) << opened.failure().message;
  auto& log = *opened->log;
  std::jthread writer([&log] {
    for (std::uint64_t step = 1; step <= 500; ++step) {
      EXPECT_FALSE(append(log, step));
      if (step % 10 == 0) {
        EXPECT_FALSE(log.sync());
      }
    }
  });
  while (log.last_step() < 500) {
    const auto before = log.last_step();
    const auto seen = steps(log);
    ASSERT_GE(seen.size(), before);
    for (std::size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], i + 1);
  }
  writer.join();
  opened->log.reset();
  auto again = open_segment_log(files_of(folder.path()), {4096});
  ASSERT_TRUE(again);
  EXPECT_EQ(steps(*again->log).size(), 500U);
}

}  // namespace
}  // namespace tocsin
