// SPDX-License-Identifier: Apache-2.0
// Paths are compared part by part, as they were sent.
#include "io/http_routing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "io/json_line.hpp"
#include "io/utf8.hpp"

namespace tocsin {

namespace {

/// How much of a stranger's text an error message repeats.
constexpr std::size_t quoted_bytes_max = 100;

int hex_value(char digit) noexcept {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

/// Takes what is before the next '/' off the front of `path`, with the '/'.
std::string_view take_part(std::string_view& path) {
  const auto slash = std::min(path.find('/'), path.size());
  const auto part = path.substr(0, slash);
  path.remove_prefix(std::min(slash + 1, path.size()));
  return part;
}

bool is_capture(std::string_view part) noexcept {
  return part.size() > 2 && part.front() == '{' && part.back() == '}';
}

using captures = std::vector<std::pair<std::string_view, std::string_view>>;

/// What the `{name}` parts of `pattern` take of `path`, not decoded; nothing when they differ.
std::optional<captures> fit(std::string_view pattern, std::string_view path) {
  if (std::count(pattern.begin(), pattern.end(), '/') != std::count(path.begin(), path.end(), '/'))
    return std::nullopt;
  captures taken;
  while (!pattern.empty() || !path.empty()) {
    const auto wanted = take_part(pattern);
    const auto seen = take_part(path);
    if (is_capture(wanted) && !seen.empty()) {
      taken.emplace_back(wanted.substr(1, wanted.size() - 2), seen);
    } else if (wanted != seen) {
      return std::nullopt;
    }
  }
  return taken;
}

http_response not_found(std::string_view path) {
  return http_failure(404, "not_found",
                      fmt::format("there is nothing at {}", printable(path, quoted_bytes_max)));
}

http_response method_not_allowed(std::string_view method, std::string_view path,
                                 const std::vector<std::string>& allowed) {
  const auto list = fmt::format("{}", fmt::join(allowed, ", "));
  auto refused = http_failure(405, "method_not_allowed",
                              fmt::format("{} takes {}, not {}", printable(path, quoted_bytes_max),
                                          list, printable(method, quoted_bytes_max)));
  refused.headers.emplace_back("Allow", list);
  return refused;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded += text[at];
      continue;
    }
    if (text.size() - at < 3) return std::nullopt;
    const int high = hex_value(text[at + 1]);
    const int low = hex_value(text[at + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    at += 2;
  }
  return decoded;
}

route_choice choose_route(const std::vector<http_route>& routes, std::string_view method,
                          std::string_view path) {
  route_choice choice;
  captures chosen;
  std::vector<std::string> allowed;
  for (const http_route& route : routes) {
    const auto taken = fit(route.path, path);
    if (!taken) continue;
    if (std::find(allowed.begin(), allowed.end(), route.method) == allowed.end()) {
      allowed.push_back(route.method);
      if (route.method == "GET") allowed.emplace_back("HEAD");
    }
    if (route.method != method) continue;
    if (choice.route && chosen.size() <= taken->size()) continue;
    choice.route = &route;
    chosen = *taken;
  }
  if (!choice.route) {
    choice.refused = allowed.empty() ? not_found(path) : method_not_allowed(method, path, allowed);
    return choice;
  }
  for (const auto& [name, sent] : chosen) {
    auto decoded = percent_decoded(sent);
    if (!decoded) {
      choice.route = nullptr;
      choice.refused = http_failure(400, "malformed",
                                    fmt::format("'{}' in the path is not percent-encoded text",
                                                printable(sent, quoted_bytes_max)));
      return choice;
    }
    choice.captured.emplace_back(std::string{name}, std::move(*decoded));
  }
  return choice;
}

std::string_view http_request::part(std::string_view name) const noexcept {
  for (const auto& [known, value] : captured) {
    if (known == name) return value;
  }
  return {};
}

std::vector<std::string> http_request::values(std::string_view name) const {
  const auto decoded = [](std::string_view sent) {
    std::string spaced{sent};
    std::replace(spaced.begin(), spaced.end(), '+', ' ');
    auto made = percent_decoded(spaced);
    return made ? std::move(*made) : std::string{sent};
  };
  std::vector<std::string> found;
  std::string_view left = query;
  while (!left.empty()) {
    const auto end = std::min(left.find('&'), left.size());
    const auto pair = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    if (pair.empty() || decoded(pair.substr(0, equals)) != name) continue;
    found.push_back(decoded(pair.substr(std::min(equals + 1, pair.size()))));
  }
  return found;
}

http_response http_failure(unsigned status, std::string_view code, std::string_view message) {
  json_line body;
  body.begin_object().key("code").text(code).key("message").text(message).end_object();
  return {status, "application/json", body.line(), {}};
}

}  // namespace tocsin
