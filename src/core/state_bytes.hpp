// SPDX-License-Identifier: Apache-2.0
// Plain bytes of states and alerts: how they are written and read back, bounds checked.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/varint.hpp"
#include "tocsin/fingerprint.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// Appends to a string. Integers and doubles are written as they lie in memory (little endian on
/// all machines tocsin runs on), texts with their length before them.
class state_writer {
 public:
  explicit state_writer(std::string& into) : into_(&into) {}

  template <class Plain>
  requires std::is_arithmetic_v<Plain> || std::is_enum_v<Plain>
  void put(Plain plain) {
    char bytes[sizeof plain];
    std::memcpy(bytes, &plain, sizeof plain);
    into_->append(bytes, sizeof plain);
  }
  void put(const fingerprint& print) {
    put(print.high);
    put(print.low);
  }
  void put(instant at) { put(static_cast<std::int64_t>(to_unix_ms(at))); }
  /// A text; data() == nullptr is told from "".
  void put_text(std::string_view text) {
    put(text.data() == nullptr ? null_length : static_cast<std::uint64_t>(text.size()));
    into_->append(text);
  }
  /// A whole number in as few bytes as it needs: 1 below 128.
  void put_small(std::uint64_t number) {
    char bytes[10];
    into_->append(bytes, static_cast<std::size_t>(write_varint(bytes, number) - bytes));
  }
  /// A text whose length takes as few bytes as it needs; null is "".
  void put_small_text(std::string_view text) {
    put_small(text.size());
    into_->append(text);
  }

  static constexpr std::uint64_t null_length = ~std::uint64_t{0};

 private:
  std::string* into_;
};

/// Reads what a state_writer wrote. Behind the first thing that does not fit, everything reads as
/// zero or empty and failed() is true: callers check once, at the end, and before they trust a
/// count.
class state_reader {
 public:
  explicit state_reader(std::string_view bytes) : rest_(bytes) {}

  template <class Plain>
  requires std::is_arithmetic_v<Plain> || std::is_enum_v<Plain>
  [[nodiscard]] Plain take() {
    Plain plain{};
    if (failed_ || rest_.size() < sizeof plain) {
      failed_ = true;
      return plain;
    }
    std::memcpy(&plain, rest_.data(), sizeof plain);
    rest_.remove_prefix(sizeof plain);
    return plain;
  }
  [[nodiscard]] fingerprint take_fingerprint() {
    const auto high = take<std::uint64_t>();
    return {high, take<std::uint64_t>()};
  }
  /// A time that has a text: with any other, what is computed from it could overflow.
  [[nodiscard]] instant take_instant() {
    const instant at = from_unix_ms(take<std::int64_t>());
    if (!failed_ && has_text(at)) return at;
    failed_ = true;
    return {};
  }
  /// A view into the bytes read from; data() == nullptr for a null text.
  [[nodiscard]] std::string_view take_text() {
    const auto bytes = take<std::uint64_t>();
    if (bytes == state_writer::null_length) return {};
    if (failed_ || bytes > rest_.size()) {
      failed_ = true;
      return {};
    }
    const std::string_view text{rest_.data(), bytes};
    rest_.remove_prefix(bytes);
    return text;
  }
  /// A number of things that each take at least `bytes_each` bytes; one that cannot be is a failure
  /// and 0.
  [[nodiscard]] std::uint64_t take_count(std::size_t bytes_each = 1) {
    const auto count = take<std::uint64_t>();
    if (failed_ || count > rest_.size() / bytes_each) {
      failed_ = true;
      return 0;
    }
    return count;
  }
  /// What put_small wrote; more than 64 bits are a failure.
  [[nodiscard]] std::uint64_t take_small() {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = take<std::uint8_t>();
      const std::uint64_t bits = byte & 0x7fU;
      if ((bits << shift) >> shift != bits) break;
      number |= bits << shift;
      if (byte < 0x80) return failed_ ? 0 : number;
    }
    failed_ = true;
    return 0;
  }
  /// As take_count, of a number that put_small wrote.
  [[nodiscard]] std::uint64_t take_small_count(std::size_t bytes_each = 1) {
    const std::uint64_t count = take_small();
    if (failed_ || count > rest_.size() / bytes_each) {
      failed_ = true;
      return 0;
    }
    return count;
  }
  /// What put_small_text wrote: a view into the bytes read from.
  [[nodiscard]] std::string_view take_small_text() {
    const std::uint64_t bytes = take_small_count();
    const std::string_view text = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return text;
  }
  void fail() noexcept { failed_ = true; }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace tocsin
