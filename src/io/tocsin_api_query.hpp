// SPDX-License-Identifier: Apache-2.0
// The query of a request to tocsin's own API, read strictly.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "io/http_server.hpp"
#include "io/json_request.hpp"
#include "tocsin/label_matcher.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// Ask for every parameter there may be, then for failure(): those that nobody asked for are
/// errors, and so is one that comes twice where one is wanted. After the first failure all answers
/// are empty or what was given as default. Codes: bad_field, unknown_field, bad_matcher.
class query_request {
 public:
  /// The request must outlive it.
  explicit query_request(const http_request& request) : request_(&request) {}

  /// "" when it is not there.
  [[nodiscard]] std::string text(std::string_view name);
  [[nodiscard]] std::vector<std::string> texts(std::string_view name);
  /// "true" or "false"; nothing when it is not there.
  [[nodiscard]] std::optional<bool> flag(std::string_view name);
  [[nodiscard]] std::optional<std::uint64_t> count(std::string_view name, std::uint64_t least,
                                                   std::uint64_t most);
  [[nodiscard]] std::optional<instant> time(std::string_view name);
  /// Each value one matcher or several: filter=a="b"&filter={c=~"d.*",e!="f"}.
  [[nodiscard]] label_matchers matchers(std::string_view name);
  /// Each value one of `words`; gives their indexes.
  [[nodiscard]] std::vector<std::size_t> words(std::string_view name,
                                               const std::vector<std::string_view>& words);

  /// The first failure stays.
  void refuse(std::string_view name, std::string message, std::string_view code = "bad_field");
  [[nodiscard]] std::optional<field_error> failure();

 private:
  [[nodiscard]] std::optional<std::string> one(std::string_view name);
  void wanted(std::string_view name, std::string_view what, std::string_view seen);

  const http_request* request_;
  std::set<std::string, std::less<>> asked_;
  std::optional<field_error> failure_;
};

}  // namespace tocsin
