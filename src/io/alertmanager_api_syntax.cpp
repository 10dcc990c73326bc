// SPDX-License-Identifier: Apache-2.0
// A scanner that goes over JSON without keeping anything of it.
#include "io/alertmanager_api_syntax.hpp"

#include <fmt/format.h>

#include <optional>

namespace tocsin::alertmanager {

namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// A byte as Go quotes it.
std::string quoted_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == '\'') return R"('\'')";
  if (c == '\\') return R"('\\')";
  if (c == '\n') return R"('\n')";
  if (c == '\t') return R"('\t')";
  if (c == '\r') return R"('\r')";
  if (byte < 0x20 || byte == 0x7f) return fmt::format(R"('\x{:02x}')", byte);
  if (byte < 0x80) return fmt::format("'{}'", c);
  // Go takes the byte for a character of that number; up to U+00A0 none of them can be printed.
  if (byte <= 0xa0 || byte == 0xad) return fmt::format(R"('\u{:04x}')", byte);
  return fmt::format("'{}{}'", static_cast<char>(0xc0 | (byte >> 6)),
                     static_cast<char>(0x80 | (byte & 0x3f)));
}

class syntax_scanner {
 public:
  explicit syntax_scanner(std::string_view text) : text_(text) {}

  std::string scan() {
    bool value_wanted = true;
    do {
      const bool fine = value_wanted ? scan_value() : scan_after_value();
      if (!fine) return error_;
      value_wanted = wants_value_;
    } while (value_wanted || !open_.empty());
    return "";
  }

 private:
  bool wrong(std::string_view where) {
    error_ = at_ < text_.size()
                 ? fmt::format("invalid character {} {}", quoted_byte(text_[at_]), where)
                 : "unexpected EOF";
    return false;
  }
  void skip_spaces() {
    while (at_ < text_.size() && std::string_view{" \t\r\n"}.find(text_[at_]) != text_.npos) ++at_;
  }
  [[nodiscard]] char seen() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char wanted) {
    skip_spaces();
    if (seen() != wanted || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }

  /// A value, or the beginning of a list or object, up to where the next value begins.
  bool scan_value() {
    wants_value_ = false;
    if (take('{')) {
      if (take('}')) return true;
      open_ += '{';
      return scan_key();
    }
    if (take('[')) {
      if (take(']')) return true;
      open_ += '[';
      wants_value_ = true;
      return true;
    }
    if (take('"')) return scan_string();
    if (seen() == '-' || is_digit(seen())) return scan_number();
    for (const std::string_view word : {"true", "false", "null"}) {
      if (seen() == word[0]) return scan_word(word);
    }
    return wrong("looking for beginning of value");
  }

  bool scan_after_value() {
    const bool in_object = open_.back() == '{';
    if (take(',')) {
      wants_value_ = !in_object;
      return !in_object || scan_key();
    }
    if (!take(in_object ? '}' : ']'))
      return wrong(in_object ? "after object key:value pair" : "after array element");
    open_.pop_back();
    return true;
  }

  bool scan_key() {
    if (!take('"')) return wrong("looking for beginning of object key string");
    if (!scan_string()) return false;
    if (!take(':')) return wrong("after object key");
    wants_value_ = true;
    return true;
  }

  bool scan_string() {
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return wrong("in string literal");
      if (text_[at_] != '\\') continue;
      ++at_;
      if (seen() == 'u') {
        for (int digit = 0; digit < 4; ++digit) {
          ++at_;
          if (!is_hex(seen())) return wrong("in \\u hexadecimal character escape");
        }
      } else if (at_ >= text_.size() || std::string_view{"bfnrt\\/\""}.find(seen()) == text_.npos) {
        return wrong("in string escape code");
      }
    }
    if (at_ >= text_.size()) return wrong("");
    ++at_;
    return true;
  }

  bool scan_number() {
    if (seen() == '-') ++at_;
    if (!is_digit(seen())) return wrong("in numeric literal");
    if (seen() == '0') {
      ++at_;
    } else {
      skip_digits();
    }
    if (seen() == '.') {
      ++at_;
      if (!is_digit(seen())) return wrong("after decimal point in numeric literal");
      skip_digits();
    }
    if (seen() == 'e' || seen() == 'E') {
      ++at_;
      if (seen() == '+' || seen() == '-') ++at_;
      if (!is_digit(seen())) return wrong("in exponent of numeric literal");
      skip_digits();
    }
    return true;
  }
  void skip_digits() {
    while (is_digit(seen())) ++at_;
  }

  bool scan_word(std::string_view word) {
    for (const char wanted : word) {
      if (seen() != wanted)
        return wrong(fmt::format("in literal {} (expecting '{}')", word, wanted));
      ++at_;
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string open_;  ///< the brackets that are open
  bool wants_value_ = false;
  std::string error_;
};

/// The number of the \uXXXX at `at`.
std::optional<unsigned> escaped_unit(std::string_view text, std::size_t at) {
  if (text.size() < at + 6 || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  unsigned unit = 0;
  for (std::size_t i = at + 2; i < at + 6; ++i) {
    if (!is_hex(text[i])) return std::nullopt;
    const char c = text[i];
    const int digit = is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
    unit = unit * 16 + static_cast<unsigned>(digit);
  }
  return unit;
}

}  // namespace

std::string json_syntax_error(std::string_view text) {
  return syntax_scanner{text}.scan();
}

std::string with_paired_surrogates(std::string_view text) {
  constexpr std::size_t escape = 6;
  std::string made;
  made.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      made += text[at++];
      continue;
    }
    const auto unit = escaped_unit(text, at);
    if (!unit || *unit < 0xd800 || *unit > 0xdfff) {
      // The character behind a backslash begins no escape of its own.
      made += text.substr(at, 2);
      at += 2;
      continue;
    }
    const auto next = escaped_unit(text, at + escape);
    const bool paired = *unit < 0xdc00 && next && *next >= 0xdc00 && *next <= 0xdfff;
    made += paired ? text.substr(at, 2 * escape) : std::string_view{"\\ufffd"};
    at += paired ? 2 * escape : escape;
  }
  return made;
}

}  // namespace tocsin::alertmanager
