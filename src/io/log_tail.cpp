// SPDX-License-Identifier: Apache-2.0
// Reads growing files and matches their lines.
#include "io/log_tail.hpp"

#include <fcntl.h>
#include <re2/re2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "io/utf8.hpp"

namespace tocsin {

namespace {

constexpr std::size_t look_bytes_max = 1024 * 1024;

error cannot(const char* what, const std::string& path) {
  return {"unreadable_file", path + ": cannot be " + what + ": " + std::strerror(errno)};
}

/// Bytes of the character at the start of `text`; 0 when it is not UTF-8.
std::size_t character_bytes(std::string_view text) {
  for (std::size_t length = 1; length <= std::min<std::size_t>(text.size(), 4); ++length) {
    if (valid_utf8(text.substr(0, length))) return length;
  }
  return 0;
}

}  // namespace

void line_splitter::append(std::string_view piece) {
  has_open_ = true;
  const auto room = line_bytes_max_ - open_.size();
  if (piece.size() > room && !open_is_cut_) {
    open_is_cut_ = true;
    ++cut_;
  }
  open_.append(piece.substr(0, room));
}

void line_splitter::end_line(std::vector<std::string>& lines) {
  if (!open_.empty() && open_.back() == '\r' && !open_is_cut_) open_.pop_back();
  lines.push_back(std::move(open_));
  open_.clear();
  open_is_cut_ = false;
  has_open_ = false;
}

void line_splitter::feed(std::string_view piece, std::vector<std::string>& lines) {
  while (!piece.empty()) {
    const auto end = piece.find('\n');
    append(piece.substr(0, end));
    if (end == std::string_view::npos) return;
    end_line(lines);
    piece.remove_prefix(end + 1);
  }
}

void line_splitter::finish(std::vector<std::string>& lines) {
  if (has_open_ && !open_.empty()) end_line(lines);
}

log_tail::log_tail(std::string path, bool from_start)
    : path_(std::move(path)), skip_to_end_(!from_start) {}

log_tail::~log_tail() {
  close_now();
}

void log_tail::close_now() noexcept {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

result<bool> log_tail::open_now(bool at_end) {
  file_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file_ < 0) {
    if (errno == ENOENT) return false;
    return cannot("opened", path_);
  }
  struct stat state {};
  if (::fstat(file_, &state) != 0 || !S_ISREG(state.st_mode)) {
    close_now();
    return error{"unreadable_file", path_ + ": is not a regular file, wanted a log file"};
  }
  device_ = state.st_dev;
  inode_ = state.st_ino;
  offset_ = at_end ? state.st_size : 0;
  return true;
}

std::optional<error> log_tail::read_on(std::vector<std::string>& lines) {
  std::array<char, 64 * 1024> piece;
  more_ = false;
  for (std::size_t taken = 0; taken < look_bytes_max;) {
    const auto got = ::pread(file_, piece.data(), piece.size(), offset_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot("read", path_);
    if (got == 0) return std::nullopt;
    offset_ += got;
    taken += static_cast<std::size_t>(got);
    splitter_.feed({piece.data(), static_cast<std::size_t>(got)}, lines);
  }
  more_ = true;
  return std::nullopt;
}

result<log_tail::happening> log_tail::look(std::vector<std::string>& lines) {
  auto happened = happening::none;
  if (file_ < 0) {
    const auto opened = open_now(skip_to_end_);
    if (!opened) return opened.failure();
    // Only what the file held at the first look is skipped: one that comes later is all new.
    skip_to_end_ = false;
    if (!*opened) {
      if (told_missing_) return happening::none;
      told_missing_ = true;
      return happening::missing;
    }
    told_missing_ = false;
    happened = happening::opened;
  }
  // The path is asked before the old file is read, so that its last lines are read after the
  // writer's switch, not before.
  struct stat named {};
  const bool is_there = ::stat(path_.c_str(), &named) == 0;
  const bool is_same = is_there && named.st_dev == device_ && named.st_ino == inode_;
  if (is_same && named.st_size < offset_) {
    splitter_.finish(lines);
    offset_ = 0;
    happened = happening::truncated;
  }
  if (auto failed = read_on(lines)) return *failed;
  // While the path names nothing the writer may still hold the old file: go on reading it.
  if (!is_there || is_same || more_) return happened;
  if (!std::exchange(told_rotated_, true)) return happened;
  told_rotated_ = false;
  splitter_.finish(lines);
  close_now();
  const auto opened = open_now(false);
  if (!opened) return opened.failure();
  if (*opened) {
    if (auto failed = read_on(lines)) return *failed;
  }
  return happening::rotated;
}

line_pattern::line_pattern(std::string name, std::shared_ptr<const re2::RE2> compiled)
    : name_(std::move(name)), compiled_(std::move(compiled)) {
  for (const auto& [number, group] : compiled_->CapturingGroupNames()) {
    groups_.emplace_back(number, group);
  }
}

result<line_pattern> line_pattern::compile(std::string name, const std::string& regex) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(8 << 20);
  auto compiled = std::make_shared<const re2::RE2>(regex, options);
  if (!compiled->ok()) {
    return error{"bad_pattern",
                 name + ": \"" + regex + "\" is not a regular expression: " + compiled->error()};
  }
  return line_pattern(std::move(name), std::move(compiled));
}

std::optional<std::vector<std::pair<std::string, std::string>>> line_pattern::match(
    std::string_view line) const {
  const int last = groups_.empty() ? 0 : groups_.back().first;
  std::vector<re2::StringPiece> parts(static_cast<std::size_t>(last) + 1);
  const re2::StringPiece text(line.data(), line.size());
  if (!compiled_->Match(text, 0, text.size(), re2::RE2::UNANCHORED, parts.data(), last + 1)) {
    return std::nullopt;
  }
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& [number, group] : groups_) {
    const auto& part = parts[static_cast<std::size_t>(number)];
    if (part.data() != nullptr) found.emplace_back(group, std::string(part.data(), part.size()));
  }
  return found;
}

std::string bounded_utf8(std::string_view line, std::size_t bytes_max) {
  if (line.size() <= bytes_max && valid_utf8(line)) return std::string(line);
  constexpr std::string_view replacement = "\xef\xbf\xbd";
  std::string text;
  while (!line.empty()) {
    const auto length = character_bytes(line);
    const auto next = length == 0 ? replacement : line.substr(0, length);
    if (text.size() + next.size() > bytes_max) break;
    text += next;
    line.remove_prefix(length == 0 ? 1 : length);
  }
  return text;
}

}  // namespace tocsin
