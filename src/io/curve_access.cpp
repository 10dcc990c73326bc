// SPDX-License-Identifier: Apache-2.0
// Reads lists of allowed keys and answers who a key belongs to.
#include "io/curve_access.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/yaml_reader.hpp"

namespace tocsin {
namespace {

constexpr std::string_view blanks = " \t\r";

/// The next word of a line, which loses it.
std::string_view take_word(std::string_view& line) {
  const auto first = line.find_first_not_of(blanks);
  if (first == std::string_view::npos) return line = {};
  line.remove_prefix(first);
  const std::string_view word = line.substr(0, line.find_first_of(blanks));
  line.remove_prefix(word.size());
  return word;
}

bool is_name(std::string_view text) {
  const auto fits = [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
           (each >= '0' && each <= '9') ||
           std::string_view{"_.:@/-"}.find(each) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= curve_name_bytes_max &&
         std::all_of(text.begin(), text.end(), fits);
}

class list_reader {
 public:
  list_reader(const std::string& file, diagnostics& found) : file_(file), found_(found) {}

  allow_list read(std::string_view text) {
    for (number_ = 1; !text.empty(); ++number_) {
      const auto end = text.find('\n');
      take(text.substr(0, end));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return std::move(keys_);
  }

 private:
  void refuse(std::string message) {
    found_.push_back({diagnostic::grade::error, file_, number_, 0, std::move(message)});
  }

  void take(std::string_view line) {
    const std::string_view key = take_word(line);
    if (key.empty()) return;
    if (key.front() == '#') {
      if (!is_curve_key(key)) return;
      return refuse("a key that begins with '#' reads as a comment: make another key");
    }
    if (!is_curve_key(key)) {
      return refuse(
          fmt::format("the line does not begin with a public key (wanted {} characters "
                      "of Z85, and a name)",
                      curve_key_length));
    }
    const std::string_view name = take_word(line);
    if (!is_name(name)) {
      return refuse(fmt::format(
          "the key has no name (wanted KEY NAME; a name is 1 to {} of A-Z a-z 0-9 _ . : @ / -)",
          curve_name_bytes_max));
    }
    if (const auto rest = take_word(line); !rest.empty() && rest.front() != '#') {
      return refuse("something follows the name (wanted KEY NAME)");
    }
    const auto [at, fresh] = lines_.try_emplace(std::string{key}, number_);
    if (!fresh) return refuse(fmt::format("the key stands in line {} already", at->second));
    keys_.emplace(key, name);
  }

  const std::string& file_;
  diagnostics& found_;
  int number_ = 0;
  std::map<std::string, int> lines_;
  allow_list keys_;
};

}  // namespace

allow_list parse_allow_list(std::string_view text, const std::string& file, diagnostics& found) {
  return list_reader{file, found}.read(text);
}

loaded_allow_list load_allow_list(const std::string& path, diagnostics& found) {
  // Before the content: what is written meanwhile looks different at the next look.
  loaded_allow_list made{path, {}, stamp_of(path)};
  const auto text = read_file(path);
  if (!text) {
    found.push_back({diagnostic::grade::error, path, 0, 0, text.failure().message});
    return made;
  }
  made.keys = parse_allow_list(*text, path, found);
  return made;
}

std::optional<std::string> curve_access::user(surface which, std::string_view public_key) const {
  for (const curve_role role : all_roles) {
    if (!may_use(role, which)) continue;
    const allow_list& keys = lists[static_cast<std::size_t>(role)].keys;
    if (const auto found = keys.find(public_key); found != keys.end()) return found->second;
  }
  return std::nullopt;
}

bool curve_access::knows(std::string_view public_key) const {
  return std::any_of(lists.begin(), lists.end(), [&](const loaded_allow_list& each) {
    return each.keys.find(public_key) != each.keys.end();
  });
}

std::optional<curve_access> load_curve_access(const security_settings& from, diagnostics& found) {
  if (!from.curve()) return std::nullopt;
  curve_access made;
  if (auto server = read_secret_file(from.server_key_file)) {
    made.server = std::move(*server);
  } else {
    found.push_back({diagnostic::grade::error, "", 0, 0,
                     "security.curve.server_key_file: " + server.failure().message});
  }
  std::size_t lists = 0;
  for (const curve_role role : all_roles) {
    const std::string& path = from.allow[static_cast<std::size_t>(role)];
    if (path.empty()) continue;
    ++lists;
    made.lists[static_cast<std::size_t>(role)] = load_allow_list(path, found);
  }
  if (lists == 0) {
    found.push_back({diagnostic::grade::warning, "", 0, 0,
                     "security.allow: there is no list, so nobody can connect to any socket"});
  }
  return made;
}

}  // namespace tocsin
