// SPDX-License-Identifier: Apache-2.0
// Cuts a stream of bytes into messages.
#include "io/event_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "io/msgpack_cursor.hpp"

namespace tocsin {

namespace {

constexpr std::size_t piece_bytes = 256 * 1024;
constexpr std::string_view white_space = " \t\r\n";

bool begins_msgpack(char first) {
  const auto lead = static_cast<unsigned char>(first);
  return (lead >= 0x80 && lead <= 0x9f) || (lead >= 0xdc && lead <= 0xdf);
}

}  // namespace

result<event_file> event_file::open(const std::string& path) {
  if (path == "-") return event_file(::dup(STDIN_FILENO), "standard input");
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return error{"unreadable_file",
                 fmt::format("{}: cannot be opened: {}", path, std::strerror(errno))};
  }
  return event_file(descriptor, path);
}

event_file::event_file(int descriptor, std::string name)
    : descriptor_(descriptor), name_(std::move(name)) {
  struct stat facts {};
  if (::fstat(descriptor_, &facts) == 0 && S_ISREG(facts.st_mode)) {
    bytes_total_ = static_cast<std::uint64_t>(facts.st_size);
  }
}

event_file::~event_file() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

event_file::event_file(event_file&& from) noexcept
    : descriptor_(std::exchange(from.descriptor_, -1)),
      name_(std::move(from.name_)),
      bytes_total_(from.bytes_total_),
      bytes_read_(from.bytes_read_),
      form_(from.form_),
      buffer_(std::move(from.buffer_)),
      capacity_(std::exchange(from.capacity_, 0)),
      filled_(std::exchange(from.filled_, 0)),
      taken_(std::exchange(from.taken_, 0)),
      lent_(from.lent_),
      ended_(from.ended_),
      number_(from.number_) {}

std::shared_ptr<const void> event_file::memory() noexcept {
  lent_ = true;
  return buffer_;
}

void event_file::make_room(std::size_t bytes) {
  const auto rest = held();
  if (lent_ || rest.size() + bytes > capacity_) {
    const auto capacity = rest.size() + bytes;
    std::shared_ptr<char[]> fresh(new char[capacity]);
    std::memcpy(fresh.get(), rest.data(), rest.size());
    buffer_ = std::move(fresh);
    capacity_ = capacity;
    lent_ = false;
  } else if (taken_ > 0) {
    std::memmove(buffer_.get(), rest.data(), rest.size());
  }
  filled_ = rest.size();
  taken_ = 0;
}

result<bool> event_file::read_more() {
  if (ended_) return false;
  // As much again as is held: a long message is not searched from its beginning too often.
  make_room(std::max(piece_bytes, held().size()));
  ssize_t got;
  do {
    got = ::read(descriptor_, buffer_.get() + filled_, capacity_ - filled_);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    ended_ = true;
    return error{"unreadable_file",
                 fmt::format("{}: cannot be read: {}", name_, std::strerror(errno))};
  }
  filled_ += static_cast<std::size_t>(got);
  bytes_read_ += static_cast<std::uint64_t>(got);
  ended_ = got == 0;
  return !ended_;
}

std::optional<error> event_file::find_form() {
  for (;;) {
    const auto first = held().find_first_not_of(white_space);
    if (first != std::string_view::npos) {
      form_ = begins_msgpack(held()[first]) ? form::msgpack : form::json_lines;
      if (form_ == form::msgpack) taken_ += first;
      return std::nullopt;
    }
    // White space stays held: its lines count for the numbers of the lines behind.
    const auto more = read_more();
    if (!more) return more.failure();
    if (!*more || held().size() > message_bytes_max) return std::nullopt;
  }
}

result<std::optional<event_file::message>> event_file::next() {
  if (form_ == form::unknown) {
    if (auto failed = find_form()) return *failed;
    if (form_ == form::unknown) return std::optional<message>{};
  }
  return form_ == form::msgpack ? next_msgpack() : next_line();
}

result<std::optional<event_file::message>> event_file::next_line() {
  for (std::size_t searched = 0;;) {
    const auto text = held();
    auto end = text.find('\n', searched);
    if (end == std::string_view::npos) {
      searched = text.size();
      if (searched > message_bytes_max) {
        ended_ = true;
        taken_ = filled_;
        return error{"message_too_large",
                     fmt::format("{}:{}: the line is longer than {} bytes, wanted one JSON message "
                                 "a line",
                                 name_, number_ + 1, message_bytes_max)};
      }
      const auto more = read_more();
      if (!more) return more.failure();
      if (*more) continue;
      if (held().empty()) return std::optional<message>{};
      end = held().size();
    }
    const auto line = held().substr(0, end);
    taken_ = std::min(taken_ + end + 1, filled_);
    ++number_;
    searched = 0;
    if (line.find_first_not_of(white_space) != std::string_view::npos) {
      return std::optional<message>{message{line, number_}};
    }
  }
}

result<std::optional<event_file::message>> event_file::next_msgpack() {
  for (;;) {
    const auto bytes = held();
    if (!bytes.empty()) {
      msgpack_cursor at{bytes};
      if (at.skip()) {
        const auto whole = bytes.substr(0, bytes.size() - at.left());
        taken_ += whole.size();
        return std::optional<message>{message{whole, ++number_}};
      }
    }
    if (bytes.size() <= message_bytes_max) {
      const auto more = read_more();
      if (!more) return more.failure();
      if (*more) continue;
      if (held().empty()) return std::optional<message>{};
    }
    const auto left = held().size();
    ended_ = true;
    taken_ = filled_;
    return error{"malformed",
                 fmt::format("{}: message {}: the last {} bytes are cut off or no msgpack, wanted "
                             "complete messages",
                             name_, number_ + 1, left)};
  }
}

}  // namespace tocsin
