// SPDX-License-Identifier: Apache-2.0
// The event log: opens the segments, appends to the newest, begins new ones, forgets old ones.
#include "io/segment_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <deque>
#include <mutex>
#include <random>
#include <utility>

#include "io/segment_log_chain.hpp"
#include "io/segment_log_reader.hpp"

namespace tocsin {
namespace {

/// Of a segment that is written: 256 KiB behind which room is reserved sync three times as fast as
/// 256 KiB by which the file grows (ext4).
constexpr std::uint64_t reserved_ahead = std::uint64_t{4} << 20;

/// What is known of a segment without reading it.
struct known_segment {
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
  std::uint64_t first_step = 0;  ///< 0: it has no record
  std::uint64_t last_step = 0;   ///< of the segments before when it has no record
  instant last_clock{};

  [[nodiscard]] bool has_records() const noexcept { return first_step != 0; }
};

/// Where the open file of the newest segment stands.
struct newest_segment {
  std::unique_ptr<appended_file> file;
  segment_header header;
  std::uint64_t synced = 0;       ///< bytes known to be on stable storage
  std::uint64_t synced_step = 0;  ///< the newest step that is, of all segments
};

class segment_log : public event_log {
 public:
  segment_log(std::shared_ptr<file_system> files, const segment_log_limits& limits,
              std::deque<known_segment> segments, newest_segment newest)
      : files_(std::move(files)),
        limits_(limits),
        segments_(std::move(segments)),
        newest_(std::move(newest)) {
    newest_.file->reserve_ahead(room_ahead());
  }

  std::optional<error> append(std::span<const log_record> records) override;
  std::optional<error> sync() override;
  std::optional<error> trim(const retention& keep) override;
  [[nodiscard]] result<std::unique_ptr<log_reader>> read(std::uint64_t from) const override;

  [[nodiscard]] std::uint64_t first_step() const override {
    const std::lock_guard lock(mutex_);
    for (const auto& each : segments_) {
      if (each.has_records()) return each.first_step;
    }
    return 0;
  }
  [[nodiscard]] std::uint64_t last_step() const override {
    const std::lock_guard lock(mutex_);
    return segments_.back().last_step;
  }
  [[nodiscard]] instant last_clock() const override {
    const std::lock_guard lock(mutex_);
    return segments_.back().last_clock;
  }
  [[nodiscard]] std::uint64_t bytes() const override {
    const std::lock_guard lock(mutex_);
    return bytes_held();
  }

 private:
  [[nodiscard]] std::uint64_t room_ahead() const {
    return std::min(reserved_ahead, limits_.segment_bytes);
  }
  [[nodiscard]] std::uint64_t bytes_held() const {
    std::uint64_t sum = 0;
    for (const auto& each : segments_) sum += each.bytes;
    return sum;
  }
  [[nodiscard]] error broken(const std::string& why) {
    broken_ = why;
    return {"log_broken", why};
  }
  [[nodiscard]] std::optional<error> begin_segment();
  [[nodiscard]] error take_back(const error& failed);
  [[nodiscard]] bool may_go(const known_segment& oldest, const retention& keep) const;

