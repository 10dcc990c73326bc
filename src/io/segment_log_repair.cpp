// SPDX-License-Identifier: Apache-2.0
// Verifies a log that nobody writes to, and takes out of it what cannot be read.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "io/segment_log.hpp"
#include "io/segment_log_chain.hpp"

namespace tocsin {
namespace {

/// Puts bytes beside the log, durable when it returns nothing.
std::optional<error> quarantine(file_system& files, const segment_file& of, std::uint64_t begin,
                                std::uint64_t end, std::vector<std::string>& done) {
  const std::uint64_t there = std::min<std::uint64_t>(end, of.held.bytes.size());
  if (begin >= there) return std::nullopt;
  const std::string name = of.path.substr(of.path.find('/') + 1);
  const auto taken = files.list(log_quarantine_folder);
  if (!taken) return taken.failure();
  // What an earlier repair has set aside there stays.
  std::string free = fmt::format("{}.{}", name, begin);
  while (std::find(taken->begin(), taken->end(), free) != taken->end()) free += "+";
  const std::string path = std::string{log_quarantine_folder} + "/" + free;
  auto file = files.open(path);
  if (!file) return file.failure();
  if (auto failed = (*file)->append(of.held.bytes.substr(begin, there - begin))) return failed;
  if (auto failed = (*file)->sync()) return failed;
  done.push_back(
      fmt::format("{}: bytes {} to {} are in {} now", of.shown, begin, there, files.shown(path)));
  return std::nullopt;
}

/// Too short for a gap: only at the end of a segment whose length is not what was thought.
bool is_too_short(const bad_range& of) {
  return of.end - of.begin < record_header_bytes;
}

/// The segment's bytes with gaps where it cannot be read. Everything else stays in its place.
std::string with_gaps(const segment_file& of, const std::vector<bad_range>& damage) {
  // A damaged file may end anywhere, in its header, too.
  const auto held = [&](std::uint64_t begin, std::uint64_t end) {
    const std::uint64_t there = std::min<std::uint64_t>(end, of.held.bytes.size());
    return begin < there ? of.held.bytes.substr(begin, there - begin) : std::string_view{};
  };
  std::string bytes;
  encode_segment_header(*of.header, bytes);
  std::uint64_t at = segment_header_bytes;
  for (const bad_range& each : damage) {
    bytes += held(at, each.begin);
    if (!is_too_short(each)) encode_gap(*of.header, each.begin, each.end - each.begin, bytes);
    at = each.end;
  }
  bytes += held(at, of.end);
  return bytes;
}

/// Repairs a log's folder segment by segment, from the oldest on.
class log_repair {
 public:
  log_repair(file_system& files, std::vector<segment_file> segments)
      : files_(files), segments_(std::move(segments)) {}

  [[nodiscard]] result<std::vector<std::string>> run() {
    for (const segment_file& each : segments_) {
      if (!each.header && each.trouble.code == "log_newer") return each.trouble;
    }
    if (auto failed = prepare_folder()) return *std::move(failed);
    for (place_ = 0; place_ < segments_.size(); ++place_) {
      if (auto failed = fill_missing()) return *std::move(failed);
      if (auto failed = repair_segment()) return *std::move(failed);
    }
    return std::move(done_);
  }

 private:
  std::optional<error> prepare_folder() {
    if (auto failed = files_.make_folder(log_quarantine_folder)) return failed;
    return files_.sync_folder(log_folder);
  }

  /// Segments that are not there between two that are, become ones that hold a gap.
  std::optional<error> fill_missing() {
    if (place_ == 0) return std::nullopt;
    const std::uint64_t wanted = segments_[place_ - 1].number + 1;
    const segment_file& here = segments_[place_];
    if (here.number == wanted) return std::nullopt;
    segment_file filler;
    filler.number = wanted;
    filler.path = segment_path(wanted);
    filler.shown = files_.shown(filler.path);
    filler.header = header_behind(segments_[place_ - 1], wanted);
    filler.end = segment_header_bytes;
    const bool is_last = here.number == wanted + 1 && here.header;
    if (is_last) filler.end = std::max(here.header->previous_bytes, segment_header_bytes);
    std::string bytes;
    encode_segment_header(*filler.header, bytes);
    if (filler.end - segment_header_bytes >= record_header_bytes) {
      encode_gap(*filler.header, segment_header_bytes, filler.end - segment_header_bytes, bytes);
    }
    auto made = make_segment(files_, filler.path, bytes);
    if (!made) return made.failure();
    done_.push_back(filler.shown + ": was not there; it is a gap now");
    segments_.insert(segments_.begin() + static_cast<std::ptrdiff_t>(place_), std::move(filler));
    auto held = files_.read(segments_[place_].path);
    if (!held) return held.failure();
    segments_[place_].held = *std::move(held);
    return std::nullopt;
  }

