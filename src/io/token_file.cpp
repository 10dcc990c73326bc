// SPDX-License-Identifier: Apache-2.0
// Reads, makes and hashes tokens, over OpenSSL's libcrypto.
#include "io/token_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

namespace tocsin {
namespace {

constexpr std::string_view hash_scheme = "sha256:";
constexpr std::size_t name_bytes_max = 64;
constexpr std::string_view token_prefix = "tocsin_";
constexpr std::size_t random_bytes = 32;

bool is_letter_or_digit(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool consists_of(std::string_view text, std::string_view signs) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter_or_digit(c) || signs.find(c) != std::string_view::npos;
  });
}

/// Without padding (RFC 4648, section 5).
std::string base64url(const std::array<unsigned char, random_bytes>& bytes) {
  static constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  constexpr unsigned digit_bits = 6;
  constexpr unsigned digit_mask = 63;
  std::string made;
  unsigned waiting = 0;
  unsigned waiting_bits = 0;
  for (const unsigned char byte : bytes) {
    waiting = (waiting << 8U) | byte;
    waiting_bits += 8;
    while (waiting_bits >= digit_bits) {
      waiting_bits -= digit_bits;
      made += digits[(waiting >> waiting_bits) & digit_mask];
    }
  }
  if (waiting_bits > 0) made += digits[(waiting << (digit_bits - waiting_bits)) & digit_mask];
  return made;
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<token_hash> parse_hash(std::string_view text) {
  token_hash made{};
  if (!text.starts_with(hash_scheme)) return std::nullopt;
  text.remove_prefix(hash_scheme.size());
  if (text.size() != 2 * made.size()) return std::nullopt;
  for (std::size_t i = 0; i < made.size(); ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    made[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return made;
}

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  std::vector<std::string_view> words;
  for (auto at = line.find_first_not_of(blanks); at != std::string_view::npos;
       at = line.find_first_not_of(blanks, at)) {
    const auto end = std::min(line.find_first_of(blanks, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

/// What is wrong with the words of a line, or ""; then they are in `into`.
std::string read_line(const std::vector<std::string_view>& words, bearer_token& into) {
  if (words.size() != 3) {
    return fmt::format("{} words, wanted three: ROLE NAME sha256:HEX", words.size());
  }
  const auto role = parse_http_role(words[0]);
  if (!role) return "the first word is not a role (wanted viewer, operator or sender)";
  if (auto wrong = refuse_token_name(words[1]); !wrong.empty()) return wrong;
  const auto hash = parse_hash(words[2]);
  if (!hash) {
    return "the third word is not sha256: and 64 hexadecimal digits (`tocsin token hash` gives "
           "them "
           "for a token)";
  }
  into = {*role, std::string{words[1]}, *hash};
  return "";
}

/// The bytes of a line that end what is there already: a file without a last line's end gets it.
std::string whole_line(int file, std::string_view line) {
  char last = '\n';
  const auto end = ::lseek(file, 0, SEEK_END);
  const bool open_line = end > 0 && ::pread(file, &last, 1, end - 1) == 1 && last != '\n';
  return fmt::format("{}{}\n", open_line ? "\n" : "", line);
}

}  // namespace

token_hash hash_of_token(std::string_view token) {
  token_hash made{};
  ::SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), made.data());
  return made;
}

std::string to_text(const token_hash& hash) {
  std::string made{hash_scheme};
  for (const unsigned char byte : hash) made += fmt::format("{:02x}", byte);
  return made;
}

result<std::string> new_token() {
  std::array<unsigned char, random_bytes> bytes{};
  if (::RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return error{"no_randomness", "the system gives no random numbers"};
  }
  auto made = std::string{token_prefix} + base64url(bytes);
  ::OPENSSL_cleanse(bytes.data(), bytes.size());
  return made;
}

std::string refuse_token(std::string_view token) {
  if (token.size() < token_bytes_min || token.size() > token_bytes_max) {
    return fmt::format("a token has {} to {} characters, this has {}", token_bytes_min,
                       token_bytes_max, token.size());
  }
  if (!consists_of(token, "-._~+/=")) {
    return "a token has letters, digits and -._~+/= only, this has others";
  }
  return "";
}

std::string refuse_token_name(std::string_view name) {
  if (name.empty() || name.size() > name_bytes_max || !consists_of(name, "._-@")) {
    return fmt::format("a name has 1 to {} letters, digits, '.', '_', '-', '@', this is another",
                       name_bytes_max);
  }
  if (name.starts_with(token_prefix)) {
    return fmt::format("a name does not begin with {}: this looks like a token", token_prefix);
  }
  for (const std::string_view part : {"rule", "event", "checker", "api"}) {
    if (name == part) return fmt::format("'{}' stands for a part of tocsin, wanted who", name);
  }
  return "";
}

std::string token_line(const bearer_token& of) {
  return fmt::format("{} {} {}", to_text(of.role), of.name, to_text(of.hash));
}

std::vector<bearer_token> parse_tokens(std::string_view text, const std::string& file,
                                       diagnostics& found) {
  std::vector<bearer_token> all;
  std::map<token_hash, int> lines;
  int number = 0;
  const auto refuse = [&](std::string why) {
    found.push_back({diagnostic::grade::error, file, number, 0, std::move(why)});
  };
  while (!text.empty()) {
    ++number;
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, std::min(text.substr(0, end).find('#'), end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto words = words_of(line);
    if (words.empty()) continue;
    bearer_token read;
    if (auto wrong = read_line(words, read); !wrong.empty()) {
      refuse(std::move(wrong));
      continue;
    }
    const auto [first, fresh] = lines.emplace(read.hash, number);
    if (!fresh) refuse(fmt::format("this token stands in line {} already", first->second));
    if (all.size() == token_file_lines_max) {
      refuse(fmt::format("more than {} tokens", token_file_lines_max));
      break;
    }
    all.push_back(std::move(read));
  }
  return all;
}

std::optional<error> append_token_line(const std::string& file, std::string_view line) {
  const auto failed = [&] {
    return error{"unwritable_file",
                 fmt::format("cannot write '{}': {}", file, std::strerror(errno))};
  };
  constexpr int owner_only = 0600;
  const int opened = ::open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, owner_only);
  if (opened < 0) return failed();
  const std::string bytes = whole_line(opened, line);
  std::optional<error> wrong;
  // One write: a daemon that reads meanwhile sees the line whole or not at all.
  if (::write(opened, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    wrong = failed();
  }
  if (::close(opened) != 0 && !wrong) wrong = failed();
  return wrong;
}

}  // namespace tocsin