  std::shared_ptr<file_system> files_;
  segment_log_limits limits_;
  mutable std::mutex mutex_;            ///< for segments_, which other threads read
  std::deque<known_segment> segments_;  ///< oldest first, never empty
  newest_segment newest_;               ///< of segments_.back()
  std::string group_;                   ///< append()'s memory
  bool removal_unsynced_ = false;       ///< a removed name may come back after a crash
  std::optional<std::string> broken_;
};

/// Records up to here are lost to no crash: then the next segment may have a name.
std::optional<error> segment_log::begin_segment() {
  if (auto failed = sync()) return failed;
  const known_segment& before = segments_.back();
  segment_header header = newest_.header;
  header.number = before.number + 1;
  header.previous_bytes = before.bytes;
  header.previous_step = before.last_step;
  header.previous_clock = before.last_clock;
  header.synced = segment_header_bytes;
  std::string bytes;
  encode_segment_header(header, bytes);
  auto made = make_segment(*files_, segment_path(header.number), bytes);
  if (!made) {
    if (made.failure().code == "log_broken") return broken(made.failure().message);
    return error{"log_full", made.failure().message};
  }
  removal_unsynced_ = false;
  newest_ = {*std::move(made), header, segment_header_bytes, before.last_step};
  newest_.file->reserve_ahead(room_ahead());
  const std::lock_guard lock(mutex_);
  segments_.push_back(
      {header.number, segment_header_bytes, 0, before.last_step, before.last_clock});
  return std::nullopt;
}

/// The file as it was before the append that failed. Synced, so that no crash brings back a part of
/// what was not taken.
error segment_log::take_back(const error& failed) {
  const std::uint64_t good = segments_.back().bytes;
  if (const auto left = newest_.file->truncate(good)) {
    return broken(fmt::format("{}; what was written of it cannot be taken back: {}", failed.message,
                              left->message));
  }
  if (const auto left = newest_.file->sync()) {
    return broken(
        fmt::format("{}; the log cannot be made durable: {}", failed.message, left->message));
  }
  newest_.synced = good;
  newest_.synced_step = segments_.back().last_step;
  return {"log_full", failed.message};
}

std::optional<error> segment_log::append(std::span<const log_record> records) {
  if (broken_) return error{"log_broken", *broken_};
  if (records.empty()) return std::nullopt;
  if (segments_.back().bytes >= limits_.segment_bytes && segments_.back().has_records()) {
    if (auto failed = begin_segment()) return failed;
  }
  known_segment grown = segments_.back();
  group_.clear();
  for (const log_record& each : records) {
    assert(each.step > grown.last_step);
    encode_record(each, newest_.header, segments_.back().bytes + group_.size(), newest_.synced,
                  group_);
    if (!grown.has_records()) grown.first_step = each.step;
    grown.last_step = each.step;
    grown.last_clock = each.clock;
  }
  grown.bytes += group_.size();
  if (const auto failed = newest_.file->append(group_)) return take_back(*failed);
  const std::lock_guard lock(mutex_);
  segments_.back() = grown;
  return std::nullopt;
}

std::optional<error> segment_log::sync() {
  if (broken_) return error{"log_broken", *broken_};
  if (newest_.synced == segments_.back().bytes) return std::nullopt;
  if (const auto failed = newest_.file->sync())
    return broken("the log cannot be made durable: " + failed->message);
  newest_.synced = segments_.back().bytes;
  newest_.synced_step = segments_.back().last_step;
  return std::nullopt;
}

result<std::unique_ptr<log_reader>> segment_log::read(std::uint64_t from) const {
  std::vector<segment_file> mapped;
  // Held while files are mapped: what is mapped no trim takes away.
  const std::lock_guard lock(mutex_);
  for (const auto& each : segments_) {
    if (!each.has_records() || each.last_step < from) continue;
    segment_file file;
    file.number = each.number;
    file.path = segment_path(each.number);
    file.shown = files_->shown(file.path);
    auto held = files_->read(file.path);
    if (!held) return held.failure();
    file.held = *std::move(held);
    file.end = each.bytes;
    auto header = read_segment_header(file.held.bytes, file.number, file.shown);
    if (!header) return header.failure();
    file.header = *header;
    mapped.push_back(std::move(file));
  }
  return std::unique_ptr<log_reader>(std::make_unique<segment_reader>(std::move(mapped), from));
}

bool segment_log::may_go(const known_segment& oldest, const retention& keep) const {
  // The newest records that no crash takes stay: they say where steps and clock go on.
  if (segments_.size() < 2 || oldest.last_step >= newest_.synced_step) return false;
  if (oldest.last_step >= keep.needed) return false;
  return oldest.last_clock < keep.horizon || bytes_held() > keep.bytes_max;
}

std::optional<error> segment_log::trim(const retention& keep) {
  if (broken_) return error{"log_broken", *broken_};
  // One removal is made durable before the next: the segments that are left always follow one
  // another.
  for (;;) {
    if (removal_unsynced_) {
      if (auto failed = files_->sync_folder(log_folder)) return failed;
      removal_unsynced_ = false;
    }
    if (!may_go(segments_.front(), keep)) return std::nullopt;
    if (auto failed = files_->remove(segment_path(segments_.front().number))) return failed;
    removal_unsynced_ = true;
    const std::lock_guard lock(mutex_);
    segments_.pop_front();
  }
}

std::uint64_t new_salt() {
  std::random_device source;
  return (std::uint64_t{source()} << 32U) | source();
}

/// The first record's step; where it cannot be read, a step from which reading comes upon that.
std::uint64_t first_step_of(const segment_file& of) {
  record_cursor cursor = of.cursor();
  for (;;) {
    const auto read = cursor.next();
    if (!read) return of.header->previous_step + 1;
    if (!*read) return 0;
    if (!(*read)->is_gap) return (*read)->step;
  }
}

/// What is known of all but the newest segment.
std::deque<known_segment> know_older(const std::vector<segment_file>& segments) {
  std::deque<known_segment> known;
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    const segment_header& behind = *segments[i + 1].header;
    known.push_back({segments[i].number, behind.previous_bytes, first_step_of(segments[i]),
                     behind.previous_step, behind.previous_clock});
  }
  return known;
}

/// Opens the log of a folder that is there.
class log_opening {
 public:
  log_opening(std::shared_ptr<file_system> files, const segment_log_limits& limits)
      : files_(std::move(files)), limits_(limits) {}

  [[nodiscard]] result<opened_log> run() {
    if (auto failed = prepare_folder()) return *std::move(failed);
    auto loaded = load_segments(*files_);
    if (!loaded) return loaded.failure();
    segments_ = *std::move(loaded);
    if (segments_.empty()) return begin_log();
    if (const auto found = chain_trouble(segments_, *files_); !found.empty()) return found.front();
    if (auto failed = cut_left_behind()) return *std::move(failed);
    return go_on();
  }

