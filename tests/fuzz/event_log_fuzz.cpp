// SPDX-License-Identifier: Apache-2.0
// An event log and a snapshot on a disk whose bytes are damaged as the input says: what is read is
// what was written, or the damage is named; a repair makes the log one that opens.
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "fuzz/claim.hpp"
#include "fuzz/damage.hpp"
#include "io/segment_log.hpp"
#include "io/snapshot_files.hpp"
#include "support/simulated_disk.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;
using testing::simulated_disk;

constexpr segment_log_limits small{600};
constexpr std::uint64_t steps = 40;

std::string bytes_of_step(std::uint64_t step) {
  return std::string(step * 7 % 50, static_cast<char>('a' + step % 26));
}

pipeline_snapshot snapshot_at(std::uint64_t step) {
  return {step, from_unix_ms(1'000), 5, "what ingest knows", {"first", std::string(300, 'x')}};
}

/// Some segments of a few records, in groups of which the last is not synced, and two snapshots.
std::shared_ptr<simulated_disk> whole_disk() {
  auto disk = std::make_shared<simulated_disk>();
  auto opened = open_segment_log(disk, small);
  claim(opened.has_value(), "an empty log opens");
  for (std::uint64_t step = 1; step <= steps; ++step) {
    const std::string bytes = bytes_of_step(step);
    const log_record one{step, from_unix_ms(static_cast<std::int64_t>(step)), bytes};
    claim(!opened->log->append({&one, 1}), "a record is appended");
    if (step % 3 == 0) claim(!opened->log->sync(), "the log is synced");
  }
  auto snapshots = open_snapshot_files(disk);
  claim(snapshots && !(*snapshots)->put(snapshot_at(10)) && !(*snapshots)->put(snapshot_at(20)),
        "snapshots are put");
  return disk;
}

/// Reads to the end or to an error. What it gives must have been written.
bool read_all(const event_log& log) {
  auto reader = log.read(1);
  if (!reader) return false;
  std::uint64_t before = 0;
  for (;;) {
    const auto next = (*reader)->next();
    if (!next) {
      claim(!next.failure().message.empty(), "damage is named");
      return false;
    }
    if (!*next) return true;
    claim((*next)->step > before, "steps are in order");
    claim((*next)->bytes == bytes_of_step((*next)->step), "a record is as it was written");
    before = (*next)->step;
  }
}

void try_log(const std::shared_ptr<simulated_disk>& disk) {
  const auto opened = open_segment_log(disk, small);
  if (opened && read_all(*opened->log)) return;
  if (!opened) claim(!opened.failure().message.empty(), "damage is named");
  const auto repaired = repair_segment_log(*disk);
  if (!repaired) {
    claim(!repaired.failure().message.empty(), "what cannot be repaired is named");
    return;
  }
  const auto again = open_segment_log(disk, small);
  claim(again.has_value(), "a repaired log opens",
        again ? std::string_view{} : std::string_view{again.failure().message});
  claim(read_all(*again->log), "a repaired log can be read");
}

void try_snapshots(const std::shared_ptr<simulated_disk>& disk) {
  const auto store = open_snapshot_files(disk);
  if (!store) return;
  for (const std::uint64_t step : (*store)->steps()) {
    const auto read = (*store)->get(step);
    if (read) {
      claim(*read == snapshot_at(step), "a snapshot is as it was put");
    } else {
      claim(!read.failure().message.empty(), "damage is named");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const auto whole = whole_disk();
  const std::string input = fuzzing::input_of(bytes, size);
  fuzzing::script by{input};
  const auto disk = whole->copy();
  for (int files = 1 + by.byte() % 2; files > 0; --files) {
    const auto paths = disk->paths();
    const std::string& path = paths[by.below(paths.size())];
    std::string held = disk->bytes_of(path);
    for (int changes = 1 + by.byte() % 4; changes > 0; --changes) fuzzing::damage_once(held, by);
    disk->overwrite(path, std::move(held));
  }
  try_snapshots(disk);
  try_log(disk);
  return 0;
}
