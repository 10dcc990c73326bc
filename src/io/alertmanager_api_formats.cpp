// SPDX-License-Identifier: Apache-2.0
// Times, flags, URIs, matchers and hashes of Alertmanager's API.
#include "io/alertmanager_api_formats.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "io/utf8.hpp"

namespace tocsin::alertmanager {

namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool is_hex(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

re2::RE2::Options pattern_options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  return options;
}

/// Go's words for what RE2 found.
std::string_view go_words(re2::RE2::ErrorCode code) {
  switch (code) {
    case re2::RE2::ErrorBadEscape:
      return "invalid escape sequence";
    case re2::RE2::ErrorBadCharClass:
      return "invalid character class";
    case re2::RE2::ErrorBadCharRange:
      return "invalid character class range";
    case re2::RE2::ErrorMissingBracket:
      return "missing closing ]";
    case re2::RE2::ErrorMissingParen:
      return "missing closing )";
    case re2::RE2::ErrorUnexpectedParen:
      return "unexpected )";
    case re2::RE2::ErrorTrailingBackslash:
      return "trailing backslash at end of expression";
    case re2::RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator";
    case re2::RE2::ErrorRepeatSize:
      return "invalid repeat count";
    case re2::RE2::ErrorRepeatOp:
      return "invalid nested repetition operator";
    case re2::RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax";
    case re2::RE2::ErrorBadUTF8:
      return "invalid UTF-8";
    case re2::RE2::ErrorBadNamedCapture:
      return "invalid named capture";
    default:
      return "expression too large";
  }
}

/// One piece of the layout that Go's last try of reading a time has.
struct layout_piece {
  std::string_view layout;
  int least = 0;
  int most = 0;
  std::string_view name;  ///< of what is out of range
};
constexpr std::array<layout_piece, 11> last_layout{{{"2006", 0, 9999, "year"},
                                                    {"-"},
                                                    {"01", 1, 12, "month"},
                                                    {"-"},
                                                    {"02", 1, 31, "day"},
                                                    {" "},
                                                    {"15", 0, 23, "hour"},
                                                    {":"},
                                                    {"04", 0, 59, "minute"},
                                                    {":"},
                                                    {"05", 0, 59, "second"}}};

/// What Go says of a time that none of its layouts fits: the last one's error.
std::string time_error(std::string_view text) {
  const auto stops_at = [&](std::string_view rest, std::string_view wanted) {
    return fmt::format("parsing time {} as \"2006-01-02 15:04:05\": cannot parse {} as {}",
                       go_quoted(text), go_quoted(rest), go_quoted(wanted));
  };
  std::string_view rest = text;
  for (const layout_piece& piece : last_layout) {
    const auto seen = rest.substr(0, piece.layout.size());
    if (piece.name.empty()) {
      // A space of the layout may be missing at the end.
      const bool missing = seen.empty() && piece.layout == " ";
      if (!missing && seen != piece.layout) return stops_at(rest, piece.layout);
    } else {
      if (seen.size() < piece.layout.size() || !std::all_of(seen.begin(), seen.end(), is_digit))
        return stops_at(rest, piece.layout);
      const int value = std::stoi(std::string{seen});
      if (value < piece.least || value > piece.most)
        return fmt::format("parsing time {}: {} out of range", go_quoted(text), piece.name);
    }
    rest.remove_prefix(std::min(piece.layout.size(), rest.size()));
  }
  if (!rest.empty())
    return fmt::format("parsing time {}: extra text: {}", go_quoted(text), go_quoted(rest));
  return fmt::format("parsing time {}: day out of range", go_quoted(text));
}

/// `text` in the one form that parse_rfc3339 reads, when it is one of Go's others.
std::string as_rfc3339(std::string_view text) {
  constexpr std::size_t date = 10;     // 2006-01-02
  constexpr std::size_t minutes = 16;  // 2006-01-02T15:04
  std::string made{text};
  if (text.size() < minutes || (text[date] != 'T' && text[date] != ' ')) return made;
  const bool has_offset = text.find_first_of("Zz+-", minutes) != std::string_view::npos;
  if (text[date] == ' ') {
    if (has_offset) return made;
    made[date] = 'T';
  }
  if (!text.substr(minutes).starts_with(':')) {
    if (has_offset && text.substr(minutes) != "Z") return made;
    made.insert(minutes, ":00");
  }
  if (!has_offset) made += 'Z';
  return made;
}

/// Each '%' begins a %XX.
bool percent_encoded(std::string_view text) {
  for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    if (text.size() - at < 3 || !is_hex(text[at + 1]) || !is_hex(text[at + 2])) return false;
  }
  return true;
}

/// "user@host:port" of a URI.
bool is_authority(std::string_view text) {
  constexpr std::string_view never = " \"<>\\^`{|}";
  if (text.find_first_of(never) != std::string_view::npos || !percent_encoded(text)) return false;
  const auto host = text.substr(text.rfind('@') + 1);
  const auto colon = host.rfind(':');
  if (colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos)
    return true;
  const auto port = host.substr(colon + 1);
  return std::all_of(port.begin(), port.end(), is_digit);
}

/// The length of a scheme before a ':', 0 when there is none.
std::size_t scheme_length(std::string_view text) {
  if (text.empty() || !is_letter(text[0])) return 0;
  std::size_t at = 1;
  while (at < text.size() && (is_letter(text[at]) || is_digit(text[at]) || text[at] == '+' ||
                              text[at] == '-' || text[at] == '.'))
    ++at;
  return at < text.size() && text[at] == ':' ? at : 0;
}

}  // namespace

