// SPDX-License-Identifier: Apache-2.0
// Snapshots as files: what is kept, what is refused, what a failure leaves.
#include "io/snapshot_files.hpp"

#include <gtest/gtest.h>
#include <xxhash.h>

#include <cstring>

#include "support/simulated_disk.hpp"
#include "support/stored_alerts.hpp"

namespace tocsin {
namespace {

using testing::simulated_disk;
using fault = simulated_disk::fault;
using step_list = std::vector<std::uint64_t>;

pipeline_snapshot sample(std::uint64_t step) {
  return {step, from_unix_ms(1'772'359'200'000), 77, "ingest", {"", std::string(3000, 'x'), "z"}};
}

std::unique_ptr<snapshot_store> open(const std::shared_ptr<file_system>& files) {
  auto store = open_snapshot_files(files);
  EXPECT_TRUE(store) << (store ? "" : store.failure().message);
  return store ? *std::move(store) : nullptr;
}

TEST(snapshot_files, the_newest_two_are_kept_and_read_back) {
  const testing::scratch_folder folder;
  auto store = open(files_of(folder.path()));
  EXPECT_TRUE(store->steps().empty());
  for (const std::uint64_t step : {3, 9, 20}) ASSERT_FALSE(store->put(sample(step)));
  EXPECT_EQ(store->steps(), (step_list{20, 9}));
  EXPECT_EQ(*store->get(20), sample(20));
  store = open(files_of(folder.path()));
  EXPECT_EQ(*store->get(9), sample(9));
}

TEST(snapshot_files, one_that_is_put_again_takes_the_place_of_the_first) {
  auto disk = std::make_shared<simulated_disk>();
  auto store = open(disk);
  ASSERT_FALSE(store->put(sample(3)));
  auto other = sample(3);
  other.ingest = "other";
  ASSERT_FALSE(store->put(other));
  EXPECT_EQ(store->steps(), (step_list{3}));
  EXPECT_EQ(*store->get(3), other);
}

TEST(snapshot_files, what_was_put_stays_though_others_are_of_later_steps) {
  auto store = open(std::make_shared<simulated_disk>());
  for (const std::uint64_t step : {30, 40, 5}) ASSERT_FALSE(store->put(sample(step)));
  EXPECT_EQ(store->steps(), (step_list{40, 5}));
}

TEST(snapshot_files, a_failed_put_leaves_those_that_were_there) {
  auto disk = std::make_shared<simulated_disk>();
  auto store = open(disk);
  ASSERT_FALSE(store->put(sample(1)));
  ASSERT_FALSE(store->put(sample(2)));
  for (std::uint64_t call = 1; call <= 4; ++call) {
    disk->fail(call, fault::no_space);
    const auto failed = store->put(sample(3));
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->code, "snapshot_failed");
    EXPECT_NE(failed->message.find("the simulated disk fails"), std::string::npos);
    EXPECT_EQ(store->steps(), (step_list{2, 1}));
  }
  EXPECT_FALSE(store->put(sample(3)));
}

TEST(snapshot_files, what_is_cut_longer_of_another_step_or_of_a_later_format_is_refused) {
  auto disk = std::make_shared<simulated_disk>();
  auto store = open(disk);
  ASSERT_FALSE(store->put(sample(1)));
  ASSERT_FALSE(store->put(sample(2)));
  const auto path = disk->paths().back();
  const auto good = disk->bytes_of(path);
  for (std::size_t bytes = 0; bytes < good.size(); bytes += 7) {
    disk->overwrite(path, good.substr(0, bytes));
    ASSERT_FALSE(store->get(2)) << bytes;
    EXPECT_EQ(store->get(2).failure().code, "snapshot_damaged");
  }
  disk->overwrite(path, good + "x");
  EXPECT_EQ(store->get(2).failure().message, "disk/" + path + ": byte " +
                                                 std::to_string(good.size()) +
                                                 ": seen 1 bytes more, wanted the end");
  disk->overwrite(path, disk->bytes_of(disk->paths().front()));
  EXPECT_EQ(store->get(2).failure().message,
            "disk/" + path + ": byte 16: seen step 1, wanted step 2, as its name says");
  auto later = good;
  later[8] = 2;
  const auto checksum = XXH3_64bits(later.data(), 48);
  std::memcpy(later.data() + 48, &checksum, sizeof checksum);
  disk->overwrite(path, later);
  EXPECT_EQ(store->get(2).failure().code, "snapshot_newer");
  EXPECT_EQ(store->get(7).failure().code, "snapshot_damaged");
  EXPECT_TRUE(store->get(1));
}

TEST(snapshot_files, left_overs_of_an_interrupted_put_are_removed) {
  auto disk = std::make_shared<simulated_disk>();
  ASSERT_FALSE(open(disk)->put(sample(1)));
  ASSERT_TRUE(disk->open("snapshots/00000000000000000002.snapshot.new"));
  auto store = open(disk);
  EXPECT_EQ(disk->paths().size(), 1U);
  EXPECT_EQ(store->steps(), (step_list{1}));
}

}  // namespace
}  // namespace tocsin
