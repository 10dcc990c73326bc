// SPDX-License-Identifier: Apache-2.0
// Plain bytes of an engine's state: how snapshots are written and read back, bounds checked.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

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
  /// A text; data() == nullptr is told from "".
  void put_text(std::string_view text) {
    put(text.data() == nullptr ? null_length : static_cast<std::uint64_t>(text.size()));
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
  void fail() noexcept { failed_ = true; }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace tocsin
