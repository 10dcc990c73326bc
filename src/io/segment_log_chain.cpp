// SPDX-License-Identifier: Apache-2.0
// Loads, judges, surveys and makes segments.
#include "io/segment_log_chain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "io/numbered_name.hpp"

namespace tocsin {
namespace {

constexpr std::string_view segment_suffix = ".log";

/// Nothing for the name of another file.
std::optional<std::uint64_t> number_of(std::string_view name) {
  const auto number = number_in_name(name, segment_suffix);
  return number == 0 ? std::nullopt : number;
}

/// Follows which place of the newest segment is known to be synced: records tell it of places that
/// lie before them.
class synced_places {
 public:
  explicit synced_places(const log_place& begin) : synced_(begin) {}

  void tell(std::uint64_t bytes) {
    const auto beyond =
        std::find_if(passed_.begin(), passed_.end(),
                     [bytes](const log_place& place) { return place.bytes > bytes; });
    if (beyond == passed_.begin()) return;
    synced_ = *std::prev(beyond);
    passed_.erase(passed_.begin(), beyond);
  }
  void pass(const log_place& place) { passed_.push_back(place); }
  [[nodiscard]] const log_place& synced() const noexcept { return synced_; }

 private:
  log_place synced_;
  std::vector<log_place> passed_;  ///< behind synced_
};

}  // namespace

std::string segment_path(std::uint64_t number) {
  return fmt::format("{}/{}", log_folder, numbered_name(number, segment_suffix));
}

std::string unfinished_path(const std::string& path) {
  return path + ".new";
}

result<std::vector<segment_file>> load_segments(const file_system& files) {
  const auto names = files.list(log_folder);
  if (!names) return names.failure();
  std::vector<segment_file> found;
  for (const std::string& name : *names) {
    const auto number = number_of(name);
    if (!number) continue;
    segment_file each;
    each.number = *number;
    each.path = segment_path(*number);
    each.shown = files.shown(each.path);
    auto held = files.read(each.path);
    if (!held) return held.failure();
    each.held = *std::move(held);
    each.end = each.held.bytes.size();
    auto header = read_segment_header(each.held.bytes, each.number, each.shown);
    if (header) {
      each.header = *header;
    } else {
      each.trouble = header.failure();
    }
    found.push_back(std::move(each));
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.number < b.number; });
  for (std::size_t i = 1; i < found.size(); ++i) {
    if (found[i].header && found[i].number == found[i - 1].number + 1)
      found[i - 1].end = found[i].header->previous_bytes;
  }
  if (!found.empty() && found.back().header)
    found.back().end = std::max(found.back().end, found.back().header->synced);
  return found;
}

std::vector<error> chain_trouble(const std::vector<segment_file>& segments,
                                 const file_system& files) {
  std::vector<error> found;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const segment_file& each = segments[i];
    if (i > 0 && each.number != segments[i - 1].number + 1) {
      found.push_back(
          {"log_damaged",
           fmt::format("{}: byte 0: seen no such file, wanted segment {} between {} and {}",
                       files.shown(segment_path(segments[i - 1].number + 1)),
                       segments[i - 1].number + 1, segments[i - 1].number, each.number)});
    }
    if (!each.header) {
      found.push_back(each.trouble);
    } else if (each.held.bytes.size() < each.end) {
      found.push_back(
          {"log_damaged",
           fmt::format("{}: byte {}: seen the end of the file, wanted {} bytes, as its header "
                       "or that of the segment behind it says",
                       each.shown, each.held.bytes.size(), each.end)});
    }
  }
  return found;
}

segment_survey survey_segment(const segment_file& of, bool is_newest) {
  segment_survey found;
  found.last = {segment_header_bytes, of.header->previous_step, of.header->previous_clock};
  synced_places places(found.last);
  record_cursor cursor = of.cursor();
  for (;;) {
    const auto read = cursor.next();
    if (!read) {
      if (is_newest && cursor.has_room_only()) break;
      if (is_newest && !cursor.was_synced()) {
        found.torn_bytes = of.end - cursor.at();
        break;
      }
      const std::uint64_t begin = cursor.at();
      cursor.skip_to(cursor.next_readable());
      found.damage.push_back({begin, cursor.at(), read.failure().message});
      continue;
    }
    if (!*read) break;
    const segment_record& record = **read;
    if (record.is_gap) {
      ++found.gaps;
    } else {
      if (found.records++ == 0) found.first_step = record.step;
      found.last.step = record.step;
      found.last.clock = record.clock;
    }
    places.tell(record.synced);
    found.last.bytes = record.end;
    places.pass(found.last);
  }
  places.tell(of.header->synced);
  found.synced = places.synced();
  return found;
}

result<std::unique_ptr<appended_file>> make_segment(file_system& files, const std::string& path,
                                                    std::string_view bytes) {
  const std::string beside = unfinished_path(path);
  auto opened = files.open(beside);
  if (!opened) return opened.failure();
  std::unique_ptr<appended_file> file = *std::move(opened);
  std::optional<error> failed;
  if (file->size() > 0) failed = file->truncate(0);
  if (!failed) failed = file->append(bytes);
  if (!failed) {
    if (const auto unsynced = file->sync())
      return error{"log_broken", "the log cannot be made durable: " + unsynced->message};
    failed = files.rename(beside, path);
  }
  if (failed) {
    // What stays of it when this fails is cleared at the next try or the next start.
    [[maybe_unused]] const auto left = files.remove(beside);
    return *std::move(failed);
  }
  if (const auto unsynced = files.sync_folder(log_folder))
    return error{"log_broken", "the log cannot be made durable: " + unsynced->message};
  return file;
}

}  // namespace tocsin
