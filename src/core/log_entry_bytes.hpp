// SPDX-License-Identifier: Apache-2.0
// Bytes of the log's entries: room to write them into, and a reader that says where they do not
// fit.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/varint.hpp"
#include "tocsin/fingerprint.hpp"
#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// `at` relative to `base`, both of any value.
[[nodiscard]] constexpr std::uint64_t offset_of(instant at, instant base) noexcept {
  return zigzag_of(static_cast<std::uint64_t>(to_unix_ms(at)) -
                   static_cast<std::uint64_t>(to_unix_ms(base)));
}
[[nodiscard]] constexpr instant at_offset(std::uint64_t offset, instant base) noexcept {
  const std::uint64_t ms = static_cast<std::uint64_t>(to_unix_ms(base)) + number_of_zigzag(offset);
  return from_unix_ms(static_cast<std::int64_t>(ms));
}

/// The longest varint.
inline constexpr std::size_t varint_bytes_max = 10;

/// Writes to the end of a string, through a pointer: finish() when all is written.
class entry_writer {
 public:
  explicit entry_writer(std::string& into)
      : into_(&into), begin_(into.size()), size_(into.size()) {}

  /// Where the next `bytes` bytes may be written; wrote() says how many were.
  [[nodiscard]] char* room(std::size_t bytes) {
    // Growing by what was written so far costs each byte once; by all that is in the string, which
    // may hold other entries, would cost each entry that much.
    if (into_->size() - size_ < bytes) into_->resize(size_ + std::max(bytes, size_ - begin_));
    return into_->data() + size_;
  }
  void wrote(const char* end) noexcept { size_ = static_cast<std::size_t>(end - into_->data()); }
  void finish() { into_->resize(size_); }

 private:
  std::string* into_;
  std::size_t begin_;
  std::size_t size_;
};

/// Behind the first thing that does not fit, everything reads as zero or empty.
class entry_reader {
 public:
  explicit entry_reader(std::string_view bytes)
      : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()), size_(bytes.size()) {}

  [[nodiscard]] std::uint8_t byte() {
    if (at_ == end_) return static_cast<std::uint8_t>(ended("a byte"));
    return static_cast<std::uint8_t>(*at_++);
  }
  [[nodiscard]] std::uint64_t eight_bytes() {
    if (left() < sizeof(std::uint64_t)) return ended("8 bytes");
    std::uint64_t number = 0;
    std::memcpy(&number, at_, sizeof number);
    at_ += sizeof number;
    return number;
  }
  [[nodiscard]] std::uint64_t number() {
    if (at_ != end_ && static_cast<unsigned char>(*at_) < 0x80) {
      return static_cast<unsigned char>(*at_++);
    }
    return long_number();
  }
  [[nodiscard]] instant time(instant base) { return at_offset(number(), base); }
  [[nodiscard]] fingerprint print() {
    const std::uint64_t high = eight_bytes();
    return {high, eight_bytes()};
  }
  /// The next `bytes` bytes, never null.
  [[nodiscard]] std::string_view text(std::uint64_t bytes) {
    if (bytes > left()) {
      refuse(at_, "a text of " + std::to_string(bytes) + " bytes",
             "at most the " + std::to_string(left()) + " that are left");
      bytes = 0;
    }
    const std::string_view read{at_, static_cast<std::size_t>(bytes)};
    at_ += bytes;
    return read;
  }
  [[nodiscard]] std::string_view text() { return text(number()); }
  /// A number of things that each take at least `bytes_each` bytes.
  [[nodiscard]] std::size_t count(std::size_t bytes_each) {
    const char* const from = at_;
    const std::uint64_t seen = number();
    if (seen <= left() / bytes_each) return static_cast<std::size_t>(seen);
    refuse(from, "a count of " + std::to_string(seen),
           "what fits into the " + std::to_string(left()) + " bytes that are left");
    return 0;
  }

  /// Where the next thing begins.
  [[nodiscard]] const char* place() const noexcept { return at_; }
  /// What was read from `from` on does not fit.
  void refuse(const char* from, std::string_view seen, std::string_view wanted);

  [[nodiscard]] bool failed() const noexcept { return !why_.empty(); }
  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  /// Precondition: failed().
  [[nodiscard]] error why() const { return {"bad_log_entry", why_}; }

 private:
  std::uint64_t long_number();
  std::uint64_t ended(std::string_view wanted);

  const char* begin_;
  const char* at_;
  const char* end_;
  std::size_t size_;
  std::string why_;
};

}  // namespace tocsin
