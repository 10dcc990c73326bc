// SPDX-License-Identifier: Apache-2.0
// Reads one Prometheus matcher.
#include "core/prometheus_matcher.hpp"

#include <fmt/format.h>

#include <optional>

#include "core/expression_syntax.hpp"

namespace tocsin {
namespace {

constexpr std::string_view spaces = " \t\r\n";

constexpr bool in_name(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == ':' || c == '.';
}

class matcher_reader {
 public:
  explicit matcher_reader(std::string_view text) : text_(text) {}

  result<prometheus_matcher> run() {
    prometheus_matcher made;
    skip_spaces();
    if (at_ < text_.size() && text_[at_] == '{') {
      return syntax::error_at(at_, "one matcher wanted, without braces (write several as a list)");
    }
    if (auto wrong = read_name(made.name)) return *wrong;
    skip_spaces();
    if (auto wrong = read_operator(made.op)) return *wrong;
    skip_spaces();
    if (auto wrong = read_value(made)) return *wrong;
    return made;
  }

 private:
  void skip_spaces() {
    while (at_ < text_.size() && spaces.find(text_[at_]) != std::string_view::npos) ++at_;
  }

  std::optional<error> read_name(std::string& name) {
    const std::size_t begin = at_;
    if (at_ < text_.size() && text_[at_] == '"') {
      if (auto wrong = read_quoted(name)) return wrong;
    } else {
      while (at_ < text_.size() && in_name(text_[at_])) name += text_[at_++];
    }
    if (!name.empty()) return std::nullopt;
    return syntax::error_at(begin, "the name of a field or label wanted (try item=\"cpu\")");
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
    } else if (rest.starts_with("==")) {
      return syntax::error_at(at_ - 2, "'==' is no operator of matchers (did you mean '='?)");
    } else if (rest.starts_with("=")) {
      op = matcher_operator::equal;
      --at_;
    } else {
      const std::string seen{rest.substr(0, rest.find_first_of(spaces))};
      return syntax::error_at(at_ - 2, fmt::format("one of = != =~ !~ wanted, not {}",
                                                   seen.empty() ? "the end" : "'" + seen + "'"));
    }
    return std::nullopt;
  }

  std::optional<error> read_value(prometheus_matcher& made) {
    const std::size_t begin = at_;
    if (at_ < text_.size() && text_[at_] == '"') {
      made.value_begin = at_ + 1;
      if (auto wrong = read_quoted(made.value)) return wrong;
      skip_spaces();
      if (at_ == text_.size()) return std::nullopt;
      return syntax::error_at(at_, "unexpected text after the value");
    }
    made.value_begin = begin;
    const std::size_t last = text_.find_last_not_of(spaces);
    const std::size_t end = last == std::string_view::npos ? 0 : last + 1;
    while (at_ < end) {
      if (text_[at_] == '"')
        return syntax::error_at(at_, "a quote inside a value needs a \\ before it");
      read_character(made.value);
    }
    return std::nullopt;
  }

  std::optional<error> read_quoted(std::string& into) {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') read_character(into);
    if (at_ == text_.size()) return syntax::error_at(begin, "this text is not closed");
    ++at_;
    return std::nullopt;
  }

  /// A backslash that begins no known escape stays, so that regular expressions need only one.
  void read_character(std::string& into) {
    constexpr std::string_view letters = "\"\\nrt";
    constexpr std::string_view stand_for = "\"\\\n\r\t";
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
  std::size_t at_ = 0;
};

}  // namespace

result<prometheus_matcher> parse_matcher(std::string_view text) {
  return matcher_reader(text).run();
}

}  // namespace tocsin
