// SPDX-License-Identifier: Apache-2.0
// Follows a growing text file through rotation and truncation, and finds in its lines what patterns
// name.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/result.hpp"

namespace re2 {
class RE2;
}

namespace tocsin {

/// Makes lines of pieces of text that may end anywhere. A line longer than `line_bytes_max` is cut
/// there, its rest skipped, and counted.
class line_splitter {
 public:
  explicit line_splitter(std::size_t line_bytes_max = 64 * 1024)
      : line_bytes_max_(line_bytes_max) {}

  /// Appends the lines that `piece` completes, without "\n" or "\r\n".
  void feed(std::string_view piece, std::vector<std::string>& lines);
  /// Appends what stands without an end, if anything: the file will not go on.
  void finish(std::vector<std::string>& lines);
  /// Lines cut so far.
  [[nodiscard]] std::uint64_t cut() const noexcept { return cut_; }

 private:
  void append(std::string_view piece);
  void end_line(std::vector<std::string>& lines);

  std::size_t line_bytes_max_;
  std::string open_;
  bool open_is_cut_ = false;
  bool has_open_ = false;
  std::uint64_t cut_ = 0;
};

/// Reads what was added to a file since the last look. Not thread-safe.
///
/// When the path names another file (rotation by renaming), the old one is read to its end once
/// more, at the next look, for its writer may switch a little later; then the new one is read from
/// its start. When the file has become shorter than what was read (rotation by
/// truncation), it is read from its start. A file that is not there yet is waited for.
class log_tail {
 public:
  /// `from_start`: also what the file holds now; otherwise only what is added after the first look.
  log_tail(std::string path, bool from_start);
  ~log_tail();
  log_tail(const log_tail&) = delete;
  log_tail& operator=(const log_tail&) = delete;

  enum class happening : std::uint8_t { none, opened, rotated, truncated, missing };

  /// Appends the lines completed since the last look, at most about 1 MiB of text (look again when
  /// more() says so). Returns the most telling thing that happened to the file; `missing` is told
  /// once. Errors: a file that is there but cannot be read.
  [[nodiscard]] result<happening> look(std::vector<std::string>& lines);
  /// True when the last look stopped before the file's end.
  [[nodiscard]] bool more() const noexcept { return more_; }
  /// Lines longer than the splitter's bound so far.
  [[nodiscard]] std::uint64_t lines_cut() const noexcept { return splitter_.cut(); }

 private:
  [[nodiscard]] result<bool> open_now(bool at_end);
  [[nodiscard]] std::optional<error> read_on(std::vector<std::string>& lines);
  void close_now() noexcept;

  std::string path_;
  line_splitter splitter_;
  int file_ = -1;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
  std::int64_t offset_ = 0;
  bool skip_to_end_;  ///< the first file opened is read from its end
  bool told_missing_ = false;
  bool told_rotated_ = false;  ///< the look before saw that the path names another file
  bool more_ = false;
};

/// A regular expression with a name: what it matches is an event about the item of that name.
class line_pattern {
 public:
  /// Compiles RE2 syntax; named groups are written (?P<name>...). Errors: what RE2 says of it.
  [[nodiscard]] static result<line_pattern> compile(std::string name, const std::string& regex);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  /// The named groups that took part in the match, in the order they stand in; nothing when the
  /// line does not match (anywhere in it).
  [[nodiscard]] std::optional<std::vector<std::pair<std::string, std::string>>> match(
      std::string_view line) const;

 private:
  line_pattern(std::string name, std::shared_ptr<const re2::RE2> compiled);

  std::string name_;
  std::shared_ptr<const re2::RE2> compiled_;
  std::vector<std::pair<int, std::string>> groups_;  ///< number -> name
};

/// `line` as UTF-8 of at most `bytes_max` bytes: bytes that are not UTF-8 become U+FFFD, and a cut
/// never splits a character.
[[nodiscard]] std::string bounded_utf8(std::string_view line, std::size_t bytes_max);

}  // namespace tocsin
