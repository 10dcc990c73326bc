// SPDX-License-Identifier: Apache-2.0
// Walks over msgpack bytes token by token without building objects, copying strings or allocating.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tocsin {

static_assert(std::endian::native == std::endian::little, "load_big swaps bytes");

/// An unsigned integer stored big-endian at `from`.
template <class Unsigned>
[[nodiscard]] inline Unsigned load_big(const void* from) noexcept {
  Unsigned word;
  std::memcpy(&word, from, sizeof word);
  if constexpr (sizeof word == 2) return __builtin_bswap16(word);
  if constexpr (sizeof word == 4) return __builtin_bswap32(word);
  if constexpr (sizeof word == 8) return __builtin_bswap64(word);
  return word;
}

enum class msgpack_kind : std::uint8_t {
  nil,
  boolean,
  integer,       ///< fits std::int64_t
  huge_integer,  ///< beyond std::int64_t
  real,
  text,
  binary,
  extension,
  array,
  map,
};

/// One scalar, or the head of a container. Only the members of its kind are set.
struct msgpack_token {
  msgpack_kind kind = msgpack_kind::nil;
  bool boolean = false;
  std::int8_t extension_type = 0;
  std::uint32_t count = 0;  ///< elements of an array, pairs of a map
  std::int64_t integer = 0;
  double real = 0;         ///< also the nearest double of a huge_integer
  std::string_view bytes;  ///< of text, binary, extension; data() is never null

  [[nodiscard]] bool is_container() const noexcept {
    return kind == msgpack_kind::array || kind == msgpack_kind::map;
  }
  /// How many tokens or containers follow inside.
  [[nodiscard]] std::uint64_t children() const noexcept {
    return kind == msgpack_kind::map ? std::uint64_t{count} * 2 : count;
  }
};

