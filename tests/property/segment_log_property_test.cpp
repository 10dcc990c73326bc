// SPDX-License-Identifier: Apache-2.0
// Random histories of the event log on a disk that fails and loses power: what was synced is there,
// and what is there beyond it is what was appended.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "io/segment_log.hpp"
#include "io/snapshot_files.hpp"
#include "support/simulated_disk.hpp"

namespace tocsin {
namespace {

using testing::simulated_disk;
using fault = simulated_disk::fault;

struct kept_record {
  std::uint64_t step = 0;
  instant clock{};
  std::string bytes;
  friend bool operator==(const kept_record&, const kept_record&) = default;
};
using kept_records = std::vector<kept_record>;

/// All records, or the error.
result<kept_records> read_all(const event_log& log, std::uint64_t from = 0) {
  auto reader = log.read(from);
  if (!reader) return reader.failure();
  kept_records all;
  for (;;) {
    const auto read = (*reader)->next();
    if (!read) return read.failure();
    if (!*read) return all;
    all.push_back({(*read)->step, (*read)->clock, std::string{(*read)->bytes}});
  }
}

/// What a history has done to its log, as its caller knows it.
struct model {
  kept_records appended;    ///< in the log as far as append() said
  std::size_t synced = 0;   ///< of appended
  std::size_t trimmed = 0;  ///< of appended: at most so many are gone
  kept_records not_taken;   ///< of an append that broke the log: may be there or not
  bool broken = false;

  [[nodiscard]] kept_records possible() const {
    kept_records all = appended;
    all.insert(all.end(), not_taken.begin(), not_taken.end());
    return all;
  }
};

/// Empty when `seen` is what may be left of the model's records; else what is wrong.
std::string trouble(const kept_records& seen, const model& of) {
  const kept_records possible = of.possible();
  if (seen.empty()) return of.synced == 0 ? "" : "synced records are lost: none is left";
  const auto begin = std::find(possible.begin(), possible.end(), seen.front());
  if (begin == possible.end()) return "a record that nobody appended comes first";
  const auto skipped = static_cast<std::size_t>(begin - possible.begin());
  if (skipped > of.trimmed) return "records are lost that no trim took";
  if (seen.size() > possible.size() - skipped || !std::equal(seen.begin(), seen.end(), begin))
    return "what is there is no prefix of what was appended";
  if (skipped + seen.size() < of.synced) {
    return "synced records are lost: " + std::to_string(of.synced) + " wanted, " +
           std::to_string(skipped + seen.size()) + " seen";
  }
  return "";
}

class history {
 public:
  history(std::uint64_t seed, std::shared_ptr<simulated_disk> disk)
      : random_(seed), disk_(std::move(disk)), limits_{200 + random_() % 3000} {}

  /// False: the disk did not let it be opened.
  [[nodiscard]] bool open() {
    auto opened = open_segment_log(disk_, limits_);
    if (!opened) {
      failure_ = opened.failure();
      return false;
    }
    log_ = std::move(opened->log);
    cut_bytes_ = opened->cut_bytes;
    return true;
  }

  void run(unsigned steps) {
    for (unsigned i = 0; i < steps; ++i) act();
  }

  void act() {
    const auto choice = random_() % 10;
    if (choice < 5) {
      append(random_group());
    } else if (choice < 8) {
      sync();
    } else if (choice == 8) {
      trim();
    } else {
      // The process dies and comes back; the machine goes on.
      log_.reset();
      if (open()) adopt();
    }
    if (!log_ && open()) adopt();
  }

  void append(const kept_records& group) {
    std::vector<log_record> records;
    for (const auto& each : group) records.push_back({each.step, each.clock, each.bytes});
    if (!log_) return;
    const auto failed = log_->append(records);
    if (!failed) {
      ASSERT_FALSE(model_.broken) << "a broken log took records";
      model_.appended.insert(model_.appended.end(), group.begin(), group.end());
      return;
    }
    if (failed->code == "log_broken" && !model_.broken) {
      model_.broken = true;
      model_.not_taken = group;
    }
    if (model_.broken) {
      ASSERT_EQ(failed->code, "log_broken");
    }
  }
  void sync() {
    if (!log_) return;
    const auto failed = log_->sync();
    if (!failed) {
      ASSERT_FALSE(model_.broken) << "a broken log said that it is synced";
      model_.synced = model_.appended.size();
    } else {
      ASSERT_EQ(failed->code, "log_broken");
      model_.broken = true;
    }
  }
  void trim() {
    if (!log_ || model_.appended.empty()) return;
    const auto kept = random_() % model_.appended.size();
    if (!log_->trim({model_.appended[kept].step, model_.appended[kept].clock, 0}) || !model_.broken)
      model_.trimmed = std::max<std::size_t>(model_.trimmed, kept);
  }

  kept_records random_group() {
    kept_records group;
    for (auto left = 1 + random_() % 4; left > 0; --left) {
      step_ += 1 + random_() % 3;
      clock_ += duration{random_() % 1000};
      std::string bytes(random_() % (random_() % 8 == 0 ? 3000 : 200), '\0');
      for (char& each : bytes) each = static_cast<char>(random_());
      group.push_back({step_, clock_, std::move(bytes)});
    }
    return group;
  }

