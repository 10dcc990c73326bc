// SPDX-License-Identifier: Apache-2.0
// Bytes on their way into a hash: on the stack, in a string only when they are many.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace tocsin {

static_assert(std::endian::native == std::endian::little, "hashed integers are little endian");

/// The identities' input (fingerprint.hpp): lengths of 4 bytes, integers of 8, texts.
class key_bytes {
 public:
  key_bytes() noexcept {}  // NOLINT: the buffer is written before it is read
  key_bytes(const key_bytes&) = delete;
  key_bytes& operator=(const key_bytes&) = delete;

  /// The text with its length before it; data() == nullptr is NULL.
  void add_text(std::string_view text) {
    const bool null = text.data() == nullptr;
    const std::uint32_t length = null ? 0xffffffffU : static_cast<std::uint32_t>(text.size());
    if (size_ + sizeof length + text.size() > buffer_.size()) {
      add_far({reinterpret_cast<const char*>(&length), sizeof length});
      return add_far(text);
    }
    std::memcpy(buffer_.data() + size_, &length, sizeof length);
    size_ += sizeof length;
    if (!text.empty()) copy(buffer_.data() + size_, text.data(), text.size());
    size_ += text.size();
  }
  void add_integer(std::uint64_t number) {
    if (size_ + sizeof number > buffer_.size()) {
      return add_far({reinterpret_cast<const char*>(&number), sizeof number});
    }
    std::memcpy(buffer_.data() + size_, &number, sizeof number);
    size_ += sizeof number;
  }

  [[nodiscard]] const char* data() const noexcept {
    return spilled_.empty() ? buffer_.data() : spilled_.data();
  }
  [[nodiscard]] std::size_t size() const noexcept {
    return spilled_.empty() ? size_ : spilled_.size();
  }

 private:
  /// What has no room goes into the string, and from then on all does.
  [[gnu::noinline]] void add_far(std::string_view bytes) {
    if (spilled_.empty()) spilled_.assign(buffer_.data(), size_);
    spilled_ += bytes;
    size_ = buffer_.size() + 1;
  }

  /// Most texts are shorter than what a call of memcpy costs: two copies of a fixed size, which may
  /// overlap, are inlined.
  static void copy(char* to, const char* from, std::size_t count) {
    const auto ends = [&]<std::size_t Width>(std::integral_constant<std::size_t, Width>) {
      char first[Width];
      char last[Width];
      std::memcpy(first, from, Width);
      std::memcpy(last, from + count - Width, Width);
      std::memcpy(to, first, Width);
      std::memcpy(to + count - Width, last, Width);
    };
    if (count > 64) {
      std::memcpy(to, from, count);
    } else if (count >= 32) {
      ends(std::integral_constant<std::size_t, 32>{});
    } else if (count >= 16) {
      ends(std::integral_constant<std::size_t, 16>{});
    } else if (count >= 8) {
      ends(std::integral_constant<std::size_t, 8>{});
    } else if (count >= 4) {
      ends(std::integral_constant<std::size_t, 4>{});
    } else {
      for (std::size_t i = 0; i < count; ++i) to[i] = from[i];
    }
  }

  std::array<char, 512> buffer_;
  std::size_t size_ = 0;
  std::string spilled_;
};

}  // namespace tocsin
