// SPDX-License-Identifier: Apache-2.0
// Splits an expression's source text into tokens.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "core/expression_syntax.hpp"

namespace tocsin::syntax {

namespace {

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr bool is_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/// Length of the UTF-8 character at the front; 0 when it is none (RFC 3629, table 3-7 of Unicode).
std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [byte](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    return follows(1, lead == 0xe0 ? 0xa0 : 0x80, lead == 0xed ? 0x9f : 0xbf) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const bool second = follows(1, lead == 0xf0 ? 0x90 : 0x80, lead == 0xf4 ? 0x8f : 0xbf);
    return second && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  }
}

/// The character a one-letter escape stands for.
std::optional<char> plain_escape(char c) noexcept {
  constexpr std::string_view letters = "abfnrtv\\\"'`?";
  constexpr std::string_view stand_for = "\a\b\f\n\r\t\v\\\"'`?";
  const std::size_t at = letters.find(c);
  if (at == std::string_view::npos) return std::nullopt;
  return stand_for[at];
}

class lexer {
 public:
  explicit lexer(std::string_view source) noexcept : source_(source) {}

  result<std::vector<token>> run() {
    if (source_.size() > source_bytes_max) {
      return error_at(source_bytes_max, fmt::format("an expression has at most {} bytes, not {}",
                                                    source_bytes_max, source_.size()));
    }
    for (std::size_t i = 0; i < source_.size();) {
      const std::size_t length = utf8_length(source_.substr(i));
      if (length == 0) return error_at(i, "this is not UTF-8");
      i += length;
    }
    std::vector<token> tokens;
    for (;;) {
      while (at_ < source_.size() && is_space(source_[at_])) ++at_;
      token next;
      next.begin = at_;
      if (at_ < source_.size()) read(next);
      if (failure_) return *failure_;
      next.end = at_;
      next.source = source_.substr(next.begin, next.end - next.begin);
      const bool last = next.kind == token_kind::end;
      tokens.push_back(std::move(next));
      if (last) return tokens;
    }
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const noexcept {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }
  void fail(std::size_t offset, std::string_view message) {
    if (!failure_) failure_ = error_at(offset, message);
    at_ = source_.size();
  }

  void read(token& out) {
    const char c = peek();
    const bool raw = (c == 'r' || c == 'R') && (peek(1) == '\'' || peek(1) == '"');
    if (raw) ++at_;
    if (raw || c == '\'' || c == '"') return read_text(out, raw);
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return read_number(out);
    if (is_letter(c)) {
      out.kind = token_kind::name;
      while (is_letter(peek()) || is_digit(peek())) ++at_;
      return;
    }
    read_symbol(out);
  }

  void read_symbol(token& out) {
    constexpr std::array<std::string_view, 20> symbols{"==", "!=", "<=", ">=", "&&", "||", "<",
                                                       ">",  "!",  "+",  "-",  "*",  "/",  "%",
                                                       "(",  ")",  "[",  "]",  ",",  "."};
    out.kind = token_kind::symbol;
    const std::string_view rest = source_.substr(at_);
    for (const std::string_view symbol : symbols) {
      if (rest.starts_with(symbol)) {
        at_ += symbol.size();
        return;
      }
    }
    const std::string_view seen = rest.substr(0, utf8_length(rest));
    if (seen == "?" || seen == ":") {
      ++at_;
    } else if (seen == "=") {
      fail(at_, "'=' is not an operator (did you mean '=='?)");
    } else if (seen == "&" || seen == "|") {
      fail(at_, fmt::format("'{0}' is not an operator (did you mean '{0}{0}'?)", seen));
    } else if (static_cast<unsigned char>(seen.front()) < ' ') {
      fail(at_, fmt::format("unexpected byte {:#04x}", static_cast<int>(seen.front())));
    } else {
      fail(at_, fmt::format("unexpected '{}'", seen));
    }
  }

  void read_text(token& out, bool raw) {
    out.kind = token_kind::literal;
    out.literal.type = value_type::text;
    const char quote = source_[at_++];
    while (peek() != quote) {
      if (at_ >= source_.size() || peek() == '\n') {
        return fail(out.begin, "this text is not closed");
      }
      if (peek() == '\\' && !raw) {
        read_escape(out.text);
      } else {
        out.text += source_[at_++];
      }
    }
    if (at_ < source_.size()) ++at_;
  }

  void read_escape(std::string& out) {
    const std::size_t begin = at_++;
    const char kind = peek();
    if (const std::optional<char> plain = plain_escape(kind)) {
      ++at_;
      out += *plain;
      return;
    }
    int base = 16;
    std::size_t digits = 0;
    if (kind == 'x' || kind == 'X') digits = 2;
    if (kind == 'u') digits = 4;
    if (kind == 'U') digits = 8;
    if (kind >= '0' && kind <= '3') {
      base = 8;
      digits = 3;
    }
    at_ += base == 16 ? 1 : 0;
    const std::string_view number = source_.substr(std::min(at_, source_.size()), digits);
    std::uint32_t point = 0;
    const auto [end, failed] =
        std::from_chars(number.data(), number.data() + number.size(), point, base);
    const bool whole = digits != 0 && number.size() == digits && failed == std::errc{} &&
                       end == number.data() + digits;
    if (!whole || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
      return fail(begin, R"(unknown escape in a text (a backslash is written '\\'))");
    }
    at_ += digits;
    append_utf8(out, point);
  }

  /// 42, 0x2a, 2.5, .5, 1e3 or a duration such as 5m30s.
  void read_number(token& out) {
    out.kind = token_kind::literal;
    const auto take_digits = [this] {
      while (is_digit(peek())) ++at_;
    };
    const bool hexadecimal = peek() == '0' && (peek(1) == 'x' || peek(1) == 'X');
    bool real = false;
    if (!hexadecimal) {
      take_digits();
      if (peek() == '.' && is_digit(peek(1))) {
        real = true;
        ++at_;
        take_digits();
      }
      const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
      if ((peek() == 'e' || peek() == 'E') && is_digit(peek(1 + sign))) {
        real = true;
        at_ += 1 + sign;
        take_digits();
      }
    }
    const bool plain = !hexadecimal && !is_letter(peek());
    while (is_letter(peek()) || is_digit(peek())) ++at_;
    const std::string_view text = source_.substr(out.begin, at_ - out.begin);
    if (real && plain) return read_real(out, text);
    if (hexadecimal || plain) return read_integer(out, text, hexadecimal);
    const std::optional<duration> length = parse_duration(text);
    if (!length) {
      return fail(out.begin,
                  fmt::format("'{}' is neither a number nor a duration (try 5m30s)", text));
    }
    out.literal = value::of(*length);
  }

  void read_real(token& out, std::string_view text) {
    double real = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), real);
    if (failed == std::errc::result_out_of_range) {
      return fail(out.begin, fmt::format("{} is beyond what a number can hold", text));
    }
    if (end != text.data() + text.size()) {
      return fail(out.begin, fmt::format("'{}' is not a number", text));
    }
    out.literal = value::of(real);
  }

