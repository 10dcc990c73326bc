// SPDX-License-Identifier: Apache-2.0
// Reads Prometheus matchers.
#include "core/prometheus_matcher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace tocsin {
namespace {

constexpr std::string_view spaces = " \t\r\n\f\v";

constexpr bool is_space(char c) noexcept {
  return spaces.find(c) != std::string_view::npos;
}

constexpr bool in_name(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == ':' || c == '.';
}

error error_at(std::size_t offset, std::string_view message) {
  return {"bad_matcher", fmt::format("column {}: {}", offset + 1, message)};
}

enum class reading : std::uint8_t { one, several };

class matcher_reader {
 public:
  /// White space at the text's end belongs to nothing.
  matcher_reader(std::string_view text, reading how) : text_(text), how_(how) {
    const std::size_t last = text_.find_last_not_of(spaces);
    text_ = text_.substr(0, last == std::string_view::npos ? 0 : last + 1);
    skip_spaces();
  }

  result<prometheus_matcher> only() {
    if (at_ < text_.size() && text_[at_] == '{') {
      return error_at(at_, "one matcher wanted, without braces (write several as a list)");
    }
    return next();
  }

  result<std::vector<prometheus_matcher>> all() {
    if (at_ < text_.size() && text_[at_] == '{') ++at_;
    if (at_ < text_.size() && text_.back() == '}') text_.remove_suffix(1);
    std::vector<prometheus_matcher> made;
    for (;;) {
      skip_spaces();
      if (at_ >= text_.size()) return made;
      auto read = next();
      if (!read) return read.failure();
      made.push_back(*std::move(read));
      // next() stops at a comma or at the end.
      ++at_;
    }
  }

 private:
  result<prometheus_matcher> next() {
    prometheus_matcher made;
    if (auto wrong = read_name(made.name)) return *wrong;
    skip_spaces();
    if (auto wrong = read_operator(made.op)) return *wrong;
    skip_spaces();
    if (auto wrong = read_value(made)) return *wrong;
    return made;
  }

  void skip_spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  [[nodiscard]] bool ends_here() const {
    return at_ >= text_.size() || (how_ == reading::several && text_[at_] == ',');
  }

  std::optional<error> read_name(std::string& name) {
    const std::size_t begin = at_;
    if (at_ < text_.size() && text_[at_] == '"') {
      if (auto wrong = read_quoted(name)) return wrong;
    } else {
      while (at_ < text_.size() && in_name(text_[at_])) name += text_[at_++];
    }
    if (!name.empty()) return std::nullopt;
    return error_at(begin, "the name of a field or label wanted (try item=\"cpu\")");
  }

  std::optional<error> read_operator(matcher_operator& op) {
    const std::string_view rest = text_.substr(at_);
    at_ += 2;
    if (rest.starts_with("=~")) {
      op = matcher_operator::matches;
    } else if (rest.starts_with("!~")) {
      op = matcher_operator::does_not_match;
    } else if (rest.starts_with("!=")) {
      op = matcher_operator::unequal;
    } else if (is_comparison(rest)) {
      return error_at(at_ - 2, "'==' is no operator of matchers (did you mean '='?)");
    } else if (rest.starts_with("=")) {
      op = matcher_operator::equal;
      --at_;
    } else {
      const std::string seen{rest.substr(0, rest.find_first_of(spaces))};
      return error_at(at_ - 2, fmt::format("one of = != =~ !~ wanted, not {}",
                                           seen.empty() ? "the end" : "'" + seen + "'"));
    }
    return std::nullopt;
  }

  /// `==` before a quote. Before anything else its second half belongs to a value without quotes.
  static bool is_comparison(std::string_view rest) {
    if (!rest.starts_with("==")) return false;
    const std::size_t behind = rest.find_first_not_of(spaces, 2);
    return behind != std::string_view::npos && rest[behind] == '"';
  }

  std::optional<error> read_value(prometheus_matcher& made) {
    if (at_ < text_.size() && text_[at_] == '"') {
      made.value_begin = at_ + 1;
      if (auto wrong = read_quoted(made.value)) return wrong;
      skip_spaces();
      if (ends_here()) return std::nullopt;
      return error_at(at_, "unexpected text after the value");
    }
    made.value_begin = at_;
    while (!ends_here()) {
      if (text_[at_] == '"') {
        return error_at(at_, "a quote inside a value needs a \\ before it");
      }
      read_character(made.value);
    }
    // Escapes leave no white space but the line feed, which would be one that is meant.
    std::size_t last = at_;
    while (last > made.value_begin && is_space(text_[last - 1])) --last;
    made.value.resize(made.value.size() - (at_ - last));
    return std::nullopt;
  }

  std::optional<error> read_quoted(std::string& into) {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') read_character(into);
    if (at_ >= text_.size()) return error_at(begin, "this text is not closed");
    ++at_;
    return std::nullopt;
  }

  /// A backslash that begins no known escape stays, so that regular expressions need only one.
  void read_character(std::string& into) {
    constexpr std::string_view letters = "\"\\n";
    constexpr std::string_view stand_for = "\"\\\n";
    if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
      const std::size_t escape = letters.find(text_[at_ + 1]);
      if (escape != std::string_view::npos) {
        into += stand_for[escape];
        at_ += 2;
        return;
      }
    }
    into += text_[at_++];
  }

  std::string_view text_;
  reading how_;
  std::size_t at_ = 0;
};

}  // namespace

result<prometheus_matcher> parse_matcher(std::string_view text) {
  return matcher_reader(text, reading::one).only();
}

result<std::vector<prometheus_matcher>> parse_matcher_list(std::string_view text) {
  return matcher_reader(text, reading::several).all();
}

bool is_matcher_name(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), in_name);
}

}  // namespace tocsin
