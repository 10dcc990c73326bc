// SPDX-License-Identifier: Apache-2.0
// The segments of a log's folder: their files, whether one follows the other, what each holds.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/file_system.hpp"
#include "io/segment_log_format.hpp"

namespace tocsin {

/// Where the segments are, and what repair takes out of them.
inline constexpr const char* log_folder = "log";
inline constexpr const char* log_quarantine_folder = "log/quarantine";

/// "log/00000000000000000007.log"
[[nodiscard]] std::string segment_path(std::uint64_t number);
/// What a segment is called until it is on stable storage.
[[nodiscard]] std::string unfinished_path(const std::string& path);

/// A segment as it is on disk.
struct segment_file {
  std::uint64_t number = 0;
  std::string path;
  std::string shown;  ///< for messages
  file_system::contents held;
  std::optional<segment_header> header;  ///< nothing: it cannot be read, `trouble` says why
  error trouble;
  /// Where it ends: as the segment behind it says; of the newest, and where that one cannot be
  /// read, where the file ends, but not before what it says was synced of it.
  std::uint64_t end = 0;

  [[nodiscard]] record_cursor cursor() const {
    return {held.bytes.substr(0, end), *header, end, shown};
  }
};

/// All segments by number, with no judgement about them. Errors: what `files` says.
[[nodiscard]] result<std::vector<segment_file>> load_segments(const file_system& files);
/// What is wrong between segments and with their headers; empty: nothing.
[[nodiscard]] std::vector<error> chain_trouble(const std::vector<segment_file>& segments,
                                               const file_system& files);

/// A range of a segment that cannot be read.
struct bad_range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string why;  ///< with file and byte
};

/// A place between two records, and the newest step before it.
struct log_place {
  std::uint64_t bytes = 0;
  std::uint64_t step = 0;
  instant clock{};
};

/// All that one segment holds.
struct segment_survey {
  std::uint64_t records = 0;
  std::uint64_t gaps = 0;
  std::uint64_t first_step = 0;  ///< 0: it has no record
  log_place last;                ///< behind the last record that counts
  log_place synced;              ///< up to here it is known to be on stable storage; newest only
  std::uint64_t torn_bytes = 0;  ///< behind `last`, never synced; newest only
  std::vector<bad_range> damage;
};

/// Reads it from begin to end. Precondition: it has a header.
[[nodiscard]] segment_survey survey_segment(const segment_file& of, bool is_newest);

/// Makes a segment: written beside, synced, then named, then its name synced. Errors: log_broken
/// when a sync fails; else no_space or io, and there is no such segment.
[[nodiscard]] result<std::unique_ptr<appended_file>> make_segment(file_system& files,
                                                                  const std::string& path,
                                                                  std::string_view bytes);

}  // namespace tocsin