  std::optional<error> repair_segment() {
    segment_file& here = segments_[place_];
    const bool is_newest = place_ + 1 == segments_.size();
    const bool lost_header = !here.header;
    if (lost_header) {
      if (auto failed = restore_header(is_newest)) return failed;
    }
    const bool follows = place_ == 0 || here.header->previous_bytes == before_.bytes;
    if (!follows) {
      here.header->previous_bytes = before_.bytes;
      done_.push_back(fmt::format("{}: its header says now that the segment before ends at byte {}",
                                  here.shown, before_.bytes));
    }
    const segment_survey found = survey_segment(here, is_newest);
    before_ = {here.end, found.last.step, found.last.clock};
    if (found.damage.empty() && !lost_header && follows) return std::nullopt;
    if (lost_header) {
      if (auto failed = quarantine(files_, here, 0, segment_header_bytes, done_)) return failed;
      done_.push_back(here.shown + ": has a new header");
    }
    for (const bad_range& each : found.damage) {
      if (auto failed = quarantine(files_, here, each.begin, each.end, done_)) return failed;
      done_.push_back(
          is_too_short(each)
              ? fmt::format("{}: ends at byte {} now", here.shown, each.begin)
              : fmt::format("{}: bytes {} to {} are a gap now", here.shown, each.begin, each.end));
    }
    if (auto failed = files_.sync_folder(log_quarantine_folder)) return failed;
    const std::string bytes = with_gaps(here, found.damage);
    before_.bytes = bytes.size();
    auto made = make_segment(files_, here.path, bytes);
    return made ? std::nullopt : std::optional{made.failure()};
  }

  segment_header header_behind(const segment_file& previous, std::uint64_t number) const {
    segment_header header = *previous.header;
    header.number = number;
    header.previous_bytes = before_.bytes;
    header.previous_step = before_.step;
    header.previous_clock = before_.clock;
    header.synced = segment_header_bytes;
    return header;
  }

  /// Tries what the header may have been: a salt is right when records can be read with it.
  std::optional<error> restore_header(bool is_newest) {
    segment_file& here = segments_[place_];
    segment_header header;
    header.number = here.number;
    header.synced = segment_header_bytes;
    if (place_ > 0) header = header_behind(segments_[place_ - 1], here.number);
    std::vector<std::uint64_t> salts;
    for (const segment_file& each : segments_) {
      if (each.header) salts.push_back(each.header->salt);
    }
    for (const bool second : {false, true}) {
      if (const auto salt = salt_remnant(here.held.bytes, second)) salts.push_back(*salt);
    }
    std::uint64_t most = 0;
    here.header = header;
    if (!salts.empty()) here.header->salt = salts.front();
    for (const std::uint64_t salt : salts) {
      segment_file tried = here;
      tried.header->salt = salt;
      const segment_survey found = survey_segment(tried, is_newest);
      if (found.records <= most) continue;
      most = found.records;
      here.header->salt = salt;
    }
    if (here.held.bytes.size() < segment_header_bytes) {
      here.end = std::max(here.end, segment_header_bytes);
    } else if (most == 0 && is_newest) {
      // Nothing behind it can be told from what was never synced: it is kept aside all the same.
      if (auto failed = quarantine(files_, here, segment_header_bytes, here.end, done_))
        return failed;
    }
    return std::nullopt;
  }

  file_system& files_;
  std::vector<segment_file> segments_;
  std::size_t place_ = 0;
  log_place before_;  ///< where the segment before ends, and its newest step
  std::vector<std::string> done_;
};

}  // namespace

result<log_findings> verify_segment_log(const file_system& files) {
  const auto segments = load_segments(files);
  if (!segments) return segments.failure();
  log_findings found;
  for (const error& each : chain_trouble(*segments, files)) {
    if (each.code == "log_newer") return each;
    found.damage.push_back(each.message);
  }
  for (std::size_t i = 0; i < segments->size(); ++i) {
    const segment_file& each = (*segments)[i];
    ++found.segments;
    found.bytes += each.held.bytes.size();
    if (!each.header) continue;
    const segment_survey of = survey_segment(each, i + 1 == segments->size());
    found.records += of.records;
    found.gaps += of.gaps;
    found.torn_bytes += of.torn_bytes;
    if (found.first_step == 0) found.first_step = of.first_step;
    if (of.records > 0) found.last_step = of.last.step;
    for (const bad_range& bad : of.damage) {
      // That the file ends too early was told above.
      if (bad.end <= each.held.bytes.size()) found.damage.push_back(bad.why);
    }
  }
  return found;
}

result<std::vector<std::string>> repair_segment_log(file_system& files) {
  auto segments = load_segments(files);
  if (!segments) return segments.failure();
  return log_repair(files, *std::move(segments)).run();
}

}  // namespace tocsin
