// SPDX-License-Identifier: Apache-2.0
// Keys by libzmq, and the files they stand in.
#include "io/curve_keys.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <zmq.hpp>

#include "io/yaml_reader.hpp"

namespace tocsin {
namespace {

using key_text = std::array<char, curve_key_length + 1>;

/// Calls `take(line, number)` for each line that is neither empty nor a comment, without the blanks
/// around it.
template <class Take>
void each_line(std::string_view text, Take&& take) {
  for (int number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    constexpr std::string_view blanks = " \t\r";
    const auto first = line.find_first_not_of(blanks);
    if (first == std::string_view::npos || line[first] == '#') continue;
    take(line.substr(first, line.find_last_not_of(blanks) - first + 1), number);
  }
}

/// Nothing when only the owner and the group can read or write it.
std::optional<error> refuse_open_file(const std::string& path) {
  struct stat seen {};
  if (::stat(path.c_str(), &seen) != 0) return std::nullopt;  // reading it says why
  if ((seen.st_mode & S_IRWXO) == 0) return std::nullopt;
  return error{"insecure", fmt::format("'{}' holds a secret key and others than its owner and "
                                       "group may use it (mode {:04o}; try chmod 600)",
                                       path, seen.st_mode & 07777U)};
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(file) == 0;
}

}  // namespace

bool is_curve_key(std::string_view text) {
  if (text.size() != curve_key_length || text.find('\0') != std::string_view::npos) return false;
  std::array<std::uint8_t, 32> bytes{};
  return ::zmq_z85_decode(bytes.data(), std::string{text}.c_str()) != nullptr;
}

std::string curve_key_text(std::string_view bytes) {
  key_text text{};
  if (bytes.size() != 32 ||
      ::zmq_z85_encode(text.data(), reinterpret_cast<const std::uint8_t*>(bytes.data()), 32) ==
          nullptr) {
    return "";
  }
  return text.data();
}

curve_pair make_curve_pair() {
  for (;;) {
    key_text made_public{};
    key_text made_secret{};
    if (::zmq_curve_keypair(made_public.data(), made_secret.data()) != 0) {
      throw std::runtime_error("the ZeroMQ library of this system has no CURVE");
    }
    if (made_public[0] != '#' && made_secret[0] != '#') {
      return {made_public.data(), made_secret.data()};
    }
  }
}

result<curve_pair> pair_of_secret(const std::string& secret_key) {
  key_text made{};
  if (!is_curve_key(secret_key) || ::zmq_curve_public(made.data(), secret_key.c_str()) != 0) {
    return error{"bad_key",
                 fmt::format("not a secret key (wanted {} characters of Z85)", curve_key_length)};
  }
  return curve_pair{made.data(), secret_key};
}

result<curve_pair> read_secret_file(const std::string& path) {
  if (auto open_to_others = refuse_open_file(path)) return std::move(*open_to_others);
  const auto text = read_file(path);
  if (!text) return text.failure();
  std::string key;
  int key_line = 0;
  int second = 0;
  each_line(*text, [&](std::string_view line, int number) {
    if (key_line == 0) {
      key = line;
      key_line = number;
    } else if (second == 0) {
      second = number;
    }
  });
  if (key_line == 0) return error{"bad_key", fmt::format("{}: there is no key in it", path)};
  if (second != 0) {
    return error{"bad_key", fmt::format("{}:{}: wanted one secret key alone", path, second)};
  }
  auto pair = pair_of_secret(key);
  if (!pair) {
    return error{"bad_key", fmt::format("{}:{}: {}", path, key_line, pair.failure().message)};
  }
  return pair;
}

result<std::string> read_public_file(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return text.failure();
  std::string key;
  int key_line = 0;
  each_line(*text, [&](std::string_view line, int number) {
    if (key_line != 0) return;
    key = line.substr(0, line.find_first_of(" \t"));
    key_line = number;
  });
  if (key_line == 0) return error{"bad_key", fmt::format("{}: there is no key in it", path)};
  if (is_curve_key(key)) return key;
  return error{"bad_key", fmt::format("{}:{}: not a public key (wanted {} characters of Z85)", path,
                                      key_line, curve_key_length)};
}

std::optional<error> write_secret_file(const std::string& path, const curve_pair& pair) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0 && errno == EEXIST) {
    return error{"exists", fmt::format("'{}' exists and is not overwritten", path)};
  }
  if (file < 0) {
    return error{"unwritable", fmt::format("cannot write '{}': {}", path, std::strerror(errno))};
  }
  const std::string text = fmt::format(
      "# A secret key (CURVE) of tocsin: for its owner alone. Its public key:\n# {}\n{}\n",
      pair.public_key, pair.secret_key);
  const bool written = write_all(file, text);
  const int reason = errno;
  const bool closed = ::close(file) == 0;
  if (written && closed) return std::nullopt;
  ::unlink(path.c_str());
  return error{"unwritable",
               fmt::format("cannot write '{}': {}", path, std::strerror(written ? errno : reason))};
}

}  // namespace tocsin
