// SPDX-License-Identifier: Apache-2.0
// Parameters of a query, by name.
#include "io/tocsin_api_query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "io/utf8.hpp"

namespace tocsin {

namespace {

/// How much of a stranger's text an error message repeats.
constexpr std::size_t shown_bytes_max = 100;

/// The parameters' names as they were sent.
std::vector<std::string_view> names_in(std::string_view query) {
  std::vector<std::string_view> names;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (!pair.empty()) names.push_back(pair.substr(0, pair.find('=')));
  }
  return names;
}

}  // namespace

void query_request::refuse(std::string_view name, std::string message, std::string_view code) {
  if (!failure_) failure_ = field_error{code, std::move(message), std::string{name}};
}

void query_request::wanted(std::string_view name, std::string_view what, std::string_view seen) {
  refuse(name,
         fmt::format("{}: wanted {}, not '{}'", name, what, printable(seen, shown_bytes_max)));
}

std::vector<std::string> query_request::texts(std::string_view name) {
  asked_.emplace(name);
  if (failure_) return {};
  return request_->values(name);
}

std::optional<std::string> query_request::one(std::string_view name) {
  auto all = texts(name);
  if (all.empty()) return std::nullopt;
  if (all.size() == 1) return std::move(all.front());
  refuse(name, fmt::format("{}: stands there {} times, wanted once", name, all.size()));
  return std::nullopt;
}

std::string query_request::text(std::string_view name) {
  return one(name).value_or(std::string{});
}

std::optional<bool> query_request::flag(std::string_view name) {
  const auto seen = one(name);
  if (!seen) return std::nullopt;
  if (*seen == "true") return true;
  if (*seen == "false") return false;
  wanted(name, "true or false", *seen);
  return std::nullopt;
}

std::optional<std::uint64_t> query_request::count(std::string_view name, std::uint64_t least,
                                                  std::uint64_t most) {
  const auto seen = one(name);
  if (!seen) return std::nullopt;
  std::uint64_t number = 0;
  const char* const last = seen->data() + seen->size();
  const auto [end, failed] = std::from_chars(seen->data(), last, number);
  if (failed == std::errc{} && end == last && number >= least && number <= most) return number;
  wanted(name, fmt::format("a whole number from {} to {}", least, most), *seen);
  return std::nullopt;
}

std::optional<instant> query_request::time(std::string_view name) {
  const auto seen = one(name);
  if (!seen) return std::nullopt;
  const auto at = parse_request_time(*seen);
  if (!at) wanted(name, "a time such as 2026-03-01T10:00:00Z or Unix milliseconds", *seen);
  return at;
}

label_matchers query_request::matchers(std::string_view name) {
  label_matchers all;
  for (const std::string& each : texts(name)) {
    auto read = parse_label_matchers(each);
    if (!read) {
      refuse(name,
             fmt::format("{}: '{}': {}", name, printable(each, shown_bytes_max),
                         read.failure().message),
             "bad_matcher");
      return {};
    }
    all.insert(all.end(), read->begin(), read->end());
  }
  return all;
}

std::vector<std::size_t> query_request::words(std::string_view name,
                                              const std::vector<std::string_view>& words) {
  std::vector<std::size_t> all;
  for (const std::string& each : texts(name)) {
    const auto found = std::find(words.begin(), words.end(), each);
    if (found == words.end()) {
      wanted(name, fmt::format("one of {}", fmt::join(words, ", ")), each);
      return {};
    }
    all.push_back(static_cast<std::size_t>(found - words.begin()));
  }
  return all;
}

std::optional<field_error> query_request::failure() {
  if (failure_) return failure_;
  for (const std::string_view name : names_in(request_->query)) {
    if (asked_.contains(name)) continue;
    const std::vector<std::string> known(asked_.begin(), asked_.end());
    const std::string seen = printable(name, shown_bytes_max);
    const std::string near = nearest_word(seen, known);
    std::string hint;
    if (!near.empty()) {
      hint = fmt::format(" (did you mean {}?)", near);
    } else if (!known.empty()) {
      hint = fmt::format("; there are: {}", fmt::join(known, ", "));
    }
    refuse(seen, fmt::format("there is no parameter {}{}", seen, hint), "unknown_field");
    break;
  }
  return failure_;
}

}  // namespace tocsin