  void read_integer(token& out, std::string_view text, bool hexadecimal) {
    const std::string_view digits = hexadecimal ? text.substr(2) : text;
    std::uint64_t whole = 0;
    const auto [end, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), whole, hexadecimal ? 16 : 10);
    if (digits.empty() || end != digits.data() + digits.size()) {
      return fail(out.begin, fmt::format("'{}' is not a number", text));
    }
    constexpr std::uint64_t lowest = std::uint64_t{1} << 63;
    if (failed != std::errc{} || whole > lowest) {
      return fail(out.begin, fmt::format("{} is beyond 9223372036854775807", text));
    }
    out.lowest_twin = whole == lowest;
    out.literal = value::of(static_cast<std::int64_t>(whole));
  }

  std::string_view source_;
  std::size_t at_ = 0;
  std::optional<error> failure_;
};

}  // namespace

error error_at(std::size_t offset, std::string_view message) {
  return {"bad_expression", fmt::format("column {}: {}", offset + 1, message)};
}

error moved(const error& failure, std::size_t bytes) {
  constexpr std::string_view word = "column ";
  std::string_view rest = failure.message;
  if (!rest.starts_with(word)) return {failure.code, error_at(bytes, rest).message};
  rest.remove_prefix(word.size());
  std::size_t column = 0;
  const auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), column);
  if (failed != std::errc{}) return failure;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return {failure.code, fmt::format("{}{}{}", word, column + bytes, rest)};
}

result<std::vector<token>> read_tokens(std::string_view source) {
  return lexer{source}.run();
}

bool is_identifier(std::string_view text) noexcept {
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < ' ') {
      out += fmt::format("\\x{:02x}", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace tocsin::syntax