  /// After a restart what the log holds is what counts, and all of it is synced.
  void adopt() {
    const auto seen = read_all(*log_);
    ASSERT_TRUE(seen) << seen.failure().message;
    ASSERT_EQ(trouble(*seen, model_), "");
    model_ = {};
    model_.appended = *seen;
    model_.synced = seen->size();
    ASSERT_EQ(log_->last_step(), seen->empty() ? log_->last_step() : seen->back().step);
    ASSERT_EQ(log_->first_step(), seen->empty() ? 0 : seen->front().step);
  }

  std::mt19937_64 random_;
  std::shared_ptr<simulated_disk> disk_;
  segment_log_limits limits_;
  std::unique_ptr<event_log> log_;
  model model_;
  error failure_;
  std::uint64_t cut_bytes_ = 0;
  std::uint64_t step_ = 0;
  instant clock_{};
};

/// An image of a power loss opens, holds what it must, and goes on; also when power is lost again.
void expect_recovery(const history& of, std::uint64_t image_seed) {
  history after(image_seed, of.disk_->crash(image_seed));
  after.limits_ = of.limits_;
  after.model_ = of.model_;
  after.step_ = of.step_;
  after.clock_ = of.clock_;
  ASSERT_TRUE(after.open()) << after.failure_.message;
  after.adopt();
  if (::testing::Test::HasFatalFailure()) return;
  const auto group = after.random_group();
  after.append(group);
  after.sync();
  history again(image_seed + 1, after.disk_->crash(image_seed + 1));
  ASSERT_TRUE(again.open()) << again.failure_.message;
  again.model_ = after.model_;
  again.adopt();
}

TEST(segment_log_property, every_image_of_a_power_loss_recovers_what_was_synced) {
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    history one(seed, std::make_shared<simulated_disk>());
    ASSERT_TRUE(one.open()) << one.failure_.message;
    for (unsigned part = 0; part < 4; ++part) {
      one.run(1 + static_cast<unsigned>(seed % 12));
      for (std::uint64_t image = 0; image < 3; ++image)
        expect_recovery(one, seed * 1000 + part * 10 + image);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(segment_log_property, a_failure_of_any_call_loses_nothing_that_was_synced) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    history whole(seed, std::make_shared<simulated_disk>());
    ASSERT_TRUE(whole.open());
    whole.run(25);
    for (std::uint64_t call = 1; call <= whole.disk_->calls(); ++call) {
      const auto as = static_cast<fault>((seed + call) % 4);
      SCOPED_TRACE(::testing::Message()
                   << "seed " << seed << " call " << call << " fault " << static_cast<int>(as));
      history one(seed, std::make_shared<simulated_disk>());
      one.disk_->fail(call, as, seed);
      bool opened = one.open();
      if (!opened && as != fault::power_loss) opened = one.open();
      ASSERT_TRUE(opened || as == fault::power_loss) << one.failure_.message;
      one.run(25);
      if (HasFatalFailure()) return;
      expect_recovery(one, seed * 1000 + call);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(segment_log_property, a_full_disk_loses_nothing_and_passes) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    history one(seed, std::make_shared<simulated_disk>());
    one.disk_->set_capacity(500 + seed * 20);
    ASSERT_TRUE(one.open());
    bool was_full = false;
    for (int i = 0; i < 40; ++i) {
      const auto before = one.model_.appended.size();
      one.append(one.random_group());
      ASSERT_FALSE(one.model_.broken);
      was_full = was_full || one.model_.appended.size() == before;
      if (i % 3 == 0) one.sync();
    }
    ASSERT_TRUE(was_full);
    one.disk_->set_capacity(UINT64_MAX);
    const auto before = one.model_.appended.size();
    one.append(one.random_group());
    one.sync();
    ASSERT_GT(one.model_.appended.size(), before);
    expect_recovery(one, seed);
    if (HasFatalFailure()) return;
  }
}

/// A log of several groups, all synced; the last group is one that proves the others.
history damaged_subject(std::uint64_t seed) {
  history one(seed, std::make_shared<simulated_disk>());
  EXPECT_TRUE(one.open());
  for (int i = 0; i < 12; ++i) {
    one.append(one.random_group());
    one.sync();
  }
  return one;
}

TEST(segment_log_property, a_flipped_bit_of_what_was_synced_is_refused_named_and_repaired) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    history one = damaged_subject(seed);
    const kept_records all = one.model_.appended;
    one.append(one.random_group());
    auto disk = one.disk_->copy();
    one.log_.reset();
    // Any byte but those of the last group, which nothing behind it proves to have been synced.
    const auto paths = disk->paths();
    const std::string path = paths[one.random_() % paths.size()];
    std::uint64_t end = disk->bytes_of(path).size();
    if (path == paths.back()) {
      for (auto each = one.model_.appended.begin() + static_cast<std::ptrdiff_t>(all.size());
           each != one.model_.appended.end(); ++each)
        end -= 48 + each->bytes.size();
    }
    const std::uint64_t byte = one.random_() % end;
    disk->flip(path, byte, static_cast<unsigned>(one.random_() % 8));

    const auto named = [&](const std::string& message) {
      return message.find(path) != std::string::npos && message.find("byte ") != std::string::npos;
    };
    history after(seed, disk->copy());
    std::string refusal;
    std::string code;
    if (!after.open()) {
      refusal = after.failure_.message;
      code = after.failure_.code;
    } else if (const auto seen = read_all(*after.log_); !seen) {
      refusal = seen.failure().message;
      code = seen.failure().code;
    }
    ASSERT_EQ(code, "log_damaged") << path << " byte " << byte;
    ASSERT_TRUE(named(refusal)) << refusal;
    const auto verified = verify_segment_log(*disk);
    ASSERT_TRUE(verified);
    ASSERT_FALSE(verified->damage.empty());
    ASSERT_TRUE(named(verified->damage.front())) << verified->damage.front();

    const auto done = repair_segment_log(*disk);
    ASSERT_TRUE(done) << done.failure().message;
    ASSERT_FALSE(done->empty());
    ASSERT_TRUE(verify_segment_log(*disk)->damage.empty());
    history repaired(seed, disk);
    ASSERT_TRUE(repaired.open()) << repaired.failure_.message;
    const auto kept = read_all(*repaired.log_);
    ASSERT_TRUE(kept) << kept.failure().message;
    // At most the one record that was hit is gone; a header takes none with it.
    const kept_records expected = one.model_.appended;
    ASSERT_GE(kept->size() + 1, expected.size()) << path << " byte " << byte;
    for (const auto& each : *kept)
      ASSERT_NE(std::find(expected.begin(), expected.end(), each), expected.end());
    repaired.step_ = one.step_;
    repaired.append(repaired.random_group());
    ASSERT_EQ(repaired.model_.appended.empty(), false);
  }
}

/// A snapshot as a function of its step.
pipeline_snapshot snapshot_of(std::uint64_t step) {
  pipeline_snapshot made;
  made.step = step;
  made.clock = from_unix_ms(static_cast<long long>(step * 7));
  made.next_position = step * 3;
  made.ingest = std::string(step * 13 % 1500, static_cast<char>(step));
  for (std::uint64_t i = 0; i < step % 4; ++i)
    made.shards.emplace_back(step * 31 * (i + 1) % 2500, static_cast<char>(step + i));
  return made;
}

/// Puts four snapshots; gives the newest step that put() has kept.
std::uint64_t put_four(const std::shared_ptr<simulated_disk>& disk) {
  auto store = open_snapshot_files(disk);
  std::uint64_t newest = 0;
  for (std::uint64_t step = 1; step <= 4 && store; ++step) {
    if (!(*store)->put(snapshot_of(step * 11))) newest = step * 11;
  }
  return newest;
}

void expect_snapshots(const std::shared_ptr<simulated_disk>& disk, std::uint64_t newest) {
  auto store = open_snapshot_files(disk);
  ASSERT_TRUE(store) << store.failure().message;
  const auto steps = (*store)->steps();
  if (newest > 0) {
    ASSERT_FALSE(steps.empty()) << "put() returned and nothing is there";
  }
  for (const auto step : steps) {
    const auto read = (*store)->get(step);
    ASSERT_TRUE(read) << read.failure().message;
    ASSERT_EQ(*read, snapshot_of(step));
  }
  if (newest > 0) {
    ASSERT_GE(steps.front(), newest);
  }
  const auto left = disk->list("snapshots");
  for (const auto& name : *left) ASSERT_FALSE(name.ends_with(".new")) << name;
}

TEST(segment_log_property, a_snapshot_that_was_put_outlives_a_crash_at_any_call) {
  auto whole = std::make_shared<simulated_disk>();
  ASSERT_EQ(put_four(whole), 44U);
  for (std::uint64_t call = 1; call <= whole->calls(); ++call) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      SCOPED_TRACE(::testing::Message() << "call " << call << " seed " << seed);
      auto disk = std::make_shared<simulated_disk>();
      disk->fail(call, static_cast<fault>(seed % 4), seed);
      const auto newest = put_four(disk);
      expect_snapshots(disk->crash(seed), newest);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(segment_log_property, a_snapshot_with_a_flipped_bit_is_refused) {
  auto disk = std::make_shared<simulated_disk>();
  ASSERT_EQ(put_four(disk), 44U);
  const std::string path = disk->paths().back();
  const auto bytes = disk->bytes_of(path).size();
  for (std::uint64_t byte = 0; byte < bytes; ++byte) {
    auto hit = disk->copy();
    hit->flip(path, byte, static_cast<unsigned>(byte % 8));
    auto store = open_snapshot_files(hit);
    ASSERT_TRUE(store);
    const auto read = (*store)->get(44);
    ASSERT_FALSE(read) << "byte " << byte;
    ASSERT_EQ(read.failure().code, "snapshot_damaged");
    ASSERT_NE(read.failure().message.find(path), std::string::npos);
    ASSERT_TRUE((*store)->get(33));
  }
}

}  // namespace
}  // namespace tocsin