/// A position in msgpack bytes; copying it marks a place to come back to. After a read returned
/// false for torn bytes (cut off, or the reserved byte 0xC1) nothing more can be read from it.
class msgpack_cursor {
 public:
  explicit msgpack_cursor(std::string_view bytes) noexcept
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  [[nodiscard]] bool at_end() const noexcept { return at_ == end_; }
  [[nodiscard]] const char* position() const noexcept { return at_; }
  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }

  /// Reads one scalar or the head of one container; false when torn.
  [[nodiscard]] bool next(msgpack_token& into) noexcept {
    if (at_ == end_) return false;
    const auto lead = static_cast<unsigned char>(*at_++);
    if (lead < 0x80 || lead >= 0xE0) {
      into.kind = msgpack_kind::integer;
      into.integer = static_cast<std::int8_t>(lead);
      return true;
    }
    if (lead < 0xA0) {
      into.kind = lead < 0x90 ? msgpack_kind::map : msgpack_kind::array;
      into.count = lead & 0x0FU;
      return true;
    }
    if (lead < 0xC0) {
      into.kind = msgpack_kind::text;
      return take(lead & 0x1FU, into.bytes);
    }
    return next_wide(lead, into);
  }

  /// Reads a string whose length takes at most one byte; false, and nothing read, for all else.
  [[nodiscard]] bool next_short_text(std::string_view& into) noexcept {
    const std::size_t here = left();
    if (here < 2) return false;
    const auto lead = static_cast<unsigned char>(*at_);
    std::size_t head = 1;
    std::size_t length = lead & 0x1FU;
    if ((lead & 0xE0U) != 0xA0U) {
      if (lead != 0xD9) return false;
      head = 2;
      length = static_cast<unsigned char>(at_[1]);
    }
    if (here < head + length) return false;
    into = {at_ + head, length};
    at_ += head + length;
    return true;
  }

  /// Steps over a nil; false, and nothing read, for all else.
  [[nodiscard]] bool next_nil() noexcept {
    if (at_ == end_ || static_cast<unsigned char>(*at_) != 0xC0) return false;
    ++at_;
    return true;
  }

  /// Steps over `elements` whole elements in time bounded by the bytes there are, whatever lengths
  /// they declare; false when torn.
  [[nodiscard]] bool skip(std::uint64_t elements = 1) noexcept {
    msgpack_token token;
    for (; elements > 0; --elements) {
      // Each element takes a byte at least: a declared count beyond the bytes is torn.
      if (elements > left() || !next(token)) return false;
      if (token.is_container()) elements += token.children();
    }
    return true;
  }

 private:
  [[nodiscard]] bool take(std::size_t length, std::string_view& into) noexcept {
    if (left() < length) return false;
    into = {at_, length};
    at_ += length;
    return true;
  }

  template <class Unsigned>
  [[nodiscard]] bool number(Unsigned& into) noexcept {
    if (left() < sizeof into) return false;
    into = load_big<Unsigned>(at_);
    at_ += sizeof into;
    return true;
  }

  template <class Unsigned, class Signed>
  [[nodiscard]] bool integer(msgpack_token& into) noexcept {
    Unsigned word;
    if (!number(word)) return false;
    into.kind = msgpack_kind::integer;
    into.integer =
        static_cast<Signed>(word);  // NOLINT(bugprone-signed-char-misuse): extends the sign
    return true;
  }

  template <class Unsigned, class Float>
  [[nodiscard]] bool real(msgpack_token& into) noexcept {
    Unsigned word;
    if (!number(word)) return false;
    into.kind = msgpack_kind::real;
    into.real = std::bit_cast<Float>(word);
    return true;
  }

  template <class Unsigned>
  [[nodiscard]] bool bytes(msgpack_kind kind, msgpack_token& into) noexcept {
    Unsigned length;
    into.kind = kind;
    return number(length) && take(length, into.bytes);
  }

  template <class Unsigned>
  [[nodiscard]] bool container(msgpack_kind kind, msgpack_token& into) noexcept {
    Unsigned count;
    if (!number(count)) return false;
    into.kind = kind;
    into.count = count;
    return true;
  }

  [[nodiscard]] bool extension(std::size_t length, msgpack_token& into) noexcept {
    std::uint8_t type;
    if (!number(type)) return false;
    into.kind = msgpack_kind::extension;
    into.extension_type = static_cast<std::int8_t>(type);
    return take(length, into.bytes);
  }

  template <class Unsigned>
  [[nodiscard]] bool sized_extension(msgpack_token& into) noexcept {
    Unsigned length;
    return number(length) && extension(length, into);
  }

  [[nodiscard]] bool huge_or_integer(msgpack_token& into) noexcept {
    std::uint64_t word;
    if (!number(word)) return false;
    into.kind = word >> 63U != 0 ? msgpack_kind::huge_integer : msgpack_kind::integer;
    into.integer = static_cast<std::int64_t>(word);
    into.real = static_cast<double>(word);
    return true;
  }

  [[nodiscard]] bool boolean(bool value, msgpack_token& into) noexcept {
    into.kind = msgpack_kind::boolean;
    into.boolean = value;
    return true;
  }

  /// The tokens with lead bytes 0xC0 to 0xDF (msgpack specification, "Formats").
  // NOLINTNEXTLINE(readability-function-size): a table of formats, a case each
  [[nodiscard]] bool next_wide(unsigned char lead, msgpack_token& into) noexcept {
    using kind = msgpack_kind;
    using std::uint16_t, std::uint32_t, std::uint64_t, std::uint8_t;
    switch (lead) {
      case 0xC0:
        into.kind = kind::nil;
        return true;
      case 0xC2:
        return boolean(false, into);
      case 0xC3:
        return boolean(true, into);
      case 0xC4:
        return bytes<uint8_t>(kind::binary, into);
      case 0xC5:
        return bytes<uint16_t>(kind::binary, into);
      case 0xC6:
        return bytes<uint32_t>(kind::binary, into);
      case 0xC7:
        return sized_extension<uint8_t>(into);
      case 0xC8:
        return sized_extension<uint16_t>(into);
      case 0xC9:
        return sized_extension<uint32_t>(into);
      case 0xCA:
        return real<uint32_t, float>(into);
      case 0xCB:
        return real<uint64_t, double>(into);
      case 0xCC:
        return integer<uint8_t, uint8_t>(into);
      case 0xCD:
        return integer<uint16_t, uint16_t>(into);
      case 0xCE:
        return integer<uint32_t, uint32_t>(into);
      case 0xCF:
        return huge_or_integer(into);
      case 0xD0:
        return integer<uint8_t, std::int8_t>(into);
      case 0xD1:
        return integer<uint16_t, std::int16_t>(into);
      case 0xD2:
        return integer<uint32_t, std::int32_t>(into);
      case 0xD3:
        return integer<uint64_t, std::int64_t>(into);
      case 0xD4:
        return extension(1, into);
      case 0xD5:
        return extension(2, into);
      case 0xD6:
        return extension(4, into);
      case 0xD7:
        return extension(8, into);
      case 0xD8:
        return extension(16, into);
      case 0xD9:
        return bytes<uint8_t>(kind::text, into);
      case 0xDA:
        return bytes<uint16_t>(kind::text, into);
      case 0xDB:
        return bytes<uint32_t>(kind::text, into);
      case 0xDC:
        return container<uint16_t>(kind::array, into);
      case 0xDD:
        return container<uint32_t>(kind::array, into);
      case 0xDE:
        return container<uint16_t>(kind::map, into);
      case 0xDF:
        return container<uint32_t>(kind::map, into);
      default:
        --at_;
        return false;  // 0xC1 is reserved and never used
    }
  }

  const char* at_;
  const char* end_;
};

}  // namespace tocsin