bool same_in_any_case(std::string_view left, std::string_view right) noexcept {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

void append_text(std::string& to, std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
  });
  if (plain) {
    to += '"';
    to += text;
    to += '"';
    return;
  }
  to += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_texts(std::string& to, const std::vector<std::pair<std::string, std::string>>& texts) {
  to += '{';
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) to += ',';
    append_text(to, texts[i].first);
    to += ':';
    append_text(to, texts[i].second);
  }
  to += '}';
}

std::string with_valid_utf8(std::string_view text) {
  constexpr std::string_view replacement = "\xef\xbf\xbd";
  std::string made;
  made.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 1;
    while (length < 4 && at + length < text.size() && !valid_utf8(text.substr(at, length)))
      ++length;
    const bool valid = valid_utf8(text.substr(at, length));
    made += valid ? text.substr(at, length) : replacement;
    at += valid ? length : 1;
  }
  return made;
}

bool is_zero_time(instant at) noexcept {
  constexpr long long year_one_ms = -62'135'596'800'000;
  return to_unix_ms(at) == year_one_ms;
}

result<instant> parse_time(std::string_view text) {
  if (text.empty()) return instant{};
  if (text == "0001-01-01T00:00:00Z") return from_unix_ms(-62'135'596'800'000);
  constexpr std::size_t plain_bytes = 20;  // 2006-01-02T15:04:05Z, and maybe a fraction
  if (text.size() >= plain_bytes && text[10] == 'T' && text.back() == 'Z') {
    if (const auto read = parse_rfc3339(text)) return *read;
  }
  // Go knows the letters of RFC 3339 in upper case alone.
  if (text.find_first_of("tz") == std::string_view::npos) {
    if (const auto read = parse_rfc3339(as_rfc3339(text))) return *read;
  }
  return error{"bad_time", time_error(text)};
}

bool parse_flag(std::string_view text, bool otherwise) {
  if (text.empty()) return otherwise;
  constexpr std::array<std::string_view, 10> yes{"true", "1", "yes",      "ok",      "y",
                                                 "on",   "t", "selected", "checked", "enabled"};
  return std::any_of(yes.begin(), yes.end(),
                     [&](std::string_view each) { return same_in_any_case(each, text); });
}

bool is_request_uri(std::string_view text) {
  const auto is_control = [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; };
  if (text.empty() || std::any_of(text.begin(), text.end(), is_control)) return false;
  if (text == "*") return true;
  const auto scheme = scheme_length(text);
  auto rest = text.substr(scheme == 0 ? 0 : scheme + 1);
  rest = rest.substr(0, rest.find('?'));
  if (!rest.starts_with('/')) return scheme != 0;
  if (rest.starts_with("//") && (scheme != 0 || !rest.starts_with("///"))) {
    const auto slash = std::min(rest.find('/', 2), rest.size());
    if (!is_authority(rest.substr(2, slash - 2))) return false;
    rest.remove_prefix(slash);
  }
  return percent_encoded(rest);
}

bool is_uuid(std::string_view text) {
  constexpr std::array<std::size_t, 5> groups{8, 4, 4, 4, 12};
  for (const std::size_t digits : groups) {
    if (digits != groups[0] && text.starts_with('-')) text.remove_prefix(1);
    if (text.size() < digits ||
        !std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(digits), is_hex))
      return false;
    text.remove_prefix(digits);
  }
  return text.empty();
}

bool is_label_name(std::string_view text) {
  const auto inside = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
  return !text.empty() && !is_digit(text[0]) && std::all_of(text.begin(), text.end(), inside);
}

std::string go_quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<std::string> regexp_error(std::string_view pattern) {
  const re2::RE2 compiled{re2::StringPiece{pattern.data(), pattern.size()}, pattern_options()};
  if (compiled.ok()) return std::nullopt;
  return fmt::format("error parsing regexp: {}: `{}`", go_words(compiled.error_code()),
                     compiled.error_arg());
}

result<label_matcher> parse_filter(std::string_view text) {
  static const re2::RE2 form{R"(^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*((?s).*?)\s*$)",
                             pattern_options()};
  std::string name;
  std::string op;
  std::string value;
  if (!re2::RE2::FullMatch(re2::StringPiece{text.data(), text.size()}, form, &name, &op, &value))
    return error{"bad_matcher", fmt::format("bad matcher format: {}", text)};
  // Alertmanager has no operator "==": its second half begins the value.
  const bool begins_with_equals = op == "=" && value.starts_with('=');
  if (begins_with_equals && value.find('"') == std::string::npos)
    return label_matcher::make(name, matcher_operator::equal, value);
  auto read = parse_label_matcher(text);
  if (read && !begins_with_equals) return read;
  if (op.ends_with('~')) {
    const bool in_quotes = value.size() > 1 && value.starts_with('"') && value.ends_with('"');
    const auto inside = in_quotes ? value.substr(1, value.size() - 2) : value;
    if (const auto wrong = regexp_error(fmt::format("^(?:{})$", inside)))
      return error{"bad_matcher", *wrong};
  }
  if (value.find('"') != std::string::npos)
    return error{"bad_matcher",
                 fmt::format("matcher value contains unescaped double quote: {}", value)};
  return read.failure();
}

std::string label_fingerprint(
    const std::vector<std::pair<std::string, std::string>>& labels_by_name) {
  constexpr std::uint64_t offset_basis = 14'695'981'039'346'656'037U;
  constexpr std::uint64_t prime = 1'099'511'628'211U;
  std::uint64_t hash = offset_basis;
  const auto add = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * prime;
    hash = (hash ^ 0xffU) * prime;
  };
  for (const auto& [name, value] : labels_by_name) {
    add(name);
    add(value);
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace tocsin::alertmanager