 private:
  std::optional<error> prepare_folder() {
    if (auto failed = files_->make_folder(log_folder)) return failed;
    if (auto failed = files_->sync_folder("")) return failed;
    const auto names = files_->list(log_folder);
    if (!names) return names.failure();
    for (const std::string& each : *names) {
      if (!each.ends_with(unfinished_path(""))) continue;
      if (auto failed = files_->remove(std::string{log_folder} + "/" + each)) return failed;
    }
    return files_->sync_folder(log_folder);
  }

  /// Bytes behind the end of an older segment are in the one behind it, or were torn.
  std::optional<error> cut_left_behind() {
    for (std::size_t i = 0; i + 1 < segments_.size(); ++i) {
      if (segments_[i].held.bytes.size() == segments_[i].end) continue;
      auto file = files_->open(segments_[i].path);
      if (!file) return file.failure();
      if (auto failed = (*file)->truncate(segments_[i].end)) return failed;
    }
    return std::nullopt;
  }

  result<opened_log> begin_log() {
    segment_header header;
    header.number = 1;
    header.salt = new_salt();
    header.synced = segment_header_bytes;
    std::string bytes;
    encode_segment_header(header, bytes);
    return with_newest({}, header, bytes, {1, segment_header_bytes, 0, 0, {}}, 0);
  }

  result<opened_log> go_on() {
    const segment_file& newest = segments_.back();
    const segment_survey found = survey_segment(newest, true);
    if (!found.damage.empty()) return error{"log_damaged", found.damage.front().why};
    auto known = know_older(segments_);
    known_segment last{newest.number, found.last.bytes, found.first_step, found.last.step,
                       found.last.clock};
    if (found.synced.bytes == found.last.bytes && found.torn_bytes == 0) {
      auto file = files_->open(newest.path);
      if (!file) return file.failure();
      if ((*file)->size() > last.bytes) {
        if (auto failed = (*file)->truncate(last.bytes)) return *std::move(failed);
      }
      known.push_back(last);
      return finished(std::move(known),
                      {*std::move(file), *newest.header, last.bytes, last.last_step}, 0);
    }
    return move_tail(std::move(known), last, found);
  }

  /// What is not known to be on stable storage goes into a new segment, which is: a sync of the old
  /// file would say nothing about bytes whose sync has failed before.
  result<opened_log> move_tail(std::deque<known_segment> known, const known_segment& last,
                               const segment_survey& found) {
    const segment_file& newest = segments_.back();
    segment_header header = *newest.header;
    header.number = newest.number + 1;
    header.previous_bytes = found.synced.bytes;
    header.previous_step = found.synced.step;
    header.previous_clock = found.synced.clock;
    std::string records;
    known_segment moved{header.number, 0, 0, last.last_step, last.last_clock};
    record_cursor cursor = newest.cursor();
    cursor.skip_to(found.synced.bytes);
    while (cursor.at() < found.last.bytes) {
      const auto read = cursor.next();
      assert(read && *read);
      const segment_record& record = **read;
      const std::uint64_t at = segment_header_bytes + records.size();
      if (record.is_gap) {
        encode_gap(header, at, record.end - record.begin, records);
        continue;
      }
      encode_record({record.step, record.clock, record.payload}, header, at, 0, records);
      if (!moved.has_records()) moved.first_step = record.step;
    }
    header.synced = moved.bytes = segment_header_bytes + records.size();
    std::string bytes;
    encode_segment_header(header, bytes);
    bytes += records;
    known_segment kept = last;
    kept.bytes = found.synced.bytes;
    kept.last_step = found.synced.step;
    kept.last_clock = found.synced.clock;
    if (kept.last_step == newest.header->previous_step) kept.first_step = 0;
    known.push_back(kept);
    auto opened = with_newest(std::move(known), header, bytes, moved, found.torn_bytes);
    if (!opened) return opened;
    auto old = files_->open(newest.path);
    if (!old) return old.failure();
    if (auto failed = (*old)->truncate(kept.bytes)) return *std::move(failed);
    return opened;
  }

  result<opened_log> with_newest(std::deque<known_segment> known, const segment_header& header,
                                 std::string_view bytes, const known_segment& newest,
                                 std::uint64_t cut_bytes) {
    auto made = make_segment(*files_, segment_path(header.number), bytes);
    if (!made) return made.failure();
    const std::uint64_t last_step = newest.last_step;
    known.push_back(newest);
    return finished(std::move(known), {*std::move(made), header, bytes.size(), last_step},
                    cut_bytes);
  }

  result<opened_log> finished(std::deque<known_segment> known, newest_segment newest,
                              std::uint64_t cut_bytes) {
    return opened_log{
        std::make_unique<segment_log>(files_, limits_, std::move(known), std::move(newest)),
        cut_bytes};
  }

  std::shared_ptr<file_system> files_;
  segment_log_limits limits_;
  std::vector<segment_file> segments_;
};

}  // namespace

result<opened_log> open_segment_log(std::shared_ptr<file_system> files,
                                    const segment_log_limits& limits) {
  return log_opening(std::move(files), limits).run();
}

}  // namespace tocsin
